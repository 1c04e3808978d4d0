"""How processes connect to PostgreSQL: what settings make of the environment, and what would contradict itself.

docs/scaling.md says which way is for which size, and how many connections each makes.
"""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error
from psycopg import capabilities

# Once it has run so often on a connection, a statement is parsed and planned no more. Measured: pages spend less than
# half the time in PostgreSQL.
PREPARE_AFTER = 5
PERSISTENT = 60  # seconds that a thread keeps its connection, without a pool
# Seconds until a connection is given up, milliseconds until one is that acknowledges nothing: else a cable that was
# pulled holds every thread for as long as the system likes, which is minutes.
PATIENT = {"connect_timeout": 5, "tcp_user_timeout": 30_000}
IMPATIENT = {"connect_timeout": 2, "tcp_user_timeout": 3_000}


def connecting(
    address: dict[str, Any],
    *,
    pool: int,
    max_age: int,
    pgbouncer: bool,
    prepare: int,
    patience: dict[str, int] = PATIENT,
) -> dict[str, Any]:
    """Django's settings of one database at `address`.

    `pool` is the most connections of a process, 0 for one that each thread keeps for `max_age` seconds. `prepare` is
    how often a statement runs before PostgreSQL keeps its plan, 0 for never. With `pgbouncer`, which lends a
    connection for one transaction, nothing may count on having the same one later: no cursor stays open in between.
    """
    options: dict[str, Any] = {
        **patience,
        **address.get("OPTIONS", {}),
        # Values travel apart from the statement, everywhere: so the same statements can be prepared or not.
        "server_side_binding": True,
        "prepare_threshold": prepare or None,
    }
    if pool:
        # One is kept warm; who has waited ten seconds for another is told that the site is busy.
        options["pool"] = {"min_size": 1, "max_size": pool, "timeout": 10, "max_idle": 120, "max_lifetime": 3600}
    return address | {
        "CONN_MAX_AGE": max_age,
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,
        "DISABLE_SERVER_SIDE_CURSORS": pgbouncer,
        "OPTIONS": options,
    }


def replica(address: dict[str, Any], **how: Any) -> dict[str, Any]:
    """The same for a copy that is only read, and that nobody waits for: when it is gone the primary answers."""
    settings_of_it = connecting(address, patience=IMPATIENT, **how)
    options = settings_of_it["OPTIONS"]
    if "pool" in options:
        options["pool"] |= {"timeout": 2}
    return settings_of_it | {"TEST": {"MIRROR": "default"}}


def refuse_contradictions(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Settings of the databases that cannot both be meant, or that this machine cannot do."""
    return [error for alias, database in settings.DATABASES.items() for error in contradictions(alias, database)]


def contradictions(alias: str, database: dict[str, Any]) -> list[CheckMessage]:
    """What is wrong with the settings of one database, with how to mend it."""
    options, errors = database.get("OPTIONS", {}), list[CheckMessage]()
    if options.get("pool") and database.get("CONN_MAX_AGE") != 0:
        message = f"The database {alias!r} has a pool, whose connections no thread may keep."
        hint = "Set DATABASE_POOL or DATABASE_MAX_AGE, not both."
        errors.append(Error(message, hint=hint, id="marketplace.E001"))
    if min(options.get("pool", {}).get("max_size", 1), options.get("prepare_threshold") or 0) < 0:
        message = f"The database {alias!r} has a pool or a threshold below nothing."
        errors.append(
            Error(message, hint="Set DATABASE_POOL and DATABASE_PREPARE to 0 or more.", id="marketplace.E002")
        )
    behind_pgbouncer = database.get("DISABLE_SERVER_SIDE_CURSORS")
    if behind_pgbouncer and options.get("prepare_threshold") and not capabilities.has_send_close_prepared():
        message = f"The database {alias!r} is behind PgBouncer, where this libpq cannot take prepared statements back."
        hint = "Set DATABASE_PREPARE=0, or install a psycopg with libpq 17 or newer."
        errors.append(Error(message, hint=hint, id="marketplace.E003"))
    return errors
