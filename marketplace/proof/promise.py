"""What a promise is: a query over all the rows that it speaks of, each with how far off it is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Promise:
    """One promise about the tables.

    `rows` selects everything it speaks of: `what`, a name of the row, and `off`, an integer that is 0 where the
    promise holds: the difference in minor units where it is about an amount, else 1. It may read the temporary
    tables `moved` and `balances` and the parameters `now` and `late`.
    """

    says: str
    rows: str


# Per held funds, where its money went; and what is in each account. Made once for all promises.
MOVED = """
    CREATE TEMPORARY TABLE moved ON COMMIT DROP AS
    SELECT held.id,
        coalesce(sum(moved) FILTER (WHERE kind IN ('charge', 'surplus', 'credit_spent')), 0)::bigint AS charged,
        coalesce(sum(moved) FILTER (
            WHERE source IN ('clearing', 'credit_reserved') AND destination = 'held'), 0)::bigint AS funding,
        coalesce(sum(moved) FILTER (WHERE destination = 'held'), 0)::bigint
            - coalesce(sum(moved) FILTER (WHERE source = 'held'), 0)::bigint AS now,
        coalesce(sum(moved) FILTER (WHERE source = 'held' AND destination = 'refunds_due'), 0)::bigint
            AS refunded_from_held,
        coalesce(sum(moved) FILTER (WHERE source = 'held' AND destination = 'chargebacks'), 0)::bigint
            AS charged_back_from_held,
        coalesce(sum(moved) FILTER (WHERE kind = 'earning'), 0)::bigint AS earned,
        coalesce(sum(moved) FILTER (WHERE kind IN ('earning', 'fee')), 0)::bigint AS released,
        coalesce(sum(moved) FILTER (WHERE destination LIKE 'earnings%%' OR destination = 'debt'), 0)::bigint
            - coalesce(sum(moved) FILTER (WHERE source LIKE 'earnings%%' OR source = 'debt'), 0)::bigint AS seller,
        coalesce(sum(moved) FILTER (WHERE destination = 'earnings_clearing'), 0)::bigint
            - coalesce(sum(moved) FILTER (WHERE source = 'earnings_clearing'), 0)::bigint AS clearing,
        coalesce(sum(moved) FILTER (WHERE source = 'earnings_clearing' AND kind = 'frozen'), 0)::bigint
            - coalesce(sum(moved) FILTER (WHERE destination = 'earnings_clearing' AND kind = 'unfrozen'), 0)::bigint
            AS frozen_while_clearing,
        coalesce(sum(moved) FILTER (WHERE destination IN ('fees', 'loss')), 0)::bigint
            - coalesce(sum(moved) FILTER (WHERE source IN ('fees', 'loss')), 0)::bigint AS fees,
        coalesce(sum(moved) FILTER (WHERE destination = 'refunds_due'), 0)::bigint
            - coalesce(sum(moved) FILTER (WHERE source = 'refunds_due'), 0)::bigint AS refunds_due,
        coalesce(sum(moved) FILTER (WHERE source = 'refunds_due' AND destination IN ('clearing', 'credit')), 0)::bigint
            - coalesce(sum(moved) FILTER (WHERE kind = 'refund_returned'), 0)::bigint AS refunded,
        coalesce(sum(moved) FILTER (WHERE destination = 'chargebacks' AND source <> 'clearing'), 0)::bigint
            AS charged_back
    FROM payments_heldfunds held
    LEFT JOIN (
        SELECT transfer.held_id, transfer.amount AS moved, transfer.kind,
            source.code AS source, destination.code AS destination
        FROM payments_transfer transfer
        JOIN payments_account source ON source.id = transfer.source_id
        JOIN payments_account destination ON destination.id = transfer.destination_id
    ) transfers ON transfers.held_id = held.id
    GROUP BY held.id
"""
BALANCES = """
    CREATE TEMPORARY TABLE balances ON COMMIT DROP AS
    SELECT account.id, account.code, account.owner_id, account.currency, account.provider,
        (coalesce(came.total, 0) - coalesce(went.total, 0))::bigint AS balance
    FROM payments_account account
    LEFT JOIN (SELECT destination_id AS id, sum(amount) AS total FROM payments_transfer GROUP BY 1) came
        ON came.id = account.id
    LEFT JOIN (SELECT source_id AS id, sum(amount) AS total FROM payments_transfer GROUP BY 1) went
        ON went.id = account.id
"""
