"""Stopping an order, and freezing it for a case (O9, R4)."""

from datetime import datetime, timedelta

from marketplace.accounts.models import User
from orders.activity import record
from orders.guards import require
from orders.locking import lock, touch
from orders.models import Event, Milestone, Order, Pause
from orders.models.order import next_reminder
from orders.services.endings import Because, end
from orders.services.verbs import verb


@verb
def stop(order: Order, *, by: User, version: int | None = None) -> Order:
    """Stop the order between milestones; deliveries stay, and it can never be resumed (O9).

    Raises `Refused` while a milestone is open, an attempt to pay is undecided or a case is open; `Stale`.
    """
    order, now = lock(order.pk, version=version)
    require(order.stop)
    touch(order, by=by, now=now)
    end(order, Because.STOPPED, by=by, at=now)
    return order


def freeze(order: Order, *, by: User | None, at: datetime, case_number: str) -> None:
    """Stop the clocks of a locked, active order while a dispute is open (R4). Saves the order."""
    order.paused_at = at
    order.save()
    Pause.objects.create(order=order, case_number=case_number, started_by=by, started_at=at)
    record(Event.Kind.FROZEN, order, by=by, at=at, reason=case_number)


def resume(order: Order, *, by: User | None, at: datetime, least_rest: timedelta | None = None) -> None:
    """Let the clocks of a locked, frozen order run again (R4). Saves order and milestone.

    Every clock that had not run out gets the pause, and at least `least_rest` if that is given.
    """
    assert order.paused_at
    pause = Pause.objects.get(order=order, ended_at=None)
    milestone = order.current
    if order.decide_by and order.decide_by > order.paused_at:
        until = _resumed(order.decide_by, order.paused_at, at, least_rest)
        pause.added_to_decide_by = until - order.decide_by
        order.decide_by = until
        order.remind_at = next_reminder(order.decide_from or order.created_at, until, at)
        if milestone and milestone.status == Milestone.Status.AWAITING_PAYMENT and milestone.pay_by:
            milestone.pay_by += pause.added_to_decide_by
            milestone.save()
    if milestone and milestone.is_in_work and milestone.deliver_by and milestone.deliver_by > order.paused_at:
        # A success that came late may have funded it during the pause; then its clock stood still only since.
        since = max(order.paused_at, milestone.deliver_from or order.paused_at)
        until = _resumed(milestone.deliver_by, since, at, least_rest)
        pause.added_to_deliver_by = until - milestone.deliver_by
        milestone.deliver_by = until
        milestone.very_late_at = until + order.terms.very_late
        milestone.remind_at = next_reminder(milestone.deliver_from or order.created_at, until, at)
        milestone.save()
    elif milestone and milestone.is_in_work and milestone.very_late_at and milestone.very_late_at > order.paused_at:
        # The date had passed, but the seller still had time until the buyer may cancel on the spot (O15).
        milestone.very_late_at = _resumed(milestone.very_late_at, order.paused_at, at, least_rest)
        milestone.save()
    pause.ended_at = at
    pause.save()
    order.paused_at = None
    order.save()
    record(Event.Kind.RESUMED, order, by=by, at=at, reason=pause.case_number)


def _resumed(deadline: datetime, since: datetime, at: datetime, least_rest: timedelta | None) -> datetime:
    moved = deadline + (at - since)
    return moved if least_rest is None else max(moved, at + least_rest)
