"""Home, help and what search engines read: the numbers of the terms in force, computed by the fees' own functions."""

import re
from datetime import timedelta
from xml.etree import ElementTree

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import UserFactory
from marketplace.catalog.models import Gig
from marketplace.catalog.tests.factories import GigFactory, TermsFactory

pytestmark = pytest.mark.django_db

OTHERS = {
    "review": timedelta(days=5),
    "continuing": timedelta(days=6),
    "payment": timedelta(hours=36),
    "processing": timedelta(days=9),
    "offer": timedelta(days=11),
    "revision": timedelta(days=4),
    "very_late": timedelta(hours=30),
    "answer": timedelta(hours=40),
    "escalation": timedelta(days=12),
    "support": timedelta(days=13),
    "reviews": timedelta(days=15),
    "clearing": timedelta(days=10),
    "buyer_fee": 725,
    "commission": 1250,
    "max_milestones": 7,
}


def words(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.partition("<main")[2]).split())


def rows(page: str) -> list[list[str]]:
    table = page.partition("<table")[2].partition("</table>")[0]
    return [
        [words(f"<main{cell}") for cell in re.findall(r"<t[hd][^>]*>.*?</t[hd]>", row)] for row in table.split("</tr>")
    ][:-1]


def test_help_works_an_order_out_to_the_cent(client: Client) -> None:
    page = client.get("/help/milestones/").text
    assert rows(page) == [
        ["Milestone", "Price", "Fee", "Buyer pays", "Seller gets"],
        ["Sketches", "$60.00", "$3.30", "$63.30", "$48.00"],
        ["Refined logo", "$120.00", "$6.60", "$126.60", "$96.00"],
        ["Final files and guide", "$70.00", "$3.85", "$73.85", "$56.00"],
        ["All together", "$250.00", "$13.75", "$263.75", "$200.00"],
    ]
    assert "the buyer has paid $189.90 instead of $263.75 and keeps both deliveries; the seller has earned $144.00" in (
        words(page)
    )
    contents = re.findall(r'<li><a href="#(\w+)">', page)
    assert contents == re.findall(r'<h2 id="(\w+)">', page)[:8]


def test_help_says_the_numbers_of_the_terms_in_force(client: Client) -> None:
    TermsFactory(**OTHERS)
    page = client.get("/help/milestones/").text
    said = words(page)
    for sentence in (
        "our commission of 12.5 % goes to the seller’s earnings and can be withdrawn 10 days later",
        "A plan has up to 7 milestones.",
        "plus a fee of 7.25 %.",
        "There are at least 36 hours to pay for a milestone",
        "we wait up to 9 days.",
        "5 days from each delivery, to the second: to ask for a revision, or to accept the milestone.",
        "After accepting, there are 6 days to start the next one.",
        "The other side has 40 hours to answer.",
        "If nothing was delivered 30 hours after the delivery date",
        "who has 4 days for it; the next delivery starts the full 5 days again.",
        "Answer a custom offer 11 days",
        "Take a declined case to support 12 days",
        "Support decides a case 13 days",
        "Review each other 15 days",
    ):
        assert sentence in said
    assert rows(page)[-1] == ["All together", "$250.00", "$18.13", "$268.13", "$218.75"]


def test_help_is_in_a_currency_that_the_terms_use(client: Client) -> None:
    TermsFactory(price_limits={"JPY": [400, 7_500_000], "KWD": [1, 10**7]})
    assert rows(client.get("/help/milestones/").text)[1] == ["Sketches", "¥60", "¥3", "¥63", "¥48"]


def test_home_pictures_an_order_and_promises_with_the_numbers_in_force(client: Client) -> None:
    said = words(client.get("/").text)
    for sentence in (
        "You accepted it. $48.00 went to the seller.",
        "you have 8 days to accept it or ask for a revision. $126.60 is held until then.",
        "$73.85 is charged only if you start it.",
        "Its price and a fee of 5.5 %, when you start it.",
        "If nothing is delivered 24 hours after its date",
        "You keep 80 % of your price. It is yours as soon as each milestone is completed",
    ):
        assert sentence in said
    TermsFactory(**OTHERS)
    said = words(client.get("/").text)
    assert "You have 5 days to decide" in said
    assert "You keep 87.5 % of your price. It is yours 10 days after each milestone is completed" in said


@pytest.mark.parametrize("count", [1, 9])
def test_home_takes_three_queries(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    GigFactory.create_batch(count)
    with django_assert_num_queries(3):  # terms, categories, gigs
        page = client.get("/")
    assert page.text.count('class="gig"') == min(count, 6)


def test_public_pages_tell_search_engines_where_they_are(client: Client, settings: Settings) -> None:
    settings.SITE_URL = "https://milepost.example"
    gig = GigFactory(title="A “quoted” <logo>", description="Drawn\n\nby hand. " * 40)
    pages = {
        "/": "https://milepost.example/",
        "/help/milestones/": "https://milepost.example/help/milestones/",
        "/gigs/?page=1&order=price": "https://milepost.example/gigs/",
        "/gigs/?category=websites": "https://milepost.example/gigs/?category=websites",
        gig.get_absolute_url(): f"https://milepost.example{gig.get_absolute_url()}",
        gig.seller.get_absolute_url(): f"https://milepost.example{gig.seller.get_absolute_url()}",
    }
    for path, address in pages.items():
        page = client.get(path).text
        assert re.findall(r'<link rel="canonical" href="([^"]+)">', page) == [address], path
        assert len(re.findall(r'<meta name="description" content="[^"<>]{5,165}">', page)) == 1, path
        assert 'name="robots"' not in page, path
    page = client.get(gig.get_absolute_url()).text
    assert '<meta property="og:title" content="A “quoted” &lt;logo&gt;">' in page
    assert '<meta name="robots" content="noindex, follow">' in client.get("/gigs/?q=logo").text


def test_the_site_map_lists_what_everybody_may_see_and_nothing_else(client: Client) -> None:
    gig = GigFactory(title="For sale", seller=UserFactory(name="Theo"))
    GigFactory(title="Draft", status=Gig.Status.DRAFT, seller=UserFactory(name="Hidden"))
    gone = GigFactory(title="Gone", seller=UserFactory(name="Gone"))
    User.objects.filter(pk=gone.seller_id).update(is_active=False)
    robots = client.get("/robots.txt")
    assert robots["Content-Type"] == "text/plain; charset=utf-8"
    assert robots.text.splitlines()[:3] == ["User-agent: *", "Disallow: /accounts/", "Disallow: /admin/"]
    assert re.findall(r"Sitemap: \S+?(/[\w.]+)$", robots.text.strip()) == ["/sitemap.xml"]
    sections = [address.partition("testserver")[2] for address in addresses(client, "/sitemap.xml")]
    assert sections == ["/sitemap-pages.xml", "/sitemap-gigs.xml", "/sitemap-sellers.xml"]
    found = [address.split("/", 3)[3] for section in sections for address in addresses(client, section)]
    assert found == ["", "gigs/", "help/milestones/", gig.get_absolute_url()[1:], gig.seller.get_absolute_url()[1:]]


def addresses(client: Client, path: str) -> list[str]:
    tree = ElementTree.fromstring(client.get(path).content)
    return [place.text or "" for place in tree.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]
