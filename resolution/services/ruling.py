"""Customer Support rules on a case, or acts without one (R6)."""

from datetime import datetime

from marketplace.accounts.models import User
from orders.guards import Refusal, Refused
from orders.locking import locked_milestone, touch
from orders.models import Event, Milestone, Order
from orders.operating import refuse_party
from resolution.activity import move_case
from resolution.locking import lock_case, lock_order
from resolution.models import Case, Reason
from resolution.services.opening import consider, open_for_support
from resolution.services.outcomes import cancel, go_on
from resolution.services.verbs import case_verb
from resolution.words import ruling_in_words


@case_verb
def rule_cancel_milestone(
    case: Case, *, by: User, reason: Reason, note: str, as_credit: bool = False, version: int | None = None
) -> Case:
    """Cancel the order's open milestone and refund it, whatever the case asked for (R6).

    `as_credit` gives the buyer, who asks for it, credit instead of a refund (M9).
    Case, milestone, order and money change together. Raises `Refused` when the case has ended, no milestone is
    open, the note is missing or the agent is a party; `Stale`.
    """
    order, case, now = lock_case(case.pk, version=version)
    _may_rule(order, by, note)
    touch(order, by=None, now=now)
    return _rule(order, case, Case.Kind.CANCEL_MILESTONE, by=by, reason=reason, note=note, as_credit=as_credit, now=now)


@case_verb
def rule_cancel_order(
    case: Case, *, by: User, reason: Reason, note: str, as_credit: bool = False, version: int | None = None
) -> Case:
    """Cancel the order, whatever the case asked for; completed milestones stay completed and paid (R6, O11).

    Changes together and raises as `rule_cancel_milestone`; refused as well while an attempt to pay is undecided.
    """
    order, case, now = lock_case(case.pk, version=version)
    _may_rule(order, by, note)
    touch(order, by=None, now=now)
    return _rule(order, case, Case.Kind.CANCEL_ORDER, by=by, reason=reason, note=note, as_credit=as_credit, now=now)


@case_verb
def dismiss_case(case: Case, *, by: User, reason: Reason, note: str, version: int | None = None) -> Case:
    """Dismiss: the order goes on with at least the least rest of its clocks (R4, R6).

    Raises `Refused` when the case has ended, the note is missing or the agent is a party; `Stale`.
    """
    order, case, now = lock_case(case.pk, version=version)
    _may_rule(order, by, note)
    touch(order, by=None, now=now)
    move_case(
        case.dismiss,
        now,
        by,
        reason,
        note,
        kind=Event.Kind.CASE_DISMISSED,
        by=by,
        at=now,
        reason=reason.text,
        note=note,
    )
    go_on(order, by=by, at=now)
    return case


@case_verb
def cancel_milestone_by_support(
    milestone: Milestone,
    *,
    by: User,
    reason: Reason,
    note: str,
    as_credit: bool = False,
    version: int | None = None,
) -> Case:
    """Cancel an open milestone without anybody's case: one is opened and ruled in one transaction (R6).

    Raises `Refused` when the milestone is not open, a case is open on the order (rule on that one), the note is
    missing or the agent is a party; `Stale`.
    """
    order, now = lock_order(milestone.order_id, version=version)
    milestone = locked_milestone(order, milestone.pk)
    return _open_and_rule(
        order,
        Case.Kind.CANCEL_MILESTONE,
        milestone,
        by=by,
        reason=reason,
        note=note,
        as_credit=as_credit,
        now=now,
    )


@case_verb
def cancel_order_by_support(
    order: Order, *, by: User, reason: Reason, note: str, as_credit: bool = False, version: int | None = None
) -> Case:
    """Cancel an active order without anybody's case. As `cancel_milestone_by_support` (R6)."""
    order, now = lock_order(order.pk, version=version)
    return _open_and_rule(
        order, Case.Kind.CANCEL_ORDER, None, by=by, reason=reason, note=note, as_credit=as_credit, now=now
    )


def _open_and_rule(
    order: Order,
    ruling: str,
    milestone: Milestone | None,
    *,
    by: User,
    reason: Reason,
    note: str,
    as_credit: bool,
    now: datetime,
) -> Case:
    _may_rule(order, by, note)
    case = consider(order, ruling, Case.Side.SUPPORT, now=now, milestone=milestone)
    case.opened_by, case.reason, case.statement = by, reason, note
    touch(order, by=None, now=now)
    open_for_support(case, by=by, at=now, silently=True)
    return _rule(order, case, ruling, by=by, reason=reason, note=note, as_credit=as_credit, now=now)


def _rule(
    order: Order, case: Case, ruling: str, *, by: User, reason: Reason, note: str, as_credit: bool, now: datetime
) -> Case:
    move_case(
        case.rule,
        now,
        by,
        ruling,
        reason,
        note,
        kind=Event.Kind.CASE_RULED,
        by=by,
        at=now,
        reason=reason.text,
        note=note,
        ruling=ruling_in_words(ruling, order),
    )
    because = Order.ClosedBecause.CANCELED_BY_SUPPORT
    cancel(order, ruling, because=because, by=by, at=now, reason=reason.text, note=note, as_credit=as_credit)
    return case


def _may_rule(order: Order, by: User, note: str) -> None:
    refuse_party(order, by)
    if not note.strip():
        raise Refused(Refusal("Write a note: both sides read why."))
