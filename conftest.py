"""What every test may count on: the rows that migrations made, an empty cache, and a real Chromium."""

import os
from collections.abc import Generator

import pytest
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core.cache import cache
from django.db import OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper
from django.test import TransactionTestCase, override_settings
from pytest_django import DjangoDbBlocker

from marketplace.embedded.browser import HOW_TO_INSTALL, find_chromium

pytest_plugins = ["marketplace.accounts.tests.signing_in", "payments.tests.peer"]


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """The test database, ready for tests that commit: they end with every table as the migrations left it.

    Django would empty the tables by TRUNCATE and make permissions anew, which takes a second for each test. Here one
    statement deletes what is there and puts back the copies that were taken of the rows that migrations made.
    """
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        anew = how_to_begin_anew(cursor)

    def begin_anew(_test: TransactionTestCase) -> None:
        # A page that keeps itself up to date may be asking still: whoever loses to the other tries once more.
        for last in (False, False, True):
            try:
                with transaction.atomic(), connection.cursor() as cursor:
                    cursor.execute(anew)
            except OperationalError:
                if last:
                    raise
            else:
                return

    TransactionTestCase._fixture_teardown = begin_anew  # type: ignore[attr-defined]


def how_to_begin_anew(cursor: CursorWrapper) -> str:
    """SQL that empties every table, append-only ones too, and restores the rows that migrations made."""
    cursor.execute("CREATE SCHEMA IF NOT EXISTS seeds")
    # In this mode neither triggers nor foreign keys are looked at: the order of the tables does not matter.
    statements = ["SET LOCAL session_replication_role = replica"]
    for table in connection.introspection.table_names(cursor):
        cursor.execute(f'SELECT EXISTS (SELECT FROM "{table}")')
        if table == "django_migrations":
            continue
        statements.append(f'DELETE FROM "{table}"')
        if cursor.fetchone()[0]:
            cursor.execute(f'CREATE TABLE seeds."{table}" AS TABLE "{table}"')
            statements.append(f'INSERT INTO "{table}" SELECT * FROM seeds."{table}"')
    return ";\n".join(statements)


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Generator[None, None, None]:
    """Passwords are hashed as on the site, at the least cost."""
    sites_own, *older = settings.PASSWORD_HASHERS
    assert sites_own == f"{Argon2PasswordHasher.__module__}.{Argon2PasswordHasher.__name__}"
    with override_settings(PASSWORD_HASHERS=["marketplace.tests.passwords.QuickArgon2", *older]):
        yield


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
