"""A connection that knows nothing of Django, to the database that Django is connected to."""

from typing import Any

import psycopg
from django.db import connection

_DJANGOS_OWN = ("context", "cursor_factory", "server_side_binding", "pool", "prepare_threshold")


def plain() -> "psycopg.Connection[Any]":
    """A new one, with nothing begun. Statements are prepared where they ask for it."""
    params = connection.get_connection_params()
    return psycopg.connect(
        **{name: value for name, value in params.items() if name not in _DJANGOS_OWN}, autocommit=True
    )
