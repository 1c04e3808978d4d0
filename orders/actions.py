"""What an order could ever offer to the person looking: available, or greyed with the reason (rule P1).

Availability comes from the guards of the transitions; who may press a button is listed here once,
for the pages and for the views.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrPromise

from orders.guards import Refusal, Refused, why_not
from orders.models import Milestone, Order

BUYER, SELLER = "buyer", "seller"

# Who presses which button. Support's own acts are listed in the back office.
WHO = {
    "place": BUYER,
    "decline": BUYER,
    "pay": BUYER,
    "abandon": BUYER,
    "accept": BUYER,
    "accept_and_continue": BUYER,
    "request_revision": BUYER,
    "start": BUYER,
    "stop": BUYER,
    "order_again": BUYER,
    "edit_offer": SELLER,
    "withdraw": SELLER,
    "deliver": SELLER,
    "grant_revisions": SELLER,
}

# The others speak of a milestone.
OF_THE_ORDER = ("place", "decline", "stop", "withdraw", "edit_offer", "order_again")

LABELS: dict[str, StrPromise] = {
    "place": _("Accept the offer and pay"),
    "decline": _("Decline the offer"),
    "pay": _("Pay"),
    "abandon": _("Use another card"),
    "accept": _("Accept"),
    "accept_and_continue": _("Accept and continue"),
    "request_revision": _("Request revision"),
    "start": _("Start the next milestone"),
    "stop": _("Stop the order"),
    "order_again": _("Order again"),
    "edit_offer": _("Edit the offer"),
    "withdraw": _("Withdraw the offer"),
    "deliver": _("Deliver"),
    "grant_revisions": _("Grant extra revisions"),
}


@dataclass(frozen=True)
class Action:
    """One button: its address, and when it is greyed why, who could change that, and when it changes by itself."""

    name: str
    label: str
    url: str
    allowed: bool
    reason: str = ""
    who: str = ""
    when: datetime | None = None


def check_side(order: Order, side: str, name: str) -> None:
    """Raise `Refused` unless `name` is a button of this side of the order."""
    if WHO[name] != side:
        said = {
            BUYER: gettext("Only the buyer can do this: {action}."),
            SELLER: gettext("Only the seller can do this: {action}."),
        }[WHO[name]]
        raise Refused(Refusal(said.format(action=LABELS[name]), who=WHO[name]))


def why_not_now(order: Order, name: str, now: datetime) -> Refusal | None:
    """Why the action is not possible at `now`, whoever asks; None when it is.

    An overdue order offers nothing but what its end will offer: the clock acts first (O7).
    """
    if order.is_overdue(now) and name != "order_again":
        said = gettext("The time for this has run out; the clock is about to settle the order.")
        return Refusal(said, when=order.decide_by)
    return RULES[name](order)


def actions(order: Order, side: str, now: datetime) -> list[Action]:
    """Every action that the order could ever offer to this side, in the order of its life."""
    found = []
    for name in (name for name, who in WHO.items() if who == side):
        refusal = why_not_now(order, name, now)
        found.append(
            Action(
                name=name,
                label=label_of(order, name),
                url=url_of(order, name),
                allowed=refusal is None,
                reason=refusal.reason if refusal else "",
                who=refusal.who if refusal else "",
                when=refusal.when if refusal else None,
            )
        )
    return found


def label_of(order: Order, name: str) -> str:
    subject = subject_of(order, name)
    if name == "deliver" and subject and subject.status == Milestone.Status.DELIVERED:
        return gettext("Deliver again")
    return str(LABELS[name])


def subject_of(order: Order, name: str) -> Milestone | None:
    """The milestone that a milestone's button speaks of: the current one, or the next when something starts."""
    last = order.plan[-1] if order.plan else None
    if name == "start":
        return order.next_milestone or last
    return order.current or order.next_milestone or last


def url_of(order: Order, name: str) -> str:
    if name in OF_THE_ORDER:
        return reverse(f"orders:{name}", args=[order.number])
    subject = subject_of(order, name)
    return reverse(f"orders:{name}", args=[order.number, subject.pk]) if subject else ""


def _of_order(name: str) -> Callable[[Order], Refusal | None]:
    return lambda order: why_not(getattr(order, name))


def _of_milestone(name: str) -> Callable[[Order], Refusal | None]:
    def rule(order: Order) -> Refusal | None:
        subject: Any = subject_of(order, name)
        return why_not(getattr(subject, name))

    return rule


RULES: dict[str, Callable[[Order], Refusal | None]] = {
    "place": _of_order("place"),
    "decline": _of_order("decline"),
    "edit_offer": _of_order("edit_offer"),
    "withdraw": _of_order("withdraw"),
    "stop": _of_order("stop"),
    "pay": _of_milestone("pay"),
    "abandon": _of_milestone("abandon"),
    "accept": _of_milestone("accept"),
    "request_revision": _of_milestone("request_revision"),
    "deliver": _of_milestone("deliver"),
    "grant_revisions": _of_milestone("grant_revisions"),
    "accept_and_continue": _of_milestone("accept_and_continue"),
    "start": _of_milestone("start"),
    "order_again": _of_order("order_again"),
}
