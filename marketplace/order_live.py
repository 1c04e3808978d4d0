"""How the page of an order learns that it has changed, at the price of one query."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, IntegerField, Max, Model, OuterRef, QuerySet, Subquery

from marketplace.accounts.models import User
from marketplace.statement import Statement
from orders.models import Event, Message, Milestone, Order, ReadMark
from payments.models import Refund


@dataclass(frozen=True)
class State:
    """All that an order's page is drawn from, in a few numbers: when none differs, the page need not be drawn again.

    `passed` counts the deadlines that are over, because a page changes by the clock alone too.
    """

    version: int
    event: int
    message: int
    read: int
    refunds: int
    passed: int
    ended: bool

    def __str__(self) -> str:
        return ".".join(str(int(number)) for number in astuple(self))

    @classmethod
    def read_from(cls, text: str) -> "State | None":
        """The state that a page says it shows; None when it says nothing that we understand."""
        numbers = text.split(".")
        if len(numbers) != 7 or not all(one.isascii() and one.isdigit() and len(one) < 19 for one in numbers):
            return None
        *counts, ended = (int(one) for one in numbers)
        return cls(*counts, ended=bool(ended))


def state_of(number: str, viewer: User, now: datetime) -> State | None:
    """The present state of the viewer's order; None when they have no such order."""
    found = _ASKED.rows(number, viewer.pk)
    return state_of_row(found[0], now) if found else None


def state_of_row(row: Sequence[Any], now: datetime) -> State:
    """The state in the values of `columns_of_state`."""
    *counts, deliver_by, very_late_at, decide_by, paused_at, status = row
    over = [one for one in (deliver_by, very_late_at, decide_by) if one and one <= now and not paused_at]
    return State(*(count or 0 for count in counts), passed=len(over), ended=status in Order.ENDED)


def columns_of_state(viewer: User) -> list[Any]:
    """What of an order its state is made of, for `values_list`."""
    current = Milestone.objects.filter(order=OuterRef("pk"), status__in=Milestone.CURRENT)
    settled = Refund.objects.filter(held__milestone__order=OuterRef("pk"), settled_at__isnull=False)
    return [
        "version",
        _of_order(Event.objects.all(), Max("pk")),
        _of_order(Message.objects.all(), Max("pk")),
        # What oneself has read is news to nobody: one's own mark would make the page draw itself for nothing.
        _of_order(ReadMark.objects.exclude(reader=viewer), Max("message")),
        _figure(settled.values("held__milestone__order"), Count("pk")),
        Subquery(current.values("deliver_by")[:1]),
        Subquery(current.values("very_late_at")[:1]),
        "decide_by",
        "paused_at",
        "status",
    ]


def _of_order(rows: QuerySet[Model], figure: Max) -> Subquery:
    return _figure(rows.filter(order=OuterRef("pk")).values("order"), figure)


def _figure(grouped: QuerySet[Model], figure: Max | Count) -> Subquery:
    return Subquery(grouped.order_by().annotate(figure=figure).values("figure"), output_field=IntegerField())


def _state_of(number: str, viewer_id: int) -> QuerySet[Order, tuple[Any, ...]]:
    viewer = User(pk=viewer_id)
    return Order.objects.of(viewer).filter(number=number).order_by().values_list(*columns_of_state(viewer))


_ASKED = Statement(_state_of)
