"""What every test may count on: the rows that migrations made, an empty cache, and a real Chromium."""

import os
from collections.abc import Callable, Generator

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core import serializers
from django.core.cache import cache
from django.db import connection, models, transaction
from pytest_django import DjangoDbBlocker

from marketplace.embedded.browser import HOW_TO_INSTALL, find_chromium

RESTORE = pytest.StashKey[Callable[[], None]]()
# A flush makes these anew by itself.
MADE_BY_DJANGO: tuple[type[models.Model], ...] = (ContentType, Permission)


@pytest.fixture(scope="session")
def django_db_setup(request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """The test database, ready for tests that commit, after which Django empties every table by TRUNCATE.

    Append-only tables refuse that by a BEFORE TRUNCATE trigger, which is therefore off in tests. A test of the
    refusal turns it on again inside its own transaction (ALTER TABLE … ENABLE TRIGGER refuse_truncate).
    """
    with django_db_blocker.unblock():
        allow_truncate()
        seeds = seeded_rows()

    def restore() -> None:
        with django_db_blocker.unblock():
            put_back(seeds)

    request.session.stash[RESTORE] = restore


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, None, None]:
    """After a test that emptied the tables, put back what migrations had put there."""
    yield
    if nextitem and RESTORE in item.session.stash and commits(item):
        item.session.stash[RESTORE]()


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    """No test sees what another cached, above all not its count of sign-in attempts."""
    cache.clear()


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, object]) -> dict[str, object]:
    """Playwright starts the Chromium of this machine, not a download of its own."""
    sandbox = [] if os.getuid() else ["--no-sandbox"]
    return {
        **browser_type_launch_args,
        "executable_path": find_chromium() or pytest.fail(HOW_TO_INSTALL),
        "args": sandbox,
    }


@pytest.fixture(scope="session")
def base_url() -> None:
    """Pages are opened by `live_server.url`. (Playwright's own fixture of this name warns under pytest 9.)"""


def commits(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("django_db")
    by_marker = marker and (marker.kwargs.get("transaction") or marker.args[:1] == (True,))
    return bool(by_marker or {"transactional_db", "live_server"} & set(getattr(item, "fixturenames", ())))


def allow_truncate() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgrelid::regclass::text, quote_ident(tgname) FROM pg_trigger WHERE tgtype & 32 <> 0")
        for table, trigger in cursor.fetchall():
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")


def seeded_rows() -> dict[type[models.Model], str]:
    """The rows of a freshly migrated database, as JSON per model."""
    return {
        model: serializers.serialize("json", rows, use_natural_foreign_keys=True)
        for model in apps.get_models()
        if model not in MADE_BY_DJANGO and (rows := list(model._base_manager.order_by("pk")))
    }


@transaction.atomic
def put_back(seeds: dict[type[models.Model], str]) -> None:
    for model, rows in seeds.items():
        if not model._base_manager.exists():
            for row in serializers.deserialize("json", rows):
                row.save()
