"""Every test of orders begins at the same instant, and ends with the proof that no promise is broken."""

from collections.abc import Generator

import pytest

from marketplace import clock
from marketplace.tests import invariants
from orders.tests.factories import NOON
from orders.tests.object_store import bucket, object_store, store

__all__ = ["bucket", "object_store", "store"]


@pytest.fixture(autouse=True)
def _noon() -> Generator[None, None, None]:
    with clock.at(NOON):
        yield


@pytest.fixture(autouse=True)
def invariants_hold(request: pytest.FixtureRequest) -> Generator[None, None, None]:
    """After each test with a database, before it is emptied."""
    yield
    if request.node.get_closest_marker("django_db"):
        assert invariants.check() == []
