"""The disputes that the clock owes: abandoned milestones and those of deactivated sellers (O15, O20)."""

import logging
from datetime import datetime

from django.db import transaction
from django.db.models import DateTimeField, Exists, ExpressionWrapper, F, Max, OuterRef, Q, Value

from marketplace import clock
from marketplace.accounts.models import User
from orders.locking import lock, touch
from orders.models import Milestone, Order
from orders.models.order import OrderQuerySet
from orders.services import freeze, verb
from resolution.models import Case, CaseQuerySet, Reason
from resolution.services.opening import consider, open_for_support
from resolution.words import abandoned, deactivated

log = logging.getLogger(__name__)

BATCH = 200


def open_owed_disputes(user: User | None = None) -> int:
    """Open a dispute for support wherever the clock owes one; returns how many were opened.

    With `user`, at once for the open milestones of this seller, who has just been deactivated (O20).
    One order that fails is set aside and alarmed, and the rest of its batch is done.
    """
    opened = 0
    while True:
        taken, done = _open_batch(clock.now(), user)
        opened += done
        if taken < BATCH or not done:
            return opened


@transaction.atomic
def _open_batch(now: datetime, user: User | None) -> tuple[int, int]:
    owed = _of_deactivated(user).values("pk")
    if user is None:
        # Not an «or», for which PostgreSQL would look at every order: each part is found by an index of its own.
        owed = owed.union(_abandoned(now).values("pk"))
    orders = Order.objects.filter(pk__in=owed).order_by("pk").select_for_update(skip_locked=True, no_key=True)
    order_ids = list(orders.values_list("pk", flat=True)[:BATCH])
    done = 0
    for order_id in order_ids:
        try:
            done += _open_owed(order_id, at_once=user is not None)
        except Exception:
            # Set aside, or one poisonous row would be retried first for ever.
            log.exception("ALARM: no dispute could be opened for order %s, which is set aside", order_id)
            Order.objects.filter(pk=order_id).update(stuck_at=now)
    return len(order_ids), done


@verb
def _open_owed(order_id: int, *, at_once: bool) -> bool:
    """Open the dispute that is owed, dated when it was due; False when none is owed after all."""
    order, now = lock(order_id)
    milestone = order.open_milestone
    if order.paused_at or milestone is None:
        return False
    if not order.seller.is_active and (at_once or not _disputes_of_deactivation(milestone).exists()):
        _open(order, Reason.CANNOT_DELIVER, at=now)
        return True
    due = _abandoned_at(order, milestone)
    if due is None or due > now:
        return False
    _open(order, Reason.SELLER_UNRESPONSIVE, at=due)
    return True


def _open(order: Order, reason: str, *, at: datetime) -> None:
    case = consider(order, Case.Kind.CANCEL_MILESTONE, Case.Side.CLOCK, now=at)
    case.reason = Reason.objects.get(code=reason)
    case.statement = deactivated(case) if reason == Reason.CANNOT_DELIVER else abandoned(case)
    touch(order, by=None, now=at)
    open_for_support(case, by=None, at=at)
    freeze(order, by=None, at=at, case_number=case.number)


def _unfrozen() -> OrderQuerySet:
    return Order.objects.filter(status=Order.Status.ACTIVE, paused_at=None, stuck_at=None)


def _of_deactivated(user: User | None = None) -> OrderQuerySet:
    """Open milestones of deactivated sellers. The sweep opens one dispute per milestone: support may dismiss it."""
    orders = _unfrozen().filter(seller__is_active=False, milestones__status__in=Milestone.OPEN)
    if user:
        return orders.filter(seller=user)
    return orders.exclude(Exists(_disputes_of_deactivation(OuterRef("milestones"))))


def _disputes_of_deactivation(milestone: Milestone | OuterRef) -> CaseQuerySet:
    return Case.objects.filter(milestone=milestone, side=Case.Side.CLOCK, reason__code=Reason.CANNOT_DELIVER)


def _abandoned(now: datetime) -> OrderQuerySet:
    """Milestones in work, past their date, in which neither side has acted for as long as the terms say."""
    since = ExpressionWrapper(Value(now) - F("terms__abandoned"), output_field=DateTimeField())
    ended_since = Case.objects.filter(order=OuterRef("pk"), ended_at__gt=OuterRef("since"))
    return (
        _unfrozen()
        .alias(since=since)
        .filter(
            Q(milestones__deliver_by__lte=F("since")),
            # Says nothing new, but the terms are each order's own, which an index does not know.
            Q(milestones__deliver_by__lte=now),
            milestones__status__in=Milestone.WORKING,
            acted_at__lte=F("since"),
        )
        .exclude(Exists(ended_since))
    )


def _abandoned_at(order: Order, milestone: Milestone) -> datetime | None:
    """When the milestone counts as abandoned; the end of an earlier case begins the time anew."""
    if not milestone.is_in_work or milestone.deliver_by is None:
        return None
    ended_at: datetime | None = order.cases.aggregate(last=Max("ended_at"))["last"]
    quiet_since = max(instant for instant in (milestone.deliver_by, order.acted_at, ended_at) if instant)
    return quiet_since + order.terms.abandoned
