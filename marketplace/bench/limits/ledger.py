"""The sums that the proof of the ledger is made of, in one scan of the transfers."""

from typing import Any

from psycopg import Connection

SUMS = """
    SELECT count(*) FILTER (WHERE of_held), sum(charged), sum(earned), sum(released), sum(seller), sum(clearing),
        sum(fees), sum(refunds_due), sum(refunded), sum(charged_back), sum(total)
    FROM (
        SELECT GROUPING(t.held_id) = 0 AS of_held,
            sum(amount) FILTER (WHERE kind IN ('charge', 'surplus', 'credit_spent')) AS charged,
            sum(amount) FILTER (WHERE source.code IN ('clearing', 'credit_reserved') AND destination.code = 'held')
                AS funding,
            sum(amount) FILTER (WHERE destination.code = 'held')
                - sum(amount) FILTER (WHERE source.code = 'held') AS now,
            sum(amount) FILTER (WHERE source.code = 'held' AND destination.code = 'refunds_due') AS back,
            sum(amount) FILTER (WHERE source.code = 'held' AND destination.code = 'chargebacks') AS taken,
            sum(amount) FILTER (WHERE kind = 'earning') AS earned,
            sum(amount) FILTER (WHERE kind IN ('earning', 'fee')) AS released,
            sum(amount) FILTER (WHERE destination.code LIKE 'earnings%' OR destination.code = 'debt')
                - sum(amount) FILTER (WHERE source.code LIKE 'earnings%' OR source.code = 'debt') AS seller,
            sum(amount) FILTER (WHERE destination.code = 'earnings_clearing')
                - sum(amount) FILTER (WHERE source.code = 'earnings_clearing') AS clearing,
            sum(amount) FILTER (WHERE destination.code IN ('fees', 'loss'))
                - sum(amount) FILTER (WHERE source.code IN ('fees', 'loss')) AS fees,
            sum(amount) FILTER (WHERE destination.code = 'refunds_due')
                - sum(amount) FILTER (WHERE source.code = 'refunds_due') AS refunds_due,
            sum(amount) FILTER (WHERE source.code = 'refunds_due' AND destination.code IN ('clearing', 'credit'))
                - sum(amount) FILTER (WHERE kind = 'refund_returned') AS refunded,
            sum(amount) FILTER (WHERE destination.code = 'chargebacks' AND source.code <> 'clearing') AS charged_back,
            sum(amount) AS total
        FROM payments_transfer t
        JOIN payments_account source ON source.id = t.source_id
        JOIN payments_account destination ON destination.id = t.destination_id
        GROUP BY GROUPING SETS ((t.held_id), (t.source_id), (t.destination_id))
    ) sums
"""


def sums(db: "Connection[Any]") -> int:
    """Where the money of each held funds went, and what is in each account; returns how many held funds it saw."""
    with db.transaction():
        # As the proof is run (marketplace/proof/proving.py).
        db.execute("SET LOCAL work_mem = '64MB'")
        db.execute("SET LOCAL jit = off")
        found = db.execute(SUMS.encode()).fetchone()
    assert found
    return int(found[0])
