"""What the end of a case does to its order: under the caller's lock; what is changed is saved."""

from datetime import datetime, timedelta

from django.db.models import F
from django.utils.translation import gettext as _

from marketplace.accounts.models import User
from orders.guards import Refusal, Refused
from orders.models import Order
from orders.services import (
    add_revisions,
    cancel_milestone,
    cancel_order,
    change_upcoming,
    extend_delivery,
    refund_part,
    resume,
)
from resolution.models import Case


def take_effect(order: Order, case: Case, *, because: str, by: User | None, at: datetime) -> None:
    """What the case asked for happens, because both sides agreed to it or silence counts as that (R1, R2).

    A frozen order's clocks run again first. `because` is how the order ends if nothing is left to do.
    Raises `Refused` when it is not possible any more.
    """
    reason = case.reason.text
    if case.kind in (Case.Kind.CANCEL_MILESTONE, Case.Kind.CANCEL_ORDER):
        cancel(order, case.kind, because=because, by=by, at=at, reason=reason)
    elif case.kind == Case.Kind.CHANGE_UPCOMING:
        change_upcoming(order, case.upcoming, by=by, at=at, reason=reason)
    else:
        _change_milestone(order, case, by=by, at=at, reason=reason)
    order.save()


def _change_milestone(order: Order, case: Case, *, by: User | None, at: datetime, reason: str) -> None:
    assert case.milestone  # the database refuses these kinds without one
    if case.kind == Case.Kind.PARTIAL_REFUND:
        go_on(order, by=by, at=at)
        refund_part(order, case.milestone, price=case.asked_amount or 0, by=by, at=at, reason=reason)
    elif case.kind == Case.Kind.EXTEND:
        extend_delivery(order, case.milestone, days=case.asked_days or 0, by=by, at=at, reason=reason)
    else:
        add_revisions(order, case.milestone, count=case.asked_revisions or 0, by=by, at=at)


def cancel(
    order: Order,
    kind: str,
    *,
    because: str,
    by: User | None,
    at: datetime,
    reason: str,
    note: str = "",
    as_credit: bool = False,
) -> None:
    """Cancel the open milestone or the order; a frozen order's clocks run again first (O11, R4).

    What goes back goes the way it was paid, or with `as_credit` all of it as credit, which only support chooses (M9).
    Raises `Refused` when there is nothing of the kind to cancel.
    """
    if order.paused_at:
        unfreeze(order, by=by, at=at)
    if kind == Case.Kind.CANCEL_ORDER:
        cancel_order(order, because=because, by=by, at=at, reason=reason, note=note, as_credit=as_credit)
        return
    milestone = order.open_milestone
    if milestone is None:
        raise Refused(Refusal(_("No milestone is open, so there is none to cancel.")))
    cancel_milestone(order, milestone, because=because, by=by, at=at, reason=reason, note=note, as_credit=as_credit)


def go_on(order: Order, *, by: User | None, at: datetime) -> None:
    """After a decline, a dismissal or another end that does not cancel, the clocks run again, with at least the least
    rest (R4)."""
    unfreeze(order, by=by, at=at, least_rest=order.terms.least_rest)


def unfreeze(order: Order, *, by: User | None, at: datetime, least_rest: timedelta | None = None) -> None:
    """Let the clocks run again (R4): the order's own, as `resume` does, and those of its other cases.

    While it was frozen, nobody could accept a proposal or take another dispute to support, so that the time for it
    stood still as well.
    """
    assert order.paused_at
    pause = at - order.paused_at
    order.cases.proposed().filter(answer_by__gt=order.paused_at).update(answer_by=F("answer_by") + pause)
    declined = order.cases.filter(status=Case.Status.DECLINED, escalate_by__gt=order.paused_at)
    declined.exclude(ended_at__gte=at).update(escalate_by=F("escalate_by") + pause)
    resume(order, by=by, at=at, least_rest=least_rest)
