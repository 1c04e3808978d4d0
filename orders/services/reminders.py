"""Reminders before a buyer's deadline and a delivery date (O16)."""

import logging
from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from marketplace import clock
from marketplace.accounts import instants
from marketplace.accounts.reader import reading_as
from marketplace.catalog.durations import in_words
from marketplace.notifications.services import tell
from orders.models import Milestone, Order, Reminder
from orders.models.order import last_reminder, next_reminder

log = logging.getLogger(__name__)

BATCH = 200


def send_reminders() -> int:
    """Remind everybody whose deadline is near; returns how many reminders were written."""
    return _until_empty(_remind_buyers) + _until_empty(_remind_sellers)


def if_nobody_acts(order: Order) -> str:
    """What the clock does at the order's deadline, in words; empty without a deadline (O14)."""
    if order.decide_by is None:
        return ""
    if order.status == Order.Status.OFFERED:
        return _("the offer expires.")
    if order.status == Order.Status.AWAITING_PAYMENT:
        return _("the order is canceled as unpaid; nothing is charged.")
    milestone = order.current
    if milestone and milestone.status == Milestone.Status.DELIVERED:
        if order.next_milestone:
            ending = _("“{milestone}” is completed and paid, and the order stops and is completed.")
        else:
            ending = _("“{milestone}” is completed and paid, and the order is completed.")
        return ending.format(milestone=milestone.title)
    if any(step.status == Milestone.Status.COMPLETED for step in order.plan):
        return _("the order stops; what was completed stays completed and paid.")
    return _("the order stops and is canceled, because no milestone was completed.")


@transaction.atomic
def _remind_buyers(now: datetime) -> int:
    due = Order.objects.filter(paused_at=None, remind_at__lte=now).order_by("remind_at").whole()
    orders = list(due.select_for_update(skip_locked=True, no_key=True, of=("self",))[:BATCH])
    for order in orders:
        try:
            _remind_buyer(order, now)
        except Exception:
            # Set aside, or one poisonous row would be retried first for ever.
            log.exception("ALARM: the buyer of order %s could not be reminded", order.pk)
            Order.objects.filter(pk=order.pk).update(remind_at=None)
    return len(orders)


@transaction.atomic
def _remind_sellers(now: datetime) -> int:
    due = Milestone.objects.filter(status__in=Milestone.WORKING, remind_at__lte=now, order__paused_at=None)
    due = due.order_by("remind_at").select_related("order__seller", "order__buyer", "order__terms")
    # The order's row is the lock, here as everywhere; the milestone's as well, so that what is read is not old.
    milestones = list(due.select_for_update(skip_locked=True, no_key=True, of=("self", "order"))[:BATCH])
    for milestone in milestones:
        try:
            _remind_seller(milestone, now)
        except Exception:
            log.exception("ALARM: the seller of milestone %s could not be reminded", milestone.pk)
            Milestone.objects.filter(pk=milestone.pk).update(remind_at=None)
    return len(milestones)


@transaction.atomic
def _remind_buyer(order: Order, now: datetime) -> None:
    assert order.decide_by
    assert order.decide_from
    if now < order.decide_by:
        due_at = last_reminder(order.decide_by, now)
        _remind(order, None, order.decide_by, due_at, now)
    order.remind_at = next_reminder(order.decide_from, order.decide_by, now)
    order.save(update_fields=["remind_at"])


@transaction.atomic
def _remind_seller(milestone: Milestone, now: datetime) -> None:
    assert milestone.deliver_by
    assert milestone.deliver_from
    if now < milestone.deliver_by:
        due_at = last_reminder(milestone.deliver_by, now)
        _remind(milestone.order, milestone, milestone.deliver_by, due_at, now)
    milestone.remind_at = next_reminder(milestone.deliver_from, milestone.deliver_by, now)
    milestone.save(update_fields=["remind_at"])


def _remind(order: Order, milestone: Milestone | None, deadline: datetime, due_at: datetime, now: datetime) -> None:
    reminder, is_new = Reminder.objects.get_or_create(
        order=order, milestone=milestone, deadline=deadline, due_at=due_at, defaults={"sent_at": now}
    )
    if not is_new:
        return
    person = order.seller if milestone else order.buyer
    with reading_as(person):
        if milestone:
            title = _("Deliver “{title}”: until {instant} ({time_zone})")
            text = _if_not_delivered(milestone)
        else:
            title = _("“{title}” waits for you: until {instant} ({time_zone})")
            text = _("If you do nothing, {outcome}").format(outcome=if_nobody_acts(order))
        title = title.format(
            title=(milestone or order).title, instant=instants.when(deadline), time_zone=person.time_zone
        )
    tell(
        [person],
        kind="reminder",
        title=title,
        text=text,
        url=order.get_absolute_url(),
        key=f"reminder:{reminder.pk}",
        at=now,
    )


def _if_not_delivered(milestone: Milestone) -> str:
    """What follows when the seller does nothing: late, and where nothing was ever delivered, very late (O15)."""
    if milestone.status == Milestone.Status.IN_REVISION:
        return _("If you do nothing, the milestone is shown as late to both sides.")
    text = _(
        "If you do nothing, the milestone is shown as late to both sides, and {time} later the buyer may cancel it "
        "with a full refund."
    )
    return text.format(time=in_words(milestone.order.terms.very_late))


def _until_empty(batch: Callable[[datetime], int]) -> int:
    done = 0
    while True:
        taken = batch(clock.now())
        done += taken
        if taken < BATCH:
            return done
