"""Two people, or two tabs of one, press a button on their pages at the same instant: one wins, the other is told."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.tests import invariants
from marketplace.tests.test_races import meet
from marketplace.tests.visitor import Page, Visitor
from orders.models import Order
from orders.tests.factories import NOON, fresh, make_accepted, make_delivered, make_offer
from resolution.models import Case
from resolution.tests.factories import opened

pytestmark = pytest.mark.django_db(transaction=True)

SOON = NOON + timedelta(hours=1)
CHANGED = "This order has changed since you opened the page."
Press = tuple[str, str, dict[str, str]]


def make_case() -> Order:
    order = make_delivered()
    opened(order)
    return order


BUYER_ACCEPTS: Press = ("buyer", "Accept", {})
BUYER_REVISES: Press = ("buyer", "Request revision", {"text": "Bluer, please."})
SELLER_DELIVERS: Press = ("seller", "Deliver again", {"message": "Bluer."})
BUYER_STOPS: Press = ("buyer", "Stop the order", {})
BUYER_PAYS: Press = ("buyer", "Accept the offer · pay $126.60", {"method": "card_ok"})
RACES: list[tuple[Callable[[], Order], str, tuple[Press, Press]]] = [
    (make_delivered, "", (BUYER_ACCEPTS, BUYER_ACCEPTS)),
    (make_delivered, "", (BUYER_ACCEPTS, BUYER_REVISES)),
    (make_delivered, "", (BUYER_ACCEPTS, SELLER_DELIVERS)),
    (make_delivered, "", (SELLER_DELIVERS, BUYER_REVISES)),
    (make_accepted, "", (BUYER_STOPS, BUYER_STOPS)),
    (make_offer, "place/", (BUYER_PAYS, ("seller", "Withdraw the offer", {}))),
    (make_offer, "place/", (BUYER_PAYS, BUYER_PAYS)),
    (make_case, "case", (("seller", "Accept", {}), ("buyer", "Withdraw the case", {}))),
]


def look(order: Order, person: User, path: str) -> Visitor:
    """Somebody at the page where their button is."""
    visitor = Visitor(person)
    if path == "case":
        visitor.open(Case.objects.get(order=order).get_absolute_url())
    else:
        visitor.open(f"{order.get_absolute_url()}{path if person == order.buyer else ''}")
    return visitor


@pytest.mark.parametrize(
    ("make", "path", "presses"), RACES, ids=[f"{a[0]}-{a[1]}-{b[0]}-{b[1]}" for _, _, (a, b) in RACES]
)
def test_of_two_who_press_at_once_one_wins_and_the_other_is_told(
    make: Callable[[], Order], path: str, presses: tuple[Press, Press]
) -> None:
    for turn in ((0, 1), (1, 0)):
        with clock.at(NOON):
            order = make()
        before = fresh(order).version
        with clock.at(SOON):
            visitors = [look(order, getattr(order, side), path) for side, _, _ in presses]
        acts = [lambda v=v, p=p: v.press(p[1], **p[2]) for v, p in zip(visitors, presses, strict=True)]
        first, second = meet(order, *((acts[place], SOON) for place in turn))
        assert isinstance(first, Page), first
        assert isinstance(second, Page), second
        assert first.status == 200
        assert first.told
        assert second.status == 409
        assert any(CHANGED in reason for reason in second.refusal), second.refusal
        assert fresh(order).version > before
        assert invariants.check() == []
