"""What the filters and tags of pages write."""

import zoneinfo
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import timezone

from marketplace import clock
from marketplace.templatetags.words import (
    countdown,
    duration,
    moment,
    money_bar,
    percent,
    until,
    when,
    window_bar,
    zone,
)

NOW = datetime(2026, 11, 26, 5, 50, tzinfo=UTC)
DEADLINE = datetime(2026, 12, 1, 13, 5, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _in_madrid_in_november() -> Iterator[None]:
    with clock.at(NOW), timezone.override(zoneinfo.ZoneInfo("Europe/Madrid")):
        yield


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(days=8), "8 days"),
        (timedelta(hours=24), "24 hours"),
        (timedelta(hours=48), "48 hours"),
        (timedelta(seconds=90), "90 seconds"),
        (timedelta(minutes=1), "1 minute"),
        (None, ""),
    ],
)
def test_a_window_is_said_exactly(length: timedelta | None, words: str) -> None:
    assert duration(length) == words


@pytest.mark.parametrize(("rate", "words"), [(550, "5.5 %"), (2000, "20 %"), (725, "7.25 %"), (0, "0 %")])
def test_a_rate_is_said_in_percent(rate: int, words: str) -> None:
    assert percent(rate) == words


def test_an_instant_is_told_in_the_viewers_zone() -> None:
    assert when(DEADLINE) == "Tue 1 Dec, 14:05"
    assert zone() == "Madrid"


def test_another_year_is_named() -> None:
    assert when(datetime(2027, 1, 1, 12, tzinfo=UTC)) == "Fri 1 Jan 2027, 13:00"


def test_the_year_turns_at_the_viewers_midnight() -> None:
    assert when(datetime(2026, 12, 31, 23, 30, tzinfo=UTC)) == "Fri 1 Jan 2027, 00:30"


def test_a_moment_carries_its_instant_for_machines() -> None:
    assert moment(DEADLINE) == '<time datetime="2026-12-01T13:05:00Z">Tue 1 Dec, 14:05</time>'


@pytest.mark.parametrize(
    ("rest", "words"),
    [
        (timedelta(days=5, hours=7, minutes=15), "5 days 7 hours left"),
        (timedelta(days=8), "8 days left"),
        (timedelta(days=1, minutes=59), "1 day left"),
        (timedelta(hours=3, minutes=4), "3 hours 4 minutes left"),
        (timedelta(minutes=42, seconds=59), "42 minutes left"),
        (timedelta(seconds=119), "119 seconds left"),
        (timedelta(seconds=1), "1 second left"),
        (timedelta(milliseconds=999), "time is up"),
        (timedelta(0), "time is up"),
        (timedelta(days=-1), "time is up"),
    ],
)
def test_what_is_left_is_never_said_longer_than_it_is(rest: timedelta, words: str) -> None:
    assert until(NOW + rest) == words


def test_a_countdown_is_urgent_in_its_last_twelve_hours() -> None:
    calm, urgent = NOW + timedelta(hours=13), NOW + timedelta(hours=12)
    assert countdown(calm) == (
        '<time class="countdown" datetime="2026-11-26T18:50:00Z" data-countdown>13 hours left</time>'
    )
    assert countdown(urgent) == (
        '<time class="countdown countdown--urgent" datetime="2026-11-26T17:50:00Z" data-countdown>12 hours left</time>'
    )


def test_the_bar_of_a_window_drains() -> None:
    drawn = window_bar(DEADLINE - timedelta(days=8), DEADLINE)
    assert (drawn["left"], drawn["length"], drawn["urgent"]) == (458_100, 691_200, False)


def test_the_bar_of_a_window_that_is_over_is_empty() -> None:
    drawn = window_bar(NOW - timedelta(days=8), NOW)
    assert (drawn["left"], drawn["length"], drawn["urgent"]) == (0, 691_200, True)


def test_the_parts_of_the_money_bar_fill_it_without_a_gap() -> None:
    drawn = money_bar(
        [
            {"kind": "paid", "label": "Paid to Theo", "amount": 9600},
            {"kind": "held", "label": "Held", "amount": 15825},
            {"kind": "fees", "label": "Fees", "amount": 3060},
        ],
        "USD",
        "You were charged",
    )
    assert drawn["total"] == 28485
    assert [(part["x"], part["width"], part["roomy"]) for part in drawn["parts"]] == [
        ("0.0%", "33.7%", True),
        ("33.7%", "55.5%", True),
        ("89.2%", "10.8%", False),
    ]


def test_an_order_without_a_charge_draws_no_bar() -> None:
    page = Template('{% load words %}{% money_bar parts "USD" "You were charged" %}').render(
        Context({"parts": [{"kind": "held", "label": "Held", "amount": 0}]})
    )
    assert page.count("<svg") == 0
    assert page.count("$0.00") == 2


def test_labels_of_the_money_bar_are_inert() -> None:
    page = Template('{% load words %}{% money_bar parts "USD" "Charged" %}').render(
        Context({"parts": [{"kind": "held", "label": 'Held for "<b>"', "amount": 100}]})
    )
    assert page.count("<b>") == 0
    assert page.count("&quot;&lt;b&gt;&quot;") == 2


@pytest.mark.parametrize(
    ("path", "section", "attribute"),
    [
        ("/orders/", None, ' aria-current="page"'),
        ("/orders/MP-1/", None, ' aria-current="true"'),
        ("/orders/MP-1/", "/sales/", ""),
        ("/gigs/", None, ""),
    ],
)
def test_the_navigation_says_where_a_page_belongs(path: str, section: str | None, attribute: str) -> None:
    context = Context({"request": RequestFactory().get(path), "section": section})
    assert Template('{% load words %}{% current "/orders/" %}').render(context) == attribute
