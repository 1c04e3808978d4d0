"""What the pages of cases show: what is next, until when, and what if nobody acts (P2)."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django import forms
from django.db.models import Q

from marketplace.accounts.models import User
from marketplace.catalog.durations import in_words
from orders.actions import Action
from orders.activity import sentence
from orders.forms import VersionedForm
from orders.models import Event, Order
from orders.rehearsal import Outcome, outcome, rehearse
from orders.words import SENTENCES
from resolution.actions import OPENING, case_actions, open_action
from resolution.forms import AcceptForm, CaseForm, DeclineForm, EscalateForm
from resolution.models import Case, Reason
from resolution.rehearsal import what_cancel_does
from resolution.services import accept_case, consider
from resolution.sides import not_the_side
from resolution.words import effect_of, if_nobody_acts, silence_in_words, very_late

FORMS: dict[str, type[VersionedForm]] = {
    "accept": AcceptForm,
    "decline": DeclineForm,
    "withdraw": VersionedForm,
    "escalate": EscalateForm,
}
Status = Case.Status


@dataclass(frozen=True)
class Choice:
    """A kind of case that can be opened: what silence means, and what it would do to every cent."""

    kind: str
    label: str
    silence: str
    outcome: Outcome


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
class Statement:
    """What one of the sides, the clock or support has said in the case."""

    heading: str
    text: str
    mine: bool = False


@dataclass(frozen=True)
class Line:
    """One line of the case's activity."""

    text: str
    at: datetime
    look: str


@dataclass(frozen=True)
class Headline:
    title: str
    texts: list[str] = field(default_factory=list)
    until: datetime | None = None
    mine: bool = False


def kinds_for(order: Order, side: str, now: datetime) -> list[Action]:
    return [open_action(order, kind, side, now) for kind in OPENING]


def opening_context(order: Order, viewer: User, form: CaseForm, now: datetime) -> dict[str, Any]:
    """The page on which a case is opened. Each possible kind is rehearsed, so that nobody is surprised (R7)."""
    side = order.side_of(viewer)
    kinds = list(form.kinds.values())
    return {
        "order": order,
        "other": order.seller if side == "buyer" else order.buyer,
        "section": _section(side),
        "form": form,
        "choices": [_choice(order, action, viewer, now) for action in kinds if action.allowed],
        "actions": kinds,
        "answer_time": in_words(order.terms.answer),
        "escalation_time": in_words(order.terms.escalation),
        "very_late": _very_late(order, side, now) if kinds[0].allowed else "",
    }


def case_context(case: Case, viewer: User, *, tried: str = "", form: forms.Form | None = None) -> dict[str, Any]:
    """The page of a case; `tried` is the button whose `form` is shown again with what was typed."""
    order = case.order
    side = order.side_of(viewer)
    mine = [action for action in case_actions(case, side, case.moment) if not not_the_side(case, side, action.name)]
    panels = [_panel(case, action, viewer, tried, form) for action in mine if action.allowed]
    return {
        "case": case,
        "order": order,
        "other": order.seller if side == "buyer" else order.buyer,
        "section": _section(side),
        "headline": headline(case, side),
        "if_nobody_acts": if_nobody_acts(case),
        "silence": silence_in_words(case) if case.status == Status.OPEN else "",
        "panels": panels,
        # What was typed into a button that is gone by now is not lost.
        "typed": "" if form is None or any(panel.opened for panel in panels) else form.data.get("text", ""),
        "actions": mine,
        "statements": _statements(case, viewer),
        "files": list(case.files.all()),
        "activity": _activity(case, viewer),
    }


def headline(case: Case, side: str) -> Headline:
    """What is next in a case, as `side` reads it."""
    if case.is_overdue(case.moment):
        about_to = f"The clock is about to do what silence means: {silence_in_words(case)}."
        return Headline("The time to answer is over", [about_to])
    if case.status == Status.OPEN:
        mine = case.answering_side == side
        assert case.answerer
        title = f"Answer: {case.what}?" if mine else f"Waiting for {case.answerer.name} to answer"
        return Headline(title, [], case.answer_by, mine)
    if case.status == Status.ESCALATED:
        assert case.support_due
        if case.kind == Case.Kind.CHARGEBACK:
            return Headline("Waiting for the buyer's bank", [], case.support_due)
        late = "Customer Support is late: their decision was due, and they are reminded every day."
        return Headline(
            "Waiting for Customer Support", [late] if case.support_due <= case.moment else [], case.support_due
        )
    if case.status == Status.DECLINED:
        until = case.escalate_by if case.can_go_to_support else None
        return Headline("The case was declined", [], until, case.side == side)
    texts = [case.note] if case.note else []
    return Headline(case.refusal_by_state().reason.rstrip("."), texts)


def _very_late(order: Order, side: str, now: datetime) -> str:
    """What citing that the seller is late does on the spot; empty when it would be an ordinary case (O15)."""
    claim = consider(order, Case.Kind.CANCEL_MILESTONE, side, now=now)
    claim.reason = Reason(code=Reason.SELLER_LATE)
    if not claim.is_very_late_claim:
        return ""
    return f"{very_late(claim)}: {effect_of(claim, 'you')} as soon as you send this, citing that the seller is late"


def _section(side: str) -> str:
    return "/orders/" if side == "buyer" else "/sales/"


def _choice(order: Order, action: Action, viewer: User, now: datetime) -> Choice:
    case = consider(order, action.name, order.side_of(viewer), now=now)
    case.on_silence = case.silence()
    effect = outcome(lambda: what_cancel_does(order, action.name, by=viewer), side=case.side)
    silence = "it counts as agreed" if case.on_silence == Case.Silence.AGREED else silence_in_words(case)
    return Choice(action.name, action.label, silence, effect)


def _panel(case: Case, action: Action, viewer: User, tried: str, form: forms.Form | None) -> Panel:
    effect: Outcome | None = None
    notes = []
    if action.name == "accept":
        effect = outcome(lambda: rehearse(case.order, lambda: accept_case(case, by=viewer)), side=case.answering_side)
    elif action.name == "decline":
        escalation, rest = in_words(case.order.terms.escalation), in_words(case.order.terms.least_rest)
        notes = [
            f"The order goes on, with at least {rest} on each clock.",
            f"The other side can take the case to Customer Support for {escalation}.",
        ]
    elif action.name == "withdraw":
        notes = ["The order goes on, and each clock has exactly the time that was left."]
    elif action.name == "escalate":
        notes = ["The order is frozen again until Customer Support decides."]
    if form is None or tried != action.name:
        form = FORMS[action.name](initial={"version": case.order.version}, auto_id=f"id_{action.name}_%s")
    return Panel(action, form, effect, notes, opened=tried == action.name, primary=action.name == "accept")


def _statements(case: Case, viewer: User) -> list[Statement]:
    order = case.order
    asker = case.opened_by if case.side in (Case.Side.BUYER, Case.Side.SELLER) else None
    names = {order.buyer_id: order.buyer.name, order.seller_id: order.seller.name, viewer.pk: "You"}
    opener = names[asker.pk] if asker else "Customer Support" if case.side == Case.Side.SUPPORT else "The clock"
    answerer = names[case.answerer.pk] if case.answerer else ""
    found = [
        Statement(f"{opener} opened the case", case.statement, asker == viewer),
        Statement(f"{answerer} answered", case.answer, case.answerer == viewer),
        Statement(f"{opener} took it to Customer Support", case.escalation, asker == viewer),
        Statement("Customer Support decided" if case.ended_by else "The bank decided", case.note),
    ]
    return [statement for statement in found if statement.text]


def _activity(case: Case, viewer: User) -> list[Line]:
    hidden = [kind for kind, words in SENTENCES.items() if words.hidden and kind != Event.Kind.FROZEN]
    clocks = Q(kind__in=[Event.Kind.FROZEN, Event.Kind.RESUMED], reason=case.number)
    events = case.order.events.filter(Q(data__case=case.number) | clocks).exclude(kind__in=hidden)
    return [
        Line(sentence(event, case.order, viewer), event.at, _look(event, case.order, viewer))
        for event in events.select_related("actor", "milestone").order_by("id")
    ]


def _look(event: Event, order: Order, viewer: User) -> str:
    if event.actor_id is None:
        return "clock"
    if not event.actor or not order.side_of(event.actor):
        return "support"
    return "mine" if event.actor_id == viewer.pk else ""
