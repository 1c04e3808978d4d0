"""Refunds that a provider refuses for good are told to both sides (M9)."""

from django.db import transaction

from marketplace import clock
from orders.activity import record
from orders.locking import lock_as_it_is, locked_milestone, touch
from orders.models import Event, Milestone
from payments.models import Refund

BATCH = 200


def tell_refused_refunds() -> int:
    """Tell of every refund that waits for staff and was not told of yet; returns how many were told.

    `payments` knows no order, so the orders look for themselves.
    """
    refused = list(Refund.objects.waiting_for_staff().order_by("-pk")[:BATCH])
    told = _told_of([refund.held_id for refund in refused])
    return sum(_tell(refund) for refund in refused if refund.pk not in told)


@transaction.atomic
def _tell(refund: Refund) -> bool:
    milestone = Milestone.objects.get(held=refund.held_id)
    order, _ = lock_as_it_is(milestone.order_id)
    # Under the lock once more: another worker may have told it meanwhile.
    if refund.pk in _told_of([refund.held_id]):
        return False
    milestone, now = locked_milestone(order, milestone.pk), clock.now()
    touch(order, by=None, now=now)
    order.save()
    record(
        Event.Kind.REFUND_REFUSED,
        order,
        by=None,
        at=now,
        milestone=milestone,
        refunded=refund.amount,
        refund=refund.pk,
    )
    return True


def _told_of(held_ids: list[int]) -> set[int]:
    events = Event.objects.filter(kind=Event.Kind.REFUND_REFUSED, milestone__held__in=held_ids)
    return set(events.values_list("data__refund", flat=True))
