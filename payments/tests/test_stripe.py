"""What only Stripe does: cards entered on our page, and every way in which its answers can go wrong.

What every gateway does is in test_contract.py.
"""

import hashlib
import hmac
import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse

from marketplace import clock
from payments.gateways import (
    BadEvent,
    BadSignature,
    ChargeRequest,
    DisputeState,
    GatewayError,
    GatewayUnavailable,
    KeptCard,
    Outcome,
    ParsedDispute,
    PayoutRequest,
    RefundRequest,
    State,
    StripeGateway,
)
from payments.gateways.stripe_client import API_VERSION
from payments.gateways.stripe_payouts import state_of
from payments.gateways.stripe_words import card_label, why_declined, why_disputed, why_not_refunded
from payments.models import Charge
from payments.money import CURRENCIES

from .factories import NOON, HeldFundsFactory, after
from .peer import Peer, PeerRefused, sign
from .steps import begin, receive, settle

pytestmark = pytest.mark.django_db
PAGE = "/payments/order-1/1-key/finish/"
CALL_YOUR_BANK = "Your bank declined the payment without saying why. Ask your bank, or use another card."


@pytest.fixture
def stripe(peer: Peer) -> StripeGateway:
    return StripeGateway()


@pytest.fixture
def customer(stripe: StripeGateway) -> str:
    return stripe.open_customer("customer-1")


def asks(key: str = "order-1/1-key", customer: str = "", **of: Any) -> ChargeRequest:
    of = {"method": "new_card", **of}
    return ChargeRequest(
        key=key,
        amount=1000,
        currency="USD",
        description="A logo",
        reference="order-1/1",
        return_url="/orders/1/",
        began_at=NOON,
        customer=customer,
        **of,
    )


def saved(peer: Peer, customer: str, number: str, key: str = "order-1/1-key") -> ChargeRequest:
    return asks(key, customer, method=peer.save_card(customer, number), saved=True)


def asks_back(charge: Outcome, amount: int = 1000) -> RefundRequest:
    return RefundRequest("back", charge.provider_id, amount, "USD", NOON)


# Cards that the payer enters on our page


def test_a_new_card_is_entered_on_our_page_and_kept_with_consent(
    peer: Peer, stripe: StripeGateway, customer: str
) -> None:
    asked = asks(customer=customer, keep=True)
    begun = stripe.charge(asked)
    assert begun == Outcome(State.ACTION_NEEDED, begun.provider_id, action_url=PAGE)
    assert reverse("finish_payment", args=[asked.key]) == PAGE
    assert stripe.client_secret(begun.provider_id).startswith(f"{begun.provider_id}_secret_")
    peer.confirm(begun.provider_id)
    paid = stripe.find_charge(asked)
    label = "Visa ending in 4242"
    assert paid.card
    assert paid == Outcome(
        State.SUCCEEDED,
        begun.provider_id,
        method_label=label,
        card=KeptCard(paid.card.provider_id, label, "2034-12"),
    )
    # Asked for again, it does not say what was true the first time.
    assert stripe.charge(asked) == paid
    # The kept card pays the next milestone without being entered.
    again = asks("order-1/2-key", customer, method=paid.card.provider_id, saved=True)
    assert replace(stripe.charge(again), provider_id="") == Outcome(State.SUCCEEDED, method_label=label)


@pytest.mark.parametrize("known", [True, False])
def test_a_card_is_not_kept_without_consent_or_for_nobody(
    peer: Peer, stripe: StripeGateway, customer: str, known: bool
) -> None:
    asked = asks(customer=customer if known else "", keep=not known)
    peer.confirm(stripe.charge(asked).provider_id)
    paid = stripe.find_charge(asked)
    assert (paid.state, paid.card) == (State.SUCCEEDED, None)


def test_a_declined_new_card_can_be_followed_by_another(peer: Peer, stripe: StripeGateway) -> None:
    asked = asks()
    begun = stripe.charge(asked)
    with pytest.raises(PeerRefused, match="insufficient_funds"):
        peer.confirm(begun.provider_id, "4000000000009995")
    declined = stripe.find_charge(asked)
    assert declined == replace(begun, reason="There is not enough money on the card.")
    peer.confirm(begun.provider_id)
    assert stripe.find_charge(asked).succeeded


def test_a_new_card_that_the_bank_declines_after_all_ends_its_charge(peer: Peer) -> None:
    held = HeldFundsFactory.create()
    charge = begin(held, "new_card")
    settle(charge)
    peer.process_slowly(charges=1)
    peer.confirm(charge.provider_id)
    settle(charge)
    assert charge.status == "processing"
    peer.finish_charge(charge.provider_id, succeeded=False)
    # The event may have come late; what Stripe says when it is asked is of now.
    take(peer, charge, "payment_intent.payment_failed")
    assert charge.status == "processing"
    settle(charge)
    assert (charge.status, charge.reason) == ("failed", CALL_YOUR_BANK)
    with pytest.raises(PeerRefused, match="status of canceled"):
        peer.confirm(charge.provider_id)
    take(peer, charge, "payment_intent.canceled")
    assert begin(held, "new_card").attempt == 2


def take(peer: Peer, charge: Charge, kind: str) -> None:
    (event,) = peer.events(kind)
    receive(event.raw, event.signature)
    charge.refresh_from_db()


def test_a_new_card_can_need_authentication_and_be_declined_after_it(peer: Peer, stripe: StripeGateway) -> None:
    asked = asks()
    begun = stripe.charge(asked)
    peer.confirm(begun.provider_id, "4000008260003178")
    assert stripe.find_charge(asked) == begun
    with pytest.raises(PeerRefused):
        peer.authenticate(begun.provider_id)
    assert stripe.find_charge(asked) == replace(begun, reason="There is not enough money on the card.")


# Saved cards


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("4000000000000002", CALL_YOUR_BANK),
        ("4000000000009995", "There is not enough money on the card."),
        ("4000000000009987", CALL_YOUR_BANK),
        ("4000000000000069", "The card has expired. Use another card."),
        ("4000000000000119", "Your bank could not be reached. Try again in a moment."),
    ],
)
def test_a_declined_saved_card_ends_its_charge_with_the_reason(
    peer: Peer, stripe: StripeGateway, customer: str, number: str, reason: str
) -> None:
    asked = saved(peer, customer, number)
    declined = stripe.charge(asked)
    assert declined == Outcome(State.FAILED, declined.provider_id, reason)
    assert stripe.charge(asked) == stripe.find_charge(asked) == declined
    # Nothing can confirm it any more.
    with pytest.raises(PeerRefused, match="status of canceled"):
        peer.confirm(declined.provider_id)


@pytest.mark.parametrize("fault", ["answer_lost", "never_arrives"])
def test_a_decline_that_could_not_be_concluded_is_concluded_later(
    peer: Peer, stripe: StripeGateway, customer: str, fault: str
) -> None:
    asked = saved(peer, customer, "4000000000009995")
    peer.fault(fault, path="/cancel")
    with pytest.raises(GatewayUnavailable):
        stripe.charge(asked)
    found = stripe.find_charge(asked)
    assert found == Outcome(State.FAILED, found.provider_id, "There is not enough money on the card.")
    with pytest.raises(PeerRefused, match="status of canceled"):
        peer.confirm(found.provider_id)


def test_a_decline_is_overtaken_by_a_payment_in_between(peer: Peer, stripe: StripeGateway, customer: str) -> None:
    asked = saved(peer, customer, "4000000000009995")
    peer.fault("never_arrives", path="/cancel")
    with pytest.raises(GatewayUnavailable):
        stripe.charge(asked)
    peer.confirm(peer.events("payment_intent.payment_failed")[0].about["id"])
    # Stripe repeats the decline for the key; the intent itself says what is true.
    assert stripe.charge(asked).succeeded


def test_a_saved_card_that_is_forgotten_cannot_pay(peer: Peer, stripe: StripeGateway, customer: str) -> None:
    asked = saved(peer, customer, "4242424242424242")
    stripe.forget_card(customer, asked.method)
    with pytest.raises(GatewayError, match="Stripe refuses this: The provided PaymentMethod"):
        stripe.charge(asked)


def test_a_card_that_is_still_there_is_not_called_forgotten(peer: Peer, stripe: StripeGateway, customer: str) -> None:
    card = peer.save_card(customer)
    peer.fault("bad_request", path="/detach")
    with pytest.raises(GatewayError):
        stripe.forget_card(customer, card)


# Charges canceled in advance


def test_a_charge_that_arrives_while_it_is_canceled_is_canceled_the_next_time(
    peer: Peer, stripe: StripeGateway, customer: str
) -> None:
    asked = asks(customer=customer)
    stripe.charge(asked)
    # It is looked for where it is not: as if it had arrived just after.
    late = replace(asked, began_at=after(hours=2))
    with pytest.raises(GatewayUnavailable, match="arrived while it was being canceled"):
        stripe.cancel_charge(late)
    assert stripe.cancel_charge(asked).state == State.CANCELED


def test_what_occupies_a_key_is_canceled_however_late(peer: Peer, stripe: StripeGateway) -> None:
    asked = asks()
    peer.fault("never_arrives", path="/cancel")
    with pytest.raises(GatewayUnavailable):
        stripe.cancel_charge(asked)
    assert stripe.charge(asked).state == State.CANCELED
    assert stripe.find_charge(asked).state == State.CANCELED


def test_a_charge_that_is_paid_while_it_is_canceled_is_a_success(
    peer: Peer, stripe: StripeGateway, customer: str
) -> None:
    asked = asks(customer=customer)
    begun = stripe.charge(asked)
    peer.fault("paid_just_now", path="/cancel")
    assert stripe.cancel_charge(asked) == Outcome(
        State.SUCCEEDED, begun.provider_id, method_label="Visa ending in 4242"
    )


@pytest.mark.parametrize("asking", ["cancel_charge", "find_charge", "find_refund", "find_payout"])
def test_a_refusal_of_another_kind_is_not_taken_for_an_answer(
    peer: Peer, stripe: StripeGateway, customer: str, asking: str
) -> None:
    charge = stripe.charge(asks(customer=customer))
    request = {
        "cancel_charge": asks(customer=customer),
        "find_charge": replace(asks(customer=customer), provider_id=charge.provider_id),
        "find_refund": replace(asks_back(charge), provider_id="re_1"),
        "find_payout": PayoutRequest("out", "acct_1", 1, "USD", NOON, "tr_1"),
    }[asking]
    peer.fault("bad_request", path="/cancel" if asking == "cancel_charge" else "GET ")
    with pytest.raises(GatewayError, match="Stripe refuses this: Something about the request is wrong"):
        getattr(stripe, asking)(request)


# Answers that go wrong


@pytest.mark.parametrize("fault", ["never_arrives", "answer_lost", "time_out", "error_500", "rate_limited", "in_use"])
def test_without_an_answer_nothing_is_believed_and_nothing_happens_twice(
    peer: Peer, stripe: StripeGateway, settings: Any, fault: str
) -> None:
    settings.STRIPE_TIMEOUT = 0.5
    happened = fault in ("answer_lost", "time_out")
    asked = asks()
    peer.fault(fault)
    with pytest.raises(GatewayUnavailable, match="No answer from Stripe"):
        stripe.charge(asked)
    settings.STRIPE_TIMEOUT = 10
    assert (stripe.find_charge(asked).state == State.ACTION_NEEDED) == happened
    peer.fault("slow")
    assert stripe.charge(asked).state == State.ACTION_NEEDED
    assert len(peer.events("payment_intent.created")) == 1


def test_a_wrong_key_is_no_decline_but_an_alarm(
    peer: Peer, stripe: StripeGateway, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.STRIPE_SECRET_KEY = "sk_test_wrong"
    with pytest.raises(GatewayUnavailable):
        stripe.charge(asks())
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("ERROR", "Stripe does not accept our key: Invalid API Key provided.")
    ]


def test_a_decline_without_its_payment_is_refused(peer: Peer, stripe: StripeGateway, customer: str) -> None:
    asked = saved(peer, customer, "4242424242424242")
    peer.fault("bare_decline", path="POST /v1/payment_intents")
    with pytest.raises(GatewayError, match=re.escape("Stripe refuses this: Your card was declined.")):
        stripe.charge(asked)


def test_every_request_names_its_version_and_every_change_its_key(
    peer: Peer, stripe: StripeGateway, customer: str
) -> None:
    asked = asks(customer=customer)
    peer.confirm(stripe.charge(asked).provider_id)
    stripe.refund(asks_back(stripe.find_charge(asked)))
    stripe.open_payout_account("seller")
    assert {request["version"] for request in peer.asked()} == {API_VERSION}
    keys = [(request["path"], request["key"]) for request in peer.asked("POST ")]
    assert keys == [
        ("/v1/customers", "customer-1"),
        ("/v1/payment_intents", asked.key),
        ("/v1/refunds", "back"),
        ("/v1/accounts", "seller"),
    ]


def test_a_charge_is_found_on_whatever_page_it_is_listed(peer: Peer, stripe: StripeGateway, customer: str) -> None:
    first = stripe.charge(asks(customer=customer))
    stripe.charge(asks("order-1/1-another"))
    for number in range(101):
        stripe.charge(asks(f"other-{number}", customer))
    assert stripe.find_charge(asks(customer=customer)) == first
    assert len(peer.asked("GET /v1/payment_intents")) == 2


# Refunds


def test_a_refund_can_take_a_while_and_fail_even_after_it_succeeded(peer: Peer, stripe: StripeGateway) -> None:
    charge = stripe.charge(asks())
    peer.confirm(charge.provider_id)
    peer.process_slowly(refunds=1)
    begun = stripe.refund(asks_back(charge))
    assert begun == Outcome(State.PROCESSING, begun.provider_id)
    peer.finish_refund(begun.provider_id)
    assert stripe.find_refund(asks_back(charge)).succeeded
    peer.finish_refund(begun.provider_id, "failed")
    failed = Outcome(State.FAILED, begun.provider_id, "The payer's card has expired or was canceled.")
    assert stripe.find_refund(asks_back(charge)) == failed
    told = [stripe.receive(event.raw, event.signature) for event in peer.events()]
    of_refund = [(event.kind, event.outcome) for event in told if event.refund_key == "back"]
    assert of_refund == [
        ("refund.created", begun),
        ("refund.updated", replace(begun, state=State.SUCCEEDED)),
        ("charge.refund.updated", replace(begun, state=State.SUCCEEDED)),
        ("refund.failed", failed),
        ("refund.updated", failed),
        ("charge.refund.updated", failed),
    ]


def test_a_refund_that_our_balance_does_not_cover_is_asked_for_again(peer: Peer, stripe: StripeGateway) -> None:
    charge = stripe.charge(asks())
    peer.confirm(charge.provider_id)
    peer.fault("no_balance", times=2, path="POST /v1/refunds")
    for _ in range(2):
        with pytest.raises(GatewayUnavailable, match="Our balance at Stripe does not suffice"):
            stripe.refund(asks_back(charge))
    assert stripe.refund(asks_back(charge)).succeeded


# Disputes


@pytest.mark.parametrize(("status", "state"), [("won", DisputeState.WON), ("lost", DisputeState.LOST)])
def test_a_dispute_takes_the_money_until_it_is_decided(
    peer: Peer, stripe: StripeGateway, status: str, state: DisputeState
) -> None:
    charge = stripe.charge(asks())
    peer.confirm(charge.provider_id)
    number = peer.dispute(charge.provider_id, 700)
    with pytest.raises(GatewayError, match="charged back"):
        stripe.refund(asks_back(charge))
    peer.close_dispute(number, status)
    told = [stripe.receive(event.raw, event.signature) for event in peer.events()]
    about = [(event.kind, event.dispute, event.amount, event.currency) for event in told if event.dispute]

    def news(said: DisputeState) -> ParsedDispute:
        return ParsedDispute(number, charge.provider_id, said)

    assert about == [
        ("charge.dispute.created", news(DisputeState.TAKEN), 700, "USD"),
        ("charge.dispute.funds_withdrawn", news(DisputeState.TAKEN), 700, "USD"),
        *([("charge.dispute.funds_reinstated", news(state), 700, "USD")] if status == "won" else []),
        ("charge.dispute.closed", news(state), 700, "USD"),
    ]
    reasons = {event.outcome.reason for event in told if event.dispute}
    assert reasons == {"The payer says that they did not make this payment."}


def signed(stripe: StripeGateway, kind: str, about: dict[str, Any]) -> Any:
    raw = json.dumps({"id": "evt_1", "type": kind, "data": {"object": about}}).encode()
    return stripe.receive(raw, sign(raw))


@pytest.mark.parametrize(
    ("kind", "changes", "found"),
    [
        ("charge.dispute.created", {"balance_transactions": []}, None),
        ("charge.dispute.created", {"status": "warning_needs_response", "balance_transactions": None}, None),
        ("charge.dispute.updated", {}, None),
        ("charge.dispute.closed", {"status": "warning_closed"}, None),
        ("charge.dispute.closed", {"status": "won", "payment_intent": None}, "ch_1"),
        ("charge.dispute.funds_withdrawn", {}, "pi_1"),
    ],
)
def test_only_a_dispute_that_moves_money_is_news(
    peer: Peer, stripe: StripeGateway, kind: str, changes: dict[str, Any], found: str | None
) -> None:
    dispute = {
        "id": "du_1",
        "amount": 1,
        "currency": "usd",
        "status": "lost",
        "charge": "ch_1",
        "payment_intent": "pi_1",
    }
    event = signed(stripe, kind, {**dispute, **changes})
    assert (event.dispute.charge_id if event.dispute else None) == found


# Events


def test_events_tell_of_each_turn_of_a_charge(peer: Peer, stripe: StripeGateway, customer: str) -> None:
    asked = asks(customer=customer, keep=True)
    begun = stripe.charge(asked)
    with pytest.raises(PeerRefused):
        peer.confirm(begun.provider_id, "4000000000009995")
    peer.process_slowly(charges=1)
    peer.confirm(begun.provider_id)
    peer.finish_charge(begun.provider_id)
    paid = stripe.find_charge(asked)
    declined = saved(peer, customer, "4000000000009995", "order-1/2-key")
    refused = stripe.charge(declined)
    told = [stripe.receive(event.raw, event.signature) for event in peer.events()]
    assert [(event.kind, event.outcome) for event in told if event.charge_key == asked.key] == [
        ("payment_intent.payment_failed", replace(begun, reason="There is not enough money on the card.")),
        ("payment_intent.processing", Outcome(State.PROCESSING, begun.provider_id)),
        ("charge.succeeded", paid),
        ("payment_intent.succeeded", Outcome(State.SUCCEEDED, begun.provider_id)),
    ]
    assert [(event.kind, event.outcome) for event in told if event.charge_key == declined.key] == [
        ("payment_intent.payment_failed", replace(refused, state=State.UNDECIDED)),
        ("payment_intent.canceled", refused),
    ]
    assert {event.amount for event in told if event.charge_key} == {1000}


def test_a_success_counts_what_was_received(peer: Peer, stripe: StripeGateway) -> None:
    intent = {
        "id": "pi_1",
        "status": "succeeded",
        "amount": 1000,
        "amount_received": 900,
        "currency": "usd",
        "metadata": {"key": "k"},
    }
    assert signed(stripe, "payment_intent.succeeded", intent).amount == 900


@pytest.mark.parametrize(
    "kind", ["charge.succeeded", "payment_intent.succeeded", "refund.updated", "transfer.reversed"]
)
@pytest.mark.parametrize("metadata", [None, {}, {"key": None}, {"order": "7"}])
def test_what_is_not_ours_is_about_nothing_of_ours(
    peer: Peer, stripe: StripeGateway, kind: str, metadata: dict[str, Any] | None
) -> None:
    event = signed(stripe, kind, {"id": "x_1", "status": "succeeded", "metadata": metadata, "amount": 1})
    assert (event.charge_key, event.refund_key, event.payout_key) == (None, None, None)


def test_a_part_of_a_transfer_that_is_taken_back_leaves_it_paid(peer: Peer, stripe: StripeGateway) -> None:
    transfer = {"id": "tr_1", "reversed": False, "amount": 5, "currency": "usd", "metadata": {"key": "out"}}
    assert signed(stripe, "transfer.reversed", transfer).payout_key is None
    assert signed(stripe, "transfer.reversed", {**transfer, "reversed": True}).payout_key == "out"


@pytest.mark.parametrize(
    ("kind", "about"),
    [
        ("payment_intent.succeeded", {"metadata": {"key": "k"}}),
        ("payment_intent.succeeded", {"metadata": {"key": 7}}),
        ("payment_intent.succeeded", {"metadata": {"key": "k" * 301}}),
        ("payment_intent.succeeded", {"metadata": "text"}),
        ("payment_intent.succeeded", {"metadata": {"key": "k"}, "id": "p", "status": "succeeded", "amount": 1}),
        ("payment_intent.canceled", {"metadata": {"key": "k"}, "id": "p", "status": "canceled", "amount": True}),
        ("payment_intent.canceled", {"metadata": {"key": "k"}, "id": "p", "status": "canceled", "amount": "1"}),
        ("charge.succeeded", {"metadata": {"key": "k"}, "amount": 1, "payment_method_details": {"card": {"a": 1}}}),
        ("refund.updated", {"metadata": {"key": "k"}, "status": "succeeded"}),
        ("charge.dispute.closed", {"status": "lost", "id": "du_1"}),
        ("account.updated", {"id": 7}),
    ],
    ids=range(11),
)
def test_an_event_of_another_shape_is_refused(
    peer: Peer, stripe: StripeGateway, kind: str, about: dict[str, Any]
) -> None:
    with pytest.raises(BadEvent):
        signed(stripe, kind, about)


def test_a_signature_is_good_for_five_minutes_and_for_any_of_two_secrets(
    peer: Peer, stripe: StripeGateway, settings: Any
) -> None:
    raw = b'{"id": "evt_1", "type": "ping", "data": {"object": {}}}'
    old = sign(raw, secret="whsec_old")
    other_endpoint = sign(raw, secret="whsec_connect")
    both = f"{old},{sign(raw).split(',')[1]}"
    assert stripe.receive(raw, both).kind == "ping"
    with clock.at(after(minutes=5)):
        assert stripe.receive(raw, both).kind == "ping"
    with clock.at(after(minutes=5) + timedelta(seconds=1)), pytest.raises(BadSignature, match="too old"):
        stripe.receive(raw, both)
    for wrong in (old, other_endpoint):
        with pytest.raises(BadSignature, match="does not match"):
            stripe.receive(raw, wrong)
    settings.STRIPE_WEBHOOK_SECRET += ", whsec_connect"
    assert stripe.receive(raw, other_endpoint).kind == stripe.receive(raw, both).kind == "ping"


def test_a_signature_without_a_time_is_refused(peer: Peer, stripe: StripeGateway, settings: Any) -> None:
    for stamp in ("", "soon", "9" * 13, "٣"):
        right = hmac.new(settings.STRIPE_WEBHOOK_SECRET.encode(), f"{stamp}.{{}}".encode(), hashlib.sha256).hexdigest()
        with pytest.raises(BadSignature, match="too old"):
            stripe.receive(b"{}", f"t={stamp},v1={right}")


# Words and amounts


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ({"code": "card_declined", "decline_code": "insufficient_funds"}, "There is not enough money on the card."),
        ({"code": "card_declined", "decline_code": "new_in_2030"}, CALL_YOUR_BANK),
        ({"code": "expired_card"}, "The card has expired. Use another card."),
        ({"code": "new_in_2030", "message": "No cards on Sundays."}, "No cards on Sundays."),
        ({}, "Your card was declined."),
    ],
)
def test_declines_are_told_in_plain_words(error: dict[str, str], words: str) -> None:
    assert why_declined(error) == words


def test_other_codes_are_told_in_plain_words() -> None:
    assert why_not_refunded("declined") == "The payer's bank declined the refund."
    assert why_not_refunded(None) == why_not_refunded("unknown") == "The payer's bank did not take the refund."
    assert why_disputed("duplicate") == "The payer says that they were charged twice."
    assert why_disputed("general") == "The payer's bank gives no reason."
    assert card_label({"brand": "amex", "last4": "0005"}) == "American Express ending in 0005"
    assert card_label({"brand": "girocard", "last4": "1111"}) == "Girocard ending in 1111"
    assert card_label({"brand": None, "last4": "2222"}) == "Card ending in 2222"


@pytest.mark.parametrize(
    ("account", "status", "label"),
    [
        ({}, "incomplete", ""),
        ({"details_submitted": True, "requirements": {"disabled_reason": None}}, "incomplete", ""),
        ({"details_submitted": True, "requirements": {"disabled_reason": "requirements.past_due"}}, "incomplete", ""),
        ({"details_submitted": True, "requirements": {"disabled_reason": "under_review"}}, "restricted", ""),
        ({"payouts_enabled": True, "capabilities": {"transfers": "inactive"}}, "incomplete", ""),
        ({"payouts_enabled": False, "capabilities": {"transfers": "active"}}, "incomplete", ""),
        (
            {
                "payouts_enabled": True,
                "capabilities": {"transfers": "active"},
                "external_accounts": {"data": [{"bank_name": None, "last4": "6789"}]},
            },
            "ready",
            "Account ending in 6789",
        ),
    ],
)
def test_an_account_is_ready_when_it_can_be_paid_and_pays_out(account: dict[str, Any], status: str, label: str) -> None:
    state = state_of({"id": "acct_1", **account})
    assert (state.provider_id, state.status, state.label) == ("acct_1", status, label)


def test_three_decimals_end_in_0_and_every_currency_has_a_least_amount() -> None:
    stripe = StripeGateway()
    assert {currency for currency in CURRENCIES if stripe.step(currency) == 10} == {"KWD", "BHD", "TND"}
    assert {currency for currency in CURRENCIES if stripe.step(currency) == 1} == CURRENCIES.keys() - {
        "KWD",
        "BHD",
        "TND",
    }
    assert (stripe.least("USD"), stripe.least("JPY"), stripe.least("MXN")) == (50, 50, 1000)
