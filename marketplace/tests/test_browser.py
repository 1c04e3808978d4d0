"""The main journey in a real Chromium: with JavaScript and without, on a desktop and on a phone."""

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import PASSWORD, UserFactory
from marketplace.tests import invariants
from marketplace.tests.browsing import DESKTOP, PHONE, Person
from orders.models import Order
from orders.tests.factories import cents, make_delivered
from payments.services import Cents

pytestmark = pytest.mark.django_db(transaction=True)


Meet = Callable[..., Person]


@pytest.fixture
def meet(browser: Browser, live_server: LiveServer) -> Generator[Meet, None, None]:
    """People with a browser of their own. In the end nobody's browser has complained, and every promise holds."""
    met: list[Person] = []

    def introduce(**details: Any) -> Person:
        met.append(Person(browser, live_server.url, **details))
        return met[-1]

    yield introduce
    for person in met:
        person.close()
    assert [person.complaints for person in met] == [[] for _ in met]
    assert invariants.check() == []


def join(person: Person, name: str, email: str) -> None:
    person.open("/")
    person.link("Join")
    person.fill(name=name, email=email, password1=PASSWORD, password2=PASSWORD)
    person.press("Make the account")


def sign_in(person: Person, email: str) -> None:
    person.open("/accounts/login/")
    person.fill(login=email, password=PASSWORD)
    person.press("Sign in")


@pytest.mark.parametrize(("scripts", "width"), [(True, DESKTOP), (True, PHONE), (False, DESKTOP), (False, PHONE)])
def test_the_main_journey(scripts: bool, width: int, meet: Meet, tmp_path: Path) -> None:
    theo = meet(width=width, scripts=scripts)
    ana = meet(width=width, scripts=scripts)
    script = tmp_path / "script.txt"
    script.write_text("Once there was a bee.")

    # A seller joins, and builds a gig from a worked example.
    join(theo, "Theo Lindqvist", "theo@example.org")
    theo.open("/selling/gigs/")
    theo.link("Make your first gig")
    theo.link("Whiteboard & explainer video")
    remove = theo.page.get_by_role("button", name="Remove milestone 4")
    remove.click()
    expect(remove).to_have_count(0)
    theo.fill(**{"title": "Bees explained", "plan-2-price": "200.50"})
    theo.press("Save and publish")
    theo.is_told("Published. Buyers can order it now.")

    # A buyer finds it and orders it.
    UserFactory.create(name="Ana Ruiz", email="ana@example.org", password=PASSWORD)
    sign_in(ana, "ana@example.org")
    ana.open("/gigs/")
    ana.fill(q="bees")
    ana.press("Search")
    ana.link("Bees explained")
    ana.link("Order")
    ana.fill(brief="Sixty seconds about bees.")
    ana.pay("Visa ending in 4242", "Place the order · pay $126.60")
    ana.has_next("Theo Lindqvist works on “Script”")
    order = Order.objects.get()

    # Delivered with a file, sent back, delivered again.
    theo.open("/sales/")
    theo.link("Bees explained")
    theo.fill(message="Script, 180 words.")
    theo.page.set_input_files("[name=files]:visible", script)
    theo.press("Deliver")
    theo.is_told("Delivered. The buyer's review window begins now.")
    ana.open(order.get_absolute_url())
    with ana.page.expect_download() as download:
        ana.page.get_by_role("link", name="script.txt", exact=True).click()
    assert Path(download.value.path()).read_text() == "Once there was a bee."
    ana.unfold("Request revision")
    ana.page.get_by_label("What should change").fill("Shorter, please.")
    ana.press("Request revision")
    ana.is_told("You asked for a revision. The seller has a new delivery date.")
    theo.open(order.get_absolute_url())
    theo.fill(message="Script, 150 words.")
    theo.press("Deliver")

    # Accepted and continued, with a card that the bank wants to be confirmed.
    ana.open(order.get_absolute_url())
    ana.link("Accept and continue · pay $158.25")
    ana.pay("Visa ending in 3220", "Accept and continue · pay $158.25")
    ana.press("Approve the payment")
    ana.has_next("Theo Lindqvist works on “Storyboard”")

    # The second one is accepted only, and the order is stopped.
    theo.open(order.get_absolute_url())
    theo.fill(message="Twelve frames.")
    theo.press("Deliver")
    ana.open(order.get_absolute_url())
    ana.unfold("Accept only")
    ana.press("Accept")
    ana.unfold("Stop the order")
    ana.press("Stop the order")
    ana.is_told("You stopped the order. What was delivered stays yours.")
    ana.has_next("This order is completed")
    assert cents(order) == Cents(
        charged=28_485, held=0, seller=21_600, fees=6_885, refunds_due=0, refunded=0, charged_back=0
    )

    theo.open("/earnings/")
    assert theo.page.locator(".facts dd").first.inner_text() == "$216.00"
    assert (theo.overflow, ana.overflow) == (0, 0)


def test_the_keyboard_reaches_everything_and_shows_where_it_is(meet: Meet) -> None:
    ana = UserFactory.create(name="Ana Ruiz", email="ana@example.org", password=PASSWORD)
    order = make_delivered(buyer=ana)
    person = meet()
    sign_in(person, "ana@example.org")
    person.open(order.get_absolute_url())
    page = person.page

    page.keyboard.press("Tab")
    skip = page.locator(".skip")
    assert skip.evaluate("link => link === document.activeElement && link.getBoundingClientRect().top >= 0")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"

    seen = []
    for _ in range(60):
        page.keyboard.press("Tab")
        words, outline, inside = page.evaluate(
            """() => {
                const now = document.activeElement, style = getComputedStyle(now);
                return [
                    now.innerText || now.name || now.tagName,
                    style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
                    now.closest("main") !== null,
                ];
            }"""
        )
        if not inside:
            break
        assert outline, f"the focus cannot be seen on {words!r}"
        seen.append(words)
    expected = ["Accept and continue · pay $158.25", "Accept only", "Request revision"]
    assert [words for words in seen if words in expected] == expected

    page.locator("summary", has_text="Accept only").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText") == "See exactly what this would do"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText") == "Accept"
    page.keyboard.press("Enter")
    person.is_told("You accepted the delivery; the seller is paid.")


def test_a_double_click_presses_once(meet: Meet) -> None:
    ana = UserFactory.create(name="Ana Ruiz", email="ana@example.org", password=PASSWORD)
    order = make_delivered(buyer=ana)
    person = meet()
    sign_in(person, "ana@example.org")
    person.open(order.get_absolute_url())
    person.unfold("Accept only")
    person.page.get_by_role("button", name="Accept", exact=True).dblclick()
    person.is_told("You accepted the delivery; the seller is paid.")
    assert User.objects.count() == 2
