"""What the end of a dispute does to its order: under the caller's lock; what is changed is saved."""

from datetime import datetime

from marketplace.accounts.models import User
from orders.guards import Refusal, Refused
from orders.models import Order
from orders.services import cancel_milestone, cancel_order, resume
from resolution.models import Case


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
        resume(order, by=by, at=at)
    if kind == Case.Kind.CANCEL_ORDER:
        cancel_order(order, because=because, by=by, at=at, reason=reason, note=note, as_credit=as_credit)
        return
    milestone = order.open_milestone
    if milestone is None:
        raise Refused(Refusal("No milestone is open, so there is none to cancel."))
    cancel_milestone(order, milestone, because=because, by=by, at=at, reason=reason, note=note, as_credit=as_credit)


def go_on(order: Order, *, by: User | None, at: datetime) -> None:
    """After a decline or a dismissal the clocks run again, with at least the least rest (R4)."""
    resume(order, by=by, at=at, least_rest=order.terms.least_rest)
