"""The page of a case: what is asked, what is next, until when, and what if nobody acts (P2)."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from marketplace.accounts.models import User
from marketplace.catalog.durations import in_words
from orders.actions import Action
from orders.forms import VersionedForm
from orders.rehearsal import Outcome, outcome, rehearse
from resolution.actions import case_actions
from resolution.forms import AcceptForm, CaseMessageForm, DeclineForm, EscalateForm
from resolution.models import Case
from resolution.pages.asked import numbers_of
from resolution.pages.conversation import activity, conversation, events_of, stops
from resolution.services import accept_case, why_not_write
from resolution.sides import not_the_side
from resolution.words import effect_of, if_nobody_acts, silence_in_words, why_void

FORMS: dict[str, type[VersionedForm]] = {
    "accept": AcceptForm,
    "decline": DeclineForm,
    "withdraw": VersionedForm,
    "escalate": EscalateForm,
}
Status = Case.Status


@dataclass(frozen=True)
class Panel:
    """A button of the case that is allowed now, with its form and what it will do."""

    action: Action
    form: forms.Form
    outcome: Outcome | None
    notes: list[str]
    opened: bool
    primary: bool


@dataclass(frozen=True)
class Headline:
    title: str
    texts: list[str] = field(default_factory=list)
    until: datetime | None = None
    mine: bool = False


def case_context(
    case: Case,
    viewer: User,
    *,
    tried: str = "",
    form: forms.Form | None = None,
    message_form: CaseMessageForm | None = None,
) -> dict[str, Any]:
    """The page of a case; `tried` is the button whose `form` is shown again with what was typed."""
    order = case.order
    side = order.side_of(viewer)
    mine = [action for action in case_actions(case, side, case.moment) if not not_the_side(case, side, action.name)]
    panels = [_panel(case, action, viewer, tried, form) for action in mine if action.allowed]
    events = events_of(case)
    said = conversation(case, viewer, events)
    sent = case.messages.filter(author=viewer).count()
    why_silent = why_not_write(case)
    return {
        "case": case,
        "order": order,
        "other": order.seller if side == "buyer" else order.buyer,
        "section": "/orders/" if side == "buyer" else "/sales/",
        "headline": headline(case, side),
        "void": bool(case.void_since()),
        "numbers": numbers_of(case, side),
        "effect": effect_of(case, mine=side == "buyer") if _can_still_happen(case) else "",
        "if_nobody_acts": "" if case.void_since() else if_nobody_acts(case),
        "silence": str(silence_in_words(case)) if case.status == Status.OPEN and not case.void_since() else "",
        "panels": panels,
        # What was typed into a button that is gone by now is not lost.
        "typed": _typed(form, panels) or (_typed(message_form, []) if why_silent else ""),
        "actions": [] if case.void_since() else mine,
        "entries": said,
        "message_form": None if why_silent else message_form or CaseMessageForm(initial={"seen": sent}),
        "why_silent": why_silent,
        "stops": stops(case, side, case.moment),
        "activity": activity(case, viewer, events),
    }


def headline(case: Case, side: str) -> Headline:
    """What is next in a case, as `side` reads it."""
    if case.void_since() or case.status == Status.VOID:
        because = _("It means nothing any more, because {reason}.").format(reason=why_void(case))
        return Headline(_("The proposal is void"), [because])
    if case.is_overdue(case.moment):
        about_to = _("The clock is about to do what silence means: {silence}.").format(silence=silence_in_words(case))
        return Headline(_("The time to answer is over"), [about_to])
    if case.status == Status.OPEN:
        assert case.answerer
        if case.answering_side == side:
            return Headline(_("Answer: {what}?").format(what=case.what), [], case.answer_by, mine=True)
        return Headline(_("Waiting for {name} to answer").format(name=case.answerer.name), [], case.answer_by)
    if case.status == Status.ESCALATED:
        assert case.support_due
        if case.kind == Case.Kind.CHARGEBACK:
            return Headline(_("Waiting for the buyer's bank"), [], case.support_due)
        late = _("Customer Support is late: their decision was due, and they are reminded every day.")
        return Headline(
            _("Waiting for Customer Support"), [late] if case.support_due <= case.moment else [], case.support_due
        )
    if case.status == Status.DECLINED:
        until = case.escalate_by if case.can_go_to_support else None
        declined = _("The case was declined") if case.is_dispute else _("The proposal was declined")
        return Headline(declined, [], until, case.side == side)
    if case.is_dispute:
        return Headline(case.refusal_by_state().reason.rstrip("."))
    return Headline(
        _("The proposal was accepted") if case.status == Status.ACCEPTED else _("The proposal was withdrawn")
    )


def _can_still_happen(case: Case) -> bool:
    """Whether what is asked for may still come: its effect is worked out from what is there now."""
    return case.is_pending and case.kind != Case.Kind.CHARGEBACK and not case.void_since()


def _typed(form: forms.Form | None, panels: list[Panel]) -> str:
    return "" if form is None or any(panel.opened for panel in panels) else str(form.data.get("text", ""))


def _panel(case: Case, action: Action, viewer: User, tried: str, form: forms.Form | None) -> Panel:
    effect: Outcome | None = None
    if action.name == "accept":
        effect = outcome(lambda: rehearse(case.order, lambda: accept_case(case, by=viewer)), side=case.answering_side)
    if form is None or tried != action.name:
        form = FORMS[action.name](initial={"version": case.order.version}, auto_id=f"id_{action.name}_%s")
    notes = _notes(case, action.name)
    return Panel(action, form, effect, notes, opened=tried == action.name, primary=action.name == "accept")


def _notes(case: Case, name: str) -> list[str]:
    """What a button does besides what is rehearsed."""
    if not case.is_dispute and name in ("decline", "withdraw"):
        return [_("The proposal ends and nothing changes. The order goes on as it was.")]
    escalation, rest = in_words(case.order.terms.escalation), in_words(case.order.terms.least_rest)
    return {
        "decline": [
            _("The order goes on, with at least {time} on each clock.").format(time=rest),
            _("The other side can take the case to Customer Support for {time}.").format(time=escalation),
        ],
        "withdraw": [_("The order goes on, and each clock has exactly the time that was left.")],
        "escalate": [_("The order is frozen again until Customer Support decides.")],
    }.get(name, [])
