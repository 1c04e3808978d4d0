"""What the page of an order says about where a canceled milestone's money is."""

import pytest

from marketplace import clock
from marketplace.order_money import badge_of
from marketplace.order_reading import facts_of
from orders.models import Order
from orders.tests.factories import at, cancel_milestone, fresh, make_placed
from payments.tasks import deliver_sandbox_events
from resolution.tests.factories import bank

pytestmark = pytest.mark.django_db(transaction=True)


def badge(order: Order) -> str:
    order = fresh(order)
    return badge_of(order.plan[0], facts_of(order.number, order.buyer, clock.now()).refunds)[0]


def test_a_refused_refund_that_the_bank_took_was_charged_back() -> None:
    order = make_placed(method="card_refund_refused")
    with at(days=1):
        cancel_milestone(order)
        deliver_sandbox_events()
        assert badge(order) == "Refund refused"
        for news in ("taken", "lost"):
            bank(order, news)
        assert badge(order) == "Charged back"


def test_a_refund_that_went_back_is_refunded() -> None:
    order = make_placed()
    with at(days=1):
        cancel_milestone(order)
        deliver_sandbox_events()
    assert badge(order) == "Refunded"
