"""Reminders before a buyer's deadline and a delivery date (O16)."""

from datetime import datetime, timedelta

import pytest

from marketplace import clock
from marketplace.catalog.tests.factories import TermsFactory
from marketplace.notifications.models import Notice
from orders import services
from orders.models import Order, Reminder
from orders.tests.factories import (
    NOON,
    ONE_STEP,
    after,
    at,
    current,
    deliver,
    freeze,
    fresh,
    make_accepted,
    make_delivered,
    make_in_revision,
    make_offer,
    make_ordered,
    make_placed,
    planned,
    resume,
    side,
)

pytestmark = pytest.mark.django_db(transaction=True)


def sweep(instant: datetime) -> int:
    with clock.at(instant):
        return services.send_reminders()


def reminders(order: Order) -> list[tuple[str | None, str, str, datetime]]:
    """Who was reminded: side, heading, text, instant."""
    found = Notice.objects.filter(kind="reminder", url=order.get_absolute_url()).order_by("pk")
    return [(side(order, notice.recipient), notice.title, notice.text, notice.created_at) for notice in found]


def test_the_buyer_is_reminded_48_and_12_hours_before_the_end_of_the_review_window() -> None:
    order = make_delivered()
    assert sweep(after(days=6, microseconds=-1)) == 0
    assert sweep(after(days=6)) == 1
    assert sweep(after(days=6, hours=1)) == 0
    assert sweep(after(days=7, hours=12, microseconds=-1)) == 0
    assert sweep(after(days=7, hours=12)) == 1
    assert sweep(after(days=7, hours=13)) == 0
    heading = "“Whiteboard explainer video” waits for you: until Wed 28 Oct, 12:00 (UTC)"
    text = "If you do nothing, “Script” is completed and paid, and the order stops and is completed."
    assert reminders(order) == [
        ("buyer", heading, text, after(days=6)),
        ("buyer", heading, text, after(days=7, hours=12)),
    ]


def test_of_several_overdue_reminders_only_the_last_is_sent() -> None:
    order = make_delivered()
    assert sweep(after(days=7, hours=20)) == 1
    assert len(reminders(order)) == 1
    reminder = Reminder.objects.get()
    assert (reminder.due_at, reminder.deadline) == (after(days=7, hours=12), after(days=8))
    assert fresh(order).remind_at is None


def test_nobody_is_reminded_of_a_deadline_that_has_passed() -> None:
    order = make_delivered()
    sweep(after(days=8))
    assert reminders(order) == []


def test_the_seller_is_reminded_of_the_delivery_date() -> None:
    order = make_placed()
    assert sweep(after(days=1, microseconds=-1)) == 0
    assert sweep(after(days=1)) == 1
    assert sweep(after(days=2, hours=12)) == 1
    heading = "Deliver “Script”: until Fri 23 Oct, 12:00 (UTC)"
    text = (
        "If you do nothing, the milestone is shown as late to both sides, and 24 hours later the buyer may cancel it "
        "with a full refund."
    )
    assert reminders(order) == [
        ("seller", heading, text, after(days=1)),
        ("seller", heading, text, after(days=2, hours=12)),
    ]


def test_a_delivery_ends_the_sellers_reminders_and_begins_the_buyers() -> None:
    order = make_placed()
    with at(hours=2):
        deliver(order)
    assert sweep(after(days=5)) == 0
    assert sweep(after(days=6, hours=2)) == 1
    assert [line[0] for line in reminders(order)] == ["buyer"]


def test_a_new_delivery_moves_the_reminders() -> None:
    order = make_delivered()
    with at(days=5):
        deliver(order)
    assert sweep(after(days=7, hours=12)) == 0
    assert sweep(after(days=11)) == 1


def test_a_revision_has_reminders_of_its_own() -> None:
    order = make_in_revision()
    assert sweep(after(days=1)) == 1
    assert sweep(after(days=2, hours=12)) == 1
    late = "If you do nothing, the milestone is shown as late to both sides."
    assert [(line[0], line[2]) for line in reminders(order)] == [("seller", late)] * 2


def test_there_is_no_reminder_from_before_the_window_began() -> None:
    """A payment window of 24 hours has no reminder 48 hours before its end."""
    order = make_ordered(method="card_declined")
    assert sweep(NOON) == 0
    assert sweep(after(hours=12)) == 1
    assert [(line[0], line[2]) for line in reminders(order)] == [
        ("buyer", "If you do nothing, the order is canceled as unpaid; nothing is charged.")
    ]


def test_a_window_of_12_hours_has_no_reminder() -> None:
    TermsFactory(review=timedelta(hours=12))
    order = make_delivered()
    assert fresh(order).remind_at is None
    assert sweep(after(hours=11)) == 0


def test_a_window_of_exactly_48_hours_is_not_reminded_of_as_it_begins() -> None:
    order = make_placed(plan=(planned("Script", days=2), planned("Film")))
    assert current(order).remind_at == after(days=1, hours=12)


def test_nobody_is_reminded_while_frozen_and_afterwards_only_of_what_is_still_to_come() -> None:
    order = make_delivered()
    with at(days=5, hours=12):
        freeze(order)
    assert sweep(after(days=7, hours=12)) == 0
    with at(days=9, hours=12):
        resume(order)
    assert fresh(order).decide_by == after(days=12)
    assert sweep(after(days=9, hours=12)) == 0
    assert sweep(after(days=10)) == 1
    assert sweep(after(days=11, hours=12)) == 1
    assert len(reminders(order)) == 2


def test_with_only_the_least_rest_left_there_is_one_reminder() -> None:
    order = make_delivered()
    with at(days=7, hours=13):
        freeze(order)
        resume(order, least_rest=timedelta(hours=24))
    assert fresh(order).remind_at == after(days=8, hours=1)


def test_the_reminder_says_what_happens_if_nobody_acts() -> None:
    offer, between, last = make_offer(), make_accepted(), make_delivered(plan=ONE_STEP)
    sweep(after(days=6))
    sweep(after(days=12))
    assert [line[2] for line in reminders(offer)] == ["If you do nothing, the offer expires."]
    assert [line[2] for line in reminders(between)] == [
        "If you do nothing, the order stops; what was completed stays completed and paid."
    ]
    assert [line[2] for line in reminders(last)] == [
        "If you do nothing, “Logo” is completed and paid, and the order is completed."
    ]


def test_the_deadline_is_told_in_the_persons_time_zone() -> None:
    order = make_delivered()
    type(order.buyer).objects.filter(pk=order.buyer_id).update(time_zone="America/New_York")
    sweep(after(days=6))
    assert reminders(order)[0][1] == (
        "“Whiteboard explainer video” waits for you: until Wed 28 Oct, 08:00 (America/New_York)"
    )


def test_a_reminder_changes_no_version_and_no_deadline() -> None:
    order = make_delivered()
    sweep(after(days=6))
    later = fresh(order)
    assert (later.version, later.decide_by, later.acted_at) == (order.version, order.decide_by, order.acted_at)


def test_one_poisonous_order_does_not_hold_up_the_others(caplog: pytest.LogCaptureFixture) -> None:
    poisonous, sound = make_delivered(), make_delivered()
    type(poisonous.buyer).objects.filter(pk=poisonous.buyer_id).update(time_zone="Nowhere/At-all")
    assert sweep(after(days=6)) == 2
    assert [len(reminders(order)) for order in (poisonous, sound)] == [0, 1]
    assert [record.getMessage() for record in caplog.records if record.name.startswith("orders")] == [
        f"ALARM: the buyer of order {poisonous.pk} could not be reminded"
    ]
    assert sweep(after(days=6, minutes=1)) == 0
