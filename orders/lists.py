"""One line of a list of orders: what it waits for, and until when."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Case, F, FilteredRelation, Q, Value, When

from marketplace.accounts.models import User
from orders.models import Milestone, Order
from orders.models.order import OrderQuerySet


@dataclass(frozen=True)
class Line:
    order: Order
    other: User
    standing: "Standing"
    milestone: Milestone | None
    done: int
    count: int


@dataclass(frozen=True)
class Standing:
    """Where an order stands for one side: the badge's words and look, and the instant it waits for."""

    text: str
    look: str
    until: datetime | None = None
    mine: bool = False
    due: str = "until"


def waiting_first(orders: OrderQuerySet, side: str) -> OrderQuerySet:
    """Those that wait for this side first and the most urgent of them at the top; then what is under way, then what
    has ended, the newest first.
    """
    # An order has at most one current milestone, so the join makes no second row.
    current = FilteredRelation("milestones", condition=Q(milestones__status__in=Milestone.CURRENT))
    in_work = Q(at_hand__status__in=Milestone.WORKING)
    mine = in_work if side == "seller" else ~in_work | Q(at_hand=None)
    rank = Case(
        When(status__in=Order.ENDED, then=Value(2)),
        When(Q(paused_at=None) & mine, then=Value(0)),
        default=Value(1),
    )
    deadline = F("at_hand__deliver_by" if side == "seller" else "decide_by")
    urgency = Case(When(rank=0, then=deadline))
    ranked = orders.annotate(at_hand=current, rank=rank).annotate(urgency=urgency)
    return ranked.order_by("rank", F("urgency").asc(nulls_last=True), "-id")


def grouped(lines: list[Line]) -> list[tuple[str, list[Line]]]:
    """The lines of a page under their headings, in the order of `waiting_first`."""
    groups: dict[str, list[Line]] = {}
    for one in lines:
        heading = "Ended" if one.order.has_ended else "Waiting for you" if one.standing.mine else "Under way"
        groups.setdefault(heading, []).append(one)
    return list(groups.items())


def line(order: Order, side: str, now: datetime) -> Line:
    plan = order.plan
    done = sum(milestone.status == Milestone.Status.COMPLETED for milestone in plan)
    other = order.seller if side == "buyer" else order.buyer
    return Line(order, other, standing(order, side, now), order.current or order.next_milestone, done, len(plan))


def standing(order: Order, side: str, now: datetime) -> Standing:
    """Whom the order waits for, as `side` reads it."""
    if order.has_ended:
        return Standing(order.get_status_display(), "paid" if order.status == Order.Status.COMPLETED else "neutral")
    if order.paused_at:
        return Standing("Frozen: a case is open", "frozen")
    milestone = order.current
    waits_for = milestone.waits_for if milestone else "buyer"
    until = milestone.deliver_by if milestone and milestone.is_in_work else order.decide_by
    due = "due" if waits_for == "seller" else "until"
    if milestone and milestone.is_late(now):
        return Standing("Late", "late", until, mine=side == waits_for, due="was due")
    if waits_for == side:
        return Standing("Waiting for you", "waiting", until, mine=True, due=due)
    return Standing(f"Waiting for the {waits_for}", "neutral", until, due=due)
