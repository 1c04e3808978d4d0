"""Deadlines in calendars (P5)."""

from collections.abc import Generator
from datetime import timedelta

import icalendar
import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.notifications.preferences import renew_calendar
from orders.models import Order
from orders.tests.factories import (
    NOON,
    after,
    at,
    deliver,
    fresh,
    make_accepted,
    make_delivered,
    make_in_revision,
    make_offer,
    make_ordered,
    make_placed,
)
from resolution.models import Case
from resolution.tests.factories import opened

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _noon(settings: Settings) -> Generator[None, None, None]:
    settings.SITE_URL = "https://milepost.example/"
    with clock.at(NOON):
        yield


def feed(person: User) -> list[icalendar.Event]:
    """The events of a person's feed, fetched by nobody in particular."""
    answer = Client().get(f"/calendar/{renew_calendar(person).token}.ics")
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/calendar; charset=utf-8")
    assert answer["Cache-Control"] == "no-store, private"
    return read(answer.content)


def read(content: bytes) -> list[icalendar.Event]:
    calendar = icalendar.Calendar.from_ical(content)
    assert calendar["version"] == "2.0"
    assert "\n" not in content.decode().replace("\r\n", "")
    return list(calendar.walk("VEVENT"))


def lines(events: list[icalendar.Event]) -> list[tuple[str, object]]:
    return [(str(event["summary"]).partition(" – ")[0], event["dtstart"].dt) for event in events]


def test_a_deadline_is_in_the_calendar_of_whom_it_waits_for() -> None:
    for make, side, title, days in (
        (make_offer, "buyer", "Answer this offer", 14),
        (make_placed, "seller", "Deliver “Script”", 3),
        (make_delivered, "buyer", "Review “Script”", 8),
        (make_in_revision, "seller", "Deliver the revision of “Script”", 3),
        (make_accepted, "buyer", "Start “Storyboard” or stop", 8),
    ):
        order = make()
        person, other = (order.buyer, order.seller) if side == "buyer" else (order.seller, order.buyer)
        [event] = feed(person)
        assert lines([event]) == [(title, after(days=days))]
        assert str(event["summary"]).endswith(f"– {order.title}")
        assert str(event["url"]) == f"https://milepost.example/orders/{order.number}/"
        assert event["sequence"] == order.version
        [alarm] = event.walk("VALARM")
        assert alarm["trigger"].dt == -timedelta(hours=12)
        assert feed(other) == []


def test_a_deadline_that_moves_keeps_its_uid_and_rises_in_sequence() -> None:
    order = make_delivered()
    [before] = feed(order.buyer)
    with at(days=2):
        deliver(order)
        [later] = feed(order.buyer)
    assert before["uid"] == later["uid"]
    assert later["sequence"] > before["sequence"]
    assert later["dtstart"].dt - before["dtstart"].dt == timedelta(days=2)


def test_an_unpaid_order_waits_for_the_buyer_but_not_while_the_bank_decides() -> None:
    declined, processing = make_ordered(method="card_declined"), make_ordered(method="card_processing")
    assert lines(feed(declined.buyer)) == [("Pay for “Script”", after(hours=24))]
    assert feed(processing.buyer) == []


def test_what_has_run_out_is_gone_and_late_work_stays() -> None:
    reviewed, working = make_delivered(), make_placed()
    with at(days=9):
        assert feed(reviewed.buyer) == []
        assert lines(feed(working.seller)) == [("Deliver “Script”", after(days=3))]


def test_a_dispute_waits_for_its_answer_and_stops_all_else() -> None:
    order = make_placed()
    case = opened(order)
    [event] = feed(order.seller)
    assert lines([event]) == [("Answer the case: cancel “Script”?", after(hours=48))]
    assert str(event["url"]) == f"https://milepost.example{case.get_absolute_url()}"
    assert feed(order.buyer) == []


def test_a_proposal_waits_beside_what_goes_on() -> None:
    order = make_placed()
    opened(order, side="seller", kind="extend")
    assert lines(feed(order.buyer)) == [("Answer the case: extend “Script” by 2 days?", after(hours=48))]
    assert lines(feed(order.seller)) == [("Deliver “Script”", after(days=3))]
    with at(hours=1):
        deliver(order)
        assert [title for title, _ in lines(feed(order.buyer))] == ["Review “Script”"]
    assert Case.objects.get().status == Case.Status.OPEN


def test_only_the_present_address_of_an_active_person_finds_anything(client: Client) -> None:
    order = make_delivered()
    old = renew_calendar(order.buyer).token
    new = renew_calendar(order.buyer).token
    assert [client.get(f"/calendar/{token}.ics").status_code for token in (old, new, "x" * 43)] == [404, 200, 404]
    User.objects.filter(pk=order.buyer_id).update(is_active=False)
    assert client.get(f"/calendar/{new}.ics").status_code == 404
    assert client.post(f"/calendar/{new}.ics").status_code == 405


def test_the_feed_takes_as_many_queries_for_many_orders_as_for_one(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    order = make_delivered()
    token = renew_calendar(order.buyer).token
    for count in (1, 3):
        while Order.objects.filter(buyer=order.buyer).count() < count:
            make_delivered(buyer=order.buyer)
        with django_assert_num_queries(7):  # feed, orders, milestones, deliveries, held, charges, cases
            assert len(read(Client().get(f"/calendar/{token}.ics").content)) == count


def test_both_sides_download_the_deadlines_of_one_order(client: Client) -> None:
    order, other = make_delivered(), make_delivered()
    address = f"/orders/{order.number}/calendar.ics"
    assert client.get(address).status_code == 302
    for person, title, alarms in ((order.buyer, "Review", 1), (order.seller, f"Waiting for {order.buyer}", 0)):
        client.force_login(person)
        answer = client.get(address)
        [event] = read(answer.content)
        assert answer["Content-Disposition"] == f'attachment; filename="{order.number}.ics"'
        assert answer["Cache-Control"] == "no-store, private"
        assert str(event["summary"]).startswith(title)
        assert len(event.walk("VALARM")) == alarms
    client.force_login(other.buyer)
    assert client.get(address).status_code == 404


def test_an_order_without_a_deadline_has_no_file(client: Client) -> None:
    order = make_delivered()
    client.force_login(order.buyer)
    with at(days=9):
        assert client.get(f"/orders/{order.number}/calendar.ics").status_code == 404
    assert fresh(order).decide_by == after(days=8)


def test_what_people_wrote_cannot_break_the_format() -> None:
    order = make_delivered()
    title = "A; b, c\\n: “d” BEGIN:VEVENT " + "é" * 90
    Order.objects.filter(pk=order.pk).update(title=title[:120])
    [event] = feed(order.buyer)
    assert str(event["summary"]).endswith(title[:120])
