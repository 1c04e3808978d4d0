"""What the clock does when the buyer's deadline passes (O6, O7, O14)."""

import logging
from datetime import datetime

from django.db import transaction

from marketplace import clock
from orders.activity import move
from orders.locking import lock_as_it_is, touch
from orders.models import Event, Milestone, Order
from orders.services.endings import Because, end, pay_seller

log = logging.getLogger(__name__)

BATCH = 200


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
    while True:
        taken = _settle_batch(clock.now())
        settled += taken
        if taken < BATCH:
            return settled


@transaction.atomic
def _settle_batch(now: datetime) -> int:
    due = Order.objects.due(now).order_by("decide_by").select_for_update(skip_locked=True, no_key=True)
    order_ids = list(due.values_list("pk", flat=True)[:BATCH])
    for order_id in order_ids:
        try:
            settle(order_id)
        except Exception:
            # Set aside, or one poisonous row would be retried first for ever.
            log.exception("ALARM: order %s could not be settled and is set aside", order_id)
            Order.objects.filter(pk=order_id).update(stuck_at=now)
    return len(order_ids)
