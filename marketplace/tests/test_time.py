"""Time: windows are as many seconds as they say, in every zone and over every change of its clocks (O7, I13)."""

import re
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import pytest
from django.conf import settings
from django.utils import timezone

from marketplace import clock
from marketplace.accounts.instants import when
from marketplace.catalog.tests.factories import TermsFactory
from marketplace.tests import invariants
from orders import services
from orders.guards import Refused
from orders.models import Event, Order
from orders.tests.factories import (
    NOON,
    after,
    current,
    deliver,
    fresh,
    make_accepted,
    make_delivered,
    make_offer,
    make_placed,
)
from payments.models import HeldFunds

pytestmark = pytest.mark.django_db(transaction=True)

EIGHT_DAYS = timedelta(seconds=691_200)
JUST_BEFORE = timedelta(microseconds=1)
BEGIN, END = datetime(2026, 11, 1, tzinfo=UTC), datetime(2028, 4, 15, tzinfo=UTC)


@cache
def clock_changes() -> dict[datetime, list[str]]:
    """Each instant in the next one and a half years at which clocks change somewhere, and in which zones."""
    found = defaultdict(list)
    for name in sorted(available_timezones()):
        zone, day = ZoneInfo(name), BEGIN
        while day < END:
            low, high = day, day + timedelta(days=1)
            if offset(low, zone) != offset(high, zone):
                while high - low > timedelta(minutes=1):
                    middle = low + (high - low) / 2
                    low, high = (middle, high) if offset(middle, zone) == offset(low, zone) else (low, middle)
                found[high.replace(second=0, microsecond=0)].append(name)
            day += timedelta(days=1)
    return dict(found)


def offset(instant: datetime, zone: ZoneInfo) -> timedelta | None:
    return instant.astimezone(zone).utcoffset()


def read_off_a_clock(instant: datetime, zone: str) -> str:
    """What a clock and a calendar on the wall there show."""
    local = instant.astimezone(ZoneInfo(zone))
    year = "" if local.year == clock.now().astimezone(ZoneInfo(zone)).year else f" {local.year}"
    return f"{local:%a} {local.day} {local:%b}{year}, {local:%H:%M}"


def test_eight_days_are_691200_seconds_over_every_change_of_clocks_anywhere() -> None:
    changes = clock_changes()
    assert len(changes) > 20
    assert {"Europe/Madrid", "America/New_York", "Australia/Lord_Howe"} <= {
        z for zones in changes.values() for z in zones
    }
    for instant, zones in sorted(changes.items()):
        # Somebody there acts at a time that their own clock says, four days before it changes.
        local = (instant - timedelta(days=4)).astimezone(ZoneInfo(zones[0]))
        with timezone.override(zones[0]), clock.at(local):
            order = make_delivered()
        due = local.astimezone(UTC) + EIGHT_DAYS
        assert (order.decide_from, order.decide_by) == (local, due), zones[0]
        with timezone.override(zones[0]), clock.at(due - JUST_BEFORE):
            assert services.settle_due() == 0, zones[0]
        with timezone.override(zones[0]), clock.at(due):
            assert services.settle_due() == 1, zones[0]
        assert fresh(order).ended_at == due, zones[0]
        for zone in zones:
            with timezone.override(zone), clock.at(local):
                assert when(due) == read_off_a_clock(due, zone)
    assert invariants.check() == []


def test_every_zone_shows_a_deadline_as_its_own_clocks_do() -> None:
    for zone in available_timezones():
        for instant in (NOON, datetime(2027, 1, 1, tzinfo=UTC), datetime(2028, 2, 29, 23, 59, tzinfo=UTC)):
            with timezone.override(zone), clock.at(NOON):
                assert when(instant) == read_off_a_clock(instant, zone)


@pytest.mark.parametrize(
    ("delivered", "due"),
    [
        (datetime(2028, 2, 22, 12, tzinfo=UTC), datetime(2028, 3, 1, 12, tzinfo=UTC)),
        (datetime(2028, 2, 29, 23, 59, 59, tzinfo=UTC), datetime(2028, 3, 8, 23, 59, 59, tzinfo=UTC)),
        (datetime(2027, 2, 22, 12, tzinfo=UTC), datetime(2027, 3, 2, 12, tzinfo=UTC)),
        (datetime(2026, 12, 28, 12, tzinfo=UTC), datetime(2027, 1, 5, 12, tzinfo=UTC)),
    ],
)
def test_eight_days_go_over_a_leap_day_and_a_new_year(delivered: datetime, due: datetime) -> None:
    with clock.at(delivered):
        assert make_delivered().decide_by == due
    with clock.at(due - JUST_BEFORE):
        assert services.settle_due() == 0
    with clock.at(due):
        assert services.settle_due() == 1


def test_a_beat_that_was_down_for_three_days_changes_nothing_but_when_it_is_written_down() -> None:
    """What was due meanwhile is settled by one sweep, each as of the instant when it was due (O7)."""
    TermsFactory(
        review=timedelta(days=8), offer=timedelta(days=8), payment=timedelta(days=8), continuing=timedelta(days=8)
    )
    orders: list[Order] = []
    for hours in (0, 1, 30, 71):
        with clock.at(after(hours=hours)):
            orders += [make_delivered(), make_offer(), make_placed(method="card_declined"), make_accepted()]
    with clock.at(after(days=8 + 3)):
        assert services.settle_due() == len(orders)
        assert services.settle_due() == 0
    for hours, group in zip((0, 1, 30, 71), zip(*[iter(orders)] * 4, strict=True), strict=True):
        due = NOON + timedelta(days=8, hours=hours)
        ended = [fresh(order) for order in group]
        assert [order.closed_because for order in ended] == ["lapsed", "expired", "unpaid", "not_continued"]
        assert [order.ended_at for order in ended] == [due] * 4
        told = Event.objects.filter(order__in=group, kind="ended")
        assert {(event.at, event.recorded_at) for event in told} == {(due, NOON + timedelta(days=11))}
        held = HeldFunds.objects.get(milestone__order=group[0], released_at__isnull=False)
        assert (held.released_at, held.available_at) == (due, due + held.clearing)
    assert invariants.check() == []


def test_nobody_comes_too_late_because_the_beat_was_down_nor_in_time() -> None:
    """A buyer who acts after the deadline, before any sweep, finds what the clock owed done first."""
    with clock.at(NOON):
        order = make_delivered()
    with clock.at(NOON + EIGHT_DAYS - JUST_BEFORE):
        services.request_revision(current(order), by=order.buyer, text="The logo is the old one.")
    with clock.at(NOON + EIGHT_DAYS - JUST_BEFORE):
        deliver(order)
    again = fresh(order)
    assert again.decide_by == NOON + 2 * EIGHT_DAYS - JUST_BEFORE
    with clock.at(again.decide_by), pytest.raises(Refused):
        services.request_revision(current(again), by=order.buyer, text="Once more.")
    assert (fresh(order).closed_because, fresh(order).ended_at) == ("lapsed", again.decide_by)


def test_no_sql_of_ours_asks_the_database_what_time_it_is() -> None:
    """So that a database whose clock is wrong changes nothing (see also `test_time_live`)."""
    asking = re.compile(r"\b(now|(clock|statement|transaction)_timestamp)\(\)|CURRENT_(DATE|TIMESTAMP)|\bNow\(")
    # It compares what the database wrote down with the database's own clock, and nothing with ours.
    excepted = {"marketplace/replica.py", "marketplace/clock.py", "marketplace/bench/loading/progress.py"}
    root = settings.BASE_DIR
    files = [path for app in ("marketplace", "orders", "payments", "resolution") for path in (root / app).rglob("*.py")]
    assert len(files) > 300
    found = {
        str(path.relative_to(root))
        for path in files
        if "tests" not in path.parts and asking.search(re.sub(r"(clock|timezone)\.now\(\)", "", path.read_text()))
    }
    assert found == excepted
