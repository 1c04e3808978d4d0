"""What the order page shows: what is next, who must act by when, the track, the activity, and every cent (P2)."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from django import forms
from django.db.models import prefetch_related_objects

import resolution.actions
from marketplace.accounts.models import User
from marketplace.templatetags.words import day, when
from orders import services
from orders.actions import Action, actions
from orders.activity import sentence
from orders.forms import DeliverForm, GrantForm, MessageForm, RevisionForm, VersionedForm
from orders.lists import Standing, standing
from orders.models import Attachment, Delivery, Event, Message, Milestone, Order
from orders.words import ENDINGS, SENTENCES
from payments.models import Charge, Refund
from payments.money import display, fee
from payments.services import Cents, where_every_cent_is

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
    outcome: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Headline:
    """What happens next, in one sentence, and the deadline of whoever must act."""

    title: str
    text: str = ""
    until: datetime | None = None
    since: datetime | None = None
    if_nobody_acts: str = ""
    by: str = "Until"


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
    in_cases = resolution.actions.actions(order, side, now)
    stop = _why_not_stop(order, found)
    cents = _cents(order)
    files = list(order.attachments.all())
    prefetch_related_objects([order], "milestones__deliveries")
    return {
        "order": order,
        "side": side,
        "section": "/orders/" if side == "buyer" else "/sales/",
        "other": order.seller if side == "buyer" else order.buyer,
        "standing": shown_standing(order, side, now),
        "headline": headline(order, side, now),
        "buttons": _buttons(order, found),
        "stop": stop,
        "blocked": [action for action in found + in_cases if not action.allowed and action is not stop],
        "cases": list(order.cases.order_by("-pk")),
        "possible_cases": [action for action in in_cases if action.allowed],
        "track": _track(order, files, now),
        "revisions": _revisions(order),
        "parts": _parts(order, cents, side),
        "charged_label": "You were charged" if side == "buyer" else "The buyer was charged",
        "refunds": _refunds(order),
        "rules": order.terms.sentences(viewer="buyer" if side == "buyer" else "seller"),
        "activity": _activity(order, viewer),
        "talk": _talk(order, files),
        "message_form": MessageForm(),
        "revise_url": next(
            (action.url for action in found if action.name == "request_revision" and action.allowed), ""
        ),
        "later": _later(order),
    }


def shown_standing(order: Order, side: str, now: datetime) -> Standing:
    if order.is_overdue(now):
        return Standing("Being settled", "neutral")
    return standing(order, side, now)


def headline(order: Order, side: str, now: datetime) -> Headline:
    """What is next, as `side` reads it."""
    if order.has_ended:
        return Headline(
            "This order is completed" if order.status == Order.Status.COMPLETED else "This order is canceled",
            _ending(order),
        )
    nobody = services.if_nobody_acts(order)
    if order.is_overdue(now):
        return Headline("The time has run out", f"The clock is about to settle this order: {nobody}", order.decide_by)
    if order.paused_at:
        return Headline("A case is open", "The order is frozen: its clocks stand still until the case ends.")
    mine = side == "buyer"
    window = partial(
        Headline,
        until=order.decide_by,
        since=order.decide_from,
        if_nobody_acts=nobody,
        by="Decide by" if mine else "Until",
    )
    milestone = order.current
    if order.status == Order.Status.OFFERED:
        title = "Answer this offer" if mine else f"Waiting for {order.buyer.name} to answer the offer"
        return window(title, "Nothing is charged before the offer is accepted.")
    if milestone is None:
        following = order.next_milestone
        assert following
        title = f"Start “{following.title}” or stop" if mine else f"Waiting for {order.buyer.name} to continue"
        return window(title, "Do not work on it before it is funded." if not mine else "")
    named = f"“{milestone.title}”"
    if milestone.status == Milestone.Status.AWAITING_PAYMENT:
        return window(*_payment(milestone, mine), by="Pay by" if mine else "Until")
    if milestone.status == Milestone.Status.DELIVERED:
        title = f"Review {named}" if mine else f"Waiting for {order.buyer.name} to review {named}"
        return window(f"{title} – delivery {len(milestone.deliveries.all())}", "")
    verb = "Deliver" if milestone.status == Milestone.Status.IN_PROGRESS else "Deliver the revision of"
    title = f"{verb} {named}" if not mine else f"{order.seller.name} works on {named}"
    late = "This milestone is late." if milestone.is_late(now) else ""
    if milestone.is_very_late(now) and mine:
        late = "This milestone is very late: you can cancel it on the spot, with a full refund, by opening a case."
    return Headline(
        title,
        late,
        milestone.deliver_by,
        milestone.deliver_from,
        "" if milestone.is_late(now) else "the milestone shows as late to both of you.",
        by="Due" if mine else "Deliver by",
    )


def _payment(milestone: Milestone, mine: bool) -> tuple[str, str]:
    """Title and text for a milestone that is not funded yet (O4)."""
    charge = milestone.last_charge
    if not mine:
        return f"“{milestone.title}” is not funded yet", "Do not work on it: the buyer's payment has not succeeded."
    if charge and charge.status == Charge.Status.ACTION_NEEDED:
        return f"Confirm the payment for “{milestone.title}”", "Your bank wants you to confirm this payment."
    if charge and not charge.decided:
        return f"The payment for “{milestone.title}” is being decided", "Your bank is still deciding."
    reason = f"The last attempt failed: {charge.reason}" if charge and charge.reason else ""
    return f"Pay for “{milestone.title}”", reason


def _ending(order: Order) -> str:
    words = {"buyer": order.buyer.name, "seller": order.seller.name}
    reason = ENDINGS[order.closed_because].format(**words)
    return f"{reason[0].upper()}{reason[1:]}."


def _buttons(order: Order, found: list[Action]) -> list[Button]:
    allowed = [action for action in found if action.allowed]
    allowed.sort(key=lambda action: PRIMARY.index(action.name) if action.name in PRIMARY else len(PRIMARY))
    buttons = _confirmation(order) if any(action.name == "abandon" for action in allowed) else []
    for number, action in enumerate(allowed):
        form_class = PANELS.get(action.name)
        form = form_class(initial={"version": order.version}, auto_id=f"id_{action.name}_%s") if form_class else None
        buttons.append(
            Button(
                action=action,
                label=_label(order, action),
                primary=number == 0 and action.name in PRIMARY,
                danger=action.name in DANGER,
                form=form,
                outcome=_outcome(order, action.name),
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
    return f"{action.label} · pay {display(charged.total, order.currency)}" if charged else action.label


def _outcome(order: Order, name: str) -> list[str]:
    """What pressing the button will do, in sentences."""
    milestone = order.current
    if name == "accept" and milestone and milestone.held:
        held = milestone.held
        lines = [f"{display(held.payout, held.currency)} is paid to {order.seller.name}."]
        if order.next_milestone is None:
            return [*lines, "It is the last milestone: the order is completed."]
        return [*lines, "You can start the next milestone or stop, until the deadline passes."]
    if name == "stop":
        left = [step.title for step in order.plan if step.status in ("planned", "awaiting_payment")]
        return [
            "What was delivered stays yours; completed milestones stay paid.",
            f"Not started any more: {', '.join(left)}.",
            "A stopped order cannot be resumed.",
        ]
    return []


def _track(order: Order, files: list[Attachment], now: datetime) -> list[Step]:
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
        badge, badge_look = _badge(milestone)
        look = LOOKS.get(milestone.status, "current")
        text, late = _state(milestone), milestone.is_late(now)
        steps.append(Step(milestone, look, text, badge, badge_look, latest, deliveries[::-1], late))
    return steps


def _state(milestone: Milestone) -> str:
    revisions = "unlimited revisions" if milestone.revisions is None else _count(milestone.revisions, "revision")
    promise = f"{_count(milestone.delivery_days, 'day')} · {revisions}"
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
    revisions = _count(milestone.revisions_used, "revision") if milestone.revisions_used else "no revision"
    deliveries = len(milestone.deliveries.all())
    return f"{deliveries} delivery, {revisions}" if deliveries == 1 else f"{deliveries} deliveries, {revisions}"


def _badge(milestone: Milestone) -> tuple[str, str]:
    if milestone.status == Milestone.Status.COMPLETED:
        return "Paid to seller", "paid"
    if milestone.status == Milestone.Status.CANCELED:
        return "Refunded", "neutral"
    return ("Held", "held") if milestone.is_open else ("Not charged", "neutral")


def _revisions(order: Order) -> str:
    milestone = order.open_milestone
    if milestone is None:
        return ""
    if milestone.revisions_left is None:
        return "unlimited revisions"
    included = (milestone.revisions or 0) + milestone.revisions_granted
    return f"{milestone.revisions_left} of {_count(included, 'revision')} left"


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def _cents(order: Order) -> Cents:
    references = [milestone.held.reference for milestone in order.plan if milestone.held]
    found = where_every_cent_is(references).values()
    return Cents(*(sum(getattr(cents, name) for cents in found) for name in Cents.__dataclass_fields__))


def _parts(order: Order, cents: Cents, side: str) -> list[dict[str, object]]:
    """The parts of the bar; those that are nothing are left out, but for the refunds."""
    paid = f"Paid to {order.seller.name}" if side == "buyer" else "Paid to you"
    back = "Refunded to you" if side == "buyer" else "Refunded to the buyer"
    open_milestone = order.open_milestone
    held = f"Held for “{open_milestone.title}”, with fee" if open_milestone else "Held"
    parts = [
        {"kind": "paid", "label": paid, "amount": cents.seller},
        {"kind": "held", "label": held, "amount": cents.held},
        {"kind": "fees", "label": "Fees of completed milestones", "amount": cents.fees},
        {"kind": "due", "label": "Refund on its way", "amount": cents.refunds_due},
        {"kind": "lost", "label": "Charged back", "amount": cents.charged_back},
        {"kind": "refunded", "label": back, "amount": cents.refunded},
    ]
    return [part for part in parts if part["amount"] or part["kind"] == "refunded"]


def _refunds(order: Order) -> list[Refund]:
    """Each refund with its state (M9)."""
    held = [milestone.held_id for milestone in order.plan if milestone.held_id]
    return list(Refund.objects.filter(held__in=held).select_related("held").order_by("pk"))


def _later(order: Order) -> int:
    """What will be charged for the milestones that have not started, in minor units."""
    planned = [milestone for milestone in order.plan if milestone.status == Milestone.Status.PLANNED]
    return sum(milestone.price + fee(milestone.price, order.terms.buyer_fee) for milestone in planned)


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
