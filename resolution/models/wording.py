"""What a case says of itself: what it asks for, how it stands, and why it allows nothing more."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from orders.guards import Refusal
from orders.phrases import Amount, Count, Phrase, Value
from resolution.models.choices import Kind, Status

if TYPE_CHECKING:
    from resolution.models.case import Case


def what(case: "Case") -> Phrase:
    """What the case asks for, as the rest of «to …»; without numbers while it is only being considered."""
    kind, values = Kind(case.kind), _values(case)
    if case.milestone is None:
        return Phrase(_BETWEEN_MILESTONES[kind], values)
    return Phrase(_WITH_NUMBERS[kind] if values.keys() & _NUMBERS else _WITHOUT[kind], values)


def _values(case: "Case") -> dict[str, Value]:
    values: dict[str, Value] = {"milestone": case.milestone.title} if case.milestone else {}
    if case.asked_amount:
        values["amount"] = Amount(case.asked_amount, case.order.currency)
    if case.asked_days:
        values["days"] = Count(case.asked_days, "day")
    if case.asked_revisions:
        values["revisions"] = Count(case.asked_revisions, "revision")
    return values


_NUMBERS = {"amount", "days", "revisions"}
_WITHOUT = {
    Kind.CANCEL_MILESTONE: noop("cancel “{milestone}”"),
    Kind.CANCEL_ORDER: noop("cancel the order"),
    Kind.PARTIAL_REFUND: noop("refund a part of “{milestone}”"),
    Kind.CHARGEBACK: noop("wait for the bank's decision about “{milestone}”"),
    Kind.EXTEND: noop("extend “{milestone}” by some days"),
    Kind.EXTRA_REVISIONS: noop("add revisions to “{milestone}”"),
    Kind.CHANGE_UPCOMING: noop("change the upcoming milestones"),
}
_WITH_NUMBERS = _WITHOUT | {
    Kind.PARTIAL_REFUND: noop("refund {amount} of “{milestone}”"),
    Kind.EXTEND: noop("extend “{milestone}” by {days}"),
    Kind.EXTRA_REVISIONS: noop("add {revisions} to “{milestone}”"),
}
_BETWEEN_MILESTONES = _WITHOUT | {
    Kind.CANCEL_MILESTONE: noop("cancel the milestone"),
    Kind.PARTIAL_REFUND: noop("refund a part of the milestone"),
    Kind.CHARGEBACK: noop("wait for the bank's decision about the milestone"),
    Kind.EXTEND: noop("extend the milestone by some days"),
    Kind.EXTRA_REVISIONS: noop("add revisions to the milestone"),
}


def standing(case: "Case") -> str:
    """The status in words. A chargeback's case waits for the bank and is decided by it."""
    if case.kind != Kind.CHARGEBACK:
        return str(Status(case.status).label)
    return {
        Status.ESCALATED: _("Waits for the buyer's bank"),
        Status.RULED: _("The bank decided for the buyer"),
        Status.DISMISSED: _("The bank decided for the seller"),
    }[Status(case.status)]


def refusal_by_state(case: "Case") -> Refusal:
    """What to say when the case's state does not allow an action."""
    if case.kind == Kind.CHARGEBACK and case.status != Status.NEW:
        return Refusal(f"{standing(case)}.", who="" if case.ended_at else "the buyer's bank")
    if case.status == Status.OPEN:
        side = case.answering_side
        waits = {
            "buyer": _("The case waits for the buyer's answer."),
            "seller": _("The case waits for the seller's answer."),
        }
        return Refusal(waits[side], who=side, when=case.answer_by)
    if case.status == Status.ESCALATED:
        return Refusal(_("The case waits for Customer Support."), who="support", when=case.support_due)
    return Refusal(
        {
            Status.NEW: _("The case is not open yet."),
            Status.ACCEPTED: _("The case was accepted."),
            Status.DECLINED: _("The case was declined."),
            Status.WITHDRAWN: _("The case was withdrawn."),
            Status.VOID: _("The proposal is void: what it speaks of has ended."),
            Status.RULED: _("Customer Support has decided this case."),
            Status.DISMISSED: _("Customer Support has dismissed this case."),
        }[Status(case.status)]
    )
