"""Orders that have ended, reached through the services."""

from typing import Any

from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import UserFactory
from marketplace.catalog.models import Gig
from marketplace.catalog.tests.factories import GigFactory
from marketplace.reviews.services import write_review
from orders import services
from orders.models import Order
from orders.tests.factories import ONE_STEP, current, deliver, fresh, make_ordered


def make_gig(**values: Any) -> Gig:
    """Sold by Theo, done in one milestone."""
    return GigFactory(**({"plan": ONE_STEP, "seller": UserFactory(name="Theo Lindqvist")} | values))


def make_ended(gig: Gig | None = None, buyer: User | None = None) -> Order:
    """An order of a gig by Ana that is completed now. Needs a test that commits."""
    order = make_ordered(gig=gig or make_gig(), buyer=buyer)
    deliver(order)
    services.accept(current(order), by=order.buyer)
    return fresh(order)


def make_reviewed(gig: Gig, rating: int, text: str = "") -> Order:
    """Both sides have written; the seller gives five stars."""
    order = make_ended(gig)
    write_review(order, by=order.buyer, rating=rating, text=text)
    write_review(order, by=order.seller, rating=5)
    return order
