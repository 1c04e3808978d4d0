"""The lists of orders: what each order waits for, and until when, its case included (P2)."""

from dataclasses import dataclass
from datetime import datetime

from django.db import models
from django.db.models import Exists, F, FilteredRelation, OuterRef, Prefetch, Q, Value, When
from django.db.models.functions import Coalesce, Least
from django.utils.translation import gettext as _

from marketplace import clock
from marketplace.accounts.models import User
from orders.models import Message, Milestone, Order
from orders.models.order import OrderQuerySet
from resolution.actions import on_rows_of, waiting_proposal
from resolution.models import Case
from resolution.models.choices import DISPUTES


@dataclass(frozen=True)
class Line:
    order: Order
    other: User
    standing: "Standing"
    milestone: Milestone | None
    done: int
    count: int
    unread: int = 0

    @property
    def steps(self) -> list[str]:
        """The look of each milestone on the small track: done, current, off (it will not be done) or nothing yet."""
        return [_LOOKS.get(milestone.status, "") for milestone in self.order.plan]

    @property
    def initials(self) -> str:
        """Of the other side: Theo Lindqvist is TL."""
        return "".join(word[0] for word in self.other.name.split()[:2]).upper()


@dataclass(frozen=True)
class Standing:
    """Where an order stands for one side: the badge's words and look, and the instant it waits for."""

    text: str
    look: str
    until: datetime | None = None
    mine: bool = False
    due: str = "until"


_LOOKS: dict[str, str] = {
    **dict.fromkeys(Milestone.CURRENT, "current"),
    Milestone.Status.COMPLETED: "done",
    Milestone.Status.CANCELED: "off",
    Milestone.Status.NOT_STARTED: "off",
}
# What a list may be narrowed to, by the rank that `waiting_first` gives.
STATES = {"waiting": 0, "under-way": 1, "ended": 2}


def found(orders: OrderQuerySet, side: str, text: str) -> OrderQuerySet:
    """Those whose title, number or other side's name has `text` in it, however it is written."""
    other = {"buyer": "seller", "seller": "buyer"}[side]
    for word in text.split():
        orders = orders.filter(
            Q(title__icontains=word) | Q(number__icontains=word) | Q(**{f"{other}__name__icontains": word})
        )
    return orders


def counted_by_state(ranked: OrderQuerySet) -> dict[str, int]:
    """How many of `waiting_first`'s orders are in each of the `STATES`; one query."""
    counts = dict(ranked.order_by().values_list("rank").annotate(models.Count("pk")))
    return {state.replace("-", "_"): counts.get(rank, 0) for state, rank in STATES.items()}


def with_unread(ranked: OrderQuerySet, user: User) -> OrderQuerySet:
    """With how many messages of the other side `user` has not read yet, for `line`."""
    unread = Message.objects.unread_by(user).filter(order=OuterRef("pk")).order_by().values("order")
    counts = unread.annotate(number=models.Count("pk")).values("number")
    return ranked.annotate(unread=Coalesce(models.Subquery(counts), 0))


def waiting_first(orders: OrderQuerySet, side: str) -> OrderQuerySet:
    """Those that wait for this side first and the most urgent of them at the top; then what is under way, then what
    has ended, the newest first.
    """
    # An order has at most one current milestone, so the join makes no second row.
    current = FilteredRelation("milestones", condition=Q(milestones__status__in=Milestone.CURRENT))
    in_work = Q(at_hand__status__in=Milestone.WORKING)
    mine = in_work if side == "seller" else ~in_work | Q(at_hand=None)
    other = {"buyer": Case.Side.SELLER, "seller": Case.Side.BUYER}[side]
    mine_now = Q(paused_at=None) & mine
    # A frozen order waits for its dispute and nothing else.
    asked = Case.objects.filter(order=OuterRef("pk"), status=Case.Status.OPEN, side=other)
    to_answer = (
        asked.exclude(pk__in=Case.objects.void())
        .filter(Q(kind__in=DISPUTES) | Q(order__paused_at=None))
        .order_by("answer_by")
    )
    # An overdue one waits for nobody but the clock (O7).
    overdue = Q(paused_at=None, decide_by__lte=clock.now())
    rank = models.Case(
        When(status__in=Order.ENDED, then=Value(2)),
        When(overdue, then=Value(1)),
        When(mine_now | Exists(to_answer), then=Value(0)),
        default=Value(1),
    )
    deadline = models.Case(When(mine_now, then=F("at_hand__deliver_by" if side == "seller" else "decide_by")))
    # PostgreSQL's LEAST leaves out what is not there.
    urgency = models.Case(When(rank=0, then=Least(models.Subquery(to_answer.values("answer_by")[:1]), deadline)))
    ranked = orders.annotate(at_hand=current, rank=rank).annotate(urgency=urgency)
    pending = Prefetch("cases", Case.objects.filter(status__in=Case.PENDING), to_attr="pending_cases")
    ranked = ranked.select_related("buyer", "seller").prefetch_related("milestones", pending)
    return ranked.order_by("rank", F("urgency").asc(nulls_last=True), "-id")


def grouped(lines: list[Line]) -> list[tuple[str, list[Line]]]:
    """The lines of a page under their headings, in the order of `waiting_first`."""
    groups: dict[str, list[Line]] = {}
    for one in lines:
        heading = _("Ended") if one.order.has_ended else _("Waiting for you") if one.standing.mine else _("Under way")
        groups.setdefault(heading, []).append(one)
    return list(groups.items())


def line(order: Order, side: str, now: datetime) -> Line:
    plan = order.plan
    done = sum(milestone.status == Milestone.Status.COMPLETED for milestone in plan)
    other = order.seller if side == "buyer" else order.buyer
    pending: list[Case] = order.pending_cases  # type: ignore[attr-defined]
    cases = [on_rows_of(order, case, now) for case in pending]
    dispute = next((case for case in cases if case.freezes), None)
    where = standing(order, side, now, dispute, waiting_proposal(cases))
    unread = getattr(order, "unread", 0)
    return Line(order, other, where, order.current or order.next_milestone, done, len(plan), unread)


def case_waits_for(case: Case) -> str:
    """Who must act on a pending case: «buyer», «seller», or «support»."""
    return case.answering_side if case.status == Case.Status.OPEN else "support"


def standing(
    order: Order, side: str, now: datetime, case: Case | None = None, proposal: Case | None = None
) -> Standing:
    """Whom the order waits for, as `side` reads it: a frozen one for what its `case` waits for; one that goes on also
    for the answer to a `proposal`, when that is due before anything else that `side` has to do."""
    found = _standing(order, side, now, case)
    if order.has_ended or order.paused_at or order.is_overdue(now):
        return found
    if proposal is None or proposal.answering_side != side:
        return found
    if found.mine and found.until and proposal.answer_by and found.until <= proposal.answer_by:
        return found
    return Standing(_("Answer the proposal"), "waiting", proposal.answer_by, mine=True)


def _standing(order: Order, side: str, now: datetime, case: Case | None) -> Standing:
    if order.is_overdue(now):
        return Standing(_("Being settled"), "neutral")
    if order.has_ended:
        return Standing(order.get_status_display(), "paid" if order.status == Order.Status.COMPLETED else "neutral")
    if order.paused_at:
        if case and case_waits_for(case) == side:
            return Standing(_("Answer the case"), "waiting", case.answer_by, mine=True)
        said = _("Frozen: the case waits for an answer")
        if case and case_waits_for(case) == "support":
            said = _("Frozen: the case waits for Customer Support")
        if case and case.kind == Case.Kind.CHARGEBACK:
            said = _("Frozen: the case waits for the buyer's bank")
        until = (case.answer_by if case.status == Case.Status.OPEN else case.support_due) if case else None
        return Standing(said, "frozen", until)
    milestone = order.current
    waits_for = milestone.waits_for if milestone else "buyer"
    until = milestone.deliver_by if milestone and milestone.is_in_work else order.decide_by
    due = "due" if waits_for == "seller" else "until"
    if milestone and milestone.is_late(now):
        return Standing(_("Late"), "late", until, mine=side == waits_for, due="was due")
    if waits_for == side:
        return Standing(_("Waiting for you"), "waiting", until, mine=True, due=due)
    other_side = _("Waiting for the buyer") if waits_for == "buyer" else _("Waiting for the seller")
    return Standing(other_side, "neutral", until, due=due)
