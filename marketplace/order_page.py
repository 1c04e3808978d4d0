"""What the order page shows: what is next, who must act by when, the track, the activity, and every cent (P2)."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django import forms
from django.db.models import prefetch_related_objects

from marketplace.accounts.models import User
from marketplace.catalog.durations import counted
from marketplace.order_headline import headline
from marketplace.order_lists import case_waits_for, standing
from marketplace.order_money import badge_of, cents_of, charged_later, documents_of, of_credit, parts_of, refunds_of
from marketplace.templatetags.words import day, when
from orders.actions import Action, actions
from orders.activity import sentence
from orders.forms import DeliverForm, GrantForm, MessageForm, RevisionForm, VersionedForm
from orders.models import Attachment, Delivery, Event, Message, Milestone, Order
from orders.rehearsal import Outcome, outcome_of_button
from orders.words import SENTENCES
from payments.models import Refund
from payments.money import display
from resolution.actions import OPENING, case_actions, cases_of, open_action, present_among, url_of, waiting_proposal
from resolution.models import Case
from resolution.sides import side_for
from resolution.words import silence_in_words

# Actions that fit into a panel on the page; the others have a page of their own.
PANELS: dict[str, type[forms.Form]] = {
    "accept": VersionedForm,
    "request_revision": RevisionForm,
    "deliver": DeliverForm,
    "grant_revisions": GrantForm,
    "abandon": VersionedForm,
    "decline": VersionedForm,
    "withdraw": VersionedForm,
    "stop": VersionedForm,
}
LOOKS = {"completed": "done", "canceled": "off", "not_started": "off", "planned": ""}
DANGER = ("stop", "decline", "withdraw")
PRIMARY = ("place", "pay", "accept_and_continue", "start", "deliver", "accept")


@dataclass(frozen=True)
class Button:
    """An action that is allowed now: a link to its page, or a panel with its form and what it will do."""

    action: Action
    label: str
    primary: bool
    danger: bool
    form: forms.Form | None = None
    outcome: Outcome | None = None


@dataclass(frozen=True)
class Step:
    """One line of the track."""

    milestone: Milestone
    look: str
    text: str
    badge: str
    badge_look: str
    latest: Delivery | None
    earlier: list[Delivery]
    late: bool


@dataclass(frozen=True)
class Line:
    """One line of the activity."""

    text: str
    note: str
    at: datetime
    look: str


def order_context(order: Order, viewer: User, now: datetime) -> dict[str, Any]:
    """Everything the page shows to one of the order's sides, from a constant number of queries."""
    side = order.side_of(viewer)
    found = actions(order, side, now)
    cases = cases_of(order, now)
    present = present_among(cases)
    in_cases = _case_actions(order, present, side, now)
    stop = _why_not_stop(order, found)
    pending, proposal = next((case for case in present if case.freezes), None), waiting_proposal(present)
    refunds, cents = refunds_of(order), cents_of(order)
    files = list(order.attachments.all())
    talk = _talk(order, files)
    prefetch_related_objects([order], "milestones__deliveries")
    return {
        "order": order,
        "side": side,
        "section": "/orders/" if side == "buyer" else "/sales/",
        "other": order.seller if side == "buyer" else order.buyer,
        "standing": standing(order, side, now, pending, proposal),
        "headline": headline(order, side, now, pending),
        "buttons": _buttons(order, found, viewer),
        "stop": stop,
        "blocked": [action for action in found + in_cases if not action.allowed and action is not stop],
        "cases": cases,
        "proposal": proposal,
        "proposal_silence": silence_in_words(proposal) if proposal else "",
        "case_to_answer": pending if pending and case_waits_for(pending) == side else None,
        "possible_cases": [action for action in in_cases if action.allowed and action.name in OPENING],
        "cancel_now": _cancel_now(order, side, now),
        "track": _track(order, files, refunds, now),
        "revisions": _revisions(order),
        "parts": parts_of(order, cents, side, refunds),
        "of_credit": of_credit(order, cents),
        "charged_label": "You were charged" if side == "buyer" else "The buyer was charged",
        "refunds": refunds,
        "documents": documents_of(order, side),
        "rules": order.terms.sentences(viewer="buyer" if side == "buyer" else "seller"),
        "activity": _activity(order, viewer),
        "talk": talk,
        "message_form": MessageForm(initial={"seen": sum(message.author_id == viewer.pk for message in talk)}),
        "revise_url": next(
            (action.url for action in found if action.name == "request_revision" and action.allowed), ""
        ),
        "later": charged_later(order),
    }


def _cancel_now(order: Order, side: str, now: datetime) -> str:
    """Where the buyer of a very late milestone cancels it on the spot (O15); empty for everybody else."""
    very_late = side == "buyer" and any(step.is_very_late(now) for step in order.plan) and not order.paused_at
    return url_of(order, Case.Kind.CANCEL_MILESTONE) if very_late else ""


def _case_actions(order: Order, present: list[Case], side: str, now: datetime) -> list[Action]:
    """Which cases this side could open, and its own buttons of the present dispute and the present proposal."""
    found = [open_action(order, kind, side, now) for kind in OPENING]
    for case in present:
        noun = "Case" if case.is_dispute else "Proposal"
        own = [action for action in case_actions(case, side, now) if side_for(case, action.name) == side]
        found += [replace(action, label=f"{noun}: {action.label.lower()}") for action in own]
    return found


def _buttons(order: Order, found: list[Action], viewer: User) -> list[Button]:
    allowed = [action for action in found if action.allowed]
    allowed.sort(key=lambda action: PRIMARY.index(action.name) if action.name in PRIMARY else len(PRIMARY))
    buttons = _confirmation(order) if any(action.name == "abandon" for action in allowed) else []
    waits = order.current is not None and order.current.status == Milestone.Status.DELIVERED
    for number, action in enumerate(allowed):
        form_class = PANELS.get(action.name)
        form = form_class(initial={"version": order.version}, auto_id=f"id_{action.name}_%s") if form_class else None
        buttons.append(
            Button(
                action=action,
                label=_label(order, action),
                primary=number == 0 and action.name in PRIMARY and not (action.name == "deliver" and waits),
                danger=action.name in DANGER,
                form=form,
                outcome=outcome_of_button(order, action.name, by=viewer) if form else None,
            )
        )
    return buttons


def _confirmation(order: Order) -> list[Button]:
    """The way back to the bank's page for a buyer who left it before answering (O4)."""
    charge = order.current.undecided_charge if order.current else None
    if charge is None or not charge.action_url:
        return []
    label = f"Confirm the payment of {display(charge.amount, order.currency)}"
    return [Button(Action("confirm", label, charge.action_url, allowed=True), label, True, False)]


def _why_not_stop(order: Order, found: list[Action]) -> Action | None:
    """Stopping is what a buyer looks for while a milestone is open: why not yet stands beside the buttons."""
    if order.status != Order.Status.ACTIVE or order.paused_at:
        return None
    return next((action for action in found if action.name == "stop" and not action.allowed), None)


def _label(order: Order, action: Action) -> str:
    """Buttons that charge say how much."""
    if action.name == "accept" and order.next_milestone:
        return "Accept only"
    charged = {
        "place": order.next_milestone,
        "pay": order.current,
        "start": order.next_milestone,
        "accept_and_continue": order.next_milestone,
    }.get(action.name)
    if action.name == "start" and charged:
        return f"Start “{charged.title}” · pay {display(charged.total, order.currency)}"
    if action.name == "place" and charged:
        return f"Accept the offer · pay {display(charged.total, order.currency)}"
    if action.name == "pay" and charged:
        return f"Pay {display(charged.total, order.currency)}"
    return f"{action.label} · pay {display(charged.total, order.currency)}" if charged else action.label


def _track(order: Order, files: list[Attachment], refunds: list[Refund], now: datetime) -> list[Step]:
    by_delivery: dict[int | None, list[Attachment]] = {}
    for file in files:
        by_delivery.setdefault(file.delivery_id, []).append(file)
    steps = []
    for milestone in order.plan:
        deliveries = list(milestone.deliveries.all())
        for delivery in deliveries:
            delivery.shown_files = by_delivery.get(delivery.pk, [])  # type: ignore[attr-defined]
        # What is under review stands open; what is over is one click away.
        latest = deliveries.pop() if deliveries and milestone.is_open else None
        badge, badge_look = badge_of(milestone, refunds)
        look = LOOKS.get(milestone.status, "current")
        text, late = _state(milestone), milestone.is_late(now)
        steps.append(Step(milestone, look, text, badge, badge_look, latest, deliveries[::-1], late))
    return steps


def _state(milestone: Milestone) -> str:
    revisions = "unlimited revisions" if milestone.revisions is None else counted(milestone.revisions, "revision")
    promise = f"{counted(milestone.delivery_days, 'day')} · {revisions}"
    return {
        Milestone.Status.PLANNED: f"{promise} · starts when the buyer pays",
        Milestone.Status.AWAITING_PAYMENT: f"{promise} · not funded yet, do not work",
        Milestone.Status.IN_PROGRESS: f"In progress · due {when(milestone.deliver_by)}",
        Milestone.Status.DELIVERED: f"Delivered {day(milestone.delivered_at)}",
        Milestone.Status.IN_REVISION: f"In revision · due {when(milestone.deliver_by)}",
        Milestone.Status.NOT_STARTED: "Not started",
        Milestone.Status.COMPLETED: f"Completed {day(milestone.ended_at)} · {_handed_over(milestone)}",
        Milestone.Status.CANCELED: f"Canceled {day(milestone.ended_at)}",
    }.get(Milestone.Status(milestone.status), milestone.get_status_display())


def _handed_over(milestone: Milestone) -> str:
    """ "1 delivery, no revision"."""
    revisions = counted(milestone.revisions_used, "revision") if milestone.revisions_used else "no revision"
    deliveries = len(milestone.deliveries.all())
    return f"{deliveries} delivery, {revisions}" if deliveries == 1 else f"{deliveries} deliveries, {revisions}"


def _revisions(order: Order) -> str:
    milestone = order.open_milestone
    if milestone is None:
        return ""
    if milestone.revisions_left is None:
        return "unlimited revisions"
    included = (milestone.revisions or 0) + milestone.revisions_granted
    return f"{milestone.revisions_left} of {counted(included, 'revision')} left"


def _activity(order: Order, viewer: User) -> list[Line]:
    hidden = [kind for kind, words in SENTENCES.items() if words.hidden]
    events = order.events.exclude(kind__in=hidden).select_related("actor", "milestone").order_by("-id")[:100]
    return [Line(sentence(event, order, viewer), event.note, event.at, _look(event, order, viewer)) for event in events]


def _look(event: Event, order: Order, viewer: User) -> str:
    if event.actor_id is None:
        return "clock"
    if event.actor_id not in (order.buyer_id, order.seller_id):
        return "support"
    return "mine" if event.actor_id == viewer.pk else ""


def _talk(order: Order, files: list[Attachment]) -> list[Message]:
    messages = list(order.messages.select_related("author"))
    for message in messages:
        message.shown_files = [file for file in files if file.message_id == message.pk]  # type: ignore[attr-defined]
    return messages
