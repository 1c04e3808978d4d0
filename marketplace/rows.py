"""Many rows written by one statement: for what is written in floods, where the ORM would take most of the time.

Rows travel as one JSON text, which Python writes and PostgreSQL reads faster than anything else that keeps the
statement the same for one row and for a thousand. Everything that the database checks (keys, constraints, triggers) is
checked as ever; what a model's `save` would do is not done.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, cast

from django.db import connection


class Rows:
    """The columns of a table that are written, each with its type in PostgreSQL."""

    def __init__(self, table: str, **types: str) -> None:
        names, typed = ", ".join(types), ", ".join(f"{name} {kind}" for name, kind in types.items())
        self.insertion = (
            f"INSERT INTO {table} ({names}) SELECT {names} FROM json_to_recordset(%s::json) AS given ({typed})"  # noqa: S608
        )

    def insert(self, rows: Iterable[Mapping[str, Any]], *, ignore_conflicts: bool = False) -> list[int]:
        """Insert `rows`, values by the names of columns, and return the new ids in the same order.

        A column that a row does not name is NULL. With `ignore_conflicts` rows that are there already are left out,
        and so are their ids.
        """
        conflicts = " ON CONFLICT DO NOTHING" if ignore_conflicts else ""
        return [row[0] for row in written(f"{self.insertion}{conflicts} RETURNING id", rows)]


def written(statement: str, rows: Iterable[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    """Run a statement over `json_to_recordset(%s::json) AS … (column type, …)`; returns what it returns."""
    given = list(rows)
    if not given:
        return []
    with connection.cursor() as cursor:
        cursor.execute(statement, [json.dumps(given, default=_instant)])
        return cast("list[tuple[Any, ...]]", cursor.fetchall())


def _instant(value: object) -> str:
    """Of what is no JSON instants alone are written: a lazy text would be kept for ever in whatever language it met."""
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not written as JSON")
