"""Writing what verbs change: at once; or together, for a batch of orders that the clock ends.

The code of a verb is the same either way. What it writes `together` is kept until the block ends, and then written by
one statement per table: the guards cost what they cost, but the database is asked a dozen times for hundreds of orders.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime

import payments.services as payments
from marketplace.notifications.services import News, tell_each
from marketplace.rows import Rows, written
from orders.models import Event, Milestone, Order
from payments.models import HeldFunds

_EVENTS = Rows(
    "orders_event",
    order_id="bigint",
    milestone_id="bigint",
    kind="text",
    actor_id="bigint",
    on_behalf_of_id="bigint",
    from_status="text",
    to_status="text",
    reason="text",
    note="text",
    data="jsonb",
    version="integer",
    at="timestamptz",
    recorded_at="timestamptz",
)
# What ends changes in these columns only. A row that is no longer as it was read is not written, and then nothing is.
_END_MILESTONES = """
    UPDATE orders_milestone AS row SET status = changed.status, ended_at = changed.ended_at, remind_at = NULL
    FROM json_to_recordset(%s::json) AS changed (id bigint, was text, status text, ended_at timestamptz)
    WHERE row.id = changed.id AND row.status = changed.was
    RETURNING row.id
"""
_END_ORDERS = """
    UPDATE orders_order AS row SET
        status = changed.status, closed_because = changed.closed_because, ended_at = changed.ended_at,
        version = changed.version,
        paused_at = NULL, decide_from = NULL, decide_by = NULL, remind_at = NULL
    FROM json_to_recordset(%s::json) AS changed
        (id bigint, was text, status text, closed_because text, ended_at timestamptz, version integer)
    WHERE row.id = changed.id AND row.status = changed.was AND row.version < changed.version
    RETURNING row.id
"""


class Changed(Exception):
    """A row of a batch was not as it had been read, although its order was locked."""


@dataclass
class Sheet:
    """What a batch is going to write."""

    milestones: list[tuple[Milestone, str]] = field(default_factory=list)
    orders: list[tuple[Order, str]] = field(default_factory=list)
    events: list[tuple[Event, Callable[[], list[News]]]] = field(default_factory=list)
    releases: list[tuple[HeldFunds, datetime]] = field(default_factory=list)

    def write(self) -> None:
        """Write all of it, or raise and leave it to the caller's transaction to write nothing."""
        promised = [held.payout for held, _ in self.releases]
        released = payments.release_each(self.releases)
        ended = [
            {"id": row.pk, "was": was, "status": row.status, "ended_at": row.ended_at} for row, was in self.milestones
        ]
        closed = [
            {"id": row.pk, "was": was, "version": row.version}
            | {"status": row.status, "closed_because": row.closed_because, "ended_at": row.ended_at}
            for row, was in self.orders
        ]
        if (
            [each.seller for each in released] != promised
            or len(written(_END_MILESTONES, ended)) != len(ended)
            or len(written(_END_ORDERS, closed)) != len(closed)
        ):
            raise Changed
        _insert([event for event, _ in self.events])
        tell_each([news for _, told in self.events for news in told()])


_sheet: ContextVar[Sheet | None] = ContextVar("sheet", default=None)


@contextmanager
def together() -> Iterator[None]:
    """Write what is ended in this block when it is left, by a few statements; if it raises, nothing of it.

    In the caller's transaction. Milestones may be accepted or left out, orders ended, held funds released, events
    recorded. Raises `Changed` when a row was not as it was read, and what `payments.release_each` raises.
    """
    sheet = Sheet()
    token = _sheet.set(sheet)
    try:
        yield
    finally:
        _sheet.reset(token)
    sheet.write()


def save(row: Order | Milestone, was: str) -> None:
    """Save a row whose status `was` another before its transition."""
    sheet = _sheet.get()
    if sheet is None:
        row.save()
    elif isinstance(row, Order):
        sheet.orders.append((row, was))
    else:
        sheet.milestones.append((row, was))


def write_event(event: Event, news: Callable[[], list[News]]) -> None:
    """Write an event and tell its `news`, which are asked for when the event has its id."""
    sheet = _sheet.get()
    if sheet is None:
        _insert([event])
        tell_each(news())
    else:
        sheet.events.append((event, news))


def release(held: HeldFunds, *, at: datetime) -> int:
    """Release all that is left of what is held; returns what the seller gets (M3, O10)."""
    sheet = _sheet.get()
    if sheet is None:
        return payments.release(held, at=at).seller
    sheet.releases.append((held, at))
    return held.payout


def _insert(events: list[Event]) -> None:
    ids = _EVENTS.insert(
        {
            "order_id": event.order_id,
            "milestone_id": event.milestone_id,
            "kind": event.kind,
            "actor_id": event.actor_id,
            "on_behalf_of_id": event.on_behalf_of_id,
            "from_status": event.from_status,
            "to_status": event.to_status,
            "reason": event.reason,
            "note": event.note,
            "data": event.data,
            "version": event.version,
            "at": event.at,
            "recorded_at": event.recorded_at,
        }
        for event in events
    )
    for event, pk in zip(events, ids, strict=True):
        event.pk = pk
