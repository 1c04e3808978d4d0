from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager

import pytest
from django.db import transaction
from pytest_django import DjangoCaptureOnCommitCallbacks

from marketplace import clock
from payments.models import HeldFunds

from .factories import NOON, HeldFundsFactory
from .invariants import check_ledger

Commit = Callable[[], AbstractContextManager[None]]


@pytest.fixture(autouse=True)
def _noon(settings: object) -> Generator[None, None, None]:
    with clock.at(NOON):
        yield


@pytest.fixture(autouse=True)
def _receiver(settings: object) -> None:
    settings.EVENT_RECEIVER = "payments.tests.steps.receive"
    settings.SANDBOX_PROCESSING = 20
    settings.SANDBOX_DISPUTED = 120


@pytest.fixture(autouse=True)
def _proven_ledger(request: pytest.FixtureRequest) -> Generator[None, None, None]:
    """After every test that may have moved money, the promises hold."""
    yield
    if request.node.get_closest_marker("django_db"):
        check_ledger()


@pytest.fixture
def commit(django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks) -> Commit:
    """`with commit():` is a transaction that is committed: what waits for the commit is done after it."""

    @contextmanager
    def committing() -> Generator[None, None, None]:
        with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
            yield

    return committing


@pytest.fixture
def held(db: None) -> HeldFunds:
    return HeldFundsFactory.create()
