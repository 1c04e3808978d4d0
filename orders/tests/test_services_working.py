"""Delivering, accepting and revising (O5, O6, O8, O10, M3, M4)."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from marketplace import clock
from marketplace.catalog.tests.factories import TermsFactory
from orders import services
from orders.models import Delivery
from orders.tests.factories import (
    NOON,
    ONE_STEP,
    activity,
    after,
    at,
    cents,
    checked_file,
    current,
    deliver,
    ending,
    fresh,
    make_accepted,
    make_delivered,
    make_in_revision,
    make_placed,
    planned,
    refund_part,
    start_next,
    statuses,
    told,
)
from orders.tests.rows import refused
from payments.services import Cents, balance
from payments.tasks import settle_refunds

pytestmark = pytest.mark.django_db(transaction=True)


# Delivering


def test_a_delivery_begins_a_review_window_of_8_times_24_hours() -> None:
    order = make_placed()
    with at(days=1, seconds=7):
        delivery = services.deliver(
            current(order), by=order.seller, message="Four pages.", files=[checked_file("script.png")]
        )
    assert statuses(order) == ("active", ["delivered", "planned", "planned"])
    order = fresh(order)
    assert (order.decide_from, order.decide_by) == (after(days=1, seconds=7), after(days=9, seconds=7))
    assert order.decide_by - delivery.delivered_at == timedelta(seconds=691_200)
    assert current(order).delivered_at == after(days=1, seconds=7)
    assert (delivery.number, delivery.message, delivery.delivered_by) == (1, "Four pages.", order.seller)
    assert [file.name for file in delivery.files.all()] == ["script.png"]
    event = order.events.last()
    assert (event.kind, event.note, event.data) == ("delivered", "Four pages.", {"delivery": 1})
    assert activity(order)[-1] == ("delivered", "seller", "Script", "in_progress", "delivered")
    assert told(order)[-1] == ("delivered", "buyer")


@pytest.mark.parametrize(
    ("zone", "start"),
    [
        ("Europe/Madrid", "2026-10-20T18:00"),
        ("America/New_York", "2026-10-28T18:00"),
        ("Europe/Madrid", "2027-03-24T18:00"),
    ],
)
def test_the_window_is_as_long_over_a_clock_change_in_the_buyers_zone(zone: str, start: str) -> None:
    began = datetime.fromisoformat(start).replace(tzinfo=ZoneInfo(zone))
    with clock.at(began):
        order = make_delivered()
    assert order.decide_by.timestamp() - began.timestamp() == 691_200
    assert order.decide_by.astimezone(ZoneInfo(zone)).hour == (17 if start < "2027" else 19), "one clock hour apart"


def test_delivering_again_replaces_what_is_reviewed_and_restarts_the_window() -> None:
    order = make_delivered()
    with at(days=7, hours=23):
        deliver(order, "With the right logo.")
    order = fresh(order)
    assert order.decide_by == after(days=15, hours=23)
    assert [(delivery.number, delivery.message) for delivery in Delivery.objects.all()] == [
        (1, "Here it is."),
        (2, "With the right logo."),
    ]
    assert activity(order)[-1] == ("delivered", "seller", "Script", "delivered", "delivered")


def test_a_late_delivery_is_a_delivery() -> None:
    order = make_placed()
    milestone = current(order)
    assert [milestone.is_late(instant) for instant in (after(days=3, microseconds=-1), after(days=3))] == [False, True]
    assert [milestone.is_very_late(instant) for instant in (after(days=4, microseconds=-1), after(days=4))] == [
        False,
        True,
    ]
    with at(days=5):
        assert services.settle_due() == 0, "nothing else is canceled by itself"
        deliver(order)
    assert fresh(order).decide_by == after(days=13)
    assert not current(order).is_late(after(days=20))


def test_a_late_revision_is_late_but_never_very_late() -> None:
    order = make_in_revision()
    assert current(order).is_late(after(days=3))
    assert not current(order).is_very_late(after(days=30))


# Accepting


def test_accepting_pays_the_seller_and_leaves_the_buyer_the_rest_of_the_window() -> None:
    order = make_delivered()
    with at(days=2):
        services.accept(current(order), by=order.buyer)
    order = fresh(order)
    assert statuses(order) == ("active", ["completed", "planned", "planned"])
    assert (order.decide_from, order.decide_by) == (NOON, after(days=8))
    assert order.plan[0].ended_at == after(days=2)
    assert cents(order) == Cents(charged=12_660, seller=9_600, fees=3_060)
    assert balance(order.seller, "USD") == 9_600
    event = order.events.last()
    assert (event.kind, event.data) == ("accepted", {"released": 9_600})
    assert activity(order)[-1] == ("accepted", "buyer", "Script", "delivered", "completed")
    assert told(order)[-1] == ("accepted", "seller")


def test_accepting_the_last_milestone_finishes_the_order() -> None:
    order = make_delivered(plan=ONE_STEP)
    with at(days=2):
        services.accept(current(order), by=order.buyer)
    assert ending(order) == ("completed", "finished", after(days=2))
    assert [line[:2] for line in activity(order)[-2:]] == [("accepted", "buyer"), ("ended", "buyer")]
    assert told(order)[-2:] == [("accepted", "seller"), ("ended", "seller")]
    assert fresh(order).decide_by is None


def test_accepting_twice_is_refused() -> None:
    order = make_delivered()
    milestone = current(order)
    services.accept(milestone, by=order.buyer)
    with refused("“Script” is completed."):
        services.accept(milestone, by=order.buyer)
    assert balance(order.seller, "USD") == 9_600


def test_nothing_is_accepted_before_it_is_delivered() -> None:
    order = make_placed()
    with refused("Nothing has been delivered for “Script” yet."):
        services.accept(current(order), by=order.buyer)


def test_terms_may_give_a_longer_window_for_continuing_counted_from_acceptance() -> None:
    TermsFactory(continuing=timedelta(days=10))
    order = make_delivered()
    with at(days=5):
        services.accept(current(order), by=order.buyer)
    assert (fresh(order).decide_from, fresh(order).decide_by) == (after(days=5), after(days=15))
    revised = make_in_revision()
    with at(days=5):
        services.accept(current(revised), by=revised.buyer)
    assert fresh(revised).decide_by == after(days=15)


def test_a_window_for_continuing_never_takes_time_away() -> None:
    TermsFactory(continuing=timedelta(days=2))
    order = make_delivered()
    with at(days=1):
        services.accept(current(order), by=order.buyer)
    assert (fresh(order).decide_from, fresh(order).decide_by) == (NOON, after(days=8))
    late = make_delivered()
    with at(days=7):
        services.accept(current(late), by=late.buyer)
    assert fresh(late).decide_by == after(days=9)


# Revisions


def test_a_revision_ends_the_review_window_and_gives_the_seller_3_days() -> None:
    order = make_delivered()
    with at(days=6):
        services.request_revision(current(order), by=order.buyer, text="Frames 4–6 show the old logo.")
    order = fresh(order)
    milestone = current(order)
    assert statuses(order) == ("active", ["in_revision", "planned", "planned"])
    assert (order.decide_from, order.decide_by) == (None, None)
    assert (milestone.deliver_from, milestone.deliver_by) == (after(days=6), after(days=9))
    assert (milestone.revisions_used, milestone.revisions_left) == (1, 0)
    event = order.events.last()
    assert (event.kind, event.note) == ("revision_requested", "Frames 4–6 show the old logo.")
    assert activity(order)[-1] == ("revision_requested", "buyer", "Script", "delivered", "in_revision")
    assert told(order)[-1] == ("revision_requested", "seller")
    with at(days=8, hours=12):
        deliver(order, "Redrawn.")
    assert fresh(order).decide_by == after(days=16, hours=12), "the next delivery starts 8 full days"


def test_with_no_revision_left_another_is_refused_with_the_ways_on() -> None:
    order = make_in_revision()
    deliver(order)
    with refused(
        "No revision is left. You can accept the delivery, ask the seller for an extra revision, or open a case."
    ):
        services.request_revision(current(order), by=order.buyer, text="Once more.")


def test_the_seller_may_grant_extra_revisions() -> None:
    order = make_in_revision()
    deliver(order)
    services.grant_revisions(current(order), by=order.seller, count=2)
    milestone = current(order)
    assert (milestone.revisions_used, milestone.revisions_granted, milestone.revisions_left) == (1, 2, 2)
    assert fresh(order).decide_by == after(days=8), "a grant moves no deadline"
    assert fresh(order).events.last().data == {"count": 2}
    assert told(order)[-1] == ("revisions_granted", "buyer")
    for _ in range(2):
        services.request_revision(current(order), by=order.buyer, text="Once more.")
        deliver(order)
    assert (current(order).revisions_used, current(order).revisions_left) == (3, 0)


def test_revisions_are_counted_per_milestone_and_can_be_unlimited() -> None:
    order = make_delivered(plan=(planned("Script", revisions=1), planned("Film", revisions=None)))
    services.request_revision(current(order), by=order.buyer, text="Shorter.")
    deliver(order)
    services.accept(current(order), by=order.buyer)
    start_next(order)
    for _ in range(4):
        deliver(order)
        services.request_revision(current(order), by=order.buyer, text="Slower.")
    milestone = current(order)
    assert (milestone.revisions_used, milestone.revisions_left) == (4, None)
    with refused("Revisions are unlimited in this milestone."):
        services.grant_revisions(milestone, by=order.seller, count=1)


def test_a_milestone_without_revisions_has_none_to_ask_for() -> None:
    order = make_delivered(plan=(planned("Logo", revisions=0),))
    with refused(
        "No revision is left. You can accept the delivery, ask the seller for an extra revision, or open a case."
    ):
        services.request_revision(current(order), by=order.buyer, text="Bluer.")


def test_during_a_revision_the_buyer_may_accept_the_last_delivery_after_all() -> None:
    order = make_in_revision()
    with at(days=2):
        services.accept(current(order), by=order.buyer)
    order = fresh(order)
    assert statuses(order) == ("active", ["completed", "planned", "planned"])
    assert (order.decide_from, order.decide_by) == (after(days=2), after(days=10)), "one review window from then"
    assert balance(order.seller, "USD") == 9_600


def test_a_revision_is_asked_for_only_after_a_delivery() -> None:
    order = make_placed()
    with refused("Nothing has been delivered for “Script” yet."):
        services.request_revision(current(order), by=order.buyer, text="Bluer.")
    revised = make_in_revision()
    with refused("“Script” is in revision."):
        services.request_revision(current(revised), by=revised.buyer, text="Bluer.")


# Money


@pytest.mark.parametrize(
    ("currency", "price", "back", "pays", "refunded", "seller", "platform"),
    [
        ("USD", 10_000, 0, 10_550, 0, 8_000, 2_550),
        ("USD", 3_333, 0, 3_516, 0, 2_666, 850),
        ("USD", 300, 0, 317, 0, 240, 77),
        ("USD", 20_000, 12_000, 21_100, 12_660, 6_400, 2_040),
        ("USD", 4_950, 1_650, 5_222, 1_740, 2_640, 842),
        ("JPY", 1_001, 0, 1_056, 0, 801, 255),
        ("KWD", 12_345, 0, 13_024, 0, 9_876, 3_148),
    ],
)
def test_the_money_of_an_accepted_milestone_comes_out_to_the_cent(
    currency: str, price: int, back: int, pays: int, refunded: int, seller: int, platform: int
) -> None:
    order = make_delivered(plan=(planned("Logo", price),), currency=currency)
    assert cents(order) == Cents(charged=pays, held=pays)
    if back:
        refund_part(current(order), by=order.seller, price=back, reason="One page fewer")
        assert cents(order) == Cents(charged=pays, held=pays - refunded, refunded=refunded)
    services.accept(current(order), by=order.buyer)
    assert cents(order) == Cents(charged=pays, seller=seller, fees=platform, refunded=refunded)
    assert balance(order.seller, currency) == seller


@pytest.mark.parametrize(("rate", "price"), [(250, 1_020), (725, 1_000), (1_250, 1_004), (550, 1_100)])
def test_fees_of_half_a_cent_are_rounded_up(rate: int, price: int) -> None:
    """Prices at which these rates leave exactly half a cent; the checker recomputes every fee (I6)."""
    TermsFactory(buyer_fee=rate, commission=rate)
    order = make_delivered(plan=(planned("Logo", price),))
    services.accept(current(order), by=order.buyer)
    fee = {250: 26, 725: 73, 1_250: 126, 550: 61}[rate]
    assert cents(order) == Cents(charged=price + fee, seller=price - fee, fees=2 * fee)


def test_parts_of_an_open_milestone_are_refunded_and_the_rest_is_released() -> None:
    order = make_delivered()
    for part in (2_000, 1_000):
        refund_part(current(order), by=order.seller, price=part, reason="Less than agreed", note="Sorry.")
    with refused("A part is more than nothing and less than the $90.00 that are held of the price."):
        refund_part(current(order), by=order.seller, price=9_000, reason="All of it")
    with refused("A part is more than nothing and less than the $90.00 that are held of the price."):
        refund_part(current(order), by=order.seller, price=0, reason="Nothing")
    assert statuses(order) == ("active", ["delivered", "planned", "planned"])
    assert fresh(order).decide_by == after(days=8)
    assert activity(order)[-1] == ("partly_refunded", "seller", "Script", "", "")
    assert fresh(order).events.last().data == {"refunded": 1_055}
    assert told(order)[-1] == ("partly_refunded", "buyer")
    services.accept(current(order), by=order.buyer)
    assert cents(order) == Cents(charged=12_660, seller=7_200, fees=2_295, refunded=3_165)


def test_nothing_is_refunded_of_a_milestone_that_is_not_open() -> None:
    order = make_accepted()
    for milestone, reason in (
        (order.plan[0], "“Script” is completed."),
        (order.plan[1], "“Storyboard” has not started."),
    ):
        with refused(reason):
            refund_part(milestone, by=order.seller, price=100, reason="Late")


def test_a_refund_that_the_bank_refuses_stays_in_refunds_due() -> None:
    order = make_delivered(method="card_refund_refused")
    refund_part(current(order), by=order.seller, price=2_000, reason="Less than agreed")
    with at(hours=2):
        settle_refunds()
    assert cents(order) == Cents(charged=12_660, held=10_550, refunds_due=2_110)
