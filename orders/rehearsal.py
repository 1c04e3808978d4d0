"""Rehearsals: the real code, run in a transaction that is rolled back, and what it did (R7).

Providers and mail are only reached after a commit, so a rehearsal reaches nobody.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from marketplace.accounts.models import User
from marketplace.catalog.durations import counted
from marketplace.notifications.models import Notice
from orders import services
from orders.guards import Refusal, Refused
from orders.locking import lock_as_it_is
from orders.models import Event, Milestone, Order
from payments.errors import PaymentsError
from payments.models import Transfer
from payments.money import display
from payments.services import Cents, where_every_cent_is

Kind = Transfer.Kind


@dataclass(frozen=True)
class Change:
    """Something that would be different: “Logo”: In progress → Canceled."""

    what: str
    before: str
    after: str


@dataclass(frozen=True)
class Deadline:
    """A clock that would run otherwise; None when it does not run."""

    what: str
    before: datetime | None
    after: datetime | None
    whose: str = field(default="", compare=False)
    to_them: str = field(default="", compare=False)
    """How the side whose time it is reads it: "Your time to review “Logo”"."""

    def for_side(self, side: str) -> "Deadline":
        return replace(self, what=self.to_them) if side and side == self.whose else self


@dataclass(frozen=True)
class Movement:
    """Money that would move, in minor units of the order's currency."""

    what: str
    amount: int
    currency: str
    kind: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{display(self.amount, self.currency)} {self.what}"

    def for_side(self, side: str) -> "Movement":
        return replace(self, what=gettext(_TO_YOU[side, self.kind])) if (side, self.kind) in _TO_YOU else self


@dataclass(frozen=True)
class Message:
    """A notice that somebody would get, of one of the order's sides."""

    recipient: str
    title: str
    side: str


@dataclass(frozen=True)
class Outcome:
    """What an act would do, as the side reads it that is about to confirm it; with `refusal`, why it cannot."""

    changes: list[Change] = field(default_factory=list)
    movements: list[Movement] = field(default_factory=list)
    deadlines: list[Deadline] = field(default_factory=list)
    told: dict[str, list[str]] = field(default_factory=dict)
    refusal: Refusal | None = None


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
        return sum(movement.amount for movement in self.movements if movement.kind == Kind.REFUND)

    def for_side(self, side: str) -> Outcome:
        """The same in the words of the side that reads it: what is the buyer's is yours. Support's is «»."""
        told: dict[str, list[str]] = {}
        for message in self.told:
            told.setdefault(pgettext("who is told", "You") if message.side == side else message.recipient, []).append(
                message.title
            )
        return Outcome(
            changes=self.states,
            movements=[movement.for_side(side) for movement in self.movements],
            deadlines=[deadline.for_side(side) for deadline in self.deadlines],
            told=told,
        )


@dataclass(frozen=True)
class _Picture:
    order: Order
    cents: Cents

    @classmethod
    def of(cls, order: Order) -> "_Picture":
        references = [milestone.held.reference for milestone in order.plan if milestone.held]
        found = where_every_cent_is(references).values()
        return cls(order, Cents(*(sum(getattr(cents, name) for cents in found) for name in Cents.__dataclass_fields__)))


def rehearse(order: Order, act: Callable[[], object]) -> Rehearsal:
    """Run `act`, the real verb, under the order's lock, roll everything back, and say what it did to the order.

    What `act` raises is raised: a refusal is one in the rehearsal too.
    """
    with transaction.atomic():
        locked, _now = lock_as_it_is(order.pk)
        before = _Picture.of(locked)
        event_id, transfer_id = _last(Event.objects.all()), _last(Transfer.objects.all())
        act()
        rehearsal = _compare(before, _Picture.of(Order.objects.whole().get(pk=order.pk)), event_id, transfer_id)
        transaction.set_rollback(True)
        return rehearsal


def outcome(rehearsal: Callable[[], Rehearsal], *, side: str) -> Outcome:
    """What a rehearsal finds, in the words of `side`; why not, when the order has changed since it was read."""
    try:
        return rehearsal().for_side(side)
    except Refused as refused:
        return Outcome(refusal=refused.refusal)
    except PaymentsError as error:
        return Outcome(refusal=Refusal(str(error)))


def outcome_of_button(order: Order, name: str, *, by: User) -> Outcome | None:
    """What pressing a button that ends something would do; None for the others.

    Of accepting and continuing only the acceptance: a rehearsal charges nobody.
    """
    side = order.side_of(by)
    if name in ("accept", "accept_and_continue"):
        milestone = order.current
        assert milestone  # else the button is not there
        acceptance = partial(services.accept, milestone, by=by, version=order.version)
        found = outcome(partial(rehearse, order, acceptance), side=side)
        # The time to continue that the acceptance gives is used at once.
        return found if name == "accept" else replace(found, deadlines=[])
    if name not in _ENDING:
        return None
    return outcome(partial(rehearse, order, partial(_ENDING[name], order, by=by, version=order.version)), side=side)


_ENDING: dict[str, Callable[..., object]] = {
    "stop": services.stop,
    "decline": services.decline_offer,
    "withdraw": services.withdraw_offer,
}
REHEARSED = ("accept", "accept_and_continue", *_ENDING)
"""The buttons that say what they would do before they are pressed."""
# Translators: each stands after an amount, such as "$105.50 goes back to the buyer".
_WHAT = {
    Kind.REFUND.value: _("goes back to the buyer"),
    Kind.EARNING.value: _("is paid to the seller"),
    Kind.FEE.value: _("is kept as fees"),
    Kind.CREDITED.value: _("of it is given as credit"),
}
_TO_YOU = {
    ("buyer", Kind.REFUND.value): _("goes back to you"),
    ("seller", Kind.EARNING.value): _("is paid to you"),
}


def _compare(before: _Picture, after: _Picture, event_id: int, transfer_id: int) -> Rehearsal:
    order = after.order
    held = [milestone.held_id for milestone in order.plan if milestone.held_id]
    transfers = Transfer.objects.filter(pk__gt=transfer_id, held__in=held).order_by("pk")
    keys = [f"event:{pk}" for pk in order.events.filter(pk__gt=event_id).values_list("pk", flat=True)]
    notices = Notice.objects.filter(key__in=keys).select_related("recipient").order_by("pk")
    return Rehearsal(
        version=before.order.version,
        states=_changes(before.order, order),
        movements=[
            Movement(str(_WHAT.get(row.kind, row.get_kind_display())), row.amount, row.currency, row.kind)
            for row in transfers
        ],
        before=before.cents,
        after=after.cents,
        deadlines=_deadlines(before.order, order),
        told=[Message(notice.recipient.name, notice.title, order.side_of(notice.recipient)) for notice in notices],
        currency=order.currency,
    )


def _changes(before: Order, after: Order) -> list[Change]:
    was_at = {milestone.position: milestone for milestone in before.plan}
    now_at = {milestone.position: milestone for milestone in after.plan}
    changes = []
    for position in sorted(was_at | now_at):
        was, now = was_at.get(position), now_at.get(position)
        if was and now:
            changes += _milestone(was, now)
        elif was:
            changes.append(Change(f"“{was.title}”", was.get_status_display(), gettext("dropped")))
        elif now:
            named = ", ".join([f"“{now.title}”", *_promise(now)])
            changes.append(Change(named, "–", now.get_status_display()))
    if before.status != after.status:
        changes.append(Change(gettext("The order"), before.get_status_display(), after.get_status_display()))
    if bool(before.paused_at) != bool(after.paused_at) and not after.has_ended:
        old, new = pgettext("clocks", "running"), pgettext("clocks", "frozen")
        if before.paused_at:
            old, new = new, old
        changes.append(Change(gettext("The clocks"), old, new))
    return changes


def _milestone(was: Milestone, now: Milestone) -> list[Change]:
    named = f"“{was.title}”"
    changes = []
    if was.status != now.status:
        changes.append(Change(named, was.get_status_display(), now.get_status_display()))
    pairs = zip([named, *_promise(was)], [f"“{now.title}”", *_promise(now)], strict=True)
    different = [(old, new) for old, new in pairs if old != new]
    if was.description != now.description:
        different.append((gettext("details"), gettext("other details")))
    if different:
        changes.append(Change(named, *(", ".join(words) for words in zip(*different, strict=True))))
    return changes


def _promise(milestone: Milestone) -> list[str]:
    """What was agreed about a milestone: its price, days and revisions."""
    number = milestone.revisions
    revisions = (
        gettext("unlimited revisions") if number is None else counted(number + milestone.revisions_granted, "revision")
    )
    return [display(milestone.price, milestone.order.currency), counted(milestone.delivery_days, "day"), revisions]


def _deadlines(before: Order, after: Order) -> list[Deadline]:
    ran, would_run = _clocks(before), _clocks(after)
    deadlines = [
        replace(
            clock,
            before=ran[what].after if what in ran else None,
            after=would_run[what].after if what in would_run else None,
        )
        for what, clock in (ran | would_run).items()
    ]
    return [deadline for deadline in deadlines if deadline.before != deadline.after]


def _clocks(order: Order) -> dict[str, Deadline]:
    """The order's deadlines, by what they are for: the same instant for another step is another deadline."""
    clocks = []
    if order.decide_by:
        clocks.append(_decision(order, order.decide_by))
    for milestone in order.plan:
        if milestone.is_in_work and milestone.deliver_by:
            theirs, yours = (
                gettext("The seller's time to deliver “{milestone}”"),
                gettext("Your time to deliver “{milestone}”"),
            )
            named = (text.format(milestone=milestone.title) for text in (theirs, yours))
            clocks.append(Deadline(next(named), None, milestone.deliver_by, "seller", next(named)))
    return {clock.what: clock for clock in clocks}


def _decision(order: Order, until: datetime) -> Deadline:
    """What the buyer has to do by the order's one deadline (O14)."""
    milestone, following = order.current, order.next_milestone
    if order.status == Order.Status.OFFERED:
        theirs, yours = gettext("The buyer's time to answer the offer"), gettext("Your time to answer the offer")
    elif milestone and milestone.status == Milestone.Status.AWAITING_PAYMENT:
        theirs, yours = (
            gettext("The buyer's time to pay for “{milestone}”"),
            gettext("Your time to pay for “{milestone}”"),
        )
    elif milestone:
        theirs, yours = (
            gettext("The buyer's time to review “{milestone}”"),
            gettext("Your time to review “{milestone}”"),
        )
    elif following:
        theirs = gettext("The buyer's time to start “{milestone}” or stop")
        yours = gettext("Your time to start “{milestone}” or stop")
    else:
        theirs, yours = gettext("The buyer's time to decide"), gettext("Your time to decide")
    at_hand = milestone or following
    named = [text.format(milestone=at_hand.title if at_hand else "") for text in (theirs, yours)]
    return Deadline(named[0], None, until, "buyer", named[1])


def _last(rows: QuerySet[Any]) -> int:
    latest: int | None = rows.aggregate(latest=Max("pk"))["latest"]
    return latest or 0
