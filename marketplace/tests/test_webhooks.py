"""Events of providers over HTTP: verified, stored once, applied once, in any order; and replayed by finance (M7)."""

import json
from collections.abc import Generator
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from marketplace import clock, tasks, webhooks
from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import UserFactory
from marketplace.tests import invariants
from orders import services
from orders.models import Order
from orders.tests.factories import NOON, after, cancel_order, cents, make_offer, make_placed, statuses
from payments.gateways import (
    DisputeState,
    Outcome,
    ParsedDispute,
    ParsedEvent,
    State,
    sandbox_bank,
    sandbox_disputes,
    sandbox_events,
)
from payments.models import Charge, Chargeback, ProviderEvent, Refund, SandboxCharge, SandboxEvent, Withdrawal
from payments.services import Cents, approve_withdrawal
from payments.tests.peer import Peer, sign
from payments.tests.steps import ask_for, connect, earn

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _noon() -> Generator[None, None, None]:
    """At noon; in the end every promise holds."""
    with clock.at(NOON):
        yield
    assert invariants.check() == []


def tell(client: Client, body: dict[str, Any] | bytes, signature: str | None = None) -> HttpResponse:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    signed = sandbox_events.sign(raw) if signature is None else signature
    answer: Any = client.post("/webhooks/sandbox/", raw, "application/json", headers={"Signature": signed})
    return answer


def event_of(kind: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(SandboxEvent.objects.filter(kind=kind).latest("created_at").body)
    return body


def said() -> list[tuple[str, str, bool]]:
    events = ProviderEvent.objects.order_by("pk")
    return [(event.kind, event.outcome, event.applied_at is not None) for event in events]


def finance() -> User:
    person: User = UserFactory(is_staff=True)
    person.groups.add(Group.objects.get(name="Finance"))
    return person


def test_an_event_is_stored_and_applied_once_however_often_it_comes(client: Client) -> None:
    order = make_offer()
    services.place(order, by=order.buyer, method="card_lost")
    body = event_of("charge.succeeded")
    assert [tell(client, body).status_code for _ in range(3)] == [200, 200, 200]
    assert said() == [("charge.succeeded", "told the order: succeeded", True)]
    assert cents(order) == Cents(charged=12_660, held=12_660)


def test_what_is_forged_malformed_unknown_or_too_large_books_nothing(client: Client) -> None:
    order = make_offer()
    services.place(order, by=order.buyer, method="card_lost")
    body = event_of("charge.succeeded")
    large = b"{" + b" " * 300_000 + b"}"
    assert tell(client, body, signature="0" * 64).status_code == 400
    assert tell(client, b"not json").status_code == 400
    assert tell(client, large).status_code == 413
    assert client.get("/webhooks/sandbox/").status_code == 405
    assert client.post("/webhooks/telepathy/", b"{}", "application/json").status_code == 404
    assert said() == []
    assert tell(client, {**body, "type": "charge.exploded"}).status_code == 200
    assert said() == [("charge.exploded", "ignored: about nothing of ours", False)]
    assert statuses(order)[0] == "awaiting_payment"


def test_a_number_that_no_column_takes_is_malformed_and_no_error_of_ours(client: Client) -> None:
    order = make_offer()
    services.place(order, by=order.buyer, method="card_lost")
    body = event_of("charge.succeeded")
    for number in ("n" * 201, "n" * 300):
        assert tell(client, {**body, "id": number}).status_code == 400
        assert tell(client, {**body, "data": {**body["data"], "id": number}}).status_code == 400
    assert statuses(order)[0] == "awaiting_payment"


def test_a_number_of_stripes_that_is_none_is_malformed_too(client: Client, peer: Peer) -> None:
    intent = {"id": "pi_1", "status": "requires_action", "amount": 5, "currency": "usd", "metadata": {"key": "a key"}}
    statuses_of = []
    for told in ({}, {"id": "n" * 201}, {"id": {"n": 1}}, {"id": 5}, {"metadata": {"key": "two\nlines"}}):
        event = {"id": "evt_1", "type": "payment_intent.processing", "data": {"object": {**intent, **told}}}
        raw = json.dumps(event).encode()
        answer = client.post("/webhooks/stripe/", raw, "application/json", headers={"Stripe-Signature": sign(raw)})
        statuses_of.append(answer.status_code)
    assert statuses_of == [200, 400, 400, 400, 400]


def test_stripe_is_heard_with_its_own_signature_and_never_without_a_secret(
    client: Client, peer: Peer, settings: Any
) -> None:
    raw = json.dumps({"id": "evt_1", "type": "customer.created", "data": {"object": {"id": "cus_1"}}}).encode()

    def status(signature: str) -> int:
        signed = {"Stripe-Signature": signature}
        return client.post("/webhooks/stripe/", raw, "application/json", headers=signed).status_code

    assert status(sign(raw, secret="whsec_other")) == 400
    assert status(sign(raw)) == 200
    # Not in use and not set up: an empty secret is known to everybody.
    settings.PAYMENT_GATEWAY = "sandbox"
    settings.STRIPE_WEBHOOK_SECRET = ""
    assert status(sign(raw, secret="")) == 400
    settings.STRIPE_WEBHOOK_SECRET = "whsec_peer,"
    assert status(sign(raw, secret="")) == 400
    assert said() == [("customer.created", "ignored: about nothing of ours", False)]


def test_refunds_withdrawals_accounts_and_chargebacks_find_what_they_are_about(client: Client) -> None:
    order = make_placed()
    cancel_order(order)
    tell(client, event_of("refund.succeeded"))
    seller = UserFactory()
    earn(seller)
    account = connect(seller, "bank_processing")
    withdrawal = ask_for(seller)
    approve(withdrawal)
    tell(client, event_of("payout_account.updated"))
    with clock.at(after(minutes=5)):
        sandbox_bank.settle_payouts(clock.now())
        tell(client, event_of("payout.paid"))
    withdrawal.refresh_from_db()
    assert said() == [
        ("refund.succeeded", "changed nothing: known already", True),
        ("payout_account.updated", "asked about the account", True),
        ("payout.paid", "withdrawal succeeded", True),
    ]
    assert (account.status, withdrawal.status) == ("ready", "paid")


def test_a_chargeback_is_brought_to_its_order(client: Client) -> None:
    order = make_placed()
    charge = Charge.objects.get()
    dispute = sandbox_disputes.take_back(SandboxCharge.objects.get(key=charge.key).pk, at=NOON)
    body = event_of("dispute.taken")
    unknown = {**body, "id": "unknown", "data": {**body["data"], "charge": "somebody-elses"}}
    assert tell(client, unknown).status_code == 200
    assert tell(client, body).status_code == 200
    assert [line[1:] for line in said()] == [
        ("refused: we know no such charge of this provider.", False),
        ("told the order: chargeback taken", True),
    ]
    assert Chargeback.objects.get().provider_id == str(dispute.pk)
    assert Order.objects.get(pk=order.pk).paused_at == NOON


def test_one_event_that_cannot_be_replayed_keeps_no_other_from_it(client: Client) -> None:
    cancel_order(make_placed())
    tell(client, event_of("refund.succeeded"))
    ProviderEvent.objects.update(applied_at=None)
    readable = ProviderEvent.objects.get()
    # The latest are taken first.
    gone = ProviderEvent.objects.create(provider="gone", event_id="e-gone", kind="k", body={}, received_at=NOON)
    client.force_login(finance())
    chosen = {"action": "replay", "_selected_action": [gone.pk, readable.pk]}
    replayed = client.post("/admin/payments/providerevent/", chosen, follow=True)
    said = [str(message) for message in replayed.context["messages"]]
    assert said == [
        "e-gone could not be applied; see the log.",
        f"{readable.event_id}: changed nothing: known already",
    ]


def test_finance_replays_an_event_that_came_before_what_it_is_about(client: Client) -> None:
    order = make_placed()
    cancel_order(order)
    refund = Refund.objects.get()
    body = event_of("refund.succeeded")
    key, stranger = refund.key, "refund-of-somebody-else"
    Refund.objects.filter(pk=refund.pk).update(key=stranger)
    tell(client, body)
    Refund.objects.filter(pk=refund.pk).update(key=key)
    event = ProviderEvent.objects.get()
    assert (event.outcome, event.applied_at) == ("refused: we never asked this provider for it.", None)

    client.force_login(finance())
    listed = "/admin/payments/providerevent/"
    assert "we never asked this provider for it." in client.get(f"{listed}?became=refused").text
    assert event.event_id in client.get(f"{listed}{event.pk}/change/").text
    chosen = {"action": "replay", "_selected_action": [event.pk]}
    replayed = client.post(listed, chosen, follow=True)
    event.refresh_from_db()
    assert (event.outcome, event.applied_at) == ("changed nothing: known already", NOON)
    assert f"{event.event_id[1:]}: changed nothing: known already" in replayed.text  # the list writes it with a capital
    assert "was applied already and changes nothing" in client.post(listed, chosen, follow=True).text

    support = UserFactory(is_staff=True)
    support.groups.add(Group.objects.get(name="Support"))
    client.force_login(support)
    assert 'value="replay"' not in client.get(listed).text


def test_what_came_too_early_is_applied_by_itself_once_it_can_be(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    order = make_placed()
    charge = Charge.objects.get()
    sandbox_disputes.take_back(SandboxCharge.objects.get(key=charge.key).pk, at=NOON)
    body = event_of("dispute.taken")
    Charge.objects.update(provider_id="not-told-yet")
    assert tell(client, body).status_code == 200
    with clock.at(after(seconds=59)):
        assert webhooks.replay_early_events() == 0
    refused = ("dispute.taken", "refused: we know no such charge of this provider.", False)
    with clock.at(after(minutes=2)):
        tasks.replay_early_events()
        assert said() == [refused]
    assert len(caplog.records) == 1, "one alarm, however often it is taken"
    Charge.objects.update(provider_id=charge.provider_id)
    with clock.at(after(days=4)):
        assert webhooks.replay_early_events() == 0
    ProviderEvent.objects.create(
        provider="sandbox", event_id="poison", kind="?", body={}, received_at=NOON, outcome="waits: for nothing"
    )
    with clock.at(after(days=3)):
        assert [webhooks.replay_early_events() for _ in range(2)] == [1, 0]
    assert said()[0] == ("dispute.taken", "told the order: chargeback taken", True)
    assert Order.objects.get(pk=order.pk).paused_at == after(days=3)


def test_what_cannot_be_booked_yet_is_kept_and_waits(client: Client) -> None:
    make_placed()
    charge = Charge.objects.get()
    sandbox_disputes.take_back(SandboxCharge.objects.get(key=charge.key).pk, at=NOON)
    body = event_of("dispute.taken")
    assert tell(client, body).status_code == 200
    another = {**body, "id": "another", "data": {**body["data"], "id": "another"}}
    why = "The bank is deciding about another chargeback of this charge."
    for _ in range(2):
        answer = tell(client, another)
        assert (answer.status_code, answer.content.decode()) == (409, why)
    waits = ("dispute.taken", f"waits: {why}", False)
    assert said()[1] == waits
    with clock.at(after(minutes=2)):
        assert webhooks.replay_early_events() == 0
    assert said()[1] == waits

    client.force_login(finance())
    listed = "/admin/payments/providerevent/"
    assert why in client.get(f"{listed}?became=waits").text
    assert why not in client.get(f"{listed}?became=refused").text
    chosen = {"action": "replay", "_selected_action": [ProviderEvent.objects.get(event_id="another").pk]}
    assert f"nother: {why}" in client.post(listed, chosen, follow=True).text

    with clock.at(after(days=1)):
        won = {**body, "id": "won", "type": "dispute.won"}
        assert tell(client, won).status_code == 200
        assert webhooks.replay_early_events() == 1
    assert said()[1] == ("dispute.taken", "told the order: chargeback taken", True)


def test_news_of_a_chargeback_find_their_charge_by_our_key_too() -> None:
    make_placed()
    charge = Charge.objects.get()
    body = {"id": "evt", "type": "dispute.taken"}
    webhooks.apply(
        ParsedEvent(
            provider="sandbox",
            event_id="evt",
            kind="dispute.taken",
            outcome=Outcome(State.UNDECIDED, reason="Fraud."),
            amount=charge.card_amount,
            currency="USD",
            body=body,
            charge_key=charge.key,
            dispute=ParsedDispute("dp_1", "a number that we were not told", DisputeState.TAKEN),
        )
    )
    assert said() == [("dispute.taken", "told the order: chargeback taken", True)]


def approve(withdrawal: Withdrawal) -> None:
    with transaction.atomic():
        approve_withdrawal(withdrawal, by=finance(), at=NOON)
