"""The fixed cast and the clock of the cases' tests: an order in a state, at noon."""

from collections.abc import Callable, Generator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import StaffFactory, UserFactory
from marketplace.tests import invariants
from orders import services
from orders.models import Order
from orders.tests.factories import current, deliver, fresh, make_offer, planned

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
TWO_STEPS = (planned("Logo", 10_000, 3, 2), planned("Business cards", 5_000, 5, 1))

OrderIn = Callable[..., Order]


def after(**length: float) -> datetime:
    """An instant after noon."""
    return NOON + timedelta(**length)


@pytest.fixture(autouse=True)
def _noon() -> Generator[None, None, None]:
    with clock.at(NOON):
        yield


@pytest.fixture(autouse=True)
def _invariants_hold(request: pytest.FixtureRequest) -> Generator[None, None, None]:
    """After each test with a database, before it is emptied."""
    yield
    if request.node.get_closest_marker("django_db"):
        assert invariants.check() == []


@pytest.fixture
def order_in(django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks) -> OrderIn:
    """An order at noon in one of the states in which a case can be opened; made through the services."""

    def make(state: str, *, method: str = "card_ok", **details: Any) -> Order:
        with django_capture_on_commit_callbacks(execute=True):
            order = make_offer(plan=details.pop("plan", TWO_STEPS), **details)
            services.place(order, by=order.buyer, method=method)
        if state in ("delivered", "in_revision", "between"):
            deliver(order)
        if state == "in_revision":
            services.request_revision(current(order), by=order.buyer, text="The old logo.")
        if state == "between":
            services.accept(current(order), by=order.buyer)
        return fresh(order)

    return make


@pytest.fixture
def in_progress(order_in: OrderIn) -> Order:
    return order_in("in_progress")


@pytest.fixture
def delivered(order_in: OrderIn) -> Order:
    return order_in("delivered")


@pytest.fixture
def in_revision(order_in: OrderIn) -> Order:
    return order_in("in_revision")


@pytest.fixture
def between(order_in: OrderIn) -> Order:
    return order_in("between")


@pytest.fixture
def agent() -> User:
    return StaffFactory.create(name="Sam Support")


@pytest.fixture
def stranger() -> User:
    return UserFactory.create(name="Nosy Parker")
