"""The back office in a real browser: rulings from the queue to its end, and what axe finds on the way."""

import re
import time
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page

from marketplace import clock
from marketplace.accounts import second_factor
from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import PASSWORD
from marketplace.accounts.tests.signing_in import SECRET
from marketplace.backoffice.tests.conftest import agent
from marketplace.tests.axe import violations
from orders import services
from orders.models import Order
from orders.tests.factories import cents, checked_file, current, make_delivered, make_placed, statuses
from payments.services import Cents
from resolution.models import Case
from resolution.services import open_case_by_support
from resolution.tests.factories import opened, reason

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
    desk.get_by_role("link", name=re.compile(case.number)).click()
    look(desk, said)
    desk.get_by_label("Message").fill("Please send the brief.")
    desk.get_by_role("button", name="Write to both sides").click()
    assert "Please send the brief." in desk.locator("section:has(#said)").inner_text()
    desk.get_by_role("link", name=re.compile("^Refund a part of “Script”")).click()
    desk.get_by_role("button", name="See what will happen").click()
    assert desk.locator(".errorlist").all_inner_texts() == ["This field is required."] * 3
    said.clear()  # the browser says aloud that it got a 422
    look(desk, said)
    desk.get_by_label("Part of the price").fill("60.00")
    desk.get_by_label("Reason").select_option(label="The delivery is not as described")
    desk.get_by_label("Note:", exact=True).fill("Only half of it was delivered.")
    desk.get_by_role("button", name="See what will happen").click()
    assert desk.locator("#money + ul").inner_text().splitlines() == [
        "$63.30 goes back to the buyer",
        "$48.00 is paid to the seller",
        "$15.30 is kept as fees",
    ]
    look(desk, said)
    assert statuses(case.order) == ("active", ["delivered", "planned", "planned"])
    desk.get_by_role("button", name="Refund a part of “Script”, release the rest now").click()
    decided = "$63.30 of “Script” goes back to the buyer and the rest is paid to the seller"
    assert desk.locator(".messagelist").inner_text().splitlines() == [
        f"Case {case.number}: {decided}. Both sides are told.",
        "Nothing waits for Customer Support.",
    ]
    look(desk, said)
    assert cents(case.order) == Cents(charged=12_660, seller=4_800, fees=1_530, refunded=6_330)


def test_an_agent_rules_a_queue_of_five_cases_by_keyboard_alone(page: Page, live_server: Any, said: list[str]) -> None:
    """Signing in, the second factor, five different rulings: nothing here touches the mouse."""
    support = agent(name="Sam Support", email="sam@example.org", password=PASSWORD)
    second_factor.set_up(support, SECRET)
    with clock.at(timezone.now()):
        orders = [make_delivered(), make_delivered(), make_placed(), make_placed(), make_delivered()]
        cases = [
            open_case_by_support(order, by=agent(), kind="cancel_order", reason=reason(), statement="We look.")
            for order in orders
        ]
    keys = page.keyboard

    def decide(key: str, heading: str, *typed: str) -> None:
        """From the case's page by one key to the form, through it, and past the rehearsal to what is next."""
        keys.press(key)
        page.get_by_role("heading", name=heading, exact=True).wait_for()
        page.wait_for_load_state()  # keys are for the script, and what is typed for the field that has the focus
        for text in (*typed, "The delivery is not", "We looked at it."):
            keys.type(text)
            keys.press("Tab")
        keys.press("Shift+Tab")
        keys.press("Control+Enter")
        page.get_by_role("heading", name=f"{heading}: what will happen").wait_for()
        page.wait_for_load_state()
        keys.press("Enter")
        page.locator(".messagelist").wait_for()
        page.wait_for_load_state()

    page.goto(f"{live_server.url}/admin/resolution/case/")
    tab_to(page, "login")
    keys.type("sam@example.org")
    tab_to(page, "password")
    keys.type(PASSWORD)
    keys.press("Enter")
    page.wait_for_url("**/2fa/authenticate/**")
    tab_to(page, "code")
    keys.type(second_factor.code(SECRET, time.time()))
    keys.press("Enter")
    page.get_by_role("heading", name="Cases", exact=True).wait_for()
    look(page, said)
    keys.press("?")
    assert page.locator(".bo-keys dd").all_inner_texts() == ["Decide the next case", "Show the keys"]
    keys.press("n")
    page.get_by_role("heading", name=f"Case {cases[0].number}: cancel the order").wait_for()
    look(page, said)

    # The first ruling has the focus: no key but Enter.
    decide("Enter", "Cancel “Script”")
    look(page, said)
    decide("3", "Refund a part of “Script”, release the rest", "100.00")
    # A key that is typed into a text is a letter, and presses nothing.
    keys.press("w")
    keys.type("12 n")
    assert page.evaluate("document.activeElement.value") == "12 n"
    keys.press("Escape")
    decide("4", "Complete “Script” and pay the seller")
    decide("5", "Extend “Script”", "3")
    decide("2", "Cancel the order")

    assert page.locator(".messagelist").inner_text().splitlines() == [
        f"Case {cases[4].number}: The order is canceled. Both sides are told.",
        "Nothing waits for Customer Support.",
    ]
    assert [Case.objects.get(pk=case.pk).ruling for case in cases] == [
        "cancel_milestone",
        "split",
        "complete",
        "extend",
        "cancel_order",
    ]
    assert [statuses(order)[1][0] for order in orders] == [
        "canceled",
        "completed",
        "completed",
        "in_progress",
        "canceled",
    ]
    assert cents(orders[1]) == Cents(charged=12_660, refunded=10_550, seller=1_600, fees=510)
    assert said == []


def tab_to(page: Page, name: str) -> None:
    """Press Tab until the field of this name has the focus."""
    for _ in range(60):
        if page.evaluate("document.activeElement.name") == name:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no way to {name} by Tab")


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


def test_the_home_and_the_lists_fit_a_phone(desk: Page, live_server: Any, said: list[str], case: Case) -> None:
    """The home as support sees it; then lists with rows, whose tables scroll in themselves and not the page."""
    desk.goto(f"{live_server.url}/admin/")
    assert desk.get_by_role("img", name="Orders placed").is_visible()
    desk.locator(".chart__numbers summary").first.press("Enter")
    look(desk, said)
    desk.get_by_role("link", name="1 Wait for the other side").click()
    desk.get_by_role("link", name=re.compile(case.number)).wait_for()
    desk.set_viewport_size({"width": 360, "height": 900})
    for name in ("orders/order", "payments/transfer", "payments/heldfunds", "payments/charge", "payments/account"):
        desk.goto(f"{live_server.url}/admin/{name}/")
        assert (name, desk.evaluate("document.documentElement.scrollWidth")) == (name, 360)
    assert said == []
