"""What a case says of itself: what it asks for, how it stands, and why it allows nothing more."""

from typing import TYPE_CHECKING

from marketplace.catalog.durations import counted
from orders.guards import Refusal
from payments.money import display
from resolution.models.choices import Kind, Status

if TYPE_CHECKING:
    from resolution.models.case import Case


def what(case: "Case") -> str:
    """What the case asks for, as the rest of «to …»; without numbers while it is only being considered."""
    named = f"“{case.milestone.title}”" if case.milestone else "the milestone"
    part = display(case.asked_amount, case.order.currency) if case.asked_amount else "a part"
    days = counted(case.asked_days, "day") if case.asked_days else "some days"
    revisions = counted(case.asked_revisions, "revision") if case.asked_revisions else "revisions"
    return {
        Kind.CANCEL_MILESTONE: f"cancel {named}",
        Kind.CANCEL_ORDER: "cancel the order",
        Kind.PARTIAL_REFUND: f"refund {part} of {named}",
        Kind.CHARGEBACK: f"wait for the bank's decision about {named}",
        Kind.EXTEND: f"extend {named} by {days}",
        Kind.EXTRA_REVISIONS: f"add {revisions} to {named}",
        Kind.CHANGE_UPCOMING: "change the upcoming milestones",
    }[Kind(case.kind)]


def standing(case: "Case") -> str:
    """The status in words. A chargeback's case waits for the bank and is decided by it."""
    if case.kind != Kind.CHARGEBACK:
        return str(Status(case.status).label)
    return {
        Status.ESCALATED: "Waits for the buyer's bank",
        Status.RULED: "The bank decided for the buyer",
        Status.DISMISSED: "The bank decided for the seller",
    }[Status(case.status)]


def refusal_by_state(case: "Case") -> Refusal:
    """What to say when the case's state does not allow an action."""
    if case.kind == Kind.CHARGEBACK and case.status != Status.NEW:
        return Refusal(f"{standing(case)}.", who="" if case.ended_at else "the buyer's bank")
    return {
        Status.NEW: Refusal("The case is not open yet."),
        Status.OPEN: Refusal(
            f"The case waits for the {case.answering_side}'s answer.", who=case.answering_side, when=case.answer_by
        ),
        Status.ESCALATED: Refusal("The case waits for Customer Support.", who="support", when=case.support_due),
        Status.ACCEPTED: Refusal("The case was accepted."),
        Status.DECLINED: Refusal("The case was declined."),
        Status.WITHDRAWN: Refusal("The case was withdrawn."),
        Status.VOID: Refusal("The proposal is void: what it speaks of has ended."),
        Status.RULED: Refusal("Customer Support has decided this case."),
        Status.DISMISSED: Refusal("Customer Support has dismissed this case."),
    }[Status(case.status)]
