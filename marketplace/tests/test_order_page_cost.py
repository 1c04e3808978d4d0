"""What the page of an order costs: the same few questions to the database, in each state and however much it shows."""

from collections.abc import Callable, Generator
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from marketplace import clock
from marketplace.accounts.tests.factories import UserFactory
from marketplace.reviews.services import write_review
from marketplace.tests import invariants
from marketplace.tests.visitor import Visitor
from orders import services
from orders.models import Order
from orders.tests.factories import (
    ONE_STEP,
    cancel_milestone,
    checked_file,
    current,
    fresh,
    make_accepted,
    make_delivered,
    make_in_revision,
    make_offer,
    make_placed,
    planned,
    start_next,
)
from payments.tasks import deliver_sandbox_events
from resolution.tests.factories import agreed, bank, opened

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
# Session, person, unread notices; the order's figures, the order with its people and terms, its milestones with what is
# held for them, what was handed over, cases, activity.
QUERIES = 9
AND_ATTEMPTS = AND_CHARGEBACK = AND_REVIEWS = 1


@pytest.fixture(autouse=True)
def _proven() -> Generator[None, None, None]:
    with clock.at(NOW):
        yield
    assert invariants.check() == []


def prices(order: Order) -> tuple[int, int]:
    """How many queries the page takes, for the buyer and for the seller, when it is opened for the second time."""
    found = []
    for side in (order.buyer, order.seller):
        visitor = Visitor(side)
        visitor.open(order.get_absolute_url())
        with CaptureQueriesContext(connection) as queries:
            assert visitor.open(order.get_absolute_url()).status == 200
        found.append(len(queries))
    return found[0], found[1]


def disputed() -> Order:
    order = make_delivered()
    opened(order)
    return fresh(order)


def proposed() -> Order:
    order = make_delivered()
    opened(order, side="seller", kind="change_upcoming")
    return fresh(order)


def charged_back() -> Order:
    order = make_delivered()
    bank(order, "taken")
    return fresh(order)


def canceled() -> Order:
    order = cancel_milestone(make_delivered())
    deliver_sandbox_events()
    return order


def reviewed() -> Order:
    order = make_delivered(plan=ONE_STEP)
    services.accept(current(order), by=order.buyer)
    write_review(fresh(order), by=order.buyer, rating=5, text="Splendid.")
    write_review(fresh(order), by=order.seller, rating=4)
    return fresh(order)


def test_each_state_has_its_price_for_both_sides() -> None:
    same = (QUERIES, QUERIES)
    expected: dict[str, tuple[Callable[[], Order], tuple[int, int]]] = {
        "offered": (make_offer, same),
        "payment failed": (lambda: make_placed(method="card_declined"), (QUERIES + AND_ATTEMPTS,) * 2),
        "payment to confirm": (lambda: make_placed(method="card_authentication"), (QUERIES + AND_ATTEMPTS,) * 2),
        "in progress": (make_placed, same),
        "delivered": (make_delivered, same),
        "in revision": (make_in_revision, same),
        "between milestones": (make_accepted, same),
        "with a proposal": (proposed, same),
        # Whoever opened a dispute may withdraw it, unless the bank is deciding.
        "frozen": (disputed, (QUERIES + AND_CHARGEBACK, QUERIES)),
        "charged back": (charged_back, same),
        "canceled": (canceled, same),
        "reviewed": (reviewed, (QUERIES + AND_REVIEWS,) * 2),
    }
    found = {state: prices(make()) for state, (make, _price) in expected.items()}
    assert found == {state: price for state, (_make, price) in expected.items()}
    assert max(max(pair) for pair in found.values()) == 10


def make_long(times: int) -> Order:
    """An order that has so many of everything that its page shows, with reviews, and for its people in other orders."""
    buyer, seller = UserFactory.create(name="Ana Ruiz"), UserFactory.create(name="Theo Lindqvist")
    plan = [planned(f"Step {number}", 10_000, 3, None) for number in range(times)]
    order = make_placed(buyer=buyer, seller=seller, plan=plan)
    for number in range(times):
        for again in range(2):
            name = f"step-{number}-{again}.png"
            services.deliver(current(order), by=seller, message="Here.", files=[checked_file(name)])
            services.request_revision(current(order), by=buyer, text="Larger, please.")
        agreed(opened(order, kind="partial_refund"))
        for side in (buyer, seller):
            services.send_message(order, by=side, text="Thank you.", files=[checked_file("thanks.png")])
        services.deliver(current(order), by=seller, message="Larger.")
        services.accept(current(order), by=buyer)
        if number < times - 1:
            start_next(order)
    for side in (buyer, seller):
        write_review(fresh(order), by=side, rating=5, text="Splendid.")
    return fresh(order)


def test_a_page_costs_the_same_however_much_it_shows() -> None:
    anew = []
    for times in (1, 3):
        order = make_long(times)
        assert prices(order) == (QUERIES + AND_REVIEWS, QUERIES + AND_REVIEWS)
        # So do its parts when they are drawn anew.
        address = reverse("order_changes", args=[order.number])
        with CaptureQueriesContext(connection) as queries:
            Visitor(order.buyer).client.get(f"{address}?seen=1.1.1.1.1.1.0", headers={"HX-Request": "true"})
        anew.append(len(queries))
    assert anew[0] == anew[1]
