"""Databases of our own beside the site's, on the same server; the site's own is never touched.

All connections of this process are turned to one of them, those of threads that come later too.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, connections

PREFIX = "bench_"


def names() -> list[str]:
    """Those that a benchmark made."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s) ORDER BY 1", [PREFIX])
        return [name for (name,) in cursor.fetchall()]


def create(name: str, *, like: str | None = None) -> None:
    """Make a database: empty, or a copy of another one that nobody is connected to."""
    with connection.cursor() as cursor:
        template = f' TEMPLATE "{_own(like)}" STRATEGY file_copy' if like else " TEMPLATE template0"
        cursor.execute(f'CREATE DATABASE "{_own(name)}"{template}')


def drop(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{_own(name)}" WITH (FORCE)')


def size(name: str) -> int:
    """In bytes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(%s)", [_own(name)])
        (found,) = cursor.fetchone()
        return int(found)


@contextmanager
def using(name: str) -> Iterator[None]:
    """Work in the database `name`: every alias names it, reading replicas too."""
    before = {alias: dict(connections.databases[alias]) for alias in connections.databases}
    default = before["default"]
    _turn({alias: {**settings, **default, "NAME": _own(name)} for alias, settings in before.items()})
    try:
        yield
    finally:
        _turn(before)


def _turn(to: dict[str, dict[str, object]]) -> None:
    for alias, settings in to.items():
        here = connections[alias]
        here.close()
        close_pool = getattr(here, "close_pool", None)  # of PostgreSQL's own wrapper only
        if close_pool:
            close_pool()
        # Connections of threads that are still to come are made from the first, this thread's has the second.
        for known in (connections.databases[alias], here.settings_dict):
            known.clear()
            known.update(settings)


def _own(name: str) -> str:
    assert name.startswith(PREFIX), f"{name} is not ours"
    assert name.replace("_", "").isalnum()
    return name
