"""The milestones of an order as a track: where each stands, where its money is, and what was handed over (P2)."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django_stubs_ext import StrPromise

from marketplace.catalog.durations import counted
from marketplace.order_money import badge_of
from marketplace.order_reading import Handed
from marketplace.templatetags.words import day, when
from orders.models import Milestone, Order
from payments.models import Refund

LOOKS = {"completed": "done", "canceled": "off", "not_started": "off", "planned": ""}

SAID: dict[str, StrPromise] = {
    # Translators: as in "9 days · 2 revisions · starts when the buyer pays".
    Milestone.Status.PLANNED: gettext_lazy("{days} · {revisions} · starts when the buyer pays"),
    Milestone.Status.AWAITING_PAYMENT: gettext_lazy("{days} · {revisions} · not funded yet, do not work"),
    Milestone.Status.IN_PROGRESS: gettext_lazy("In progress · due {due}"),
    Milestone.Status.DELIVERED: gettext_lazy("Delivered {delivered}"),
    Milestone.Status.IN_REVISION: gettext_lazy("In revision · due {due}"),
    Milestone.Status.NOT_STARTED: gettext_lazy("Not started"),
    Milestone.Status.COMPLETED: gettext_lazy("Completed {ended} · {deliveries}, {used}"),
    Milestone.Status.CANCELED: gettext_lazy("Canceled {ended}"),
}


@dataclass(frozen=True)
class Step:
    """One line of the track."""

    milestone: Milestone
    look: str
    text: str
    badge: str
    badge_look: str
    latest: Handed | None
    earlier: list[Handed]
    late: bool


def track(order: Order, handed: list[Handed], refunds: list[Refund], now: datetime) -> list[Step]:
    """Every milestone in its order, with what was `handed` over for it."""
    steps = []
    for milestone in order.plan:
        deliveries = [delivery for delivery in handed if delivery.milestone_id == milestone.pk]
        text, late = _state(milestone, len(deliveries)), milestone.is_late(now)
        # What is under review stands open; what is over is one click away.
        latest = deliveries.pop() if deliveries and milestone.is_open else None
        badge, badge_look = badge_of(milestone, refunds)
        look = LOOKS.get(milestone.status, "current")
        steps.append(Step(milestone, look, text, badge, badge_look, latest, deliveries[::-1], late))
    return steps


def _state(milestone: Milestone, delivered: int) -> str:
    days = counted(milestone.delivery_days, "day")
    number = milestone.revisions
    revisions = _("unlimited revisions") if number is None else counted(number, "revision")
    return str(SAID[milestone.status]).format(
        days=days,
        revisions=revisions,
        due=when(milestone.deliver_by),
        delivered=day(milestone.delivered_at),
        ended=day(milestone.ended_at),
        deliveries=ngettext("{count} delivery", "{count} deliveries", delivered).format(count=delivered),
        used=counted(milestone.revisions_used, "revision") if milestone.revisions_used else _("no revision"),
    )


def revisions_left(order: Order) -> str:
    """ "1 of 2 revisions left", of the open milestone; empty when none is open."""
    milestone = order.open_milestone
    if milestone is None:
        return ""
    if milestone.revisions_left is None:
        return _("unlimited revisions")
    included = (milestone.revisions or 0) + milestone.revisions_granted
    said = ngettext("{left} of {count} revision left", "{left} of {count} revisions left", included)
    return said.format(left=milestone.revisions_left, count=included)
