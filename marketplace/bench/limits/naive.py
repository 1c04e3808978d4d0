"""The naive way: one milestone at a time through the ORM, as a first version of a marketplace writes it.

The same guards and the same rows as ours: get, lock, check, save, create, create …
"""

from datetime import datetime, timedelta

from django.db import transaction

from marketplace.accounts.models import User
from marketplace.notifications.models import Notice, Preference
from marketplace.notifications.preferences import next_digest
from marketplace.notifications.topics import topic_of
from orders.guards import require
from orders.models import Event, Milestone, Order
from payments.models import Account, Chargeback, Transfer
from payments.money import fee

ByMail = Preference.ByMail


def settle_due(now: datetime) -> int:
    """Settle every order that lapsed before `now`, each in a transaction of its own; returns how many."""
    ids = list(Order.objects.due(now).order_by("decide_by").values_list("pk", flat=True))
    for pk in ids:
        _settle(pk, now)
    return len(ids)


@transaction.atomic
def accept(milestone_id: int, now: datetime) -> None:
    """Accept a delivered milestone. Raises `Refused`."""
    milestone = Milestone.objects.select_related("order").get(pk=milestone_id)
    order = Order.objects.select_for_update(no_key=True).get(pk=milestone.order_id)
    milestone = order.milestones.get(pk=milestone_id)
    require(milestone.accept)
    order.version += 1
    order.acted_at = now
    if milestone.status == Milestone.Status.IN_REVISION:
        order.set_deadline(now, now + order.terms.review)
    longer = order.terms.continuing
    if longer is not None and order.decide_by and now + longer > order.decide_by:
        order.set_deadline(now, now + longer)
    _complete(order, milestone, Event.Kind.ACCEPTED, by=order.buyer, at=now, recorded_at=now)
    if not order.milestones.filter(status=Milestone.Status.PLANNED).exists():
        _end(order, Order.ClosedBecause.FINISHED, by=order.buyer, at=now, recorded_at=now)
    order.save()


@transaction.atomic
def _settle(pk: int, now: datetime) -> None:
    order = Order.objects.select_for_update(no_key=True).get(pk=pk)
    if not order.is_overdue(now) or order.decide_by is None:
        return
    at = order.decide_by
    milestone = order.milestones.get(status=Milestone.Status.DELIVERED)
    require(milestone.accept)
    order.version += 1
    _complete(order, milestone, Event.Kind.LAPSED, by=None, at=at, recorded_at=now)
    because = Order.ClosedBecause.FINISHED
    for planned in order.milestones.filter(status=Milestone.Status.PLANNED):
        because = Order.ClosedBecause.LAPSED
        planned.leave_out(at)
        planned.save()
        moved = (Milestone.Status.PLANNED, planned.status)
        _note(Event.Kind.LEFT_OUT, order, planned, moved=moved, by=None, at=at, recorded_at=now)
    _end(order, because, by=None, at=at, recorded_at=now)
    order.save()


def _complete(
    order: Order, milestone: Milestone, kind: Event.Kind, *, by: User | None, at: datetime, recorded_at: datetime
) -> None:
    before = milestone.status
    payout = _release(milestone, at)
    milestone.accept(at)
    milestone.save()
    event = _note(
        kind,
        order,
        milestone,
        moved=(before, milestone.status),
        by=by,
        at=at,
        recorded_at=recorded_at,
        data={"released": payout},
    )
    _tell(event, order)


def _release(milestone: Milestone, at: datetime) -> int:
    held = milestone.held
    assert held
    assert not held.released
    assert not Chargeback.objects.holding_up([held.pk]).exists()
    held.released = held.amount - held.refunded - held.charged_back
    held.released_at = at
    held.available_at = at + held.clearing
    held.cleared_at = None if held.clearing else at
    held.save()
    cost = held.price - held.refunded_price
    payout = cost - fee(cost, held.commission_rate)
    code = Account.Code.EARNINGS_CLEARING if held.clearing > timedelta(0) else Account.Code.EARNINGS_AVAILABLE
    source = Account.objects.get(code=Account.Code.HELD, currency=held.currency)
    earnings = Account.objects.get(code=code, owner=held.payee_id, currency=held.currency)
    fees = Account.objects.get(code=Account.Code.FEES, currency=held.currency)
    parts = ((earnings, payout, Transfer.Kind.EARNING), (fees, held.released - payout, Transfer.Kind.FEE))
    for destination, amount, kind in parts:
        if amount:
            Transfer.objects.create(
                source=source,
                destination=destination,
                amount=amount,
                currency=held.currency,
                kind=kind,
                held=held,
                created_at=at,
            )
    return payout


def _end(order: Order, because: str, *, by: User | None, at: datetime, recorded_at: datetime) -> None:
    before = order.status
    order.end(because, at)
    event = _note(
        Event.Kind.ENDED,
        order,
        None,
        moved=(before, order.status),
        by=by,
        at=at,
        recorded_at=recorded_at,
        reason=because,
    )
    _tell(event, order)


def _note(
    kind: Event.Kind,
    order: Order,
    milestone: Milestone | None,
    *,
    moved: tuple[str, str],
    by: User | None,
    at: datetime,
    recorded_at: datetime,
    reason: str = "",
    data: dict[str, int] | None = None,
) -> Event:
    return Event.objects.create(
        order=order,
        milestone=milestone,
        kind=kind,
        actor=by,
        from_status=moved[0],
        to_status=moved[1],
        reason=reason,
        data=data or {},
        version=order.version,
        at=at,
        recorded_at=recorded_at,
    )


def _tell(event: Event, order: Order) -> None:
    for person in (order.buyer, order.seller):
        if person == event.actor:
            continue
        wish = Preference.objects.filter(person=person, topic=topic_of(event.kind)).first()
        by_mail = wish.by_mail if wish else ByMail.AT_ONCE
        Notice.objects.create(
            recipient=person,
            kind=event.kind,
            url=order.get_absolute_url(),
            key=f"event:{event.pk}",
            created_at=event.at,
            next_attempt_at=event.at if by_mail == ByMail.AT_ONCE else None,
            digest_due_at=next_digest(person.time_zone, event.recorded_at) if by_mail == ByMail.DAILY else None,
            read_at=event.at if wish and wish.quiet else None,
        )
