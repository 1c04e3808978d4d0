"""Refunds: owed under the lock, confirmed by the provider, or refused for good and in staff's hands."""

from typing import ClassVar

import pytest
from django.db import IntegrityError, transaction

from payments import services, tasks
from payments.gateways import (
    GATEWAYS,
    GatewayError,
    GatewayUnavailable,
    Outcome,
    RefundRequest,
    SandboxGateway,
    State,
    gateway,
)
from payments.models import HeldFunds, Refund, SandboxCharge, SandboxRefund, Transfer

from .conftest import Commit
from .factories import NOON, HeldFundsFactory, after
from .invariants import check_at_rest
from .steps import asks_back, pay

pytestmark = pytest.mark.django_db


class Faulty(SandboxGateway):
    """The sandbox behind a line that breaks: before the request arrives, or after it was served."""

    before: ClassVar[list[Exception]] = []
    afterwards: ClassVar[list[Exception]] = []
    answers: ClassVar[list[Outcome]] = []
    find: ClassVar[list[Outcome]] = []

    def find_refund(self, request: RefundRequest) -> Outcome:
        return self.find.pop(0) if self.find else super().find_refund(request)

    def refund(self, request: RefundRequest) -> Outcome:
        if self.before:
            raise self.before.pop(0)
        if self.answers:
            return self.answers.pop(0)
        outcome = super().refund(request)
        if self.afterwards:
            raise self.afterwards.pop(0)
        return outcome


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> type[Faulty]:
    monkeypatch.setitem(GATEWAYS, "sandbox", Faulty)
    for name in ("before", "afterwards", "answers", "find"):
        monkeypatch.setattr(Faulty, name, [])
    return Faulty


def cents(held: HeldFunds) -> services.Cents:
    return services.where_every_cent_is([held.reference])[held.reference]


def test_a_refund_is_owed_at_once_and_confirmed_after_the_commit(held: HeldFunds, commit: Commit) -> None:
    pay(held)
    with commit():
        refund = services.refund_all(held, at=NOON)
        assert (refund.status, refund.currency) == ("created", "USD")
        assert cents(held) == services.Cents(charged=10_550, refunds_due=10_550)
        assert not SandboxRefund.objects.exists()
    refund.refresh_from_db()
    assert (refund.status, refund.settled_at) == ("succeeded", NOON)
    assert cents(held) == services.Cents(charged=10_550, refunded=10_550)
    assert str(refund) == f"$105.50 back for {held.reference} (succeeded)"
    assert (held.left, held.left_price) == (0, 0)
    check_at_rest()


def test_a_refund_that_is_rolled_back_reaches_no_provider(held: HeldFunds, commit: Commit) -> None:
    pay(held)
    with commit(), transaction.atomic():
        services.refund_all(held, at=NOON)
        transaction.set_rollback(True)
    assert not SandboxRefund.objects.exists()
    held.refresh_from_db()
    assert held.left == 10_550


def test_several_parts_then_all_the_rest(held: HeldFunds, commit: Commit) -> None:
    pay(held)
    with commit():
        parts = [services.refund_part(held, price=price, at=NOON).amount for price in (1000, 2500)]
        assert parts == [1055, 2637]
        assert services.refund_all(held, at=NOON).amount == 10_550 - sum(parts)
    assert cents(held) == services.Cents(charged=10_550, refunded=10_550)
    assert list(held.refunds.order_by("pk").values_list("key", flat=True)) == [
        f"refund-charge-{held.reference}-1-10550-0-1055",
        f"refund-charge-{held.reference}-1-10550-1055-2637",
        f"refund-charge-{held.reference}-1-10550-3692-6858",
    ]
    check_at_rest()


@pytest.mark.parametrize("part", [0, -1, 10_000, 10_001])
def test_a_part_is_more_than_nothing_and_less_than_all(held: HeldFunds, part: int) -> None:
    pay(held)
    with pytest.raises(services.BadPart), transaction.atomic():
        services.refund_part(held, price=part, at=NOON)
    assert not Refund.objects.exists()


def test_nothing_is_refunded_that_was_never_funded(held: HeldFunds) -> None:
    for refund in (
        lambda: services.refund_all(held, at=NOON),
        lambda: services.refund_part(held, price=1, at=NOON),
    ):
        with pytest.raises(services.NothingHeld), transaction.atomic():
            refund()


def test_nothing_is_refunded_twice_or_after_a_release(held: HeldFunds, commit: Commit) -> None:
    other = HeldFundsFactory.create()
    pay(held)
    pay(other)
    stale = HeldFunds.objects.get(pk=other.pk)
    with commit():
        services.refund_all(held, at=NOON)
        services.release(other, at=NOON)
    for gone in (held, other, stale, HeldFunds.objects.get(pk=held.pk)):
        with pytest.raises(services.NothingHeld), transaction.atomic():
            services.refund_all(gone, at=NOON)


def test_a_stale_view_of_the_held_funds_refunds_nothing(held: HeldFunds, commit: Commit) -> None:
    pay(held)
    stale = HeldFunds.objects.get(pk=held.pk)
    with commit():
        services.refund_part(held, price=4000, at=NOON)
    with pytest.raises(services.NothingHeld), transaction.atomic():
        services.refund_part(stale, price=4000, at=NOON)
    with pytest.raises(services.NothingHeld), transaction.atomic():
        services.refund_all(stale, at=NOON)


def test_a_crash_before_asking_is_made_good_by_the_sweep(held: HeldFunds) -> None:
    pay(held)
    with transaction.atomic():
        refund = services.refund_all(held, at=NOON)
    assert services.settle_refunds(at=after(seconds=29)) == 0
    assert services.settle_refunds(at=after(seconds=30)) == 1
    refund.refresh_from_db()
    assert refund.status == "succeeded"
    assert services.settle_refunds(at=after(days=1)) == 0
    check_at_rest()


@pytest.mark.parametrize("where", ["before", "afterwards"])
def test_a_lost_answer_is_asked_for_again_and_the_money_goes_back_once(
    held: HeldFunds, commit: Commit, line: type[Faulty], where: str
) -> None:
    getattr(line, where).append(GatewayUnavailable("Silence."))
    pay(held)
    with commit():
        refund = services.refund_all(held, at=NOON)
    refund.refresh_from_db()
    assert refund.status == "asking"
    assert services.settle_refunds(at=after(seconds=30)) == 1
    assert SandboxCharge.objects.get().refunded == 10_550
    assert SandboxRefund.objects.get().key == refund.key
    check_at_rest()


def test_a_provider_that_fails_breaks_nothing_and_is_asked_again(
    held: HeldFunds, commit: Commit, line: type[Faulty], caplog: pytest.LogCaptureFixture
) -> None:
    line.before.append(KeyError("a bug in the client"))
    pay(held)
    with commit():
        refund = services.refund_all(held, at=NOON)
    assert [record.getMessage() for record in caplog.records] == [
        f"Asking about {refund.key} went wrong; it will be asked again."
    ]
    assert services.settle_refunds(at=after(seconds=30)) == 1
    check_at_rest()


def test_a_refund_that_always_fails_is_tried_less_and_less_often_and_holds_up_no_other(
    held: HeldFunds, line: type[Faulty]
) -> None:
    pay(held)
    with transaction.atomic():
        poisonous = services.refund_all(held, at=NOON)
    line.before.extend(GatewayUnavailable("Silence.") for _ in range(99))
    tried, at = [], 0
    while len(tried) < 9:
        at += 30
        if services.settle_refunds(at=after(seconds=at)):
            tried.append(at)
    assert tried == [30, 60, 120, 240, 480, 960, 1920, 3840, 7440]
    line.before.clear()
    other = HeldFundsFactory.create()
    pay(other)
    with transaction.atomic():
        services.refund_all(other, at=after(seconds=at))
    assert services.settle_refunds(at=after(seconds=at + 30)) == 1
    poisonous.refresh_from_db()
    assert (poisonous.status, poisonous.tries) == ("asking", 9)


def test_one_refund_that_cannot_even_be_looked_up_is_set_aside(
    held: HeldFunds, caplog: pytest.LogCaptureFixture
) -> None:
    other = HeldFundsFactory.create()
    refunds = []
    for each in (held, other):
        pay(each)
        with transaction.atomic():
            refunds.append(services.refund_all(each, at=NOON))
    Refund.objects.filter(pk=refunds[0].pk).update(provider="bygone")
    assert services.settle_refunds(at=after(seconds=30)) == 2
    for refund in refunds:
        refund.refresh_from_db()
    assert [refund.status for refund in refunds] == ["asking", "succeeded"]
    assert [record.getMessage() for record in caplog.records] == [f"Refund {refunds[0].key} is set aside for a while."]


def test_beat_settles_refunds(held: HeldFunds) -> None:
    pay(held)
    with transaction.atomic():
        refund = services.refund_all(held, at=after(minutes=-1))
    tasks.settle_refunds()
    refund.refresh_from_db()
    assert refund.status == "succeeded"


def test_a_refund_on_its_way_is_pending_until_it_is_confirmed(
    held: HeldFunds, commit: Commit, line: type[Faulty]
) -> None:
    line.answers.append(Outcome(State.PROCESSING, "re_1"))
    pay(held)
    with commit():
        refund = services.refund_all(held, at=NOON)
    refund.refresh_from_db()
    assert (refund.status, refund.provider_id) == ("pending", "re_1")
    assert cents(held).refunds_due == 10_550
    assert services.settle_refunds(at=after(seconds=30)) == 1
    refund.refresh_from_db()
    assert refund.status == "succeeded"


def test_a_refund_is_recorded_once(held: HeldFunds) -> None:
    pay(held)
    with transaction.atomic():
        refund = services.refund_all(held, at=NOON)
        answer = Outcome(State.SUCCEEDED, "re_1")
        assert services.record_refund(refund, answer, NOON)
        assert not services.record_refund(refund, answer, NOON)
        assert not services.record_refund(refund, Outcome(State.FAILED), NOON)
        assert not services.record_refund(refund, Outcome.UNDECIDED, NOON)
    services.send_refund(refund.pk)
    assert not SandboxRefund.objects.exists()
    assert Transfer.objects.filter(kind="refunded").count() == 1


def test_a_refund_refused_for_good_stays_due_and_waits_for_staff(
    held: HeldFunds, commit: Commit, caplog: pytest.LogCaptureFixture
) -> None:
    pay(held, "card_refund_refused")
    with commit():
        refund = services.refund_all(held, at=NOON)
    refund.refresh_from_db()
    assert (refund.status, refund.reason) == ("refused", "The card's bank refuses refunds.")
    assert cents(held) == services.Cents(charged=10_550, refunds_due=10_550)
    assert list(Refund.objects.waiting_for_staff()) == [refund]
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("ERROR", f"The provider refused {refund.key}: The card's bank refuses refunds. Staff must act.")
    ]
    assert services.settle_refunds(at=after(days=1)) == 0
    check_at_rest()


def test_staff_ask_again_with_a_new_key_and_the_money_goes_back_once(
    held: HeldFunds, commit: Commit, line: type[Faulty], caplog: pytest.LogCaptureFixture
) -> None:
    line.before.append(GatewayError("The account is locked."))
    pay(held)
    with commit():
        refused = services.refund_all(held, at=NOON)
    refused.refresh_from_db()
    assert (refused.status, refused.reason) == ("refused", "The account is locked.")
    with commit():
        again = services.ask_again(refused, at=after(days=1))
    again.refresh_from_db()
    assert (again.status, again.attempt, again.key) == ("succeeded", 2, f"{refused.key}/2")
    assert list(Refund.objects.waiting_for_staff()) == []
    with pytest.raises(services.NotRefused), transaction.atomic():
        services.ask_again(refused, at=after(days=1))
    with transaction.atomic():
        assert not services.record_refund(refused, Outcome(State.SUCCEEDED), after(days=1))
    alarm = f"{refused.key} succeeded after staff gave it again: the money may go back twice."
    assert caplog.messages[-1] == alarm
    assert cents(held) == services.Cents(charged=10_550, refunded=10_550)
    check_at_rest()


def test_staff_may_have_to_ask_more_than_once(held: HeldFunds, commit: Commit) -> None:
    pay(held, "card_refund_refused")
    with commit():
        refund = services.refund_all(held, at=NOON)
    for attempt in (2, 3):
        refund.refresh_from_db()
        with commit():
            refund = services.ask_again(refund, at=NOON)
        assert refund.key.endswith(f"-0-10550/{attempt}")
    assert cents(held).refunds_due == 10_550


def say(refund: Refund, state: State, commit: Commit, hours: int) -> bool:
    """An event about a refund, recorded; what it makes us ask is asked after the commit."""
    with commit():
        return services.record_refund(Refund.objects.get(pk=refund.pk), Outcome(state), after(hours=hours))


def told(refund: Refund) -> tuple[str, bool, int, list[str]]:
    """What a refund is now: its status, whether it is doubted, how much is due, and how its money moved."""
    refund.refresh_from_db()
    kinds = [transfer.kind for transfer in refund.transfers.all()]
    return refund.status, refund.doubted, cents(refund.held).refunds_due, kinds


def test_a_refund_believed_refused_that_went_through_is_booked(
    held: HeldFunds, commit: Commit, line: type[Faulty]
) -> None:
    pay(held)
    line.answers.append(Outcome(State.FAILED, reason="The account is locked."))
    with commit():
        refund = services.refund_all(held, at=NOON)
    assert told(refund) == ("refused", False, 10_550, ["refund"])
    line.find = [Outcome(State.SUCCEEDED)]
    assert not say(refund, State.SUCCEEDED, commit, hours=1)
    assert told(refund) == ("succeeded", False, 0, ["refund", "refunded"])


def test_a_refund_that_fails_after_it_was_confirmed_comes_back_and_waits_for_staff(
    held: HeldFunds, commit: Commit, line: type[Faulty]
) -> None:
    pay(held)
    with commit():
        refund = services.refund_all(held, at=NOON)
    assert told(refund) == ("succeeded", False, 0, ["refund", "refunded"])
    Refund.objects.update(documented=True)
    line.find = [Outcome(State.FAILED, reason="The account is closed.")]
    assert not say(refund, State.FAILED, commit, hours=9)
    assert told(refund) == ("refused", False, 10_550, ["refund", "refunded", "refund_returned"])
    assert (refund.reason, list(Refund.objects.waiting_for_staff())) == ("The account is closed.", [refund])
    assert not say(refund, State.FAILED, commit, hours=10)
    services.send_refund(refund.pk)  # settled and not doubted: nobody is asked
    line.answers.append(Outcome(State.SUCCEEDED))
    with commit():
        again = services.ask_again(refund, at=after(hours=11))
    # The same money has its credit note already.
    assert (told(again), again.documented) == (("succeeded", False, 0, ["refunded"]), True)
    assert cents(held) == services.Cents(charged=10_550, refunded=10_550)


def test_an_older_success_that_arrives_after_the_failure_is_not_believed(
    held: HeldFunds, commit: Commit, line: type[Faulty]
) -> None:
    pay(held)
    line.answers.append(Outcome(State.PROCESSING))
    with commit():
        refund = services.refund_all(held, at=NOON)
    assert say(refund, State.FAILED, commit, hours=1)
    line.find = [Outcome(State.FAILED)]
    assert not say(refund, State.SUCCEEDED, commit, hours=2)
    assert told(refund) == ("refused", False, 10_550, ["refund"])


def test_a_doubt_outlives_a_silent_provider_and_keeps_staff_from_giving_twice(
    held: HeldFunds, commit: Commit, line: type[Faulty]
) -> None:
    pay(held)
    line.answers.append(Outcome(State.FAILED))
    with commit():
        refund = services.refund_all(held, at=NOON)
    line.find = [Outcome.UNDECIDED, Outcome(State.PROCESSING), Outcome(State.SUCCEEDED)]
    say(refund, State.SUCCEEDED, commit, hours=1)
    assert told(refund) == ("refused", True, 10_550, ["refund"])
    for give_again in (services.ask_again, services.turn_into_credit):
        with pytest.raises(services.NotRefused):
            give_again(refund, at=after(hours=1))
    assert services.settle_refunds(at=after(hours=2)) == 1
    assert told(refund) == ("refused", True, 10_550, ["refund"])
    assert services.settle_refunds(at=after(hours=3)) == 1
    assert told(refund) == ("succeeded", False, 0, ["refund", "refunded"])
    assert services.settle_refunds(at=after(hours=9)) == 0


def test_an_answer_that_was_overtaken_is_not_recorded(held: HeldFunds, commit: Commit) -> None:
    """The provider was asked about a refused refund; before its answer was recorded, another worker recorded it."""
    pay(held)
    with commit():
        refund = services.refund_all(held, at=NOON)
    seen = Refund.objects.get(pk=refund.pk)
    seen.status = Refund.Status.REFUSED
    with transaction.atomic():
        assert not services.record_refund(seen, Outcome(State.SUCCEEDED), after(hours=1), confirmed=True)
    assert told(refund) == ("succeeded", False, 0, ["refund", "refunded"])


def test_the_database_holds_refunds_to_their_rules(held: HeldFunds) -> None:
    pay(held)
    with transaction.atomic():
        refund = services.refund_all(held, at=NOON)
    for change, constraint in (
        ({"amount": 0}, "refund_has_an_amount"),
        ({"retried": True}, "refund_retried_when_refused"),
    ):
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            Refund.objects.filter(pk=refund.pk).update(**change)


def test_the_sandbox_refuses_to_give_back_more_than_it_took(held: HeldFunds) -> None:
    charge = pay(held)
    sandbox = gateway()
    assert sandbox.refund(asks_back("one", charge.provider_id, 10_000)).state == State.SUCCEEDED
    assert sandbox.refund(asks_back("two", charge.provider_id, 551)) == Outcome(
        State.FAILED, str(SandboxRefund.objects.get(key="two").pk), "That is more than is left of the charge."
    )
    assert sandbox.refund(asks_back("three", charge.provider_id, 0)).state == State.FAILED
    assert sandbox.refund(asks_back("four", charge.provider_id, 550)).state == State.SUCCEEDED
    assert SandboxCharge.objects.get().refunded == 10_550


def test_the_sandbox_refunds_once_per_key(held: HeldFunds) -> None:
    charge = pay(held)
    sandbox = gateway()
    first = sandbox.refund(asks_back("one", charge.provider_id, 100))
    same = asks_back("one", charge.provider_id, 100)
    assert sandbox.refund(same) == first == sandbox.find_refund(same)
    assert SandboxCharge.objects.get().refunded == 100
    with pytest.raises(GatewayError, match="The key one was used for another refund"):
        sandbox.refund(asks_back("one", charge.provider_id, 200))


def test_the_sandbox_refunds_only_charges_that_succeeded(held: HeldFunds) -> None:
    charge = pay(held, "card_declined")
    assert gateway().refund(asks_back("one", charge.provider_id, 1)).reason == "This charge did not succeed."
    for unknown in ("", "ch_1", "00000000-0000-0000-0000-000000000000"):
        with pytest.raises(GatewayError, match="There is no such charge"):
            gateway().refund(asks_back("two", unknown, 1))
    assert gateway().find_refund(asks_back("two", "", 1)) == Outcome(State.UNKNOWN)
