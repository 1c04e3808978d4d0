"""Every row that a verb could change, to prove that a refused one changed nothing."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from orders.guards import Refused
from orders.locking import Stale

APPS = ("orders", "payments", "notifications")
Rows = dict[str, list[tuple[Any, ...]]]


def rows() -> Rows:
    """All rows of the tables of orders, money and notices."""
    tables = [model._meta.db_table for app in APPS for model in apps.get_app_config(app).get_models()]
    found: Rows = {}
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"SELECT * FROM {table} ORDER BY 1")
            found[table] = cursor.fetchall()
    return found


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
