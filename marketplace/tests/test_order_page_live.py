"""Two people at an order: what the one does appears on the other's page, which is not loaded again (P2)."""

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from marketplace.accounts.tests.factories import UserFactory
from marketplace.tests.axe import violations
from marketplace.tests.browsing import PHONE, Person
from marketplace.tests.visitor import Visitor
from orders import services
from orders.models import ReadMark
from orders.tests.factories import current, deliver, make_placed

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_delivery_appears_while_a_half_written_message_stays(live_server: LiveServer, browser: Browser) -> None:
    ana = Visitor(UserFactory.create(name="Ana Ruiz"))
    order = make_placed(buyer=ana.user)
    buyer = Person(browser, live_server.url, width=PHONE)
    buyer.context.add_cookies(
        [{"name": "sessionid", "value": ana.client.cookies["sessionid"].value, "url": live_server.url}]
    )
    page = buyer.page
    buyer.open(order.get_absolute_url())
    buyer.has_next("Theo Lindqvist works on “Script”")
    message = page.get_by_label("Message", exact=True)
    message.fill("Half a sen")
    deliver(order)
    services.send_message(order, by=order.seller, text="There you are.")
    page.evaluate("window.dispatchEvent(new Event('online'))")
    buyer.has_next("Review “Script” – delivery 1")
    expect(page.locator("#news p")).to_have_text(
        ["Theo Lindqvist delivered “Script” (Delivery 1)", "Theo Lindqvist wrote to you."]
    )
    expect(message).to_have_value("Half a sen")
    expect(message).to_be_focused()
    expect(page.locator("#nextbar")).to_be_visible()
    assert buyer.overflow == 0
    assert violations(page) == []
    # The message is in sight, so it was read: the other side sees it.
    expect(page.locator(".talk__mark")).to_have_count(0)
    assert ReadMark.objects.get().reader == ana.user
    # What the button would do is asked for when its panel opens.
    panel = buyer.unfold("Accept only")
    expect(panel.locator(".outcome")).to_contain_text("$96.00 is paid to the seller")
    # A form that somebody is filling in stays, with its version; the page says that there is more to see.
    buyer.unfold("Request revision").locator("textarea").fill("Bluer, ple")
    services.deliver(current(order), by=order.seller, message="A better one.")
    page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(page.locator("#held")).to_be_visible()
    buyer.has_next("Review “Script” – delivery 1")
    expect(page.locator("#track .delivery").first).to_contain_text("A better one.")
    page.get_by_role("button", name="Show what changed").click()
    buyer.has_next("Review “Script” – delivery 2")
    expect(page.locator("#held")).to_be_hidden()
    expect(page.locator("#panel-request_revision textarea")).to_have_value("Bluer, ple")
    expect(message).to_have_value("Half a sen")
    # The activity is narrowed in place.
    page.get_by_role("link", name="Deliveries", exact=True).click()
    expect(page.locator("#show-deliveries")).to_have_attribute("aria-current", "true")
    expect(page.locator("#timeline li")).to_have_count(2)
    expect(page.locator("#show-deliveries")).to_be_focused()
    assert buyer.complaints == []
    buyer.close()
