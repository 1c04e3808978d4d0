"""Currencies with 0, 2 and 3 decimals on the whole path: plan, charge, refund, release, withdrawal, paper (M1, M4)."""

from collections.abc import Generator

import pytest
from django.contrib.auth.models import Group
from django.db import transaction
from django.test import Client

from marketplace import clock
from marketplace.accounts.tests.factories import UserFactory
from marketplace.tests import invariants
from orders import services
from orders.guards import Refused
from orders.models import Order
from orders.tests.factories import NOON, cents, current, deliver, fresh, make_offer, planned
from payments.gateways import gateway
from payments.models import Charge, ProviderCustomer, SavedCard, Withdrawal
from payments.money import display
from payments.services import (
    Cents,
    WithdrawalRefused,
    approve_withdrawal,
    balance,
    connect_payout_account,
    issue_documents,
    refresh_payout_account,
    request_withdrawal,
)
from payments.tests.peer import Peer
from payments.tests.steps import connect

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _noon() -> Generator[None, None, None]:
    """At noon; in the end every promise holds."""
    with clock.at(NOON):
        yield
    assert invariants.check() == []


def offer(price: int, currency: str) -> Order:
    return make_offer(plan=(planned("Logo", price), planned("Card", price)), currency=currency)


def withdraw(order: Order, amount: int) -> Withdrawal:
    finance = UserFactory(is_staff=True)
    finance.groups.add(Group.objects.get(name="Finance"))
    with transaction.atomic():
        withdrawal = request_withdrawal(order.seller, currency=order.currency, amount=amount, at=clock.now())
    with transaction.atomic():
        approve_withdrawal(withdrawal, by=finance, at=clock.now())
    withdrawal.refresh_from_db()
    return withdrawal


def receipt(client: Client, order: Order) -> str:
    issue_documents(at=clock.now())
    client.force_login(order.buyer)
    return client.get(f"/documents/{Charge.objects.earliest('pk').receipt}/").text


@pytest.mark.parametrize(
    ("currency", "price", "paid", "earned", "fees"),
    [
        # The figures of M4.
        ("USD", 10_000, 10_550, 8_000, 2_550),
        ("JPY", 1_001, 1_056, 801, 255),
        ("KWD", 12_345, 13_024, 9_876, 3_148),
    ],
)
def test_a_milestone_from_its_offer_to_the_bank_of_its_seller(
    client: Client, currency: str, price: int, paid: int, earned: int, fees: int
) -> None:
    order = offer(price, currency)
    client.force_login(order.buyer)
    assert display(paid, currency) in client.get(f"/orders/{order.number}/place/").text
    services.place(order, by=order.buyer, method="card_ok")
    deliver(order)
    services.accept(current(order), by=order.buyer)
    assert cents(order) == Cents(charged=paid, seller=earned, fees=fees)
    shown = client.get(f"/orders/{order.number}/").text
    assert [display(amount, currency) in shown for amount in (paid, earned, fees)] == [True, True, True]
    text = receipt(client, order)
    assert [display(amount, currency) in text for amount in (price, paid - price, paid)] == [True, True, True]

    connect(order.seller)
    # Enough for the least withdrawal of every currency.
    for _ in range(3):
        again = make_offer(seller=order.seller, plan=(planned("Logo", price),), currency=currency)
        services.place(again, by=again.buyer, method="card_ok")
        deliver(again)
        services.accept(current(again), by=again.buyer)
    assert withdraw(order, earned * 2).status == Withdrawal.Status.PAID
    assert balance(order.seller, currency) == earned * 2
    client.force_login(order.seller)
    assert display(earned * 2, currency) in client.get("/earnings/").text


def test_a_provider_that_charges_in_steps_is_asked_for_nothing_between_them(client: Client, peer: Peer) -> None:
    with pytest.raises(Refused, match=r"Prices in KWD go in steps of KWD 0\.010\."):
        offer(12_345, "KWD")
    order = offer(12_340, "KWD")
    customer = peer_customer(order, peer)
    client.force_login(order.buyer)
    # 5.5 % of 12.340 is 0.6787: half up to what can be charged.
    assert "KWD 13.020" in client.get(f"/orders/{order.number}/place/").text
    services.place(order, by=order.buyer, method=f"saved-{customer.pk}")
    assert cents(order) == Cents(charged=13_020, held=13_020)
    assert [event.about["amount"] for event in peer.events("payment_intent.succeeded")] == [13_020]
    deliver(order)
    services.accept(current(order), by=order.buyer)
    assert cents(order) == Cents(charged=13_020, seller=9_872, fees=3_148)
    assert display(fresh(order).plan[1].total, "KWD") == "KWD 13.020"

    account = connect_payout_account(order.seller, at=clock.now())
    peer.complete_account(account.provider_id)
    refresh_payout_account(account, at=clock.now())
    services.start(fresh(order).plan[1], by=order.buyer, method=f"saved-{customer.pk}")
    deliver(order)
    services.accept(current(order), by=order.buyer)
    assert balance(order.seller, "KWD") == 19_744
    with pytest.raises(WithdrawalRefused, match=r"Withdrawals in KWD go in steps of KWD 0\.010\."):
        withdraw(order, 19_744)
    client.force_login(order.seller)
    assert 'value="19.740"' in client.get("/earnings/withdraw/KWD/").text
    assert withdraw(order, 19_740).status == Withdrawal.Status.PAID
    assert [event.about["amount"] for event in peer.events("transfer.created")] == [19_740]
    assert balance(order.seller, "KWD") == 4


def test_a_plan_that_the_provider_cannot_charge_any_more_is_refused_with_a_sentence(client: Client, peer: Peer) -> None:
    """The plan was made while another provider was in use."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.conf.settings.PAYMENT_GATEWAY", "sandbox")
        order = offer(12_345, "KWD")
    customer = peer_customer(order, peer)
    client.force_login(order.buyer)
    asked = {"method": f"saved-{customer.pk}", "version": order.version}
    refused = client.post(f"/orders/{order.number}/place/", asked)
    assert refused.status_code == 409
    assert "Prices in KWD go in steps of KWD 0.010." in refused.text
    assert fresh(order).status == Order.Status.OFFERED
    assert Charge.objects.count() == 0


def peer_customer(order: Order, peer: Peer) -> SavedCard:
    """The buyer has a card at Stripe."""
    customer = ProviderCustomer.objects.create(
        user=order.buyer, provider="stripe", provider_id=gateway().open_customer("a")
    )
    number = peer.save_card(customer.provider_id)
    return SavedCard.objects.create(
        owner=order.buyer, provider="stripe", provider_id=number, label="Visa ending in 4242", created_at=NOON
    )
