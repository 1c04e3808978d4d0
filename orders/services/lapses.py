"""What the clock does when the buyer's deadline passes (O6, O7, O14)."""

import gc
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import OperationalError, transaction
from django.db.models import Prefetch, QuerySet

from marketplace import clock
from marketplace.statement import Statement
from orders.activity import move
from orders.locking import lock_as_it_is, touch
from orders.models import Event, Milestone, Order
from orders.services.endings import Because, end, pay_seller
from orders.writing import together

log = logging.getLogger(__name__)

BATCH = 1000
_TO_LAPSE = Order.objects.only(
    "number", "buyer_id", "seller_id", "status", "version", "decide_by", "paused_at", "closed_because"
).prefetch_related(
    Prefetch("milestones", Milestone.objects.only("order_id", "position", "status", "held_id").order_by("position")),
    "milestones__held",
)
"""With what the clock looks at, and no more: a batch is read as a whole."""


@transaction.atomic
def settle(order_id: int) -> bool:
    """Do what the clock owes this order, dated when it was due; False when it owes nothing.

    Milestone, order, ledger and events change together or not at all.
    """
    order, now = lock_as_it_is(order_id)
    if not order.is_overdue(now):
        return False
    assert order.decide_by
    lapse(order, at=order.decide_by)
    return True


def lapse(order: Order, *, at: datetime) -> None:
    """Let the deadline `at` of a locked order pass: the state says what happens (O14).

    offered → expired; first payment missing → unpaid; delivered → the milestone is completed and paid,
    and the order has lapsed, or is finished if it was the last; between milestones → not continued.
    """
    touch(order, by=None, now=at)
    milestone = order.current
    if order.status == Order.Status.OFFERED:
        because = Because.EXPIRED
    elif order.status == Order.Status.AWAITING_PAYMENT:
        because = Because.UNPAID
    elif milestone and milestone.status == Milestone.Status.DELIVERED:
        released = pay_seller(milestone, at=at)
        move(milestone.accept, at, kind=Event.Kind.LAPSED, by=None, at=at, released=released)
        because = Because.LAPSED if order.next_milestone else Because.FINISHED
    else:
        because = Because.NOT_CONTINUED
    end(order, because, by=None, at=at)


def settle_due() -> int:
    """Settle all that is due, in batches that any number of workers may take side by side; returns how many.

    One order that fails is set aside and alarmed, and the rest of its batch is done.
    """
    settled = 0
    while _is_anything_due(clock.now()):
        taken = _settle_batch(clock.now())
        settled += taken
        if taken < BATCH:
            break
        # So that a flood of a hundred batches takes no more memory than one.
        gc.collect()
    return settled


def _is_anything_due(now: datetime) -> bool:
    """One query and no transaction: most sweeps of most sites find nothing."""
    return bool(_DUE.rows(now))


def _first_due(now: datetime) -> QuerySet[Order, tuple[int]]:
    # In the order of the index. Without one, a plan that is made once for every instant expects to meet a row at once
    # and reads the whole table.
    return Order.objects.due(now).order_by("decide_by").values_list("pk")[:1]


_DUE = Statement(_first_due)


def _settle_batch(now: datetime) -> int:
    """Settle a batch together; if that fails, each of its orders by itself, without the locks of all the others."""
    order_ids: list[int] = []
    try:
        with transaction.atomic():
            due = Order.objects.due(now).order_by("decide_by").select_for_update(skip_locked=True, no_key=True)
            order_ids += due.values_list("pk", flat=True)[:BATCH]
            _settle_together(order_ids)
    except Exception:
        if not order_ids:
            raise  # they could not even be looked for, which says nothing about any of them
        number = len(order_ids)
        log.warning("%s orders could not be settled together: each is settled by itself", number, exc_info=True)
        return sum(_settle_or_set_aside(order_id, now) for order_id in order_ids)
    return len(order_ids)


def _settle_together(order_ids: list[int]) -> None:
    """Let the deadlines of locked orders pass, with as many queries for hundreds as for one."""
    with together(), _nothing_collected():
        for order in _TO_LAPSE.filter(pk__in=order_ids):
            assert order.decide_by
            lapse(order, at=order.decide_by)


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """No garbage is looked for meanwhile: there is none among rows that are about to be written, only a long search."""
    looked_for = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if looked_for:
            gc.enable()


def _settle_or_set_aside(order_id: int, now: datetime) -> bool:
    """Settle one order of a batch that failed; False when it stays due, because the database was in the way."""
    try:
        settle(order_id)
    except OperationalError:
        # A deadlock or a time limit says nothing about the order: the next sweep finds it again.
        log.warning("Order %s is settled by the next sweep", order_id, exc_info=True)
        return False
    except Exception:
        # Set aside, or one poisonous row would be retried first for ever.
        log.exception("ALARM: order %s could not be settled and is set aside", order_id)
        Order.objects.filter(pk=order_id).update(stuck_at=now)
    return True
