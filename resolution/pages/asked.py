"""What a case asks for, in numbers: every cent, both dates, and each milestone before and after (P2, R7)."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import zip_longest

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from marketplace.catalog.durations import counted
from marketplace.catalog.plans import PlannedMilestone
from orders.models import Milestone
from payments.models import HeldFunds
from payments.money import display
from resolution.models import Case

Kind = Case.Kind


@dataclass(frozen=True)
class Cell:
    """What a milestone has, and what it would have instead; the same when it stays."""

    label: str
    before: str
    after: str

    @property
    def differs(self) -> bool:
        return bool(self.before and self.after) and self.before != self.after


@dataclass(frozen=True)
class Row:
    """One upcoming milestone before and after."""

    position: int
    change: str
    look: str
    title: Cell
    cells: list[Cell]
    details: str


@dataclass(frozen=True)
class Numbers:
    """What is asked for in numbers: sentences, the delivery date now and then, and the upcoming milestones."""

    lines: list[str] = field(default_factory=list)
    due: datetime | None = None
    would_be_due: datetime | None = None
    rows: list[Row] = field(default_factory=list)
    compares: bool = False


def numbers_of(case: Case, side: str) -> Numbers:
    """As `side` reads them. What has ended is not compared with what is there now."""
    milestone = case.milestone
    waits = case.status in (Case.Status.NEW, *Case.PENDING) and not case.void_since()
    if case.kind == Kind.CHANGE_UPCOMING:
        before = [step for step in case.order.plan if step.position >= (case.upcoming_from or 1)] if waits else []
        rows = _rows(before, case.upcoming, case.upcoming_from or 1, case.order.currency, compare=waits)
        return Numbers(rows=rows, compares=waits)
    if milestone is None or not milestone.is_open or not waits:
        return Numbers()
    if case.kind == Kind.PARTIAL_REFUND and milestone.held and case.asked_amount:
        if case.asked_amount >= milestone.held.left_price:
            left = display(milestone.held.left_price, milestone.held.currency)
            less = _("By now only {amount} of the price is held for “{milestone}”: less than this asks for.")
            return Numbers([less.format(amount=left, milestone=milestone)])
        return Numbers(_of_refund(milestone, milestone.held, case.asked_amount, side))
    if case.kind == Kind.EXTEND and milestone.deliver_by:
        since = max(milestone.deliver_by, case.moment)
        return Numbers(due=milestone.deliver_by, would_be_due=since + timedelta(days=case.asked_days or 0))
    if case.kind == Kind.EXTRA_REVISIONS and milestone.revisions_left is not None:
        then = milestone.revisions_left + (case.asked_revisions or 0)
        left = counted(milestone.revisions_left, "revision")
        return Numbers([_("{now} left now, {then} left then.").format(now=left, then=counted(then, "revision"))])
    return Numbers()


def part_of(held: HeldFunds, price: int) -> dict[str, str]:
    """A part of the price in words, and what it gives `back` with the fee on it: $16.50 and $17.40."""
    return {"price": display(price, held.currency), "back": display(held.refund_of(price), held.currency)}


def _of_refund(milestone: Milestone, held: HeldFunds, price: int, side: str) -> list[str]:
    after = copy(held)
    after.refunded_price += price
    if side == "buyer":
        back = _("{price} of the price and the fee on it: {back} goes back to you.")
    else:
        back = _("{price} of the price and the fee on it: {back} goes back to {buyer}.")
    if side == "seller":
        payout = _("You are paid {amount} for “{milestone}” when it is completed, instead of {instead}.")
    else:
        payout = _("{seller} is paid {amount} for “{milestone}” when it is completed, instead of {instead}.")
    buyer, seller = milestone.order.buyer.name, milestone.order.seller.name
    paid, instead = display(after.payout, held.currency), display(held.payout, held.currency)
    return [
        back.format(**part_of(held, price), buyer=buyer),
        payout.format(seller=seller, amount=paid, milestone=milestone, instead=instead),
    ]


def _rows(
    before: Sequence[Milestone], after: Sequence[PlannedMilestone], first: int, currency: str, *, compare: bool
) -> list[Row]:
    pairs = zip_longest(before, after)
    return [_row(was, now, position, currency, compare) for position, (was, now) in enumerate(pairs, start=first)]


def _row(was: Milestone | None, now: PlannedMilestone | None, position: int, currency: str, compare: bool) -> Row:
    old, new = _words(was, currency), _words(now, currency)
    if was and now:
        same = old == new and was.description == now.description
        change, look = (_("Stays"), "") if same else (_("Changed"), "")
    elif not compare:
        change, look = "", ""
    else:
        change, look = (_("Added"), "added") if now else (_("Dropped"), "dropped")
    labels = (_("Milestone"), _("Price"), _("Delivery"), _("Revisions"))
    title, *cells = (Cell(label, before, after) for label, before, after in zip(labels, old, new, strict=True))
    details = now.description if now else was.description if was else ""
    return Row(position, change, look, title, cells, details)


def _words(step: Milestone | PlannedMilestone | None, currency: str) -> tuple[str, str, str, str]:
    if step is None:
        return "", "", "", ""
    revisions = pgettext("revisions", "unlimited") if step.revisions is None else str(step.revisions)
    return step.title, display(step.price, currency), counted(step.delivery_days, "day"), revisions
