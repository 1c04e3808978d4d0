"""Refunds that a provider refuses for good, and what staff do about them, are told to both sides (M9)."""

import logging

from django.db import transaction
from django.db.models import QuerySet

from marketplace import clock
from orders.activity import record
from orders.locking import lock_as_it_is, locked_milestone, touch
from orders.models import Event, Milestone
from payments.models import Refund

logger = logging.getLogger(__name__)

BATCH = 200


def tell_refused_refunds() -> int:
    """Tell of every refund that waits for staff and was not told of yet; returns how many were told.

    `payments` knows no order, so the orders look for themselves.
    """
    return _tell_each(Event.Kind.REFUND_REFUSED, Refund.objects.waiting_for_staff().order_by("-pk")[:BATCH])


def tell_credited_refunds() -> int:
    """Tell of every refused refund that staff turned into credit, as `tell_refused_refunds` does."""
    return _tell_each(Event.Kind.REFUND_CREDITED, Refund.objects.turned_into_credit().order_by("-pk")[:BATCH])


def _tell_each(kind: Event.Kind, found: QuerySet[Refund]) -> int:
    refunds = list(found)
    told = _told_of(kind, [refund.held_id for refund in refunds])
    return sum(_try_to_tell(kind, refund) for refund in refunds if refund.pk not in told)


def _try_to_tell(kind: Event.Kind, refund: Refund) -> bool:
    try:
        return _tell(kind, refund)
    except Exception:
        # It is found again the next time; meanwhile it keeps no other from being told.
        logger.exception("Refund %s could not be told of.", refund.key)
        return False


@transaction.atomic
def _tell(kind: Event.Kind, refund: Refund) -> bool:
    milestone = Milestone.objects.get(held=refund.held_id)
    order, _ = lock_as_it_is(milestone.order_id)
    # Under the lock once more: another worker may have told it meanwhile.
    if refund.pk in _told_of(kind, [refund.held_id]):
        return False
    milestone, now = locked_milestone(order, milestone.pk), clock.now()
    touch(order, by=None, now=now)
    order.save()
    record(kind, order, by=None, at=now, milestone=milestone, refunded=refund.amount, refund=refund.pk)
    return True


def _told_of(kind: Event.Kind, held_ids: list[int]) -> set[int]:
    events = Event.objects.filter(kind=kind, milestone__held__in=held_ids)
    return set(events.values_list("data__refund", flat=True))
