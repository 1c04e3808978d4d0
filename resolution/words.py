"""How cases are told: what happens if nobody acts, and the headings of the notices."""

from datetime import datetime

from django.utils.translation import gettext as _

from marketplace.accounts import instants
from marketplace.catalog.durations import counted, in_words
from orders.models import Event
from orders.plan_changes import changes_in_words
from payments.models import HeldFunds
from payments.money import display
from resolution.models import Case
from resolution.models.choices import OF_OPEN_MILESTONE

Kind = Event.Kind

NOTICES: dict[str, str] = {
    Kind.CASE_OPENED: "{actor} opened a case to {what}",
    Kind.CASE_ACCEPTED: "Case {case} was accepted: {effect}",
    Kind.CASE_DECLINED: "{actor} declined case {case}",
    Kind.CASE_WITHDRAWN: "{actor} withdrew case {case}: the order goes on",
    Kind.CASE_VOID: "Case {case} is void: {effect}",
    Kind.CASE_UNANSWERED: "Nobody answered case {case} in time: {effect}",
    Kind.CASE_ESCALATED: "{actor} took case {case} to Customer Support",
    Kind.CASE_RULED: "Customer Support decided case {case}: {ruling}",
    Kind.CASE_SETTLED: "The buyer's bank has decided, so case {case} ended: {effect}",
    Kind.CASE_DISMISSED: "Customer Support dismissed case {case}: the order goes on",
}


def effect_of(case: Case, buyer: str = "the buyer") -> str:
    """What agreeing to the case does: “Logo” is canceled and $105.50 goes back to the buyer."""
    named, held = f"“{case.milestone}”", _held(case)
    back = f" and {display(held.left, held.currency)} goes back to {buyer}" if held and held.left else ""
    if case.kind == Case.Kind.CANCEL_ORDER:
        return f"the order is canceled{back}" if back else "the order ends; nothing is held that would go back"
    if case.kind == Case.Kind.PARTIAL_REFUND:
        part = case.asked_amount or 0
        # Of what was refunded or decided meanwhile less may be held than was asked for.
        amount = display(held.refund_of(part), held.currency) if held and 0 < part < held.left_price else "a part"
        return f"{amount} of {named} goes back to {buyer}, the fee on it included, and the order goes on"
    if case.kind == Case.Kind.EXTEND:
        return f"{named} has {counted(case.asked_days or 0, 'day')} more"
    if case.kind == Case.Kind.EXTRA_REVISIONS:
        return f"{named} has {counted(case.asked_revisions or 0, 'revision')} more"
    if case.kind == Case.Kind.CHANGE_UPCOMING:
        return f"the upcoming milestones change: {changes_of(case)}"
    return f"{named} is canceled{back}"


def changes_of(case: Case) -> str:
    """What a proposal would change in the upcoming milestones, a phrase per milestone."""
    before = [step for step in case.order.plan if case.upcoming_from and step.position >= case.upcoming_from]
    return "; ".join(changes_in_words(before, case.upcoming, case.order.currency))


def silence_in_words(case: Case) -> str:
    """What was decided about silence when the case opened (R2)."""
    if case.on_silence == Case.Silence.AGREED:
        return f"it counts as agreed: {effect_of(case)}"
    if case.on_silence == Case.Silence.WITHDRAWN:
        return "it counts as withdrawn, and nothing changes"
    return "the case goes to Customer Support, and the order stays frozen until they decide"


def why_void(case: Case) -> str:
    """What a proposal spoke of that has ended (R4)."""
    order, milestone = case.order, case.milestone if case.kind in OF_OPEN_MILESTONE else None
    if milestone and (milestone.ended_at or not order.has_ended):
        return f"“{milestone}” has ended" if milestone.ended_at else f"“{milestone}” was delivered"
    return "the order has ended" if order.has_ended else "the next milestone was started"


def if_nobody_acts(case: Case) -> str:
    """What happens at the case's deadline if nobody acts, in words; empty when nothing more can happen."""
    if case.status == Case.Status.OPEN:
        return f"If the {case.answering_side} does not answer, {silence_in_words(case)}."
    if case.status == Case.Status.ESCALATED and case.kind == Case.Kind.CHARGEBACK:
        return "The order stays frozen until the buyer's bank has decided."
    if case.status == Case.Status.ESCALATED:
        return "The order stays frozen until Customer Support decides."
    if case.can_go_to_support:
        return "If it is not taken to Customer Support, the case stays declined and the order goes on."
    return ""


def deadline_of(case: Case) -> datetime | None:
    """The instant that `if_nobody_acts` speaks of."""
    return {
        Case.Status.OPEN.value: case.answer_by,
        Case.Status.ESCALATED.value: case.support_due,
        Case.Status.DECLINED.value: case.escalate_by,
    }.get(case.status)


def ahead(case: Case) -> str:
    """`if_nobody_acts` with its instant, in the current time zone: for notices."""
    until, outlook = deadline_of(case), if_nobody_acts(case)
    if until is None or not outlook:
        return ""
    return _("Until {instant}. {outlook}").format(instant=instants.deadline(until), outlook=outlook)


def abandoned(case: Case) -> str:
    """The clock's statement (O15)."""
    past = in_words(case.order.terms.abandoned)
    return f"“{case.milestone}” is more than {past} past its delivery date, and neither side has acted since."


def deactivated(case: Case) -> str:
    """The clock's statement (O20)."""
    return f"The seller's account was deactivated while “{case.milestone}” was open."


def taken_back(case: Case, amount: str, reason: str) -> str:
    """The clock's statement about a chargeback (M10)."""
    said = f" It says: {reason.rstrip('.')}." if reason else ""
    return f"The buyer's bank has taken {amount} for “{case.milestone}” back and is deciding who is right.{said}"


def very_late(case: Case) -> str:
    """Why a case is accepted as it is opened (O15)."""
    return f"nothing was delivered, {in_words(case.order.terms.very_late)} past the delivery date"


def at_stake(case: Case) -> str:
    """What is held of what the case is about; empty when nothing is."""
    held = _held(case)
    return display(held.left, held.currency) if held and held.left else ""


def _held(case: Case) -> HeldFunds | None:
    """The money that the case is about: of its milestone while it is open; of whichever is open for the order's."""
    subject = case.order.open_milestone if case.kind == Case.Kind.CANCEL_ORDER else case.milestone
    return subject.held if subject and subject.is_open else None
