"""The conditions of a case's transitions, with their refusals.

Their subject is a case of a locked order, or one that a page looks at, at the instant `case.moment`.
"""

from typing import TYPE_CHECKING

from orders.guards import Refusal, guard
from orders.models import Order
from orders.models.milestone_guards import no_bank_is_deciding as no_bank_is_deciding_about
from orders.models.order import no_attempt_is_undecided as order_has_no_undecided_attempt
from resolution.models.reason import Reason

if TYPE_CHECKING:
    from resolution.models.case import Case

DISPUTES_PER_SIDE = 2


@guard
def order_is_active(case: "Case") -> Refusal | None:
    if case.order.status != Order.Status.ACTIVE:
        return case.order.refusal_by_state()
    return None


@guard
def no_dispute_is_open(case: "Case") -> Refusal | None:
    """R1: one dispute at a time. The order is frozen exactly while one is open."""
    if case.order.paused_at:
        return Refusal("A case is open on this order already: one at a time.", who="the other side or support")
    return None


@guard
def milestone_is_open(case: "Case") -> Refusal | None:
    """R2: only a funded milestone that has not ended can be canceled."""
    if case.kind not in (case.Kind.CANCEL_MILESTONE, case.Kind.CHARGEBACK):
        return None
    if case.milestone is None:
        return Refusal("No milestone is open, so there is none to cancel.")
    return None if case.milestone.is_open else case.milestone.refusal_by_state()


@guard
def no_attempt_is_undecided(case: "Case") -> Refusal | None:
    """R2: while the bank is deciding, the money of the next milestone may still arrive."""
    return order_has_no_undecided_attempt.why_not(case.order)


@guard
def disputes_are_left(case: "Case") -> Refusal | None:
    """R1: at most two per side and milestone; more only by support."""
    earlier = case.order.cases.filter(milestone=case.milestone, side=case.side)
    if earlier.count() < DISPUTES_PER_SIDE:
        return None
    about = f"“{case.milestone.title}”" if case.milestone else "the order between milestones"
    more = "More only through Customer Support."
    return Refusal(f"You have opened two cases about {about} already. {more}", who="support")


@guard
def reason_may_be_cited(case: "Case") -> Refusal | None:
    """R5. A case that is only being considered has no reason yet."""
    if case.reason_id is None:
        return None
    if not Reason.objects.citable(case.side, case.milestone).filter(pk=case.reason_id).exists():
        return Refusal(f"“{case.reason.text}” is not a reason that you can give now. Please choose another.")
    if case.reason.code == Reason.SELLER_LATE and not (case.milestone and case.milestone.is_late(case.moment)):
        due = case.milestone.deliver_by if case.milestone else None
        return Refusal("The delivery date has not passed, so the seller is not late.", who="seller", when=due)
    return None


@guard
def time_is_not_up(case: "Case") -> Refusal | None:
    """R2: windows are [start, end). What silence means happens first, whoever comes."""
    if case.is_overdue(case.moment):
        return Refusal("The time to answer is over: what silence means is about to happen.")
    return None


@guard
def escalation_is_in_time(case: "Case") -> Refusal | None:
    """R3."""
    if case.escalate_by is None or case.moment >= case.escalate_by:
        return Refusal("The time to take this case to Customer Support is over.", who="support")
    return None


@guard
def its_milestone_has_not_ended(case: "Case") -> Refusal | None:
    """R3."""
    if case.milestone and not case.milestone.is_open:
        return case.milestone.refusal_by_state()
    return None


@guard
def no_bank_is_deciding(case: "Case") -> Refusal | None:
    """M10: until the bank has decided nobody ends the dispute, because that would let the clocks run."""
    milestone = case.order.open_milestone
    return no_bank_is_deciding_about.why_not(milestone) if milestone else None
