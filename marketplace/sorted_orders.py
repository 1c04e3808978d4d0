"""A person's orders in the order of a list: what waits for them first, then what goes on, then what has ended (P2).

Which rows a page shows, and how many there are, is asked in SQL that is written once: writing it takes longer than
answering it.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

from django.db import DEFAULT_DB_ALIAS, models
from django.db.models import F, FilteredRelation, OuterRef, Prefetch, Q, QuerySet, Value, When, prefetch_related_objects
from django.db.models.functions import Coalesce, Least

from marketplace.accounts.models import User
from marketplace.pages_by_key import Column, Page, Place, instant, number, page_from
from marketplace.statement import Argument, Statement
from orders.models import Message, Milestone, Order
from orders.models.order import OrderQuerySet
from resolution.models import Case
from resolution.models.choices import DISPUTES

# What a list may be narrowed to.
STATES = ("waiting", "under-way", "ended")
COUNTED = 99  # further than that nobody counts, so that a number costs the same for whoever has a million orders
# Where an order stands in a list whose deadline is not what it stands there for: last, the ended ones after all.
SOME_TIME = datetime(9996, 1, 1, tzinfo=UTC)
UNDER_WAY = datetime(9997, 1, 1, tzinfo=UTC)
ENDED = datetime(9998, 1, 1, tzinfo=UTC)
_WAITS, _GOES_ON = Q(urgency__lt=UNDER_WAY), Q(urgency=UNDER_WAY)
_ID = Column("id", number, descending=True)
_COLUMNS = (Column("urgency", instant), _ID)
# What a line shows of an order's row, in the order of its columns, and what is asked with it: the place, the other
# side's name, and how many of their messages the viewer has not read.
SHOWN = ("id", "number", "buyer_id", "seller_id", "title", "currency", "status", "decide_by", "paused_at", "ended_at")
ASKED = ("urgency", "other", "unread")
_OTHER = {"buyer": "seller", "seller": "buyer"}

Sorted = QuerySet[Order, tuple[Any, ...]]


@dataclass(frozen=True)
class OrdersOf:
    """The orders that a person has on one side, «buyer» or «seller», found by the words of `text`, as of `now`.

    A word is looked for in the title, the number and the other side's name, however it is written; words are looked
    for among a person's own orders only, one by one.
    """

    viewer: User
    side: str
    now: datetime
    text: str = ""

    def counted_by_state(self) -> dict[str, str]:
        """How many are in each of the `STATES` and in all, up to "99+"; one query.

        A number is counted no further than it is shown, so it grows with what the person has under way, and no more.
        """
        found = self._asked(partial(_states, self.side, self.text), _states_of(self.side))
        counts = Counter(state for (state,) in found)
        shown = {state.replace("-", "_"): counts[state] for state in STATES} | {"all": counts.total()}
        return {name: str(count) if count <= COUNTED else f"{COUNTED}+" for name, count in shown.items()}

    def page(self, query: Mapping[str, str], *, state: str = "", most: int) -> Page[Order]:
        """The page that an address asks for, of all of them or of one of the `STATES`.

        Those that wait for this side come first, the most urgent of them at the top; then what is under way, then what
        has ended, the newest first. Three queries, however many orders.
        """
        return page_from(lambda place: self._read(state, place), _COLUMNS, query, most=most)

    def first_under_way(self, most: int) -> list[Order]:
        """The first of those that have not ended. Three queries."""
        return self._read("live", Place(_COLUMNS, most))[:most]

    def _read(self, state: str, place: Place) -> list[Order]:
        """The orders of a place with what `SHOWN` and `ASKED` name, their plans and their cases. Three queries."""
        is_among_ended = bool(place.key) and place.key[0] == ENDED
        shape = (self.side, state, place.most, place.back, bool(place.key), is_among_ended)
        found = self._asked(partial(_places, self.text, *shape), _places_of(*shape), *place.key)
        orders = [_order(row) for row in found]
        plan = Prefetch("milestones", Milestone.objects.defer("description").order_by("position"))
        pending = Prefetch("cases", Case.objects.filter(status__in=Case.PENDING), to_attr="pending_cases")
        prefetch_related_objects(orders, plan, pending)
        return orders

    def _asked(self, build: "partial[QuerySet[Any, Any]]", written: Statement, *key: Argument) -> list[tuple[Any, ...]]:
        """The rows, by the `written` statement unless there are words, which are part of a statement's text."""
        if self.text:
            return list(build(self.viewer.pk, self.now, *key))
        return written.rows(self.viewer.pk, self.now, *key)


@cache
def _states_of(side: str) -> Statement:
    return Statement(partial(_states, side, ""))


def _states(side: str, text: str, viewer_id: int, now: datetime) -> Sorted:
    """The state of each order, no more than are counted."""
    orders = _orders(side, text, viewer_id)
    live, ended = _live(orders, side, now), orders.filter(ended_at__isnull=False)
    parts = [
        part.order_by().values_list(Value(state))[: COUNTED + 1]
        for state, part in zip(STATES, (live.filter(_WAITS), live.filter(_GOES_ON), ended), strict=True)
    ]
    return parts[0].union(*parts[1:], all=True)


@cache
def _places_of(*shape: Any) -> Statement:
    return Statement(partial(_places, "", *shape))


def _places(
    text: str,
    side: str,
    state: str,
    most: int,
    back: bool,
    is_keyed: bool,
    is_among_ended: bool,
    viewer_id: int,
    now: datetime,
    urgency: datetime = ENDED,
    last: int = 0,
) -> Sorted:
    """The rows of the orders of a place, which begins at (`urgency`, `last`) if it has a key.

    What has ended is sought by the number of its row alone, so that an index finds where it begins.
    """
    place = Place(_COLUMNS, most, (urgency, last) if is_keyed else (), back)
    orders = _orders(side, text, viewer_id)
    over = orders.filter(ended_at__isnull=False).annotate(urgency=Value(ENDED, models.DateTimeField()))
    after = (last,) if is_keyed and (is_among_ended or state == "ended") else ()
    ended = _columns(Place((_ID,), most, after, back).cut(over), side, viewer_id)
    if state == "ended":
        return ended
    going = _live(orders, side, now)
    if state in ("waiting", "under-way"):
        going = going.filter(_WAITS if state == "waiting" else _GOES_ON)
    live = _columns(place.cut(going), side, viewer_id)
    if state or (is_keyed and back and not is_among_ended):
        return live
    return live.union(ended, all=True).order_by(*place.ordering)[: most + 1]


def _columns(orders: QuerySet[Order], side: str, viewer_id: int) -> Sorted:
    unread = Message.objects.unread_by(User(pk=viewer_id)).filter(order=OuterRef("pk")).order_by().values("order")
    counts = unread.annotate(number=models.Count("pk")).values("number")
    asked = {"other": F(f"{_OTHER[side]}__name"), "unread": Coalesce(models.Subquery(counts), 0)}
    return orders.annotate(**asked).values_list(*SHOWN, *ASKED)


def _order(row: tuple[Any, ...]) -> Order:
    """An order from its row; what a list does not show is read when somebody asks for it."""
    order = Order.from_db(DEFAULT_DB_ALIAS, SHOWN, row[: len(SHOWN)])
    for name, value in zip(ASKED, row[len(SHOWN) :], strict=True):
        setattr(order, name, value)
    return order


def _orders(side: str, text: str, viewer_id: int) -> OrderQuerySet:
    orders = Order.objects.filter(**{side: viewer_id})
    for word in text.split():
        other = Q(**{f"{_OTHER[side]}__name__icontains": word})
        orders = orders.filter(Q(title__icontains=word) | Q(number__icontains=word) | other)
    return orders


def _live(orders: OrderQuerySet, side: str, now: datetime) -> OrderQuerySet:
    """Those that have not ended, each with its `urgency`: until when it waits for this side, else `UNDER_WAY`.

    They are sorted by it, so this grows with what a person has under way; an index leaves out what has ended.
    """
    # An order has at most one current milestone, so the join makes no second row.
    current = FilteredRelation("milestones", condition=Q(milestones__status__in=Milestone.CURRENT))
    in_work = Q(at_hand__status__in=Milestone.WORKING)
    mine = in_work if side == "seller" else ~in_work | Q(at_hand=None)
    mine_now = Q(paused_at=None) & mine
    deadline = F("at_hand__deliver_by" if side == "seller" else "decide_by")
    other = {"buyer": Case.Side.SELLER, "seller": Case.Side.BUYER}[side]
    # A frozen order waits for its dispute and nothing else.
    asked = Case.objects.filter(order=OuterRef("pk"), status=Case.Status.OPEN, side=other)
    to_answer = (
        asked.exclude(pk__in=Case.objects.void().filter(order=OuterRef(OuterRef("pk"))))
        .filter(Q(kind__in=DISPUTES) | Q(order__paused_at=None))
        .order_by("answer_by")
    )
    # PostgreSQL's LEAST leaves out what is not there.
    urgency = models.Case(
        # An overdue one waits for nobody but the clock (O7).
        When(Q(paused_at=None, decide_by__lte=now), then=Value(UNDER_WAY)),
        default=Least(
            models.Subquery(to_answer.values("answer_by")[:1]),
            models.Case(When(mine_now, then=Coalesce(deadline, Value(SOME_TIME))), default=Value(UNDER_WAY)),
        ),
        output_field=models.DateTimeField(),
    )
    return orders.filter(ended_at=None).annotate(at_hand=current).annotate(urgency=urgency)
