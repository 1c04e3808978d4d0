"""Everything about one order, for support: parties, milestones, files, activity, ledger, and where every cent is."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Prefetch
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from marketplace.accounts.models import User
from marketplace.backoffice.access import RULE, SEE_NOTES, WITHHOLD, why_not_for
from marketplace.backoffice.acts import Act, acts_without_case, why_not_open
from marketplace.order_headline import Headline, headline
from orders.activity import sentence
from orders.guards import Refusal
from orders.models import Attachment, Delivery, Event, Message, Milestone, Order, Pause
from orders.models.order import OrderQuerySet
from orders.rehearsal import Rehearsal
from payments.models import Charge, Chargeback, Refund, Transfer
from payments.services import Cents, where_every_cent_is
from resolution.actions import cases_of
from resolution.models import Case, SupportNote

CENTS = {
    "charged": _("Charged"),
    "held": _("Held"),
    "seller": _("Paid to seller"),
    "fees": _("Fees"),
    "refunds_due": _("Refund on its way"),
    "refunded": _("Refunded"),
    "charged_back": _("Charged back"),
}


@dataclass(frozen=True)
class Button:
    """One of support's acts: possible now, or greyed with the reason (P1)."""

    label: str
    url: str
    refusal: Refusal | None
    danger: bool = True
    key: str = ""
    """The single key that presses it, where the page has them."""
    focused: bool = False
    """Where the keyboard begins on the page."""


@dataclass(frozen=True)
class Step:
    """A milestone with its deliveries and their files."""

    milestone: Milestone
    deliveries: list["Handed"]
    late: bool


@dataclass(frozen=True)
class Handed:
    """A delivery or a message with its files."""

    what: Delivery | Message
    files: list[Attachment]


@dataclass(frozen=True)
class Line:
    """One event of the activity: who, when, what, why."""

    event: Event
    who: str
    text: str


@dataclass(frozen=True)
class Still:
    """A time in which the clocks stood still, and what each of them got for it."""

    pause: Pause
    to_decide: str
    to_deliver: str


@dataclass(frozen=True)
class Row:
    """Where the money of one milestone is, in the order of `CENTS`, in minor units."""

    title: str
    amounts: list[int]


def with_everything() -> OrderQuerySet:
    """Orders with all that their page and the guards look at, also of their cases; the rest is fetched per kind."""
    # What `Milestone.bank_is_deciding` would look up for each.
    deciding = Chargeback.objects.undecided().filter(charge__held=OuterRef("held"), charge__funded=True)
    milestones = Milestone.objects.select_related("held").annotate(
        bank_is_deciding=Exists(deciding)  # type: ignore[no-redef]
    )
    return Order.objects.select_related("buyer", "seller", "terms", "gig").prefetch_related(
        Prefetch("milestones", milestones.order_by("position")),
        "milestones__held__charges",
        Prefetch("milestones__deliveries", Delivery.objects.order_by("number")),
        Prefetch("cases", Case.objects.select_related("reason", "ruling_reason", "ended_by").order_by("-pk")),
    )


def order_context(order: Order, viewer: User, now: datetime) -> dict[str, Any]:
    """What the page of an order shows, from a constant number of queries; it was fetched `with_everything`."""
    attached = list(order.attachments.select_related("uploaded_by", "withheld_by"))
    held = [milestone.held_id for milestone in order.plan if milestone.held_id]
    cases = cases_of(order, now)
    pending = next((case for case in cases if case.freezes), None)
    possible = buttons(order, viewer, now) if viewer.has_perm(RULE) else []
    return {
        "order": order,
        "headline": standing(order, now),
        "overdue": order.is_overdue(now),
        "buttons": possible,
        "why_none": said_of_all(possible),
        "pending": pending,
        "may_rule": viewer.has_perm(RULE),
        "may_withhold": viewer.has_perm(WITHHOLD),
        "may_see_people": viewer.has_perm("accounts.view_user"),
        "is_party": bool(order.side_of(viewer)),
        "rules": order.terms.sentences(),
        "steps": steps(order, attached, now),
        "talk": talk(order, attached),
        "other_files": [file for file in attached if not file.delivery_id and not file.message_id],
        "activity": activity(order, order.events.all()),
        "columns": list(CENTS.values()),
        "cents": cents_per_milestone(order),
        "transfers": transfers(order),
        "charges": charges(order),
        "refunds": list(Refund.objects.filter(held__in=held).select_related("held").order_by("pk")),
        "chargebacks": list(
            Chargeback.objects.filter(charge__held__in=held).select_related("charge__held").order_by("pk")
        ),
        "cases": cases,
        "pauses": pauses(order),
        "notes": notes(order, viewer),
        "reminders": list(order.reminders.all()),
    }


def standing(order: Order, now: datetime) -> Headline:
    """What is next, as somebody reads it who is neither side."""
    return headline(order, "", now)


def buttons(order: Order, viewer: User, now: datetime) -> list[Button]:
    """Support's rulings without a case: one is opened and ruled in one transaction (R6). And opening one (R3)."""
    found = [button(act, key, viewer, now) for key, act in enumerate(acts_without_case(order), start=1)]
    opening = reverse("admin:orders_order_open_case", args=[order.pk])
    refusal = why_not_for(order, viewer) or why_not_open(order, Case.Kind.CANCEL_ORDER, now)
    return [*found, Button(gettext("Open a case"), opening, refusal, danger=False, key="c")]


def button(act: Act, key: int, viewer: User, now: datetime) -> Button:
    return Button(act.label, act.url, act.why_not(now, viewer), danger=act.danger, key=str(key))


def said_of_all(buttons: list[Button]) -> Refusal | None:
    """The one reason why none of them is possible now, so that it is said once."""
    refusals = {button.refusal for button in buttons}
    return next(iter(refusals)) if len(refusals) == 1 else None


def steps(order: Order, attached: list[Attachment], now: datetime) -> list[Step]:
    found = []
    for milestone in order.plan:
        handed = [
            Handed(delivery, [file for file in attached if file.delivery_id == delivery.pk])
            for delivery in milestone.deliveries.all()
        ]
        found.append(Step(milestone, handed, milestone.is_late(now)))
    return found


def talk(order: Order, attached: list[Attachment]) -> list[Handed]:
    messages = order.messages.select_related("author")
    return [Handed(message, [file for file in attached if file.message_id == message.pk]) for message in messages]


def transfers(order: Order) -> list[Transfer]:
    """Every entry of the ledger about this order."""
    held = [milestone.held_id for milestone in order.plan if milestone.held_id]
    rows = Transfer.objects.filter(held__in=held)
    return list(rows.select_related("source__owner", "destination__owner", "held"))


def charges(order: Order) -> list[Charge]:
    """Every attempt to pay for one of its milestones, the first one first."""
    found = (charge for milestone in order.plan if milestone.held for charge in milestone.held.charges.all())
    return sorted(found, key=lambda charge: charge.pk)


def pauses(order: Order) -> list[Still]:
    return [
        Still(pause, to_the_second(pause.added_to_decide_by), to_the_second(pause.added_to_deliver_by))
        for pause in order.pauses.select_related("started_by")
    ]


def notes(order: Order, viewer: User) -> list[SupportNote] | None:
    """What support noted about the order; None for who may not read it, also for an agent who is a party."""
    if not viewer.has_perm(SEE_NOTES) or order.side_of(viewer):
        return None
    return list(order.support_notes.select_related("author", "case"))


def activity(order: Order, events: Any) -> list[Line]:
    """Every event, also those that the two sides' page leaves to another line; the newest first."""
    told = events.select_related("actor", "on_behalf_of", "milestone").order_by("-id")
    return [Line(event, _who(event), sentence(event, order, None)) for event in told]


def _who(event: Event) -> str:
    who = event.actor.name if event.actor else gettext("The clock")
    if not event.on_behalf_of:
        return who
    return gettext("{agent}, for {person}").format(agent=who, person=event.on_behalf_of.name)


def to_the_second(length: timedelta | None) -> str:
    """ "1 day, 6:38:20"."""
    return "–" if length is None else str(timedelta(seconds=length // timedelta(seconds=1)))


def cents_per_milestone(order: Order) -> list[Row]:
    """Where every cent is, per milestone that was ever to be paid; the last row is the sum (M11)."""
    paid = [(milestone, milestone.held.reference) for milestone in order.plan if milestone.held]
    cents = where_every_cent_is([reference for _step, reference in paid])
    rows = [Row(f"{step.position}. {step.title}", amounts(cents[reference])) for step, reference in paid]
    return [*rows, Row(gettext("The order"), total(row.amounts for row in rows))]


def amounts(cents: Cents) -> list[int]:
    return [getattr(cents, name) for name in CENTS]


def before_and_after(rehearsal: Rehearsal) -> list[dict[str, Any]]:
    """Where every cent is now, and where it would be, in the order of `CENTS`."""
    return [
        {"label": label, "before": getattr(rehearsal.before, name), "after": getattr(rehearsal.after, name)}
        for name, label in CENTS.items()
    ]


def total(rows: Iterable[list[int]]) -> list[int]:
    return [sum(column) for column in zip(*rows, strict=True)] or [0] * len(CENTS)
