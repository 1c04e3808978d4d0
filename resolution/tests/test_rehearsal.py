"""R7: the real code, rolled back, and what it did."""

from functools import partial

import pytest

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.notifications.models import Notice
from orders.guards import Refused
from orders.models import Event, Order
from orders.rehearsal import Change, Deadline, Message, Movement, rehearse
from orders.tests.factories import fresh, statuses
from payments.models import Refund, Transfer
from payments.services import Cents
from resolution import services
from resolution.models import Case
from resolution.rehearsal import what_agreeing_does
from resolution.tests.conftest import NOON, after
from resolution.tests.factories import fresh_case, opened, reason, rule_cancel_milestone, rule_cancel_order

pytestmark = pytest.mark.django_db


def rows(order: Order) -> tuple[object, ...]:
    """Everything that a rehearsal could have left behind."""
    order = fresh(order)
    return (
        statuses(order),
        (order.version, order.paused_at, order.decide_by),
        list(Case.objects.values_list("pk", "status")),
        *(model.objects.count() for model in (Event, Transfer, Refund, Notice)),
    )


def test_a_rehearsal_says_what_happens_to_every_state_and_cent_and_leaves_nothing(
    delivered: Order, agent: User, django_capture_on_commit_callbacks: object
) -> None:
    case = opened(delivered)
    before = rows(delivered)
    act = partial(rule_cancel_order, case, by=agent, reason=reason("fraud_or_abuse"), note="Stolen pictures.")
    with django_capture_on_commit_callbacks() as callbacks:
        rehearsal = rehearse(delivered, act)

    assert callbacks == []
    assert rows(delivered) == before
    assert fresh_case(case).status == "open"
    assert rehearsal.version == delivered.version + 1
    assert rehearsal.states == [
        Change("“Logo”", "Delivered", "Canceled"),
        Change("“Business cards”", "Not started", "Not started any more"),
        Change("The order", "Active", "Canceled"),
    ]
    assert rehearsal.movements == [Movement("goes back to the buyer", 10_550, "USD")]
    assert rehearsal.back_to_buyer == 10_550
    assert rehearsal.before == Cents(charged=10_550, held=10_550)
    assert rehearsal.after == Cents(charged=10_550, refunds_due=10_550)
    assert rehearsal.deadlines == [Deadline("The buyer's time to review “Logo”", after(days=8), None)]
    assert rehearsal.told == [
        Message("Ana Ruiz", f"Customer Support decided case {case.number}: the order is canceled", "buyer"),
        Message("Theo Lindqvist", f"Customer Support decided case {case.number}: the order is canceled", "seller"),
        Message("Ana Ruiz", "“Logo” was canceled", "buyer"),
        Message("Theo Lindqvist", "“Logo” was canceled", "seller"),
        Message("Ana Ruiz", "Your order ended: canceled by Customer Support", "buyer"),
        Message("Theo Lindqvist", "Your order ended: canceled by Customer Support", "seller"),
    ]


def test_the_rehearsal_is_what_then_happens(delivered: Order, agent: User) -> None:
    case = opened(delivered)
    act = partial(rule_cancel_milestone, case, by=agent, reason=reason("unusable_files"), note="Empty.")
    with clock.at(after(hours=4)):
        rehearsal = rehearse(delivered, act)
        act()
    order = fresh(delivered)
    assert [change.after for change in rehearsal.states] == [order.plan[0].get_status_display(), "running"]
    assert rehearsal.back_to_buyer == order.plan[0].held.refunded == 10_550
    assert rehearsal.deadlines == [
        Deadline("The buyer's time to review “Logo”", after(days=8), None),
        Deadline("The buyer's time to start “Business cards” or stop", None, order.decide_by),
    ]
    assert order.decide_by == after(days=8, hours=4)


def test_what_canceling_does_is_said_before_anybody_agrees(in_progress: Order) -> None:
    rehearsal = what_agreeing_does(in_progress, "cancel_milestone", by=in_progress.buyer)
    assert rehearsal.states == [Change("“Logo”", "In progress", "Canceled")]
    assert rehearsal.movements == [Movement("goes back to the buyer", 10_550, "USD")]
    assert rehearsal.deadlines == [
        Deadline("The seller's time to deliver “Logo”", after(days=3), None),
        Deadline("The buyer's time to start “Business cards” or stop", None, after(days=8)),
    ]


def test_between_milestones_nothing_is_held_and_no_money_moves(between: Order) -> None:
    rehearsal = what_agreeing_does(between, "cancel_order", by=between.buyer)
    assert rehearsal.states == [
        Change("“Business cards”", "Not started", "Not started any more"),
        Change("The order", "Active", "Completed"),
    ]
    assert rehearsal.movements == []
    assert rehearsal.before == rehearsal.after == Cents(charged=10_550, seller=8_000, fees=2_550)


def test_what_is_refused_is_refused_in_the_rehearsal(between: Order) -> None:
    with pytest.raises(Refused) as refused:
        what_agreeing_does(between, "cancel_milestone", by=between.buyer)
    assert str(refused.value) == "No milestone is open, so there is none to cancel."
    assert fresh(between).version == between.version


def test_a_rehearsal_can_ask_what_if_it_were_another_day(in_progress: Order) -> None:
    case = opened(in_progress)
    with clock.at(after(days=2)):
        rehearsal = rehearse(in_progress, lambda: services.settle_case(case.pk))
    assert rehearsal.back_to_buyer == 10_550
    assert rehearsal.deadlines[-1] == Deadline(
        "The buyer's time to start “Business cards” or stop", None, after(days=10)
    )
    assert (fresh_case(case).status, fresh(in_progress).paused_at) == ("open", NOON)
