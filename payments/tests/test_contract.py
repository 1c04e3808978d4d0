"""What every payment provider does, the sandbox and Stripe alike: `Gateway` in gateways/base.py, word by word."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
from django.db import transaction

from payments.gateways import (
    BadEvent,
    BadSignature,
    DisputeState,
    GatewayError,
    GatewayUnavailable,
    NotSettled,
    Outcome,
    ParsedDispute,
    PayoutRequest,
    RefundRequest,
    State,
)
from payments.money import CURRENCIES

from .benches import Bench, SandboxBench, StripeBench
from .factories import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["sandbox", "stripe"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with ExitStack() as times:
        yield SandboxBench(times) if request.param == "sandbox" else StripeBench(request.getfixturevalue("peer"))


def asks_back(charge: Outcome, amount: int, key: str = "back", currency: str = "USD") -> RefundRequest:
    return RefundRequest(key, charge.provider_id, amount, currency, NOON)


def pays_out(account: str, amount: int = 500, key: str = "out") -> PayoutRequest:
    return PayoutRequest(key, account, amount, "USD", NOON)


def answer(ask: Callable[[Any], Outcome], request: Any) -> State:
    """The state that a request ends in: refused by an answer or by an error, it has failed."""
    try:
        return ask(request).state
    except GatewayError:
        return State.FAILED


# Charges


@pytest.mark.parametrize(
    ("card", "state", "label"),
    [
        ("ok", State.SUCCEEDED, "Visa ending in 4242"),
        ("declined", State.FAILED, ""),
        ("authentication", State.ACTION_NEEDED, ""),
        ("processing", State.PROCESSING, ""),
    ],
)
def test_a_charge_has_an_outcome_and_keeps_it_however_often_it_is_asked_for(
    bench: Bench, card: str, state: State, label: str
) -> None:
    asked = bench.asks(card)
    outcome = bench.gateway.charge(asked)
    assert outcome.state == state
    assert outcome.provider_id
    assert label in ("", outcome.method_label)
    assert bool(outcome.reason) == (state == State.FAILED)
    assert bool(outcome.action_url) == (state == State.ACTION_NEEDED)
    assert bench.gateway.charge(asked) == outcome
    assert bench.gateway.find_charge(asked) == outcome
    assert bench.gateway.find_charge(replace(asked, provider_id=outcome.provider_id)) == outcome


@pytest.mark.parametrize(("approved", "state"), [(True, State.SUCCEEDED), (False, State.FAILED)])
def test_the_payers_answer_to_their_bank_decides(bench: Bench, approved: bool, state: State) -> None:
    asked = bench.asks("authentication")
    bench.authenticate(bench.gateway.charge(asked), approved=approved)
    outcome = bench.gateway.find_charge(asked)
    assert (outcome.state, bool(outcome.reason), outcome.action_url) == (state, not approved, "")
    assert bench.gateway.find_charge(asked) == outcome


@pytest.mark.parametrize(("card", "state"), [("processing", State.SUCCEEDED), ("processing_fails", State.FAILED)])
def test_what_is_processing_is_decided_later(bench: Bench, card: str, state: State) -> None:
    asked = bench.asks(card)
    outcome = bench.gateway.charge(asked)
    assert outcome.state == State.PROCESSING
    bench.wait(outcome)
    assert bench.gateway.find_charge(asked).state == state


@pytest.mark.parametrize("other", [{"amount": 1010}, {"currency": "EUR"}])
def test_a_key_stands_for_one_charge(bench: Bench, other: dict[str, Any]) -> None:
    asked = bench.asks()
    outcome = bench.gateway.charge(asked)
    with pytest.raises(GatewayError, match="The key key was used for another amount"):
        bench.gateway.charge(replace(asked, **other))
    assert bench.gateway.find_charge(asked) == outcome


def test_a_lost_answer_is_found_again_and_nothing_is_charged_twice(bench: Bench) -> None:
    asked = bench.asks("lost")
    with pytest.raises(GatewayUnavailable):
        bench.gateway.charge(asked)
    found = bench.gateway.find_charge(asked)
    assert found.succeeded
    assert bench.gateway.charge(asked) == found
    about = {bench.gateway.receive(*event).outcome.provider_id for event in bench.events()}
    assert about - {""} == {found.provider_id}


def test_what_never_arrived_is_unknown(bench: Bench) -> None:
    bench.gateway.charge(bench.asks(key="another"))
    assert bench.gateway.find_charge(bench.asks()) == Outcome(State.UNKNOWN)
    nowhere = replace(bench.asks(), provider_id="00000000-0000-0000-0000-000000000000")
    assert bench.gateway.find_charge(nowhere) == Outcome(State.UNKNOWN)
    assert bench.gateway.find_refund(asks_back(Outcome(State.SUCCEEDED), 1)) == Outcome(State.UNKNOWN)
    account = bench.gateway.open_payout_account("seller").provider_id
    assert bench.gateway.find_payout(pays_out(account)) == Outcome(State.UNKNOWN)


@pytest.mark.parametrize(
    ("card", "state"),
    [
        ("ok", State.SUCCEEDED),
        ("declined", State.FAILED),
        ("authentication", State.CANCELED),
        ("processing", State.PROCESSING),
    ],
)
def test_only_what_waits_for_the_payer_is_canceled(bench: Bench, card: str, state: State) -> None:
    asked = bench.asks(card)
    bench.gateway.charge(asked)
    assert [bench.gateway.cancel_charge(asked).state for _ in range(2)] == [state, state]
    assert bench.gateway.find_charge(asked).state == state
    assert bench.gateway.charge(asked).state == state


def test_a_charge_canceled_in_advance_never_charges(bench: Bench) -> None:
    asked = bench.asks()
    assert bench.gateway.cancel_charge(asked).state == State.CANCELED
    assert bench.gateway.charge(asked).state == State.CANCELED
    assert bench.gateway.find_charge(asked).state == State.CANCELED
    assert bench.gateway.cancel_charge(asked).state == State.CANCELED


@pytest.mark.parametrize("currency", sorted(CURRENCIES))
def test_the_least_amount_is_charged_and_given_back_in_every_currency(bench: Bench, currency: str) -> None:
    least, step = bench.gateway.least(currency), bench.gateway.step(currency)
    assert (least >= step, least % step) == (True, 0)
    charge = bench.gateway.charge(bench.asks(amount=least, currency=currency))
    assert charge.succeeded
    assert bench.gateway.refund(asks_back(charge, step, currency=currency)).succeeded
    if step > 1:
        between = asks_back(charge, step + 1, "between", currency)
        assert answer(bench.gateway.refund, between) == State.FAILED


# Customers and what they choose


def test_a_payer_is_made_known_once(bench: Bench) -> None:
    assert bench.gateway.open_customer("customer-7") == bench.gateway.open_customer("customer-7")
    assert bench.gateway.open_customer("customer-8") != bench.gateway.open_customer("customer-7")


def test_a_card_is_forgotten_however_often_one_asks(bench: Bench) -> None:
    asked = bench.asks()
    for card in (asked.method, asked.method, "pm_nobody"):
        bench.gateway.forget_card(asked.customer, card)


def test_every_way_to_pay_is_explained(bench: Bench) -> None:
    methods = bench.gateway.payment_methods()
    assert methods
    assert all(method.label and method.explanation for method in methods)
    assert len({method.code for method in methods}) == len(methods)


# Refunds


def test_a_charge_is_given_back_in_parts_and_never_more_than_it_was(bench: Bench) -> None:
    charge = bench.gateway.charge(bench.asks())
    part = bench.gateway.refund(asks_back(charge, 400, "part"))
    assert (part.state, bool(part.provider_id)) == (State.SUCCEEDED, True)
    assert bench.gateway.refund(asks_back(charge, 400, "part")) == part
    assert answer(bench.gateway.refund, asks_back(charge, 601, "over")) == State.FAILED
    rest = bench.gateway.refund(asks_back(charge, 600, "rest"))
    assert (rest.state, rest.provider_id != part.provider_id) == (State.SUCCEEDED, True)
    assert answer(bench.gateway.refund, asks_back(charge, 1, "more")) == State.FAILED
    for request, outcome in ((asks_back(charge, 400, "part"), part), (asks_back(charge, 600, "rest"), rest)):
        assert bench.gateway.find_refund(request) == outcome
        assert bench.gateway.find_refund(replace(request, provider_id=outcome.provider_id)) == outcome


@pytest.mark.parametrize("amount", [0, -1])
def test_nothing_or_less_is_never_given_back(bench: Bench, amount: int) -> None:
    charge = bench.gateway.charge(bench.asks())
    assert answer(bench.gateway.refund, asks_back(charge, amount)) == State.FAILED


def test_a_key_stands_for_one_refund(bench: Bench) -> None:
    charge, other = bench.gateway.charge(bench.asks()), bench.gateway.charge(bench.asks(key="other"))
    bench.gateway.refund(asks_back(charge, 400))
    for request in (asks_back(charge, 300), asks_back(other, 400)):
        with pytest.raises(GatewayError, match="was used for another re"):
            bench.gateway.refund(request)


@pytest.mark.parametrize("card", ["declined", "authentication"])
def test_what_was_not_paid_is_not_given_back(bench: Bench, card: str) -> None:
    charge = bench.gateway.charge(bench.asks(card))
    assert answer(bench.gateway.refund, asks_back(charge, 1)) == State.FAILED


@pytest.mark.parametrize("charge_id", ["", "pi_nobody", "00000000-0000-0000-0000-000000000000"])
def test_a_charge_that_nobody_knows_is_not_given_back(bench: Bench, charge_id: str) -> None:
    request = asks_back(Outcome(State.SUCCEEDED, charge_id), 1)
    with pytest.raises(GatewayError):
        bench.gateway.refund(request)
    assert bench.gateway.find_refund(request) == Outcome(State.UNKNOWN)


# Payouts


@pytest.fixture
def account(bench: Bench) -> str:
    return bench.gateway.open_payout_account("seller").provider_id


def test_a_sellers_account_waits_for_details_and_is_ready_then(bench: Bench, account: str) -> None:
    opened = bench.gateway.payout_account(account)
    assert (opened.provider_id, opened.status, opened.label) == (account, "incomplete", "")
    assert bench.gateway.open_payout_account("seller") == opened
    assert bench.gateway.open_payout_account("another").provider_id != account
    assert bench.gateway.payout_account_page(account, "http://testserver/earnings/")
    assert answer(bench.gateway.payout, pays_out(account)) == State.FAILED
    bench.connect(account)
    ready = bench.gateway.payout_account(account)
    assert (ready.provider_id, ready.status, "ending in 6789" in ready.label) == (account, "ready", True)


def test_a_restricted_account_is_not_paid_to(bench: Bench, account: str) -> None:
    bench.connect(account, "restricted")
    assert bench.gateway.payout_account(account).status == "restricted"
    assert answer(bench.gateway.payout, pays_out(account)) == State.FAILED


@pytest.mark.parametrize("ask", ["payout_account", "payout_account_page", "payout"])
def test_an_account_that_nobody_knows_is_refused(bench: Bench, ask: str) -> None:
    asked: dict[str, tuple[Any, ...]] = {
        "payout_account": ("acct_nobody",),
        "payout_account_page": ("acct_nobody", "http://testserver/"),
        "payout": (pays_out("acct_nobody"),),
    }
    with pytest.raises(GatewayError):
        getattr(bench.gateway, ask)(*asked[ask])


def test_a_seller_is_paid_once_and_it_is_found_again(bench: Bench, account: str) -> None:
    bench.connect(account)
    paid = bench.gateway.payout(pays_out(account))
    assert (paid.state, bool(paid.provider_id)) == (State.SUCCEEDED, True)
    assert bench.gateway.payout(pays_out(account)) == paid
    assert bench.gateway.find_payout(pays_out(account)) == paid
    assert bench.gateway.find_payout(replace(pays_out(account), provider_id=paid.provider_id)) == paid
    with pytest.raises(GatewayError, match="was used for another"):
        bench.gateway.payout(pays_out(account, 501))
    assert bench.gateway.find_payout(pays_out(account, key="other")) == Outcome(State.UNKNOWN)


def test_a_payout_whose_answer_is_lost_is_found_again(bench: Bench, account: str) -> None:
    bench.connect(account, "lost")
    with pytest.raises(GatewayUnavailable):
        bench.gateway.payout(pays_out(account))
    found = bench.gateway.find_payout(pays_out(account))
    assert found.succeeded
    assert bench.gateway.payout(pays_out(account)) == found


def test_a_payout_waits_for_settled_funds_and_is_paid_by_the_same_key(bench: Bench, account: str) -> None:
    bench.connect(account, "unsettled")
    for _ in range(3):
        with pytest.raises(NotSettled):
            bench.gateway.payout(pays_out(account))
        assert bench.gateway.find_payout(pays_out(account)) == Outcome(State.UNKNOWN)
    bench.wait()
    paid = bench.gateway.payout(pays_out(account))
    assert paid.succeeded
    assert bench.gateway.payout(pays_out(account)) == paid
    assert bench.gateway.find_payout(pays_out(account)) == paid


def test_a_payout_that_comes_back_has_failed(bench: Bench, account: str) -> None:
    bench.connect(account, "returned")
    paid = bench.gateway.payout(pays_out(account))
    assert paid.succeeded
    bench.wait(paid)
    outcome = bench.gateway.find_payout(pays_out(account))
    assert (outcome.state, bool(outcome.reason)) == (State.FAILED, True)


# Disputes


@pytest.mark.parametrize("won", [True, False])
def test_a_dispute_takes_what_is_left_until_the_bank_decides(bench: Bench, won: bool) -> None:
    charge = bench.gateway.charge(bench.asks())
    assert bench.gateway.refund(asks_back(charge, 300)).succeeded
    number = bench.dispute(charge, 700)
    assert answer(bench.gateway.refund, asks_back(charge, 100, "meanwhile")) == State.FAILED
    bench.decide(number, won=won)
    assert answer(bench.gateway.refund, asks_back(charge, 700, "after")) == (State.SUCCEEDED if won else State.FAILED)
    told = [bench.gateway.receive(*event) for event in bench.events()]
    about = {(event.dispute, event.amount, event.currency) for event in told if event.dispute}
    assert about == {
        (ParsedDispute(number, charge.provider_id, state), 700, "USD")
        for state in (DisputeState.TAKEN, DisputeState.WON if won else DisputeState.LOST)
    }
    assert all(event.outcome.reason for event in told if event.dispute)
    assert not [event for event in told if event.dispute and event.charge_key]


# Events


def test_events_tell_what_became_of_what(bench: Bench) -> None:
    charge = bench.gateway.charge(bench.asks(key="paid"))
    waits = bench.asks("authentication", "given up")
    bench.gateway.charge(waits)
    bench.gateway.cancel_charge(waits)
    bench.gateway.charge(bench.asks("declined", "refused"))
    bench.gateway.refund(asks_back(charge, 400))
    account = bench.gateway.open_payout_account("seller").provider_id
    bench.connect(account, "returned")
    paid = bench.gateway.payout(pays_out(account))
    bench.wait(paid)
    told = set()
    for raw, signature in bench.events():
        event = bench.gateway.receive(raw, signature)
        assert event == bench.gateway.reread(json.loads(raw))
        assert event.provider == bench.gateway.name
        about = event.charge_key or event.refund_key or event.payout_key or event.payout_account
        if about and (event.outcome.decided or event.payout_account):
            told.add((about, event.outcome.state, event.amount, event.currency, event.outcome.provider_id))
    given_up, refused = (
        bench.gateway.find_charge(bench.asks(card, key)).provider_id
        for card, key in (("authentication", "given up"), ("declined", "refused"))
    )
    back = bench.gateway.find_refund(asks_back(charge, 400)).provider_id
    assert told - {("out", State.SUCCEEDED, 500, "USD", paid.provider_id)} == {
        ("paid", State.SUCCEEDED, 1000, "USD", charge.provider_id),
        ("given up", State.CANCELED, 1000, "USD", given_up),
        ("refused", State.FAILED, 1000, "USD", refused),
        ("back", State.SUCCEEDED, 400, "USD", back),
        ("out", State.FAILED, 500, "USD", paid.provider_id),
        (account, State.UNDECIDED, 0, "", ""),
    }


def test_an_event_that_comes_again_has_the_same_number(bench: Bench) -> None:
    bench.gateway.charge(bench.asks())
    events = bench.events()
    numbers = [bench.gateway.receive(*event).event_id for event in events]
    assert [bench.gateway.receive(*event).event_id for event in bench.events()] == numbers
    assert len(set(numbers)) == len(events) > 0


def test_forged_events_are_refused(bench: Bench) -> None:
    bench.gateway.charge(bench.asks())
    raw, signature = bench.events()[-1]
    right = bench.gateway.receive(raw, signature)
    assert right.charge_key == "key"
    for forged in ("", "nonsense", "t=,v1=", "ÿ€", signature[:-1], bench.sign(b"{}"), signature.upper()):
        with pytest.raises(BadSignature):
            bench.gateway.receive(raw, forged)
    with pytest.raises(BadSignature):
        bench.gateway.receive(raw.replace(b"1000", b"9000"), signature)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff",
        b"{",
        b"[]",
        b'"text"',
        b"{}",
        b'{"id": "evt_1", "type": "something", "data": []}',
        b'{"id": "evt_1", "type": 7, "data": {"object": {}}}',
        b'{"id": null, "type": "something", "data": {"object": {}}}',
        b'{"id": "evt_1", "type": "something", "data": {"object": {}}, "more": NaN}',
        b'{"id": "evt_1", "type": "something", "data": {"object": {}}, "more": "\\u0000"}',
        b'{"id": "evt_1", "type": "something", "data": {"object": {}}, "more": "\\ud800"}',
        b'{"id": "' + b"9" * 301 + b'", "type": "something", "data": {"object": {}}}',
        b"[" * 100_000,
        b" " * 300 * 1024,
    ],
    ids=range(15),
)
def test_signed_bytes_that_are_no_event_are_refused(bench: Bench, raw: bytes) -> None:
    with pytest.raises(BadEvent):
        bench.gateway.receive(raw, bench.sign(raw))


def test_an_unknown_kind_of_event_is_about_nothing_of_ours(bench: Bench) -> None:
    raw = json.dumps({"id": "evt_1", "type": "weather.changed", "data": {"object": {"id": "sun"}}}).encode()
    event = bench.gateway.receive(raw, bench.sign(raw))
    assert (event.event_id, event.kind, event.outcome) == ("evt_1", "weather.changed", Outcome(State.UNDECIDED))
    about = (event.charge_key, event.refund_key, event.payout_key, event.dispute, event.payout_account)
    assert about == (None, None, None, None, "")


# Never under a lock


@pytest.mark.django_db(transaction=True)
def test_no_provider_is_asked_inside_a_transaction(bench: Bench) -> None:
    charge, refund, payout = bench.asks(), asks_back(Outcome(State.SUCCEEDED), 1), pays_out("acct_1")
    calls: dict[str, tuple[Any, ...]] = {
        "charge": (charge,),
        "find_charge": (charge,),
        "cancel_charge": (charge,),
        "refund": (refund,),
        "find_refund": (refund,),
        "open_payout_account": ("seller",),
        "payout_account": ("acct_1",),
        "payout_account_page": ("acct_1", "http://testserver/"),
        "payout": (payout,),
        "find_payout": (payout,),
    }
    for name, arguments in calls.items():
        with transaction.atomic(), pytest.raises(RuntimeError, match="while a transaction is open"):
            getattr(bench.gateway, name)(*arguments)
