"""Searching in a real Chromium: suggestions by keyboard and pointer, and the same search without JavaScript."""

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from marketplace.accounts.tests.factories import UserFactory
from marketplace.catalog.models import Category
from marketplace.catalog.tests.factories import GigFactory
from marketplace.tests.axe import violations
from marketplace.tests.browsing import PHONE, Person

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_search_suggests_while_one_types_and_is_a_search_without_javascript(
    browser: Browser, live_server: LiveServer
) -> None:
    GigFactory(title="Logo for bees", seller=UserFactory(name="Logan Bee"), category=Category.objects.first())
    ana = Person(browser, live_server.url, width=PHONE)
    field = ana.page.get_by_role("combobox", name="Search gigs")
    options = ana.page.locator("#suggestions").get_by_role("option")

    ana.open("/")
    field.press_sequentially("log")
    expect(options).to_have_text(["Logo and brandCategory", "Logo for beesGig", "Logan BeeSeller"])
    for scheme in ("light", "dark"):
        ana.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        assert (violations(ana.page), ana.overflow) == ([], 0)
    field.press("ArrowDown")
    expect(options.nth(0)).to_have_attribute("aria-selected", "true")
    field.press("Escape")
    expect(options).to_have_count(0)  # hidden, and what was typed stays
    expect(field).to_have_value("log")
    field.press("ArrowUp")
    expect(field).to_have_attribute("aria-activedescendant", options.nth(2).get_attribute("id") or "")
    field.press("ArrowUp")
    with ana.page.expect_navigation():
        field.press("Enter")
    expect(ana.page.locator("h1")).to_have_text("Logo for bees")

    ana.open("/gigs/")
    field.press_sequentially("logan")
    with ana.page.expect_navigation():
        options.get_by_text("Logan Bee").click()
    expect(ana.page.locator("h1")).to_have_text("Logan Bee")

    ana.open("/gigs/")
    field.press_sequentially("bees")
    expect(options).to_have_text(["Logo for beesGig"])
    with ana.page.expect_navigation():
        field.press("Enter")
    expect(ana.page.locator("#found")).to_have_text("1 gig for “bees”")

    plain = Person(browser, live_server.url, scripts=False)
    plain.open("/")
    plain.fill(q="bees")
    plain.press("Search")
    expect(plain.page.locator("#found")).to_have_text("1 gig for “bees”")
    plain.unfold("Filters")
    plain.fill(days="1")
    plain.press("Show gigs")
    plain.link("Show 1 gig for “bees” without the filters")
    assert (ana.complaints, plain.complaints) == ([], [])
    ana.close()
    plain.close()
