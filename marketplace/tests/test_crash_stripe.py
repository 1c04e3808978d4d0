"""kill -9 of a real process at each step of a charge, a refund and a withdrawal, over HTTP to another company (M7).

What was committed is taken up by the sweeps. The peer's own events count what it did: each thing once.
"""

import signal
from collections.abc import Callable, Generator

import pytest
from django.contrib.auth.models import Group
from django.db import transaction

from marketplace import clock
from marketplace.accounts.tests.factories import UserFactory
from marketplace.tests import invariants
from marketplace.tests.processes import run_python
from orders import services
from orders.models import Order
from orders.tests.factories import NOON, after, cents, current, deliver, make_offer, statuses
from payments.gateways import gateway
from payments.models import Charge, PayoutAccount, ProviderCustomer, Refund, SavedCard, Transfer, Withdrawal
from payments.services import (
    Cents,
    balance,
    connect_payout_account,
    refresh_payout_account,
    request_withdrawal,
    settle_refunds,
    settle_withdrawals,
)
from payments.tests.peer import PUBLISHABLE_KEY, SECRET_KEY, WEBHOOK_SECRET, Peer

pytestmark = pytest.mark.django_db(transaction=True)

# Runs a verb at NOON and kills itself where it is told to: before or after the function of this name.
CHILD = """
import os, signal, sys
import django
django.setup()

from importlib import import_module
from django.db import transaction
from marketplace import clock
from marketplace.accounts.models import User
from orders import services
from orders.models import Order
from orders.tests.factories import NOON, cancel_order
from payments.models import SavedCard, Withdrawal
from payments.services import approve_withdrawal

act, when, where, about = sys.argv[1:5]
module_name, _, path = where.partition(":")
owner = import_module(module_name)
*parents, name = path.split(".")
for parent in parents:
    owner = getattr(owner, parent)
original = getattr(owner, name)

def killed(*args, **kwargs):
    if when == "after":
        original(*args, **kwargs)
    os.kill(os.getpid(), signal.SIGKILL)

setattr(owner, name, killed)
with clock.at(NOON):
    if act == "place":
        order = Order.objects.get(number=about)
        services.place(order, by=order.buyer, method=f"saved-{SavedCard.objects.get().pk}")
    elif act == "cancel":
        cancel_order(Order.objects.get(number=about))
    elif act == "approve":
        with transaction.atomic():
            finance = User.objects.get(groups__name="Finance")
            approve_withdrawal(Withdrawal.objects.get(key=about), by=finance, at=NOON)
"""
STEPS = {
    "intent_committed": ("before", "payments.gateways:StripeGateway.{call}"),
    "done_but_no_answer": ("after", "payments.gateways:StripeGateway.{call}"),
    "answered_but_not_committed": ("after", "{record}"),
}

at_each_step = pytest.mark.parametrize("step", STEPS)


@pytest.fixture(autouse=True)
def _noon() -> Generator[None, None, None]:
    with clock.at(NOON):
        yield


@pytest.fixture
def kill(_noon: None, peer: Peer) -> Callable[..., None]:
    def killing(act: str, about: str, step: str, call: str, record: str) -> None:
        when, where = STEPS[step]
        ended = run_python(
            CHILD,
            act,
            when,
            where.format(call=call, record=record),
            about,
            PAYMENT_GATEWAY="stripe",
            STRIPE_API_BASE=peer.url,
            STRIPE_SECRET_KEY=SECRET_KEY,
            STRIPE_PUBLISHABLE_KEY=PUBLISHABLE_KEY,
            STRIPE_WEBHOOK_SECRET=WEBHOOK_SECRET,
        )
        assert ended.returncode == -signal.SIGKILL, ended.stderr
        assert invariants.check() == [], "whatever the instant of the crash"

    return killing


@pytest.fixture
def offer(_noon: None, peer: Peer) -> Order:
    """An offer to a buyer with a saved card."""
    order = make_offer()
    customer = gateway().open_customer("customer-of-the-test")
    ProviderCustomer.objects.create(user=order.buyer, provider="stripe", provider_id=customer)
    number = peer.save_card(customer)
    SavedCard.objects.create(
        owner=order.buyer, provider="stripe", provider_id=number, label="Visa ending in 4242", created_at=NOON
    )
    return order


@pytest.fixture
def placed(offer: Order) -> Order:
    services.place(offer, by=offer.buyer, method=f"saved-{SavedCard.objects.get().pk}")
    return offer


@pytest.fixture
def requested(placed: Order, peer: Peer) -> Withdrawal:
    """The seller's request for the money of a completed milestone."""
    deliver(placed)
    services.accept(current(placed), by=placed.buyer)
    account = connect_payout_account(placed.seller, at=NOON)
    peer.complete_account(account.provider_id)
    assert refresh_payout_account(account, at=NOON).status == PayoutAccount.Status.READY
    UserFactory(is_staff=True).groups.add(Group.objects.get(name="Finance"))
    with transaction.atomic():
        return request_withdrawal(placed.seller, currency="USD", amount=9_000, at=NOON)


def everything_again() -> None:
    """Sweeps, as often as they like."""
    for minutes in (1, 5, 60):
        with clock.at(after(minutes=minutes)):
            services.settle_charges()
            settle_refunds(at=clock.now())
            settle_withdrawals(at=clock.now())


def said(peer: Peer, kind: str) -> list[int]:
    return [event.about["amount"] for event in peer.events(kind)]


@at_each_step
def test_killed_at_a_step_of_a_charge_the_card_is_charged_once(
    step: str, offer: Order, peer: Peer, kill: Callable[..., None]
) -> None:
    kill("place", offer.number, step, "charge", "payments.services:record_outcome")
    assert (Charge.objects.get().status, Transfer.objects.count()) == ("asking", 0)
    assert said(peer, "payment_intent.succeeded") == ([] if step == "intent_committed" else [12_660])
    everything_again()
    assert statuses(offer) == ("active", ["in_progress", "planned", "planned"])
    assert cents(offer) == Cents(charged=12_660, held=12_660)
    assert said(peer, "payment_intent.succeeded") == [12_660]
    assert invariants.check() == []


@at_each_step
def test_killed_at_a_step_of_a_refund_the_money_goes_back_once(
    step: str, placed: Order, peer: Peer, kill: Callable[..., None]
) -> None:
    kill("cancel", placed.number, step, "refund", "payments.services.refunding:record_refund")
    assert (Refund.objects.get().status, cents(placed)) == ("asking", Cents(charged=12_660, refunds_due=12_660))
    assert said(peer, "refund.created") == ([] if step == "intent_committed" else [12_660])
    everything_again()
    assert cents(placed) == Cents(charged=12_660, refunded=12_660)
    assert said(peer, "refund.created") == [12_660]
    assert invariants.check() == []


@at_each_step
def test_killed_at_a_step_of_a_withdrawal_the_seller_is_paid_once(
    step: str, requested: Withdrawal, peer: Peer, kill: Callable[..., None]
) -> None:
    kill("approve", requested.key, step, "payout", "payments.services.sending:record_withdrawal")
    requested.refresh_from_db()
    assert (requested.status, balance(requested.owner, "USD")) == ("sending", 600)
    assert said(peer, "transfer.created") == ([] if step == "intent_committed" else [9_000])
    everything_again()
    requested.refresh_from_db()
    assert (requested.status, balance(requested.owner, "USD")) == ("paid", 600)
    assert list(Transfer.objects.filter(withdrawal=requested).values_list("kind", "amount")) == [
        ("withdrawal", 9_000),
        ("paid_out", 9_000),
    ]
    assert said(peer, "transfer.created") == [9_000]
    assert invariants.check() == []
