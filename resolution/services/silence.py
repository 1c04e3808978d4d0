"""What the clock owes cases is done when it is due, and dated then (R2, R4)."""

import logging
from datetime import datetime

from django.db import transaction

from marketplace import clock
from orders.locking import lock_as_it_is, touch
from orders.models import Event, Order
from orders.services import settle
from resolution.activity import move_case
from resolution.locking import case_of
from resolution.models import Case
from resolution.services.outcomes import take_effect
from resolution.words import silence_in_words, why_void

log = logging.getLogger(__name__)

BATCH = 200


@transaction.atomic
def settle_case(case_id: int) -> bool:
    """Do what the clock owes this case, dated when it was due; False when nothing is (R2, R4).

    What the proposal speaks of has ended: it is void. Nobody answered. Agreed: the case is accepted, the clocks run
    again at that instant, and what it asked for happens. To support: the case waits for them and the order stays
    frozen. Withdrawn: nothing happens. All of it together or nothing.
    """
    order, now = lock_as_it_is(Case.objects.values_list("order_id", flat=True).get(pk=case_id))
    case = case_of(order, case_id, now)
    lapses_at = order.decide_by if order.is_overdue(now) else None
    if lapses_at and case.answer_by and lapses_at < case.answer_by:
        # Beat was down: the order's end comes before the end of the time to answer, and leaves nothing to answer.
        settle(order.pk)
        order, now = lock_as_it_is(order.pk)
        case = case_of(order, case_id, now)
    void_since = case.void_since()
    if void_since and (case.answer_by is None or void_since < case.answer_by):
        # Nothing of the order changes, so its version stays: nobody's click becomes stale by it (O19).
        effect = why_void(case)
        move_case(case.become_void, void_since, kind=Event.Kind.CASE_VOID, by=None, at=void_since, effect=effect)
        return True
    if not case.is_overdue(now):
        return False
    assert case.answer_by
    at = case.answer_by
    if case.is_dispute:
        touch(order, by=None, now=at)
    move_case(case.fall_silent, at, kind=Event.Kind.CASE_UNANSWERED, by=None, at=at, effect=silence_in_words(case))
    if case.status == Case.Status.ACCEPTED:
        take_effect(order, case, because=Order.ClosedBecause.CANCELED_BY_AGREEMENT, by=None, at=at)
    order.save()
    return True


def settle_due_cases() -> int:
    """Settle every case that the clock owes something, in batches that any number of workers may take side by side.

    One case that fails is set aside and alarmed, and the rest of its batch is done. Returns how many were settled.
    """
    settled = 0
    while True:
        taken, done = _settle_batch(clock.now())
        settled += done
        if taken < BATCH:
            return settled


@transaction.atomic
def _settle_batch(now: datetime) -> tuple[int, int]:
    # The order's row is the lock, here as everywhere.
    due = Case.objects.due(now).order_by("answer_by").select_for_update(skip_locked=True, no_key=True, of=("order",))
    case_ids = [case.pk for case in due.select_related("order").only("pk", "order__id")[:BATCH]]
    done = 0
    for case_id in case_ids:
        done += _try_to_settle(case_id, now)
    return len(case_ids), done


def settle_cases_of(number: str) -> int:
    """What the clock owes the cases of one order, before somebody acts on it; returns how many were settled (O7).

    `orders` knows no case, so its own verbs cannot do this first: without it, a slow beat would let a dispute that
    silence has ended freeze the order a little longer.
    """
    now = clock.now()
    due = Case.objects.due(now).filter(order__number=number).order_by("answer_by")
    return sum(_try_to_settle(case_id, now) for case_id in list(due.values_list("pk", flat=True)))


def _try_to_settle(case_id: int, now: datetime) -> bool:
    try:
        return settle_case(case_id)
    except Exception:
        # Set aside, or one poisonous row would be retried first for ever.
        log.exception("ALARM: case %s could not be settled and is set aside", case_id)
        Case.objects.filter(pk=case_id).update(stuck_at=now)
        return False
