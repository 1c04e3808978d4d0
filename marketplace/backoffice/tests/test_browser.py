"""The back office in a real browser: a ruling from the queue to its end, and what axe finds on the way."""

import re
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.tests.axe import violations
from orders import services
from orders.models import Order
from orders.tests.factories import cents, checked_file, current, make_placed, statuses
from payments.services import Cents
from resolution.models import Case
from resolution.tests.factories import opened

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def case() -> Case:
    """Opened just now: the server that the browser asks lives in the present."""
    with clock.at(timezone.now()):
        order = make_placed()
        services.send_message(order, by=order.buyer, text="Hello.", files=[checked_file("brief.png")])
        services.deliver(current(order), by=order.seller, message="Here.", files=[checked_file()])
        return opened(order)


@pytest.fixture
def said(page: Page) -> list[str]:
    """What the browser complained about."""
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text))
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


@pytest.fixture
def desk(page: Page, live_server: Any, support: User) -> Page:
    client = Client()
    client.force_login(support)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
    return page


def look(page: Page, said: list[str]) -> None:
    """No complaint of the browser's, nothing too wide for a phone, and nothing that axe finds."""
    page.wait_for_load_state()  # a click returns when the next page has begun, before it has a document
    assert said == []
    for width, scheme in ((360, "light"), (1280, "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") == width
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.evaluate("Promise.allSettled(document.getAnimations().map((fading) => fading.finished)).then(() => 0)")
        assert violations(page) == []
    # What axe itself makes the browser complain about.
    said.clear()


def test_an_agent_decides_a_case(desk: Page, live_server: Any, said: list[str], case: Case) -> None:
    desk.goto(f"{live_server.url}/admin/resolution/case/")
    look(desk, said)
    desk.get_by_role("link", name=re.compile(case.number)).click()
    look(desk, said)
    desk.get_by_role("link", name=re.compile("^Cancel “Script”")).click()
    desk.get_by_role("button", name="See what will happen").click()
    assert desk.locator(".errorlist").all_inner_texts() == ["This field is required."] * 2
    said.clear()  # the browser says aloud that it got a 422
    look(desk, said)
    desk.get_by_label("Reason").select_option(label="The delivery is not as described")
    desk.get_by_label("Note").fill("Only half of it was delivered.")
    desk.get_by_role("button", name="See what will happen").click()
    assert desk.locator("#money + ul").inner_text() == "$126.60 goes back to the buyer"
    look(desk, said)
    assert statuses(case.order) == ("active", ["delivered", "planned", "planned"])
    desk.get_by_role("button", name="Cancel “Script” now").click()
    assert desk.locator(".messagelist").inner_text() == "“Script” is canceled. Both sides are told."
    look(desk, said)
    assert statuses(case.order) == ("active", ["canceled", "planned", "planned"])
    assert cents(case.order) == Cents(charged=12_660, refunded=12_660)


def test_an_agent_withholds_a_file_of_an_order(desk: Page, live_server: Any, said: list[str], case: Case) -> None:
    desk.goto(f"{live_server.url}/admin/orders/order/")
    look(desk, said)
    desk.get_by_role("link", name=re.compile(case.order.number)).click()
    look(desk, said)
    desk.get_by_role("link", name="Withhold logo.png").click()
    look(desk, said)
    desk.get_by_label("Reason").fill("It is somebody else’s.")
    desk.get_by_role("button", name="Withhold the file").click()
    assert "It is somebody else’s." in desk.locator("#milestones ~ article").first.inner_text()
    look(desk, said)
    assert Order.objects.get().attachments.filter(withheld_at=None).count() == 1


def test_an_agent_opens_a_case(desk: Page, live_server: Any, said: list[str]) -> None:
    with clock.at(timezone.now()):
        order = make_placed()
    desk.goto(f"{live_server.url}/admin/orders/order/{order.pk}/change/")
    desk.get_by_role("link", name="Open a case …").click()
    look(desk, said)
    desk.get_by_label("About").select_option(label="Cancel “Script”")
    desk.get_by_label("Statement").fill("We look into it.")
    desk.get_by_role("button", name="Open the case and freeze the order").click()
    assert desk.locator(".errorlist").all_inner_texts() == ["This field is required."]
    said.clear()  # the browser says aloud that it got a 422
    look(desk, said)
    desk.get_by_label("Reason").select_option(label="Fraud or abuse")
    desk.get_by_role("button", name="Open the case and freeze the order").click()
    told = "The case is open and the order is frozen until you decide. Both sides are told."
    assert desk.locator(".messagelist").inner_text() == told
    look(desk, said)
    opened_now = Case.objects.get(order=order)
    assert (opened_now.kind, opened_now.statement) == ("cancel_milestone", "We look into it.")
    assert Order.objects.get(pk=order.pk).paused_at == opened_now.opened_at
