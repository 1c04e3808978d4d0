"""Charges in three steps: each test card, each crash, each lost answer."""

import uuid
from typing import ClassVar

import pytest
from django.db import IntegrityError, transaction
from pytest_django import DjangoAssertNumQueries

from marketplace import clock
from payments import services
from payments.gateways import (
    GATEWAYS,
    ChargeRequest,
    GatewayError,
    GatewayUnavailable,
    Outcome,
    SandboxGateway,
    State,
    gateway,
    outside_transaction,
    sandbox,
    sandbox_events,
)
from payments.models import Charge, HeldFunds, Refund, SandboxCharge, Transfer

from .conftest import Commit
from .factories import NOON, HeldFundsFactory, after
from .invariants import check_at_rest
from .steps import asks, asks_back, begin, pay, settle, sweep_charges

pytestmark = pytest.mark.django_db


class Faulty(SandboxGateway):
    """The sandbox behind a line that breaks as `faults` says: before the request arrives, or in other ways."""

    faults: ClassVar[list[Exception]] = []

    def _break(self) -> None:
        if self.faults:
            raise self.faults.pop(0)

    def charge(self, request: ChargeRequest) -> Outcome:
        self._break()
        return super().charge(request)

    def find_charge(self, request: ChargeRequest) -> Outcome:
        self._break()
        return super().find_charge(request)

    def cancel_charge(self, request: ChargeRequest) -> Outcome:
        self._break()
        return super().cancel_charge(request)


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> list[Exception]:
    monkeypatch.setitem(GATEWAYS, "sandbox", Faulty)
    monkeypatch.setattr(Faulty, "faults", [])
    return Faulty.faults


def statuses(charge: Charge) -> tuple[str, str, str]:
    charge.refresh_from_db()
    return charge.status, charge.reason, SandboxCharge.objects.get(key=charge.key).status


def test_a_card_that_is_fine_pays_at_once(held: HeldFunds) -> None:
    charge = pay(held)
    assert statuses(charge) == ("succeeded", "", "succeeded")
    assert (charge.funded, charge.surplus, charge.settled_at) == (True, False, NOON)
    held.refresh_from_db()
    assert (held.amount, held.left, held.funded_at) == (10_550, 10_550, NOON)
    assert str(held) == f"{held.reference}: $105.50 held"
    check_at_rest()


def test_a_declined_card_can_be_followed_by_another(held: HeldFunds) -> None:
    declined = pay(held, "card_declined")
    assert statuses(declined) == ("failed", "Your card was declined.", "failed")
    assert not Transfer.objects.exists()
    assert pay(held).attempt == 2
    assert [charge.key for charge in held.charges.order_by("attempt")] == [
        f"charge-{held.reference}-1-10550",
        f"charge-{held.reference}-2-10550",
    ]
    check_at_rest()


def test_authentication_is_needed_until_the_payer_confirms(held: HeldFunds) -> None:
    charge = pay(held, "card_authentication")
    theirs = SandboxCharge.objects.get()
    assert statuses(charge) == ("action_needed", "", "action_needed")
    assert charge.action_url == f"/sandbox/authenticate/{theirs.pk}/"
    assert sweep_charges(after(minutes=1)) == 0
    sandbox.confirm(theirs.pk, approved=True, at=after(minutes=2))
    assert sweep_charges(after(minutes=3)) == 1
    assert statuses(charge) == ("succeeded", "", "succeeded")
    assert charge.action_url == ""
    check_at_rest()


def test_the_payer_may_decline(held: HeldFunds) -> None:
    charge = pay(held, "card_authentication")
    theirs = SandboxCharge.objects.get()
    sandbox.confirm(theirs.pk, approved=False, at=NOON)
    # Only the first answer counts.
    assert sandbox.confirm(theirs.pk, approved=True, at=NOON).status == "failed"
    assert sweep_charges(after(minutes=1)) == 1
    assert statuses(charge) == ("failed", "You did not confirm the payment.", "failed")
    check_at_rest()


@pytest.mark.parametrize(
    ("method", "status", "reason"),
    [("card_processing", "succeeded", ""), ("card_processing_fails", "failed", "Your bank refused the payment.")],
)
def test_processing_settles_later(held: HeldFunds, method: str, status: str, reason: str) -> None:
    charge = pay(held, method)
    assert statuses(charge) == ("processing", "", "processing")
    with clock.at(after(seconds=19)):
        assert sweep_charges(after(seconds=40)) == 0
    with clock.at(after(seconds=20)):
        assert sweep_charges(after(seconds=40)) == 1
    assert statuses(charge) == (status, reason, status)
    check_at_rest()


def test_a_lost_answer_is_recovered_by_the_same_key_and_charged_once(held: HeldFunds) -> None:
    charge = begin(held, "card_lost")
    assert services.ask_charge(charge.pk) == Outcome.UNDECIDED
    assert statuses(charge) == ("asking", "", "succeeded")
    with pytest.raises(services.AttemptUndecided):
        begin(held)
    assert sweep_charges(after(minutes=1)) == 1
    assert statuses(charge) == ("succeeded", "", "succeeded")
    assert SandboxCharge.objects.count() == 1
    check_at_rest()


def test_a_request_that_never_arrived_is_repeated_with_the_same_key(held: HeldFunds, faults: list[Exception]) -> None:
    faults.append(GatewayUnavailable("The line is dead."))
    charge = begin(held)
    assert services.ask_charge(charge.pk) == Outcome.UNDECIDED
    assert not SandboxCharge.objects.exists()
    assert sweep_charges(after(minutes=1)) == 1
    assert SandboxCharge.objects.get().key == charge.key
    check_at_rest()


def test_a_crash_before_asking_is_made_good_by_the_sweep(held: HeldFunds) -> None:
    charge = begin(held)
    assert sweep_charges(NOON) == 0
    assert sweep_charges(after(seconds=1)) == 1
    assert statuses(charge) == ("succeeded", "", "succeeded")
    check_at_rest()


def test_a_crash_before_recording_is_made_good_by_the_sweep(held: HeldFunds) -> None:
    charge = begin(held)
    assert services.ask_charge(charge.pk).succeeded
    assert sweep_charges(after(minutes=1)) == 1
    assert SandboxCharge.objects.count() == 1
    assert charge.held.charges.get().funded
    check_at_rest()


def test_an_unexpected_fault_is_logged_and_leaves_the_charge_undecided(
    held: HeldFunds, faults: list[Exception], caplog: pytest.LogCaptureFixture
) -> None:
    faults.append(KeyError("a bug in the client"))
    charge = begin(held)
    assert services.ask_charge(charge.pk) == Outcome.UNDECIDED
    assert [record.getMessage() for record in caplog.records] == [
        f"Asking about {charge.key} went wrong; it stays undecided."
    ]
    assert sweep_charges(after(minutes=1)) == 1


def test_a_request_that_the_provider_refuses_has_failed(held: HeldFunds, faults: list[Exception]) -> None:
    faults.append(GatewayError("This account may not charge yet."))
    charge = pay(held)
    assert (charge.status, charge.reason) == ("failed", "This account may not charge yet.")


def test_a_charge_that_the_provider_has_forgotten_stays_undecided_with_an_alarm(
    held: HeldFunds, caplog: pytest.LogCaptureFixture
) -> None:
    charge = pay(held, "card_processing")
    SandboxCharge.objects.all().delete()
    assert services.ask_charge(charge.pk) == Outcome.UNDECIDED
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("ERROR", f"The provider no longer knows {charge.key}, about which it has told us before.")
    ]
    assert not SandboxCharge.objects.exists()


def test_asking_about_a_decided_charge_answers_what_is_recorded(
    held: HeldFunds, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    charge = pay(held, "card_declined")
    with django_assert_num_queries(1):
        outcome = services.ask_charge(charge.pk)
    assert outcome == Outcome(State.FAILED, charge.provider_id, "Your card was declined.")


def test_asking_about_a_charge_decided_meanwhile_answers_what_is_recorded(held: HeldFunds) -> None:
    charge = begin(held)
    Charge.objects.update(status="asking")

    class Meanwhile(SandboxGateway):
        """While this one is being looked up, an event records the answer."""

        def __init__(self) -> None:
            Charge.objects.update(status="failed", reason="Your card was declined.")

    original = GATEWAYS["sandbox"]
    GATEWAYS["sandbox"] = Meanwhile
    try:
        assert services.ask_charge(charge.pk) == Outcome(State.FAILED, reason="Your card was declined.")
    finally:
        GATEWAYS["sandbox"] = original
    assert not SandboxCharge.objects.exists()


def test_the_sweep_looks_first_at_what_was_neglected_longest(held: HeldFunds) -> None:
    first, second = (begin(HeldFundsFactory.create(), "card_processing", after(seconds=at)) for at in (0, 1))
    assert list(services.undecided_charges(before=after(seconds=2))) == [first, second]
    with clock.at(after(seconds=5)):
        services.ask_charge(first.pk)
    assert list(services.undecided_charges(before=after(seconds=9))) == [second, first]
    assert list(services.undecided_charges(before=after(seconds=5))) == [second]


def test_an_outcome_is_recorded_once(held: HeldFunds) -> None:
    charge = begin(held)
    answer = Outcome(State.FAILED, provider_id="ch_1", reason="Your card was declined.")
    with transaction.atomic():
        assert services.record_outcome(charge, answer, at=NOON)
        assert not services.record_outcome(charge, answer, at=after(hours=1))
    charge.refresh_from_db()
    assert (charge.status, charge.provider_id, charge.settled_at) == ("failed", "ch_1", NOON)


@pytest.mark.parametrize("state", [State.UNDECIDED, State.UNKNOWN])
def test_no_answer_is_never_recorded_as_failed(held: HeldFunds, state: State) -> None:
    charge = begin(held)
    with transaction.atomic():
        assert not services.record_outcome(charge, Outcome(state), at=NOON)
    assert not charge.decided


@pytest.mark.parametrize(
    ("recorded", "late"),
    [
        ("processing", "action_needed"),
        ("failed", "processing"),
        ("failed", "action_needed"),
        ("succeeded", "failed"),
        ("succeeded", "canceled"),
        ("succeeded", "processing"),
        ("canceled", "failed"),
    ],
)
def test_a_late_answer_does_not_undo_a_later_state(held: HeldFunds, recorded: str, late: str) -> None:
    charge = begin(held)
    Charge.objects.update(status=recorded)
    with transaction.atomic():
        assert not services.record_outcome(charge, Outcome(State(late)), at=NOON)
    charge.refresh_from_db()
    assert charge.status == recorded
    Charge.objects.update(status="failed")


@pytest.mark.parametrize("believed", ["failed", "canceled"])
def test_a_success_is_believed_whatever_was_believed_before(held: HeldFunds, believed: str) -> None:
    charge = begin(held)
    with transaction.atomic():
        assert services.record_outcome(charge, Outcome(State(believed)), at=NOON)
        assert services.record_outcome(charge, Outcome(State.SUCCEEDED, "ch_1"), at=after(hours=1))
        services.fund(charge, at=after(hours=1))
    assert charge.settled_at == after(hours=1)


def test_one_undecided_attempt_at_a_time(held: HeldFunds) -> None:
    begin(held, "card_processing")
    with pytest.raises(services.AttemptUndecided, match="Your bank is still deciding on the last attempt"):
        begin(held)
    with pytest.raises(IntegrityError, match="one_undecided_charge"), transaction.atomic():
        Charge.objects.create(held=held, attempt=9, amount=1, key="other", provider="sandbox", created_at=NOON)


def test_what_is_paid_is_not_paid_again(held: HeldFunds) -> None:
    pay(held)
    with pytest.raises(services.AlreadyFunded):
        begin(held)


def test_an_unknown_payment_method_is_refused(held: HeldFunds) -> None:
    with pytest.raises(services.UnknownMethod):
        begin(held, "card_of_somebody_else")


def test_a_charge_funds_once(held: HeldFunds) -> None:
    charge = pay(held)
    for book in (services.fund, services.send_back):
        with pytest.raises((services.AlreadyFunded, services.NotBookable)), transaction.atomic():
            book(charge, at=NOON)
    with pytest.raises(IntegrityError, match="charge_booked_once_and_after_success"), transaction.atomic():
        Charge.objects.update(surplus=True)


def test_a_charge_that_has_not_succeeded_books_nothing(held: HeldFunds) -> None:
    charge = pay(held, "card_processing")
    for book in (services.fund, services.send_back):
        with pytest.raises(services.NotBookable), transaction.atomic():
            book(charge, at=NOON)
    held.refresh_from_db()
    assert held.amount == 0
    assert not Transfer.objects.exists()


def test_a_charge_of_another_amount_funds_nothing(held: HeldFunds) -> None:
    charge = begin(held)
    Charge.objects.update(status="succeeded", amount=1)
    charge.refresh_from_db()
    with pytest.raises(services.AlreadyFunded), transaction.atomic():
        services.fund(charge, at=NOON)


def a_success_beside(held: HeldFunds, first: Charge) -> Charge:
    """A second success for the same milestone: the first attempt was given up too early."""
    with transaction.atomic():
        services.record_outcome(first, Outcome(State.CANCELED), at=NOON)
    second = pay(held)
    assert second.funded
    answer = gateway().find_charge(asks(first.key))
    with transaction.atomic():
        services.record_outcome(first, answer, at=after(minutes=1))
    return first


def test_a_second_success_is_surplus_and_goes_back(held: HeldFunds, commit: Commit) -> None:
    lost = begin(held, "card_lost")
    services.ask_charge(lost.pk)
    surplus = a_success_beside(held, lost)
    with pytest.raises(services.AlreadyFunded), transaction.atomic():
        services.fund(surplus, at=NOON)
    with commit():
        refund = services.send_back(surplus, at=after(minutes=1))
        assert services.where_every_cent_is([held.reference])[held.reference] == services.Cents(
            charged=21_100, held=10_550, refunds_due=10_550
        )
    refund.refresh_from_db()
    assert refund.status == "succeeded"
    assert services.where_every_cent_is([held.reference])[held.reference] == services.Cents(
        charged=21_100, held=10_550, refunded=10_550
    )
    with pytest.raises(services.NotBookable), transaction.atomic():
        services.send_back(surplus, at=after(minutes=1))
    check_at_rest()


def test_an_attempt_never_asked_for_is_canceled_here_and_now(held: HeldFunds, commit: Commit) -> None:
    charge = begin(held)
    with commit():
        services.cancel_attempts(held, at=after(hours=24))
    charge.refresh_from_db()
    assert (charge.status, charge.settled_at) == ("canceled", after(hours=24))
    assert services.ask_charge(charge.pk).state == State.CANCELED
    assert not SandboxCharge.objects.exists()


def test_an_attempt_that_waits_for_the_payer_is_canceled_at_the_provider(held: HeldFunds, commit: Commit) -> None:
    charge = pay(held, "card_authentication")
    with commit():
        services.cancel_attempts(held, at=after(hours=24))
        services.cancel_attempts(held, at=after(hours=25))
    assert statuses(charge) == ("action_needed", "", "canceled")
    assert charge.cancel_asked_at == after(hours=24)
    assert sweep_charges(after(hours=24)) == 1
    assert statuses(charge) == ("canceled", "Canceled.", "canceled")
    check_at_rest()


def test_an_attempt_that_is_processing_cannot_be_canceled_and_its_success_goes_back(
    held: HeldFunds, commit: Commit
) -> None:
    charge = pay(held, "card_processing")
    with commit():
        services.cancel_attempts(held, at=after(seconds=5))
    assert statuses(charge) == ("processing", "", "processing")
    with clock.at(after(seconds=30)):
        outcome = services.ask_charge(charge.pk)
    with commit():
        assert services.record_outcome(charge, outcome, at=after(seconds=30))
        services.send_back(charge, at=after(seconds=30))
    assert Refund.objects.get().status == "succeeded"
    assert not HeldFunds.objects.get().amount
    check_at_rest()


def test_a_charge_that_arrives_after_its_cancellation_does_not_charge(
    held: HeldFunds, faults: list[Exception], commit: Commit
) -> None:
    faults.append(GatewayUnavailable("Still under way."))
    charge = begin(held)
    services.ask_charge(charge.pk)
    with commit():
        services.cancel_attempts(held, at=NOON)
    late = gateway().charge(asks(charge.key, charge.amount))
    assert late.state == State.CANCELED
    assert settle(charge)
    assert statuses(charge) == ("canceled", "Canceled.", "canceled")
    check_at_rest()


@pytest.mark.parametrize("fault", [GatewayUnavailable("Silence."), KeyError("a bug")])
def test_a_cancellation_without_an_answer_is_asked_for_again(
    held: HeldFunds, faults: list[Exception], commit: Commit, fault: Exception
) -> None:
    charge = pay(held, "card_authentication")
    faults.append(fault)
    with commit():
        services.cancel_attempts(held, at=NOON)
    assert statuses(charge) == ("action_needed", "", "action_needed")
    assert sweep_charges(after(minutes=1)) == 1
    assert statuses(charge) == ("canceled", "Canceled.", "canceled")


def test_the_provider_is_never_called_inside_a_transaction(held: HeldFunds) -> None:
    charge = begin(held)
    calls = [
        outside_transaction,
        lambda: services.ask_charge(charge.pk),
        lambda: services.cancel_charge(charge.pk),
        lambda: services.send_refund(1),
        lambda: services.settle_refunds(at=NOON),
        lambda: gateway().charge(asks("k")),
        lambda: gateway().find_charge(asks("k")),
        lambda: gateway().cancel_charge(asks("k")),
        lambda: gateway().refund(asks_back("k", "", 1)),
        lambda: gateway().find_refund(asks_back("k", "", 1)),
        lambda: sandbox.settle_processing(NOON),
        lambda: sandbox.confirm(uuid.uuid4(), approved=True, at=NOON),
        lambda: sandbox_events.deliver_due(NOON),
    ]
    for ask in calls:
        with transaction.atomic(), pytest.raises(RuntimeError, match="called while a transaction is open"):
            ask()
    assert not SandboxCharge.objects.exists()
