"""How cases are told: what happens if nobody acts, and the headings of the notices."""

from datetime import datetime

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import gettext_noop as noop
from django_stubs_ext import StrPromise

from marketplace.accounts import instants
from marketplace.catalog.durations import in_words
from orders.models import Event, Milestone
from orders.phrases import Amount, Changes, Count, Length, Phrase, Value
from orders.plan_changes import changes_in_words, stored
from payments.models import HeldFunds
from payments.money import display
from resolution.models import Case
from resolution.models.choices import OF_OPEN_MILESTONE

Kind = Event.Kind

NOTICES: dict[str, StrPromise] = {
    Kind.CASE_OPENED: _lazy("{actor} opened a case to {what}"),
    Kind.CASE_ACCEPTED: _lazy("Case {case} was accepted: {effect}"),
    Kind.CASE_DECLINED: _lazy("{actor} declined case {case}"),
    Kind.CASE_WITHDRAWN: _lazy("{actor} withdrew case {case}: the order goes on"),
    Kind.CASE_VOID: _lazy("Case {case} is void: {effect}"),
    Kind.CASE_UNANSWERED: _lazy("Nobody answered case {case} in time: {effect}"),
    Kind.CASE_ESCALATED: _lazy("{actor} took case {case} to Customer Support"),
    Kind.CASE_RULED: _lazy("Customer Support decided case {case}: {ruling}"),
    Kind.CASE_SETTLED: _lazy("The buyer's bank has decided, so case {case} ended: {effect}"),
    Kind.CASE_DISMISSED: _lazy("Customer Support dismissed case {case}: the order goes on"),
}


def effect_of(case: Case, *, mine: bool = False) -> Phrase:
    """What agreeing to the case does: “Logo” is canceled and $105.50 goes back to the buyer, or to you if `mine`."""
    held, currency = _held(case), case.order.currency
    named = {"milestone": str(case.milestone)}
    back: dict[str, Value] = {"amount": Amount(held.left, held.currency)} if held and held.left else {}
    if case.kind == Case.Kind.CANCEL_ORDER and not back:
        return Phrase(noop("the order ends; nothing is held that would go back"))
    if case.kind == Case.Kind.CANCEL_ORDER:
        yours = noop("the order is canceled and {amount} goes back to you")
        return Phrase(yours if mine else noop("the order is canceled and {amount} goes back to the buyer"), back)
    if case.kind == Case.Kind.PARTIAL_REFUND:
        return _part_of(case, held, mine=mine)
    if case.kind == Case.Kind.EXTEND:
        return Phrase(noop("“{milestone}” has {days} more"), named | {"days": Count(case.asked_days or 0, "day")})
    if case.kind == Case.Kind.EXTRA_REVISIONS:
        more = Count(case.asked_revisions or 0, "revision")
        return Phrase(noop("“{milestone}” has {revisions} more"), named | {"revisions": more})
    if case.kind == Case.Kind.CHANGE_UPCOMING:
        changes = Changes(stored(_before(case)), stored(case.upcoming), currency)
        return Phrase(noop("the upcoming milestones change: {changes}"), {"changes": changes})
    if not back:
        return Phrase(noop("“{milestone}” is canceled"), named)
    yours = noop("“{milestone}” is canceled and {amount} goes back to you")
    return Phrase(
        yours if mine else noop("“{milestone}” is canceled and {amount} goes back to the buyer"), named | back
    )


def _part_of(case: Case, held: HeldFunds | None, *, mine: bool) -> Phrase:
    part, named = case.asked_amount or 0, {"milestone": str(case.milestone)}
    # Of what was refunded or decided meanwhile less may be held than was asked for.
    if not (held and 0 < part < held.left_price):
        yours = noop("a part of “{milestone}” goes back to you, the fee on it included, and the order goes on")
        theirs = noop("a part of “{milestone}” goes back to the buyer, the fee on it included, and the order goes on")
        return Phrase(yours if mine else theirs, named)
    yours = noop("{amount} of “{milestone}” goes back to you, the fee on it included, and the order goes on")
    theirs = noop("{amount} of “{milestone}” goes back to the buyer, the fee on it included, and the order goes on")
    return Phrase(yours if mine else theirs, named | {"amount": Amount(held.refund_of(part), held.currency)})


def changes_of(case: Case) -> str:
    """What a proposal would change in the upcoming milestones, a phrase per milestone."""
    return "; ".join(changes_in_words(_before(case), case.upcoming, case.order.currency))


def _before(case: Case) -> list[Milestone]:
    return [step for step in case.order.plan if case.upcoming_from and step.position >= case.upcoming_from]


def silence_in_words(case: Case) -> Phrase:
    """What was decided about silence when the case opened (R2)."""
    if case.on_silence == Case.Silence.AGREED:
        return Phrase(noop("it counts as agreed: {effect}"), {"effect": effect_of(case)})
    if case.on_silence == Case.Silence.WITHDRAWN:
        return Phrase(noop("it counts as withdrawn, and nothing changes"))
    return Phrase(noop("the case goes to Customer Support, and the order stays frozen until they decide"))


def why_void(case: Case) -> Phrase:
    """What a proposal spoke of that has ended (R4)."""
    order, milestone = case.order, case.milestone if case.kind in OF_OPEN_MILESTONE else None
    if milestone and (milestone.ended_at or not order.has_ended):
        said = noop("“{milestone}” has ended") if milestone.ended_at else noop("“{milestone}” was delivered")
        return Phrase(said, {"milestone": str(milestone)})
    return Phrase(noop("the order has ended") if order.has_ended else noop("the next milestone was started"))


def if_nobody_acts(case: Case) -> str:
    """What happens at the case's deadline if nobody acts, in words; empty when nothing more can happen."""
    if case.status == Case.Status.OPEN and case.answering_side == "buyer":
        return _("If the buyer does not answer, {silence}.").format(silence=silence_in_words(case))
    if case.status == Case.Status.OPEN:
        return _("If the seller does not answer, {silence}.").format(silence=silence_in_words(case))
    if case.status == Case.Status.ESCALATED and case.kind == Case.Kind.CHARGEBACK:
        return _("The order stays frozen until the buyer's bank has decided.")
    if case.status == Case.Status.ESCALATED:
        return _("The order stays frozen until Customer Support decides.")
    if case.can_go_to_support:
        return _("If it is not taken to Customer Support, the case stays declined and the order goes on.")
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
    """The clock's statement (O15). It is read by both sides and support, so it is in the site's own language."""
    with translation.override(settings.LANGUAGE_CODE):
        said = _("“{milestone}” is more than {length} past its delivery date, and neither side has acted since.")
        return said.format(milestone=case.milestone, length=in_words(case.order.terms.abandoned))


def deactivated(case: Case) -> str:
    """The clock's statement (O20)."""
    with translation.override(settings.LANGUAGE_CODE):
        said = _("The seller's account was deactivated while “{milestone}” was open.")
        return said.format(milestone=case.milestone)


def taken_back(case: Case, amount: int, reason: str) -> str:
    """The clock's statement about a chargeback of `amount` minor units (M10)."""
    with translation.override(settings.LANGUAGE_CODE):
        said = _("The buyer's bank has taken {amount} for “{milestone}” back and is deciding who is right.")
        statement = said.format(amount=display(amount, case.order.currency), milestone=case.milestone)
        its_reason = _("It says: {reason}.").format(reason=reason.rstrip(".")) if reason else ""
    return f"{statement} {its_reason}".strip()


def very_late(case: Case) -> Phrase:
    """Why a case is accepted as it is opened (O15)."""
    late = Length(case.order.terms.very_late.total_seconds())
    return Phrase(noop("nothing was delivered, {length} past the delivery date"), {"length": late})


def at_stake(case: Case) -> str:
    """What is held of what the case is about; empty when nothing is."""
    held = _held(case)
    return display(held.left, held.currency) if held and held.left else ""


def _held(case: Case) -> HeldFunds | None:
    """The money that the case is about: of its milestone while it is open; of whichever is open for the order's."""
    subject = case.order.open_milestone if case.kind == Case.Kind.CANCEL_ORDER else case.milestone
    return subject.held if subject and subject.is_open else None
