"""In a real Chromium: a plan is built by buttons, keyboard and pointer, and files are sent with progress."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from marketplace.accounts.tests.factories import PASSWORD, UserFactory
from marketplace.tests.browsing import PHONE, Person
from orders.models import Delivery, Order
from orders.tests.factories import make_placed

pytestmark = pytest.mark.django_db(transaction=True)


def signed_in(browser: Browser, address: str, email: str) -> Person:
    person = Person(browser, address, width=PHONE)
    person.open("/accounts/login/")
    person.fill(login=email, password=PASSWORD)
    person.press("Sign in")
    return person


def titles(page: Page) -> list[str]:
    return [field.input_value() for field in page.locator("[name^='plan-'][name$='-title']").all()]


def total(page: Page, name: str) -> str:
    return page.locator(f"[data-plan-total='{name}']").inner_text()


def test_a_plan_is_built_in_place_and_sent(browser: Browser, live_server: LiveServer) -> None:
    UserFactory.create(name="Ana Ruiz", handle="ana")
    UserFactory.create(name="Theo Lindqvist", email="theo@example.org", password=PASSWORD)
    theo = signed_in(browser, live_server.url, "theo@example.org")
    page = theo.page
    theo.open("/offers/new/?buyer=ana")
    theo.fill(**{"title": "Bees", "plan-0-title": "Script", "plan-0-price": "1,000.01", "plan-0-delivery_days": "5"})
    assert [total(page, name) for name in ("price", "buyer", "seller", "days")] == [
        "$1,000.01",
        "$1,055.01",
        "$800.01",
        "5 days",
    ]

    split = page.get_by_role("button", name="Split milestone 1 in two")
    split.focus()
    page.keyboard.press("Enter")
    assert titles(page) == ["Script (1)", "Script (2)"]
    typed = ("plan-0-price", "plan-1-price", "plan-0-delivery_days", "plan-1-delivery_days")
    assert [page.input_value(f"[name={name}]") for name in typed] == ["500.01", "500.00", "3", "2"]

    page.get_by_role("button", name="Add milestone").click()
    expect(page.locator("[name=plan-2-title]")).to_be_focused()
    theo.fill(**{"plan-2-title": "Sound", "plan-2-price": "90", "plan-2-delivery_days": "1"})
    page.get_by_role("button", name="Move up milestone 3").focus()
    page.keyboard.press("Enter")
    assert titles(page) == ["Script (1)", "Sound", "Script (2)"]
    expect(page.get_by_role("button", name="Move up milestone 2")).to_be_focused()

    grip = page.locator("[data-plan-grip]").first
    grip.scroll_into_view_if_needed()
    start = grip.bounding_box()
    last = page.locator("[data-plan-row]").last.bounding_box()
    assert start
    assert last
    page.mouse.move(start["x"] + 5, start["y"] + 5)
    page.mouse.down()
    page.mouse.move(start["x"] + 5, last["y"] + last["height"], steps=4)
    page.mouse.up()
    assert titles(page)[-1] == "Script (1)"
    assert page.locator("[data-plan-said]").text_content() == "Milestone moved to place 3."

    page.get_by_role("button", name="Remove milestone 1").click()
    assert theo.overflow == 0
    theo.press("Send an offer")
    theo.is_told("The offer is sent. Ana Ruiz can accept it now.")
    assert [step.title for step in Order.objects.get().plan][-1] == "Script (1)"
    theo.close()
    assert theo.complaints == []


def test_files_are_listed_sent_and_after_a_refusal_still_there(
    browser: Browser, live_server: LiveServer, tmp_path: Path
) -> None:
    seller = UserFactory.create(name="Theo Lindqvist", email="theo@example.org", password=PASSWORD)
    order = make_placed(seller=seller)
    theo = signed_in(browser, live_server.url, "theo@example.org")
    page = theo.page
    for name, content in (("script.txt", b"Bees."), ("fake.png", b"no picture"), ("tool.exe", b"MZ")):
        (tmp_path / name).write_bytes(content)

    theo.open(f"{order.get_absolute_url()}milestones/{order.plan[0].pk}/deliver/")
    files = page.locator(".uploader__name")
    page.set_input_files("[name=files]", [tmp_path / "script.txt", tmp_path / "tool.exe"])
    expect(files).to_have_text(["script.txt"])
    expect(page.locator(".uploader__problems")).to_contain_text("tool.exe: this kind of file is not accepted.")
    page.set_input_files("[name=files]", [tmp_path / "fake.png"])
    expect(files).to_have_text(["script.txt", "fake.png"])

    theo.fill(message="The script.")
    page.get_by_role("button", name="Deliver", exact=True).click()
    expect(page.locator(".errors")).to_contain_text("fake.png is not what its name says.")
    expect(page.locator("[name=message]")).to_have_value("The script.")
    expect(files).to_have_text(["script.txt", "fake.png"])
    assert not Delivery.objects.exists()

    page.get_by_role("button", name="Remove fake.png").click()
    expect(files).to_have_text(["script.txt"])
    page.get_by_role("button", name="Deliver", exact=True).click()
    theo.is_told("Delivered. The buyer's review window begins now.")
    assert page.url == live_server.url + order.get_absolute_url()
    delivery = Delivery.objects.get()
    assert [(file.name, file.size) for file in delivery.files.all()] == [("script.txt", 5)]
    theo.close()
    # The browser notes each refusal; nothing else went wrong.
    assert [said for said in theo.complaints if "422" not in said] == []
