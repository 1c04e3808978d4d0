"""The first superuser in a real browser, on a phone: into the administration, and again without the app."""

import time
from typing import Literal

import pytest
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from marketplace.accounts import second_factor
from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import PASSWORD
from marketplace.tests.axe import violations
from marketplace.tests.browsing import PHONE, Person

pytestmark = pytest.mark.django_db(transaction=True)


def look(person: Person, title: str, scheme: Literal["light", "dark"] = "light") -> None:
    """The page that is meant, nothing that axe finds, and nothing too wide."""
    assert person.page.locator("h1").inner_text() == title
    person.page.emulate_media(color_scheme=scheme)
    assert violations(person.page) == []
    assert person.overflow == 0


def sign_in(person: Person) -> None:
    person.open("/admin/accounts/user/")
    person.fill(login="root@example.org", password=PASSWORD)
    person.press("Sign in")


def test_the_first_superuser_sets_it_up_and_later_signs_in_without_the_phone(
    browser: Browser, live_server: LiveServer
) -> None:
    User.objects.create_superuser("root@example.org", PASSWORD, name="Root")
    root = Person(browser, live_server.url, width=PHONE)
    sign_in(root)
    look(root, "Second factor")
    root.link("Set it up")
    root.fill(password=PASSWORD)
    root.press("Go on")
    look(root, "Set up your second factor", "dark")
    if (left := 30 - time.time() % 30) < 5:
        time.sleep(left)  # a code has to hold until it has been sent
    root.fill(code=second_factor.code(root.page.locator("#key").inner_text(), time.time()))
    root.press("Set it up")
    root.is_told("Your second factor is set up. Keep these codes for the day you lose your phone.")
    look(root, "Recovery codes", "dark")
    codes = root.page.locator(".codes li").all_inner_texts()
    root.link("Go on to the administration")
    assert root.page.url == f"{live_server.url}/admin/accounts/user/"

    root.context.clear_cookies()
    sign_in(root)
    look(root, "Your second factor")
    root.fill(code=codes[0])
    root.press("Sign in")
    assert root.page.url == f"{live_server.url}/admin/accounts/user/"
    # What axe itself makes the browser complain about is none of the page's fault.
    assert [complaint for complaint in root.complaints if "axe" not in complaint] == []
    root.close()
