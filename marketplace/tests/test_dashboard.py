"""The first page of sellers: what to do next, in time order, what waits for others, and what was earned per month."""

from collections.abc import Generator

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import UserFactory
from marketplace.income import chart_of_income, currencies_of, earned_by
from marketplace.tests.visitor import Page
from orders import services as orders
from orders.tests.factories import NOON, after, at, freeze, make_accepted, make_delivered, make_in_revision, make_placed

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _noon() -> Generator[None, None, None]:
    with clock.at(NOON):
        yield


@pytest.fixture
def theo() -> User:
    return UserFactory(name="Theo Lindqvist")


def page_of(seller: User) -> Page:
    client = Client()
    client.force_login(seller)
    return Page(client.get("/selling/"), "/selling/")


def lines(page: Page, name: str) -> list[str]:
    """The lines below the heading with this id."""
    found = [one for one in page.all("section") if one.get("aria-labelledby") == name]
    return [words for one in found for words in page.words("li", inside=one)]


def test_a_newcomer_is_told_how_to_begin(theo: User) -> None:
    page = page_of(theo)
    assert lines(page, "todo") == []
    assert page.words("a", cls="button") == ["Send an offer", "Make a gig"]


def test_what_to_do_comes_in_time_order_and_what_has_no_clock_last(theo: User) -> None:
    ben, ana = UserFactory(name="Ben Okafor"), UserFactory(name="Ana Ruiz")
    orders.ask_offer(by=ben, seller=theo, text="Labels for three jars")
    make_placed(seller=theo, buyer=ana)  # the script is due after three days
    with at(days=-2):
        make_in_revision(seller=theo, buyer=ben)  # the revision after one
    with at(days=-4):
        make_placed(seller=theo, buyer=UserFactory(name="Mia Tanaka"))  # late
    over = make_accepted(seller=theo, buyer=UserFactory(name="Lea Moreau"))
    orders.stop(over, by=over.buyer)
    make_delivered(seller=theo, buyer=UserFactory(name="Ravi Menon"))
    freeze(make_placed(seller=theo, buyer=UserFactory(name="Ida Berg")))

    page = page_of(theo)

    assert lines(page, "todo") == [
        "Deliver “Script” Whiteboard explainer video, for Mia Tanaka Mon 19 Oct, 12:00 Late",
        "Deliver the revision of “Script” Whiteboard explainer video, for Ben Okafor Wed 21 Oct, 12:00 1 day left",
        "Deliver “Script” Whiteboard explainer video, for Ana Ruiz Fri 23 Oct, 12:00 3 days left",
        "Review Lea Moreau Whiteboard explainer video Tue 3 Nov, 12:00 14 days left",
        "Answer Ben Okafor, who asks for an offer Labels for three jars",
        "Connect your bank Your earnings can be withdrawn as soon as it is there.",
    ]
    assert lines(page, "coming") == [
        "Whiteboard explainer video “Script” · Ravi Menon · Waiting for the buyer Wed 28 Oct, 12:00",
        "Whiteboard explainer video “Script” · Ida Berg · Frozen: the case waits for an answer",
    ]


def test_months_are_the_readers_and_what_is_to_come_stands_on_what_was_earned(theo: User) -> None:
    for hours in (-24 * 19 - 15, -24 * 19 - 13):  # 30 September, 21 and 23 o'clock UTC
        with at(hours=hours):
            make_accepted(seller=theo)
    make_delivered(seller=theo)
    coming = [(after(days=8), 9_600), (after(days=-1), 100), (after(days=30), 12_000)]
    with timezone.override("Europe/Madrid"):
        chart = chart_of_income("USD", earned_by(theo, NOON), coming, NOON)
    assert chart.labels == ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    earned, to_come = chart.series
    assert earned.values[-5:] == [0, 9_600, 9_600, 0, 0]
    assert to_come.values[-5:] == [0, 0, 9_700, 12_000, 0]
    assert currencies_of(earned_by(theo, NOON), []) == ["USD"]


def test_the_most_used_currency_comes_first(theo: User) -> None:
    make_placed(seller=theo, currency="EUR")
    make_delivered(seller=theo, currency="EUR")
    make_placed(seller=theo)
    client = Client()
    client.force_login(theo)
    shown = Page(client.get("/earnings/?currency=USD"), "/earnings/")
    assert shown.words("a", inside=shown.all("nav", cls="chips")[0]) == ["EUR", "USD"]
    assert shown.words(cls="chart__legend") == ["Earned $0.00To come at the latest $96.00"]


def test_the_page_costs_the_same_however_much_there_is_to_do(
    theo: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = Client()
    client.force_login(theo)
    for _round in range(2):
        make_in_revision(seller=theo)
        over = make_accepted(seller=theo)
        orders.stop(over, by=over.buyer)
        client.get("/selling/")
        with django_assert_num_queries(13):
            client.get("/selling/")
