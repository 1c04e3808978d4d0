"""What must never break, for the end of every test that moves money: the proof that production runs every night."""

from weakref import WeakSet

from django.conf import settings
from django.db import connection, transaction

from marketplace import clock
from marketplace.proof import Result, cases, orders, prove
from marketplace.proof.promise import SHARED
from marketplace.proof.proving import ALWAYS, PATIENCE

# The connections that know the statement that asks all promises at once.
_prepared: WeakSet[object] = WeakSet()


def about_orders_under_way() -> list[Result]:
    """That an order under way has something ahead (O13)."""
    return list(prove(clock.now(), [promise for promise in orders.PROMISES if promise.says.startswith("O13")]))


def about_cases() -> list[Result]:
    """Each promise about cases, those included that tests of orders alone do not keep, asked one by one."""
    return list(prove(clock.now(), (*cases.PROMISES, *cases.ALIVE)))


def with_cases() -> list[str]:
    """As `check`, with what only orders keep that are frozen by cases and by nothing else."""
    return [*check(), *(str(result) for result in prove(clock.now(), cases.ALIVE[:1]) if not result.holds)]


def check() -> list[str]:
    """The promises that are broken, each with the first rows that break it; empty when all of them hold.

    That all of them hold is asked in one statement, which PostgreSQL plans once for each connection: to plan them
    takes much longer than to look at the few rows of a test. What is broken is then found as production does.
    """
    if _all_hold():
        return []
    broken = [str(result) for result in prove(clock.now(), ALWAYS) if not result.holds]
    assert broken, "one statement and the proof of production disagree"
    return broken


def _all_hold() -> bool:
    instants = [clock.now(), clock.now() - PATIENCE - 2 * settings.SWEEP_EVERY]
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.connection not in _prepared:
            cursor.execute(f"PREPARE proof (timestamptz, timestamptz) AS {_at_once()}")
            _prepared.add(connection.connection)
        # EXECUTE takes no values that travel apart from the statement, so they are written into it.
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        cursor.execute("SET LOCAL jit = off")
        cursor.execute(connection.ops.compose_sql("EXECUTE proof (%s, %s)", instants))
        broken, asked = cursor.fetchone()
    assert asked == len(ALWAYS)
    return not broken


def _at_once() -> str:
    """How many rows break a promise, and how many promises were asked."""
    made = ",\n".join(f"{name} AS MATERIALIZED ({statement.split(' AS', 1)[1]})" for name, statement in SHARED.items())
    asked = "\nUNION ALL\n".join(
        f"SELECT count(*) FILTER (WHERE off <> 0) AS broken FROM ({promise.rows}) AS promised" for promise in ALWAYS
    )
    return f"WITH {made} SELECT sum(broken), count(*) FROM ({asked}) AS promises" % {"now": "$1", "late": "$2"}


def at_rest() -> list[str]:
    """Besides, when nothing is under way: every answer that the provider has is recorded here (I15)."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT theirs.key, theirs.status, ours.status FROM payments_sandboxcharge theirs
            JOIN payments_charge ours ON ours.key = theirs.key
            WHERE theirs.status IN ('succeeded', 'failed', 'canceled') AND theirs.status <> ours.status
            UNION ALL
            SELECT theirs.key, theirs.status, ours.status FROM payments_sandboxrefund theirs
            JOIN payments_refund ours ON ours.key = theirs.key
            WHERE theirs.status = 'succeeded' AND ours.status <> 'succeeded'
            UNION ALL
            SELECT theirs.key, theirs.status, ours.status FROM payments_sandboxpayout theirs
            JOIN payments_withdrawal ours ON ours.key = theirs.key
            WHERE theirs.status = 'succeeded' AND ours.status <> 'paid'
            """
        )
        return [f"I15 the provider's answer is not recorded: {row}" for row in cursor.fetchall()]
