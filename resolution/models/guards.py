"""The conditions of a case's transitions, with their refusals.

Their subject is a case of a locked order, or one that a page looks at, at the instant `case.moment`.
"""

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from orders.guards import Refusal, guard, why_not
from orders.models import Milestone, Order
from orders.models.milestone_guards import no_bank_is_deciding as no_bank_is_deciding_about
from orders.models.order import no_attempt_is_undecided as order_has_no_undecided_attempt
from orders.services import why_not_part, why_not_upcoming
from payments.said import said
from resolution.models.choices import OF_OPEN_MILESTONE, Kind, Status
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
        return Refusal(_("A case is open on this order already: one at a time."), who="the other side or support")
    return None


@guard
def is_a_dispute(case: "Case") -> Refusal | None:
    """R6: what the two sides propose to each other is theirs to agree on."""
    if case.is_dispute:
        return None
    return Refusal(_("Customer Support decides disputes; a proposal is for the two sides to agree on."))


@guard
def side_may_ask(case: "Case") -> Refusal | None:
    """R2: who may open which kind."""
    if case.kind == Kind.EXTEND and case.side != "seller":
        return Refusal(_("Only the seller can ask for this."), who="seller")
    if case.kind == Kind.EXTRA_REVISIONS and case.side != "buyer":
        return Refusal(_("Only the buyer can ask for this."), who="buyer")
    return None


@guard
def no_proposal_is_open(case: "Case") -> Refusal | None:
    """R1: one proposal at a time; what has become void is in nobody's way."""
    if case.is_dispute:
        return None
    # One that a sweep has set aside is not made void before staff have looked at it.
    waiting = (other for other in case.order.cases.all() if other.status == Status.OPEN and not other.is_dispute)
    proposed = (on_rows_of(case, other) for other in waiting)
    earlier = next((other for other in proposed if other.stuck_at or not other.void_since()), None)
    if earlier is None:
        return None
    side = earlier.answering_side
    waits = {
        "buyer": _("A proposal waits for the buyer's answer already: one at a time."),
        "seller": _("A proposal waits for the seller's answer already: one at a time."),
    }
    return Refusal(waits[side], who=side, when=earlier.answer_by)


def on_rows_of(case: "Case", other: "Case") -> "Case":
    """Another case of the same order, on the same rows of it."""
    other.order = case.order
    other.milestone = next((step for step in case.order.plan if step.pk == other.milestone_id), None)
    return other


@guard
def milestone_allows_it(case: "Case") -> Refusal | None:
    """R2: what the milestone that the case speaks of has to be like."""
    milestone = case.milestone
    if case.kind not in OF_OPEN_MILESTONE:
        return None
    if milestone is None:
        reasons = {
            Kind.PARTIAL_REFUND: _("No milestone is open, so nothing is held that could go back."),
            Kind.EXTEND: _("No milestone is open, so there is no delivery date to extend."),
            Kind.EXTRA_REVISIONS: _("No milestone is open, so there is nothing to revise."),
        }
        return Refusal(reasons.get(Kind(case.kind), _("No milestone is open, so there is none to cancel.")))
    if not milestone.is_open:
        return milestone.refusal_by_state()
    if case.kind == Kind.EXTEND:
        return why_not(milestone.extend)
    if case.kind == Kind.EXTRA_REVISIONS:
        if milestone.status == Milestone.Status.IN_PROGRESS:
            return milestone.refusal_by_state()
        return why_not(milestone.grant_revisions)
    return None


@guard
def can_take_effect(case: "Case") -> Refusal | None:
    """R1: what is asked for is possible now, by the order's own rules. What is not known yet is not judged."""
    milestone = case.milestone
    if case.kind == Kind.EXTEND and milestone:
        return why_not(milestone.extend)
    if case.kind == Kind.EXTRA_REVISIONS and milestone:
        return why_not(milestone.grant_revisions)
    if case.kind == Kind.CHANGE_UPCOMING:
        change = case.asked_upcoming is not None
        return why_not(case.order.change_upcoming) or (why_not_upcoming(case.order, case.upcoming) if change else None)
    if case.kind == Kind.PARTIAL_REFUND and case.asked_amount and milestone and milestone.held:
        return why_not_part(milestone, case.asked_amount)
    return None


@guard
def no_attempt_is_undecided(case: "Case") -> Refusal | None:
    """R2: while the bank is deciding, the money of the next milestone may still arrive."""
    return order_has_no_undecided_attempt.why_not(case.order) if case.is_dispute else None


@guard
def disputes_are_left(case: "Case") -> Refusal | None:
    """R1: at most two per side and milestone; more only by support."""
    if not case.is_dispute or may_be_very_late_claim(case):
        return None
    about_it = [other for other in case.order.cases.all() if other.milestone_id == case.milestone_id]
    if sum(other.is_dispute and other.side == case.side for other in about_it) < DISPUTES_PER_SIDE:
        return None
    if case.milestone is None:
        twice = _("You have opened two cases about the order between milestones already.")
    else:
        twice = _("You have opened two cases about “{milestone}” already.").format(milestone=case.milestone.title)
    return Refusal(f"{twice} {_('More only through Customer Support.')}", who="support")


def may_be_very_late_claim(case: "Case") -> bool:
    """O15 is the buyer's right, however often they have complained before: nobody has to agree to it."""
    cancels = case.side == "buyer" and case.kind in (Kind.CANCEL_MILESTONE, Kind.CANCEL_ORDER)
    very_late = case.milestone is not None and case.milestone.is_very_late(case.moment)
    return cancels and very_late and (case.reason_id is None or case.reason.code == Reason.SELLER_LATE)


@guard
def reason_may_be_cited(case: "Case") -> Refusal | None:
    """R5. A case that is only being considered has no reason yet."""
    if case.reason_id is None:
        return None
    if not Reason.objects.citable(case.side, case.milestone, case.kind).filter(pk=case.reason_id).exists():
        return Refusal(
            _("“{reason}” is not a reason that you can give now. Please choose another.").format(
                reason=said(case.reason.text)
            )
        )
    if case.reason.code == Reason.SELLER_LATE and not (case.milestone and case.milestone.is_late(case.moment)):
        due = case.milestone.deliver_by if case.milestone else None
        return Refusal(_("The delivery date has not passed, so the seller is not late."), who="seller", when=due)
    return None


@guard
def time_is_not_up(case: "Case") -> Refusal | None:
    """R2: windows are [start, end). What silence means happens first, whoever comes."""
    if case.is_overdue(case.moment):
        return Refusal(_("The time to answer is over: what silence means is about to happen."))
    return None


@guard
def not_void(case: "Case") -> Refusal | None:
    """R4: nobody answers a proposal about what has ended."""
    if case.void_since():
        return Refusal(_("The proposal is void: what it speaks of has ended."))
    return None


@guard
def escalation_is_in_time(case: "Case") -> Refusal | None:
    """R3."""
    if case.escalate_by is None or case.moment >= case.escalate_by:
        return Refusal(_("The time to take this case to Customer Support is over."), who="support")
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
    milestone = case.order.open_milestone if case.is_dispute else None
    return no_bank_is_deciding_about.why_not(milestone) if milestone else None
