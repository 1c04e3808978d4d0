"""Finding gigs: what is suggested while one types, ratings as filter and order, and what comes near."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import UserFactory
from marketplace.catalog.models import Category, Gig
from marketplace.catalog.search import suggestions
from marketplace.catalog.tests.factories import GigFactory, planned

pytestmark = pytest.mark.django_db


def said(typed: str) -> tuple[list[str], list[str], list[str]]:
    like = suggestions(typed)
    return [gig.title for gig in like.gigs], [str(name) for name in like.categories], [who.name for who in like.sellers]


@pytest.fixture
def shelf() -> list[Gig]:
    theo, mia = UserFactory(name="Theo Lindqvist"), UserFactory(name="Mia Animal")
    logos, video = (Category.objects.get(slug=slug) for slug in ("logo-and-brand", "video-and-animation"))
    return [
        GigFactory(title="Animated logo", category=logos, seller=mia),
        GigFactory(title="Explainer with animation", category=video, seller=theo),
        GigFactory(title="Animals in draft", category=video, seller=theo, status=Gig.Status.DRAFT),
    ]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("anima", (["Explainer with animation", "Animated logo"], ["Video and animation"], ["Mia Animal"])),
        ("ANIMATI", (["Explainer with animation"], ["Video and animation"], [])),
        ("logo anim", (["Animated logo"], [], [])),  # every word, in any order
        ("lindq", ([], [], ["Theo Lindqvist"])),
        ("imation", ([], [], [])),  # words are matched from their beginning
        ("nothing like it", ([], [], [])),
        ("&|!():*<->'\\", ([], [], [])),
        ("_ _", ([], [], [])),
        ("", ([], [], [])),
    ],
)
def test_words_are_suggested_as_they_begin_to_be_typed(shelf: list[Gig], typed: str, found: object) -> None:
    assert said(typed) == found


def test_nobody_and_nothing_that_is_not_for_sale_is_suggested(shelf: list[Gig]) -> None:
    UserFactory(name="Theodora Buyer")
    assert said("theo")[2] == ["Theo Lindqvist"]
    User.objects.filter(name="Theo Lindqvist").update(is_active=False)
    assert said("theo") == ([], [], [])
    assert said("anim")[0] == ["Animated logo"]


def test_the_best_known_and_at_most_five_gigs_and_three_sellers_are_suggested() -> None:
    for number in range(7):
        GigFactory(title=f"Bees {number}", seller=UserFactory(name=f"Bea {number}"))
    Gig.objects.filter(title="Bees 3").update(rating_count=2, rating_sum=9)
    User.objects.filter(name="Bea 6").update(rating_count=2, rating_sum=9)
    gigs, _, sellers = said("be")
    assert (gigs, sellers) == (["Bees 3", "Bees 6", "Bees 5", "Bees 4", "Bees 2"], ["Bea 6", "Bea 0", "Bea 1"])


@pytest.mark.parametrize("count", [1, 9])
def test_suggesting_takes_three_queries_and_each_option_leads_somewhere(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    GigFactory.create_batch(count, title="Logo", seller=UserFactory(name="Logan <b>"))
    with django_assert_num_queries(3):
        answer = client.get("/search/suggestions/", {"q": "log"})
    assert answer["Cache-Control"] == "private, max-age=60"
    assert answer.text.count('role="option"') == min(count, 5) + 2
    for address in ('/gigs/?category=logo-and-brand"', "/gigs/logo", '/sellers/logan-b/"'):
        assert f'data-href="{address}' in answer.text
    assert "<b>" not in answer.text


@pytest.mark.parametrize("typed", ["", "l", " l ", "\0\0", "x" * 5000])
def test_too_little_or_nonsense_suggests_nothing(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries, typed: str
) -> None:
    GigFactory(title="Logo")
    assert client.get("/search/suggestions/", {"q": typed}).text.strip() == ""
    assert client.post("/search/suggestions/").status_code == 405


def rated(title: str, *stars: int, **values: Any) -> None:
    """A gig with these reviews, as its seller's only ones."""
    gig = GigFactory(title=title, plan=[planned()], **values)
    columns = {"rating_count": len(stars), "rating_sum": sum(stars)}
    Gig.objects.filter(pk=gig.pk).update(**columns)
    User.objects.filter(pk=gig.seller_id).update(**columns)


def titles(client: Client, **filters: Any) -> list[str]:
    return [gig.title for gig in client.get("/gigs/", filters).context["page"]]


def test_ratings_filter_and_order_by_the_score_that_is_shown(client: Client) -> None:
    """The mean is 65 / 14 = 4.64, so new gigs stand at 4.64, one praise at 4.70 and one blame at 4.03."""
    rated("praised once", 5)
    rated("praised often", *[5] * 10)
    rated("not reviewed")
    rated("blamed", 1)
    rated("fair", 4, 5)
    assert titles(client, order="rating") == ["praised often", "praised once", "not reviewed", "fair", "blamed"]
    assert titles(client, rating="4.5", order="rating") == ["praised often", "praised once", "fair"]
    assert titles(client, rating="4") == ["fair", "blamed", "praised often", "praised once"]
    page = client.get("/gigs/", {"rating": "4.5", "order": "rating"}).text
    assert 'href="/gigs/?rating=4.5&amp;order=price"' in page
    assert client.get("/gigs/", {"rating": "3"}).context["form"].errors == {
        "rating": ["Select a valid choice. 3 is not one of the available choices."]
    }


def test_prices_of_two_currencies_are_not_compared(client: Client) -> None:
    for title, price, currency in (("yen", 50_000, "JPY"), ("cheap", 1_000, "USD"), ("dear", 90_000, "USD")):
        GigFactory(title=title, currency=currency, plan=[planned(price=price)])
    assert titles(client, order="price") == ["yen", "cheap", "dear"]
    assert titles(client, order="-price") == ["yen", "dear", "cheap"]
    assert titles(client, order="new", q="") == ["dear", "cheap", "yen"]


def test_the_newest_come_first_when_that_is_asked_although_others_match_better(client: Client) -> None:
    GigFactory(title="Logo logo")
    GigFactory(title="Poster", description="With your logo.")
    assert titles(client, q="logo") == ["Logo logo", "Poster"]
    assert titles(client, q="logo", order="new") == ["Poster", "Logo logo"]


def test_a_search_that_finds_nothing_says_what_comes_near(client: Client, shelf: list[Gig]) -> None:
    answer = client.get("/gigs/", {"q": "logo", "days": "1"})
    assert answer.context["elsewhere"] == 2
    assert 'href="/gigs/?q=logo">Show 2 gigs for “logo” without the filters</a>' in " ".join(answer.text.split())
    answer = client.get("/gigs/", {"q": "lindqvist"})
    assert (answer.context["elsewhere"], [who.name for who in answer.context["like"].sellers]) == (
        0,
        ["Theo Lindqvist"],
    )
    answer = client.get("/gigs/", {"q": "explainer zeppelin"})
    assert [gig.title for gig in answer.context["near"]] == ["Explainer with animation"]
    answer = client.get("/gigs/", {"q": "zeppelin"})
    assert [gig.title for gig in answer.context["near"]] == ["Explainer with animation", "Animated logo"]


def test_a_card_says_how_the_plan_begins(client: Client) -> None:
    GigFactory(title="Two steps", plan=[planned(price=6000), planned(price=9000, delivery_days=1)])
    GigFactory(title="One step", plan=[planned(price=500)])
    page = client.get("/gigs/").text
    assert [(gig.steps, gig.first_price) for gig in client.get("/gigs/").context["page"]] == [(1, 500), (2, 6000)]
    assert page.count("2 milestones, from $60.00") == 1
    assert "1 milestone, from" not in page
    assert "<strong>$150.00</strong><span>5 days</span>" in page
