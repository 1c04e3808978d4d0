"""What must never break, for the end of every test that moves money: the proof that production runs every night."""

from django.db import connection

from marketplace import clock
from marketplace.proof import prove
from marketplace.proof.proving import ALWAYS


def check() -> list[str]:
    """The promises that are broken, each with the first rows that break it; empty when all of them hold."""
    return [str(result) for result in prove(clock.now(), ALWAYS) if not result.holds]


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
