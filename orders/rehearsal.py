"""Rehearsals: the real code, run in a transaction that is rolled back, and what it did (R7).

Providers and mail are only reached after a commit, so a rehearsal reaches nobody.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max, QuerySet

from marketplace.notifications.models import Notice
from orders.locking import lock_as_it_is
from orders.models import Event, Milestone, Order
from payments.models import Transfer
from payments.money import display
from payments.services import Cents, where_every_cent_is

Kind = Transfer.Kind


@dataclass(frozen=True)
class Change:
    """Something that would be different: “Logo”: In progress → Canceled; `text` says it as a sentence."""

    what: str
    before: str
    after: str
    text: str


@dataclass(frozen=True)
class Deadline:
    """A clock that would run otherwise; None when it does not run."""

    what: str
    before: datetime | None
    after: datetime | None


@dataclass(frozen=True)
class Movement:
    """Money that would move, in minor units of the order's currency."""

    what: str
    amount: int
    currency: str

    def __str__(self) -> str:
        return f"{display(self.amount, self.currency)} {self.what}"


@dataclass(frozen=True)
class Message:
    """A notice that somebody would get."""

    recipient: str
    title: str


@dataclass(frozen=True)
class Rehearsal:
    """What an act would do to an order: states, every cent, clocks, and who would be told."""

    version: int
    states: list[Change]
    movements: list[Movement]
    before: Cents
    after: Cents
    deadlines: list[Deadline]
    told: list[Message]
    currency: str

    @property
    def back_to_buyer(self) -> int:
        """In minor units: what would be on its way back to the buyer."""
        return sum(movement.amount for movement in self.movements if movement.what == _TO_BUYER)

    @property
    def sentences(self) -> list[str]:
        """What would happen to every state, from and to, and to every cent: for support."""
        return [*(f"{change.what}: {change.before} → {change.after}." for change in self.states), *self._money]

    def sentences_for(self, side: str) -> list[str]:
        """The same in the words of the side that reads it: what is the buyer's is yours."""
        # Only the program's own words: a title may speak of the buyer too.
        money = [line.replace(f"the {side}", "you") for line in self._money]
        return [*(change.text for change in self.states), *money]

    @property
    def _money(self) -> list[str]:
        return [f"{movement}." for movement in self.movements] or ["No money moves."]


@dataclass(frozen=True)
class _Picture:
    order: Order
    cents: Cents

    @classmethod
    def of(cls, order_id: int) -> "_Picture":
        order = Order.objects.whole().get(pk=order_id)
        references = [milestone.held.reference for milestone in order.plan if milestone.held]
        found = where_every_cent_is(references).values()
        return cls(order, Cents(*(sum(getattr(cents, name) for cents in found) for name in Cents.__dataclass_fields__)))


def rehearse(order: Order, act: Callable[[], object]) -> Rehearsal:
    """Run `act`, the real verb, under the order's lock, roll everything back, and say what it did to the order.

    What `act` raises is raised: a refusal is one in the rehearsal too.
    """
    with transaction.atomic():
        lock_as_it_is(order.pk)
        before = _Picture.of(order.pk)
        event_id, transfer_id = _last(Event.objects.all()), _last(Transfer.objects.all())
        act()
        rehearsal = _compare(before, _Picture.of(order.pk), event_id, transfer_id)
        transaction.set_rollback(True)
        return rehearsal


_TEXT = {
    Milestone.Status.CANCELED.value: "{} is canceled.",
    Milestone.Status.COMPLETED.value: "{} is completed.",
    Milestone.Status.NOT_STARTED.value: "{} will not be started.",
}
_TO_BUYER = "goes back to the buyer"
_WHAT = {
    Kind.REFUND.value: _TO_BUYER,
    Kind.EARNING.value: "is paid to the seller",
    Kind.FEE.value: "is kept as fees",
    Kind.CREDITED.value: "of it is given as credit",
}


def _compare(before: _Picture, after: _Picture, event_id: int, transfer_id: int) -> Rehearsal:
    order = after.order
    held = [milestone.held_id for milestone in order.plan if milestone.held_id]
    transfers = Transfer.objects.filter(pk__gt=transfer_id, held__in=held).order_by("pk")
    keys = [f"event:{pk}" for pk in order.events.filter(pk__gt=event_id).values_list("pk", flat=True)]
    notices = Notice.objects.filter(key__in=keys).select_related("recipient").order_by("pk")
    return Rehearsal(
        version=before.order.version,
        states=_states(before.order, order),
        movements=[
            Movement(_WHAT.get(row.kind, row.get_kind_display()), row.amount, row.currency) for row in transfers
        ],
        before=before.cents,
        after=after.cents,
        deadlines=_deadlines(before.order, order),
        told=[Message(notice.recipient.name, notice.title) for notice in notices],
        currency=order.currency,
    )


def _states(before: Order, after: Order) -> list[Change]:
    changes = []
    for was, now in zip(before.plan, after.plan, strict=True):
        if was.status != now.status:
            name, old, new = f"“{was.title}”", was.get_status_display(), now.get_status_display()
            changes.append(Change(name, old, new, _TEXT.get(now.status, f"{{}}: {old} → {new}.").format(name)))
    if before.status != after.status:
        old, new = before.get_status_display(), after.get_status_display()
        changes.append(Change("The order", old, new, f"The order ends as {new.lower()}."))
    if bool(before.paused_at) != bool(after.paused_at) and not after.has_ended:
        old, new = ("frozen", "running") if before.paused_at else ("running", "frozen")
        changes.append(Change("The clocks", old, new, f"The clocks of the order are {new} from then on."))
    return changes


def _deadlines(before: Order, after: Order) -> list[Deadline]:
    deadlines = [Deadline("The buyer decides by", before.decide_by, after.decide_by)]
    for was, now in zip(before.plan, after.plan, strict=True):
        runs, would_run = (step.deliver_by if step.is_in_work else None for step in (was, now))
        deadlines.append(Deadline(f"“{was.title}” is due", runs, would_run))
    return [deadline for deadline in deadlines if deadline.before != deadline.after]


def _last(rows: QuerySet[Any]) -> int:
    latest: int | None = rows.aggregate(latest=Max("pk"))["latest"]
    return latest or 0
