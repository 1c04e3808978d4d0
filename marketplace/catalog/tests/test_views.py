"""The pages everybody sees."""

from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import UserFactory
from marketplace.catalog.models import Category, Gig
from marketplace.catalog.tests.factories import CategoryFactory, GigFactory, TermsFactory, planned

pytestmark = pytest.mark.django_db

DRAFT, PUBLISHED, PAUSED, ARCHIVED = Gig.Status.values


def titles(client: Client, **filters: Any) -> list[str]:
    return [gig.title for gig in client.get("/gigs/", filters).context["page"]]


def priced(title: str, price: int, days: int = 5, **values: Any) -> Gig:
    return GigFactory(title=title, plan=[planned(price=price, delivery_days=days)], **values)


def test_only_what_is_for_sale_is_shown_newest_first(client: Client) -> None:
    for status in Gig.Status.values:
        GigFactory(title=status, status=status)
    GigFactory(title="newer")
    GigFactory(title="gone", seller=(gone := UserFactory()))
    User.objects.filter(pk=gone.pk).update(is_active=False)
    assert titles(client) == ["newer", "published"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("logo", ["Logo design", "Explainer video"]),  # in the title before in the description
        ("logos", ["Logo design", "Explainer video"]),
        ('"explainer video"', ["Explainer video"]),
        ("logo -video", ["Logo design"]),
        ("video or illustration", ["Explainer video", "Illustration"]),
        ("nothing like it", []),
        ("'); drop table catalog_gig; --", []),
        ("& | ! ( :* <->", []),
    ],
)
def test_words_are_searched_as_in_a_search_engine(client: Client, words: str, found: list[str]) -> None:
    GigFactory(title="Illustration", description="Drawn by hand.")
    GigFactory(title="Explainer video", description="Ends with your logo.")
    GigFactory(title="Logo design", description="Three sketches.")
    assert titles(client, q=words) == found


def test_gigs_are_filtered_by_category(client: Client) -> None:
    GigFactory(title="Logo", category=Category.objects.get(slug="logo-and-brand"))
    GigFactory(title="Video", category=Category.objects.get(slug="video-and-animation"))
    assert titles(client, category="video-and-animation") == ["Video"]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"currency": "USD"}, ["150", "100", "50"]),
        ({"currency": "USD", "least": "100"}, ["150", "100"]),
        ({"currency": "USD", "greatest": "100"}, ["100", "50"]),
        ({"currency": "USD", "least": "99.99", "greatest": "100.01"}, ["100"]),
        ({"currency": "JPY", "greatest": "10000"}, ["yen"]),
        ({"days": "4"}, ["150"]),
        ({"order": "price", "currency": "USD"}, ["50", "100", "150"]),
        ({"order": "-price", "currency": "USD"}, ["150", "100", "50"]),
        ({"order": "fast", "days": "6"}, ["150", "yen", "100"]),
    ],
)
def test_gigs_are_filtered_by_price_and_time_and_ordered(
    client: Client, filters: dict[str, str], found: list[str]
) -> None:
    priced("50", 5_000, days=9)
    priced("100", 10_000, days=6)
    priced("150", 15_000, days=3)
    priced("yen", 10_000, days=5, currency="JPY")
    assert titles(client, **filters) == found


@pytest.mark.parametrize(
    ("filters", "errors"),
    [
        ({"least": "5"}, {"currency": ["Choose the currency of the prices."]}),
        (
            {"currency": "USD", "least": "5.001"},
            {"least": ["USD has at most 2 decimals: enter an amount like 123.45."]},
        ),
        (
            {"currency": "USD", "least": "9", "greatest": "8"},
            {"greatest": ["This is below the price it starts from."]},
        ),
        ({"days": "soon"}, {"days": ["Enter a whole number of days."]}),
        ({"days": "0"}, {"days": ["At least 1 day."]}),
        ({"days": str(2**63)}, {"days": ["Ensure this value is less than or equal to 7300."]}),
        ({"q": "x" * 201}, {"q": ["Ensure this value has at most 200 characters (it has 201)."]}),
        ({"q": "nul\0"}, {"q": ["Null characters are not allowed."]}),
        (
            {"currency": "XXX"},
            {"currency": ["Select a valid choice. XXX is not one of the available choices."]},
        ),
        (
            {"category": "no\0such"},
            {"category": ["Null characters are not allowed."]},
        ),
        (
            {"category": "no-such"},
            {"category": ["Select a valid choice. That choice is not one of the available choices."]},
        ),
        ({"order": "id"}, {"order": ["Select a valid choice. id is not one of the available choices."]}),
    ],
)
def test_a_filter_that_makes_no_sense_is_told_at_its_field_and_kept(
    client: Client, filters: dict[str, str], errors: dict[str, list[str]]
) -> None:
    GigFactory()
    answer = client.get("/gigs/", filters)
    assert answer.status_code == 200
    assert answer.context["form"].errors == errors
    assert {name: answer.context["form"][name].value() for name in filters} == filters


def test_pages_keep_the_filters(client: Client) -> None:
    GigFactory.create_batch(25, category=CategoryFactory(), seller=UserFactory())
    first = client.get("/gigs/", {"q": "logo"})
    answer = client.get("/gigs/", {"q": "logo", "after": first.context["page"].after})
    assert (len(answer.context["page"]), answer.context["count"]) == (1, 25)
    assert (
        f'href="?{urlencode({"q": "logo", "before": answer.context["page"].before})}"'.replace("&", "&amp;")
        in answer.text
    )


@pytest.mark.parametrize("key", ["0", "x~y", "2026-11-20T12:00:00~1", f"2026-11-20T12:00:00+00:00~{2**63}", "~" * 300])
def test_a_bad_place_is_harmless(client: Client, key: str) -> None:
    GigFactory()
    for name in ("after", "before"):
        assert len(client.get("/gigs/", {name: key}).context["page"]) == 1


@pytest.mark.parametrize("count", [1, 24])
def test_browsing_takes_three_queries(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    GigFactory.create_batch(count)
    with django_assert_num_queries(3):  # terms, categories, page; further ones are counted as well, up to 99
        client.get("/gigs/")


@pytest.mark.parametrize("status", [DRAFT, PAUSED, ARCHIVED])
def test_what_is_not_for_sale_does_not_exist_for_strangers(client: Client, status: str) -> None:
    gig = GigFactory(status=status)
    assert client.get(gig.get_absolute_url()).status_code == 404
    client.force_login(UserFactory())
    assert client.get(gig.get_absolute_url()).status_code == 404
    client.force_login(gig.seller)
    assert client.get(gig.get_absolute_url()).status_code == 200


def test_a_gig_of_a_deactivated_seller_does_not_exist(client: Client) -> None:
    gig = GigFactory()
    User.objects.update(is_active=False)
    assert client.get(gig.get_absolute_url()).status_code == 404


def test_a_buyer_sees_what_they_pay_before_any_click(client: Client) -> None:
    gig = GigFactory(plan=[planned("Script", price=3333), planned("Storyboard", price=300, revisions=None)])
    cost = client.get(gig.get_absolute_url()).context["cost"]
    assert [(step.milestone.title, step.fee, step.total, step.earned) for step in cost.steps] == [
        ("Script", 183, 3516, 2666),
        ("Storyboard", 17, 317, 240),
    ]
    assert (cost.price, cost.fees, cost.total, cost.earned, cost.first.total) == (3633, 200, 3833, 2906, 3516)


def test_the_gig_page_says_it_in_words(client: Client) -> None:
    gig = GigFactory()
    page = client.get(gig.get_absolute_url()).text
    for words in (
        "Buyer’s fee, 5.5 % of each",
        "<dd>$13.75</dd>",
        '<dd class="facts__total">$263.75</dd>',
        '<strong class="paynow__amount">$63.30</strong> now, for “Sketches” with its fee',
        "+ $3.30 fee = $63.30",
        "+ $3.85 fee = $73.85",
        "24 hours after the delivery date you can cancel the milestone on the spot",
        "unlimited revisions",
        "You have 8 days from each delivery to accept and continue, or to ask for a revision.",
        f'href="/gigs/{gig.slug}/order/">Order</a>',
        f'href="/gigs/{gig.slug}/ask/">Ask for a custom offer</a>',
    ):
        assert words in page


def test_the_numbers_are_those_of_the_terms_in_force(client: Client) -> None:
    gig = GigFactory()
    TermsFactory(buyer_fee=1250)
    assert client.get(gig.get_absolute_url()).context["cost"].fees == 3125


def test_sellers_cannot_order_their_own_gig(client: Client) -> None:
    gig = GigFactory()
    client.force_login(gig.seller)
    page = client.get(gig.get_absolute_url()).text
    assert "You can’t order your own gig." in page
    assert "/order/" not in page


def test_what_a_seller_wrote_is_inert(client: Client) -> None:
    gig = GigFactory(title="<script>alert(1)</script>", description="<img src=x onerror=alert(1)>")
    for path in (gig.get_absolute_url(), "/gigs/", gig.seller.get_absolute_url()):
        page = client.get(path).text
        assert "<script>alert" not in page
        assert "onerror=alert(1)>" not in page


def test_no_page_shows_an_e_mail_address(client: Client) -> None:
    gig = GigFactory(seller__email="theo@example.org")
    for path in (gig.get_absolute_url(), "/gigs/", gig.seller.get_absolute_url()):
        assert "theo@example.org" not in client.get(path).text


@pytest.mark.parametrize("steps", [1, 20])
def test_a_gig_page_takes_five_queries(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries, steps: int
) -> None:
    gig = GigFactory(plan=[planned()] * steps)
    with django_assert_num_queries(5):  # gig, terms, plan, reviews by stars, count
        client.get(gig.get_absolute_url())


def test_a_seller_page_shows_what_they_sell(client: Client) -> None:
    theo = UserFactory(name="Theo Lindqvist", about="I draw.\n\nSince 2010.")
    GigFactory(title="Mine", seller=theo)
    GigFactory(title="Draft", seller=theo, status=DRAFT)
    GigFactory(title="Not mine")
    answer = client.get("/sellers/theo-lindqvist/")
    assert [gig.title for gig in answer.context["page"]] == ["Mine"]
    assert "<p>Since 2010.</p>" in answer.text


def test_the_page_of_a_closed_account_says_so_and_nothing_else(client: Client) -> None:
    theo = UserFactory(name="Theo", about="I draw.", is_active=False)
    page = client.get(theo.get_absolute_url()).text
    assert "This account is closed." in page
    assert "I draw." not in page


def test_a_seller_who_does_not_exist_is_not_found(client: Client) -> None:
    assert client.get("/sellers/nobody/").status_code == 404


@pytest.mark.parametrize("count", [1, 24])
def test_a_seller_page_takes_five_queries(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    theo = UserFactory()
    GigFactory.create_batch(count, seller=theo)
    with django_assert_num_queries(5):  # person, page, what they completed, reviews by stars, page
        client.get(theo.get_absolute_url())


@pytest.mark.parametrize("path", ["/gigs/", "/gigs/x/", "/sellers/x/", "/selling/gigs/"])
def test_reading_is_all_that_these_pages_do(client: Client, path: str) -> None:
    assert client.post(path).status_code == 405
