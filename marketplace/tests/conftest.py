"""What the tests of doors and of hostile input share: one of everything, and a session of everybody."""

from collections.abc import Generator

import pytest
from django.test import TransactionTestCase
from pytest_django import DjangoDbBlocker

from marketplace import clock
from marketplace.tests import invariants
from marketplace.tests.doors.data import NOW, World, build
from marketplace.tests.doors.walking import Walker


@pytest.fixture(autouse=True)
def _invariants_hold(request: pytest.FixtureRequest) -> Generator[None, None, None]:
    """After each test with a database, before it is emptied; but for what no service made."""
    yield
    breaks = request.node.get_closest_marker("breaks_promises") or "world" in request.fixturenames
    if request.node.get_closest_marker("django_db") and not breaks:
        assert invariants.check() == []


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Generator[World, None, None]:
    with django_db_blocker.unblock():
        yield build()
        TransactionTestCase._fixture_teardown(None)


@pytest.fixture
def walker(world: World, db: None) -> Generator[Walker, None, None]:
    with clock.at(NOW):
        yield Walker(world)
