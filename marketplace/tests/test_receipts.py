"""Receipts on the page of an order: for the buyer, who paid, and nobody else (P3)."""

from collections.abc import Generator

import pytest

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.tests import invariants
from marketplace.tests.visitor import Visitor, words_of
from orders.models import Order
from orders.tests.factories import NOON, at, cancel_milestone, make_placed
from payments import services

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _noon() -> Generator[None, None, None]:
    with clock.at(NOON):
        yield
    assert invariants.check() == []


def papers(order: Order, viewer: User) -> list[tuple[str, str]]:
    """The receipts that the order's page shows, and where they lead."""
    page = Visitor(viewer).open(order.get_absolute_url())
    return [
        (words_of(line).partition(":")[0], link.get("href", ""))
        for line in page.all("li")
        for link in page.all("a", inside=line)
        if link.get("href", "").startswith("/documents/")
    ]


def test_the_buyer_finds_receipts_and_credit_notes_on_the_order_and_the_seller_does_not() -> None:
    order = make_placed()
    assert papers(order, order.buyer) == []
    with at(hours=1):
        cancel_milestone(order)
        services.issue_documents(clock.now())
    assert papers(order, order.buyer) == [
        ("R-000001, $126.60", "/documents/R-000001/"),
        ("C-000001, $126.60 back", "/documents/C-000001/"),
    ]
    assert papers(order, order.seller) == []
    assert Visitor(order.buyer).open("/documents/R-000001/").title == "Receipt R-000001"
