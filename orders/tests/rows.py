"""Every row that a verb could change, to prove that a refused one changed nothing."""

from collections.abc import Generator
from contextlib import contextmanager
from weakref import WeakSet

import pytest
from django.apps import apps
from django.db import connection

from orders.guards import Refused
from orders.locking import Stale

APPS = ("orders", "payments", "notifications")
Rows = list[tuple[str, str]]

# The connections that know the statement: to plan it takes longer than to read the few rows of a test.
_prepared: WeakSet[object] = WeakSet()


def rows() -> Rows:
    """All rows of the tables of orders, money and notices, each as PostgreSQL writes it."""
    with connection.cursor() as cursor:
        if connection.connection not in _prepared:
            cursor.execute(f"PREPARE all_rows AS {_all_rows()}")
            _prepared.add(connection.connection)
        cursor.execute("EXECUTE all_rows")
        return cursor.fetchall()


def _all_rows() -> str:
    tables = [model._meta.db_table for app in APPS for model in apps.get_app_config(app).get_models()]
    each = " UNION ALL ".join(f"SELECT '{table}', one::text FROM {table} one" for table in tables)
    return f"{each} ORDER BY 1, 2"


@contextmanager
def refused(reason: str) -> Generator[None, None, None]:
    """The body is refused with exactly this reason, and no row has changed."""
    before = rows()
    with pytest.raises(Refused) as caught:
        yield
    assert caught.value.refusal.reason == reason
    assert rows() == before


@contextmanager
def stale() -> Generator[None, None, None]:
    """The body is refused because it was drawn from another version, and no row has changed (O19)."""
    before = rows()
    with pytest.raises(Stale):
        yield
    assert rows() == before
