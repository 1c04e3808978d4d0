"""The offer builder: sent once, and never losing what was typed (O19)."""

import re

import pytest
from django.test import Client

from marketplace.accounts.tests.factories import UserFactory
from orders import services
from orders.models import Order
from orders.tests.factories import THREE_STEPS, fresh, make_offer

pytestmark = pytest.mark.django_db(transaction=True)

PLAN = {
    "plan-TOTAL_FORMS": "1",
    "plan-INITIAL_FORMS": "0",
    "plan-0-title": "Film",
    "plan-0-price": "100.00",
    "plan-0-delivery_days": "3",
    "plan-0-revisions": "1",
}


def signed_in(user: object) -> Client:
    client = Client()
    client.force_login(user)
    return client


def hidden(page: str, name: str) -> str:
    found = re.search(f'name="{name}" value="([^"]*)"', page)
    assert found
    return found[1]


def test_a_double_click_sends_one_offer() -> None:
    seller, buyer = UserFactory(), UserFactory()
    client = signed_in(seller)
    once = hidden(client.get("/offers/new/").content.decode(), "once")
    data = {"buyer": buyer.handle, "title": "Film", "currency": "USD", "once": once, **PLAN}
    first, second = client.post("/offers/new/", data), client.post("/offers/new/", data)
    assert (first.status_code, second.status_code, first.url) == (302, 302, second.url)
    assert Order.objects.count() == 1


@pytest.mark.parametrize("forged", ["no token", "1 MP-AAAA-BBBB-CCCC:forged"])
def test_a_forged_page_sends_nothing_and_can_be_sent_once_more(forged: str) -> None:
    client, buyer = signed_in(UserFactory()), UserFactory()
    data = {"buyer": buyer.handle, "title": "Film", "currency": "USD", "once": forged, **PLAN}
    page = client.post("/offers/new/", data)
    assert page.status_code == 422
    assert "This page has expired. Please send it once more." in page.content.decode()
    again = client.post("/offers/new/", data | {"once": hidden(page.content.decode(), "once")})
    assert again.status_code == 302
    assert Order.objects.get().title == "Film"


def test_a_page_given_to_somebody_else_sends_nothing() -> None:
    buyer = UserFactory()
    theirs = hidden(signed_in(UserFactory()).get("/offers/new/").content.decode(), "once")
    data = {"buyer": buyer.handle, "title": "Film", "currency": "USD", "once": theirs, **PLAN}
    page = signed_in(UserFactory()).post("/offers/new/", data)
    assert page.status_code == 422
    assert "This page was opened by somebody else. Please send it once more." in page.content.decode()


def test_a_stale_edit_keeps_what_was_typed_and_can_be_sent_again() -> None:
    order = make_offer()
    client = signed_in(order.seller)
    services.edit_offer(order, by=order.seller, title="In another tab", brief="", plan=THREE_STEPS, version=1)
    data = {"title": "In this tab", "version": "1", **PLAN}
    page = client.post(f"/orders/{order.number}/offer/", data)
    assert page.status_code == 422
    assert fresh(order).title == "In another tab"
    assert "This order has changed since you opened the page." in page.content.decode()
    assert "In this tab" in page.content.decode()
    again = client.post(f"/orders/{order.number}/offer/", data | {"version": hidden(page.content.decode(), "version")})
    assert again.status_code == 302
    assert (fresh(order).title, fresh(order).version) == ("In this tab", 3)
    assert [step.title for step in fresh(order).plan] == ["Film"]


def test_an_offer_is_edited_while_its_buyer_is_deactivated_and_stays_theirs() -> None:
    order = make_offer()
    type(order.buyer).objects.filter(pk=order.buyer_id).update(is_active=False)
    data = {"title": "Another title", "version": "1", "buyer": UserFactory().handle, "currency": "EUR", **PLAN}
    assert signed_in(order.seller).post(f"/orders/{order.number}/offer/", data).status_code == 302
    assert (fresh(order).title, fresh(order).buyer, fresh(order).currency) == ("Another title", order.buyer, "USD")


def test_nobody_sends_an_offer_to_a_deactivated_person() -> None:
    seller, gone = UserFactory(), UserFactory(is_active=False)
    client = signed_in(seller)
    once = hidden(client.get("/offers/new/").content.decode(), "once")
    page = client.post("/offers/new/", {"buyer": gone.handle, "title": "Film", "currency": "USD", "once": once, **PLAN})
    assert (page.status_code, Order.objects.count()) == (422, 0)
    assert "Nobody here has this handle." in page.content.decode()
