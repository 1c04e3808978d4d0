"""Events: forged, unreadable, repeated, late, about something else, or simply news."""

import json
import logging
from typing import Any

import pytest
from django.db import transaction

from marketplace import clock
from payments import services, tasks
from payments.gateways import BadEvent, BadSignature, ParsedEvent, State, gateway, sandbox, sandbox_events
from payments.models import Charge, HeldFunds, ProviderEvent, Refund, SandboxEvent, Transfer

from .conftest import Commit
from .factories import NOON, HeldFundsFactory, after
from .invariants import check_at_rest
from .steps import asks_back, begin, pay, receive

pytestmark = pytest.mark.django_db


def an_event(charge: Charge, **changes: Any) -> dict[str, Any]:
    data = {"key": charge.key, "id": "ch_1", "amount": charge.amount, "currency": charge.currency, "reason": ""}
    event = {"id": "evt_1", "type": "charge.succeeded", "created": NOON.isoformat(), "data": data | changes}
    return event | {name: changes[name] for name in ("type",) if name in changes}


def take(event: dict[str, Any]) -> None:
    raw_body = json.dumps(event).encode()
    receive(raw_body, sandbox_events.sign(raw_body))


def parse(raw_body: bytes) -> ParsedEvent:
    return gateway().receive(raw_body, sandbox_events.sign(raw_body))


def test_an_event_tells_what_happened_to_which_of_our_operations(held: HeldFunds) -> None:
    charge = pay(held)
    event = SandboxEvent.objects.get()
    parsed = parse(event.body.encode())
    assert (parsed.provider, parsed.event_id, parsed.kind) == ("sandbox", str(event.pk), "charge.succeeded")
    assert (parsed.charge_key, parsed.refund_key) == (charge.key, None)
    assert (parsed.outcome.state, parsed.outcome.provider_id) == (State.SUCCEEDED, charge.provider_id)
    assert (parsed.amount, parsed.currency) == (10_550, "USD")
    assert (str(event), parsed.body["id"]) == (f"charge.succeeded {event.pk}", str(event.pk))


@pytest.mark.parametrize("signature", ["", "0" * 64, "é", "\udcff", "\x00"])
def test_a_forged_event_is_refused(held: HeldFunds, signature: str) -> None:
    raw_body = json.dumps(an_event(begin(held))).encode()
    with pytest.raises(BadSignature):
        gateway().receive(raw_body, signature)


def test_an_event_changed_on_its_way_is_refused(held: HeldFunds) -> None:
    raw_body = json.dumps(an_event(begin(held))).encode()
    with pytest.raises(BadSignature):
        gateway().receive(raw_body.replace(b"10550", b"10551"), sandbox_events.sign(raw_body))


@pytest.mark.parametrize(
    "raw_body",
    [
        b"",
        b"\xff\xfe",
        b"null",
        b"[]",
        b"{}",
        b"{",
        b"[" * 30_000,
        b'{"id": "e", "type": "charge.succeeded"}',
        b'{"id": "e", "type": "charge.succeeded", "data": []}',
        b'{"id": "e", "type": "charge.succeeded", "data": {}, "more": NaN}',
        b'{"id": "e", "type": "charge.succeeded", "data": {}, "more": 1e999}',
        b'{"id": "e", "type": "charge.succeeded", "data": {}, "more": ' + b"9" * 5000 + b"}",
        b'{"id": "e\\u0000", "type": "charge.succeeded", "data": {}}',
        b'{"id": "e\\ud800", "type": "charge.succeeded", "data": {}}',
        b" " * (sandbox_events.MAX_BYTES + 1),
    ],
)
def test_a_signed_event_that_cannot_be_read_is_refused(db: None, raw_body: bytes) -> None:
    with pytest.raises(BadEvent):
        parse(raw_body)


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": "10550"},
        {"amount": 10550.0},
        {"amount": True},
        {"amount": None},
        {"key": 5},
        {"key": "x" * 301},
        {"currency": None},
        {"reason": None},
        {"id": None},
        {"type": ["charge.succeeded"]},
    ],
)
def test_a_signed_event_with_strange_fields_is_refused(held: HeldFunds, changes: dict[str, Any]) -> None:
    event = an_event(begin(held), **changes)
    with pytest.raises(BadEvent):
        parse(json.dumps(event).encode())


def test_an_event_without_a_number_is_refused(held: HeldFunds) -> None:
    with pytest.raises(BadEvent, match="no number"):
        parse(json.dumps(an_event(begin(held)) | {"id": ""}).encode())


def test_an_event_is_recorded_and_applied_once(held: HeldFunds) -> None:
    charge = begin(held)
    take(an_event(charge))
    take(an_event(charge))
    event = ProviderEvent.objects.get()
    assert (event.outcome, event.applied_at) == ("succeeded", after(minutes=5))
    assert str(event) == "sandbox charge.succeeded evt_1"
    charge.refresh_from_db()
    assert (charge.funded, charge.provider_id) == (True, "ch_1")
    assert Transfer.objects.count() == 1


def test_two_events_of_one_success_fund_once(held: HeldFunds) -> None:
    charge = begin(held)
    take(an_event(charge))
    take(an_event(charge) | {"id": "evt_2"})
    assert ProviderEvent.objects.count() == 2
    assert Transfer.objects.count() == 1


def test_an_event_that_could_not_be_applied_is_not_recorded_either(held: HeldFunds) -> None:
    parsed = parse(json.dumps(an_event(begin(held))).encode())
    with transaction.atomic():
        assert services.record_event(parsed, NOON)
        transaction.set_rollback(True)
    with transaction.atomic():
        event = services.record_event(parsed, NOON)
        assert event
        assert services.record_event(parsed, NOON) == event, "not applied, so it gets another chance"
        services.mark_applied(event, outcome="done", at=NOON)
        assert services.record_event(parsed, NOON) is None


def test_a_failure_after_the_success_changes_nothing(held: HeldFunds) -> None:
    charge = pay(held)
    take(an_event(charge, type="charge.failed", id=charge.provider_id))
    charge.refresh_from_db()
    assert charge.status == "succeeded"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"amount": 10_549}, "its amount is 10549, not 10550."),
        ({"amount": 2**70}, f"its amount is {2**70}, not 10550."),
        ({"currency": "EUR"}, "its currency is EUR, not USD."),
        ({"key": "charge-of-nobody"}, "we never asked this provider for it."),
        ({"type": "refund.succeeded"}, "we never asked this provider for it."),
        ({"id": "ch_of_somebody_else"}, "the provider knows it under another number."),
    ],
)
def test_an_event_that_does_not_fit_books_nothing_and_raises_an_alarm(
    held: HeldFunds, caplog: pytest.LogCaptureFixture, changes: dict[str, Any], why: str
) -> None:
    charge = begin(held)
    Charge.objects.update(provider_id="ch_1")
    take(an_event(charge, **changes))
    assert not Transfer.objects.exists()
    assert ProviderEvent.objects.get().outcome == f"refused: {why}"
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
        (logging.ERROR, f"Event evt_1 of sandbox refused: {why}")
    ]
    charge.refresh_from_db()
    assert charge.status == "created"


def test_an_event_of_another_provider_is_refused(held: HeldFunds) -> None:
    charge = begin(held)
    Charge.objects.update(provider="bygone")
    take(an_event(charge))
    assert ProviderEvent.objects.get().outcome == "refused: we never asked this provider for it."


def test_an_event_about_nothing_of_ours_is_kept_without_an_alarm(
    held: HeldFunds, caplog: pytest.LogCaptureFixture
) -> None:
    fields = {**vars(parse(json.dumps(an_event(begin(held))).encode())), "charge_key": None}
    with transaction.atomic():
        services.record_event(ParsedEvent(**fields), NOON)
        assert services.match_event(ParsedEvent(**fields)) is None
    assert ProviderEvent.objects.get().outcome == "ignored: about nothing of ours"
    assert caplog.records == []


def test_a_lost_answer_is_made_good_by_the_event(held: HeldFunds) -> None:
    charge = begin(held, "card_lost")
    services.ask_charge(charge.pk)
    tasks.deliver_sandbox_events()
    charge.refresh_from_db()
    assert charge.funded
    check_at_rest()


def test_a_success_for_what_is_paid_already_goes_back(held: HeldFunds, commit: Commit) -> None:
    lost = begin(held, "card_lost")
    services.ask_charge(lost.pk)
    Charge.objects.update(status="failed")
    pay(held)
    with commit():
        pass
    sandbox_events.deliver_due(NOON)
    lost.refresh_from_db()
    assert lost.surplus
    services.settle_refunds(at=after(minutes=10))
    assert Refund.objects.get().status == "succeeded"
    check_at_rest()


def test_refunds_are_confirmed_by_events_too(held: HeldFunds, commit: Commit) -> None:
    charge = pay(held)
    with transaction.atomic():
        refund = services.refund_all(held, at=NOON)
    # The process died after the provider had done it.
    gateway().refund(asks_back(refund.key, charge.provider_id, refund.amount))
    Refund.objects.update(status="asking")
    assert sandbox_events.deliver_due(NOON) == 2
    refund.refresh_from_db()
    assert refund.status == "succeeded"
    check_at_rest()


def test_a_refused_refund_is_announced(held: HeldFunds) -> None:
    charge = pay(held, "card_refund_refused")
    with transaction.atomic():
        refund = services.refund_all(held, at=NOON)
    gateway().refund(asks_back(refund.key, charge.provider_id, refund.amount))
    sandbox_events.deliver_due(NOON)
    refund.refresh_from_db()
    assert (refund.status, refund.reason) == ("refused", "The card's bank refuses refunds.")


def test_processing_is_settled_and_delivered_by_beat(held: HeldFunds) -> None:
    charge = pay(held, "card_processing")
    tasks.deliver_sandbox_events()
    charge.refresh_from_db()
    assert charge.status == "processing"
    with clock.at(after(seconds=20)):
        tasks.deliver_sandbox_events()
    charge.refresh_from_db()
    assert charge.status == "succeeded"
    check_at_rest()


def test_no_event_is_made_before_anything_is_decided(held: HeldFunds) -> None:
    pay(held, "card_authentication")
    pay(HeldFundsFactory.create(), "card_processing")
    assert not SandboxEvent.objects.exists()


def test_an_event_is_delivered_until_it_is_accepted(
    held: HeldFunds, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    pay(held)
    settings.EVENT_RECEIVER = "payments.tests.steps.refuse_everything"
    assert sandbox_events.deliver_due(NOON) == 0
    assert [record.getMessage() for record in caplog.records] == [
        f"Event {SandboxEvent.objects.get().pk} was not accepted (try 1)."
    ]
    settings.EVENT_RECEIVER = "payments.tests.steps.receive"
    assert sandbox_events.deliver_due(after(seconds=14)) == 0
    assert sandbox_events.deliver_due(after(seconds=15)) == 1
    assert sandbox_events.deliver_due(after(days=1)) == 0
    event = SandboxEvent.objects.get()
    assert (event.tries, event.delivered_at) == (2, after(seconds=15))


def test_an_event_never_accepted_is_tried_less_and_less_often_and_holds_up_no_other(
    held: HeldFunds, settings: Any
) -> None:
    pay(held)
    settings.EVENT_RECEIVER = "no.such.module.receive"
    for _ in range(12):
        sandbox_events.deliver_due(SandboxEvent.objects.get().next_try_at)
    stuck = SandboxEvent.objects.get()
    settings.EVENT_RECEIVER = "payments.tests.steps.receive"
    pay(HeldFundsFactory.create())
    assert sandbox_events.deliver_due(NOON, batch=1) == 1
    stuck.refresh_from_db()
    assert (stuck.tries, stuck.delivered_at) == (12, None)


def test_events_about_one_operation_can_be_delivered_alone(held: HeldFunds) -> None:
    charge = pay(held)
    pay(HeldFundsFactory.create())
    assert sandbox_events.deliver_due(NOON, about=charge.key) == 1
    assert SandboxEvent.objects.get(delivered_at=None).key != charge.key


def test_a_batch_settles_no_more_than_it_may(held: HeldFunds) -> None:
    for each in HeldFundsFactory.create_batch(3):
        pay(each, "card_processing")
    assert sandbox.settle_processing(after(seconds=20), batch=2) == 2
    assert sandbox.settle_processing(after(seconds=20), batch=2) == 1
    assert sandbox.settle_processing(after(seconds=20), batch=2) == 0
