"""What a promise is: a query over all the rows that it speaks of, each with how far off it is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Promise:
    """One promise about the tables.

    `rows` selects everything it speaks of: `what`, a name of the row, and `off`, an integer that is 0 where the
    promise holds: the difference in minor units where it is about an amount, else 1. It may read the temporary
    tables of `SHARED` and the parameters `now` and `late`.
    """

    says: str
    rows: str
    look: "Look | None" = None
    """What it shares with others, so that they are asked in one pass."""
    off: str = ""
    where: str = "true"


@dataclass(frozen=True)
class Look:
    """Rows about which there are several promises: what to call one, and where to find them."""

    what: str
    rows: str

    def promise(self, says: str, off: str, where: str = "true") -> Promise:
        """A promise about those of the rows that meet `where`, in which `off` is 0."""
        rows = f"SELECT {self.what} AS what, {off} AS off FROM {self.rows} WHERE {where}"  # noqa: S608
        return Promise(says, rows, self, off, where)


# Per held funds, where its money went.
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
        count(*) FILTER (WHERE kind = 'earning') AS releases,
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
# What is in each account.
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
# The published machines, word by word (rules, section 3).
MOVES = """
    'order  offered', 'order offered awaiting_payment', 'order offered canceled',
    'order awaiting_payment active', 'order awaiting_payment canceled',
    'order active completed', 'order active canceled',
    'milestone planned awaiting_payment', 'milestone planned not_started',
    'milestone awaiting_payment in_progress', 'milestone awaiting_payment not_started',
    'milestone in_progress delivered', 'milestone in_progress canceled',
    'milestone in_progress completed',
    'milestone delivered delivered', 'milestone delivered in_revision',
    'milestone delivered completed', 'milestone delivered canceled',
    'milestone in_revision delivered', 'milestone in_revision completed',
    'milestone in_revision canceled'
"""
# Of each order (`milestone_id` is empty) and each milestone what its events tell, from one pass in their order: the
# last move of its state, the first that is illegal or does not begin where the one before ended, the first event whose
# version is below an earlier one's, the revisions asked for, and the ending.
TOLD = f"""
    CREATE TEMPORARY TABLE told ON COMMIT DROP AS
    SELECT order_id, milestone_id, max(version) AS version,
        min(id) FILTER (WHERE version < before) AS first_backwards,
        min(id) FILTER (WHERE moves AND (
            from_status <> coalesce(standing, CASE WHEN milestone_id IS NULL THEN '' ELSE 'planned' END)
            OR (CASE WHEN milestone_id IS NULL THEN 'order ' ELSE 'milestone ' END || from_status || ' ' || to_status)
                <> ALL (ARRAY[{MOVES}]))) AS first_leap,
        max(to_status) FILTER (WHERE moves AND following IS NULL) AS state,
        count(*) FILTER (WHERE kind = 'revision_requested') AS revisions,
        count(*) FILTER (WHERE kind = 'ended') AS endings, max(reason) FILTER (WHERE kind = 'ended') AS because,
        max(at) FILTER (WHERE kind = 'ended') AS ended_at
    FROM (
        SELECT id, order_id, milestone_id, kind, version, from_status, to_status, to_status <> '' AS moves, reason, at,
            max(version) OVER (
                PARTITION BY order_id ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before,
            lag(to_status) OVER state AS standing, lead(id) OVER state AS following
        FROM orders_event WINDOW state AS (PARTITION BY order_id, milestone_id, to_status <> '' ORDER BY id)
    ) event
    GROUP BY order_id, milestone_id
"""  # noqa: S608
# Made once for all promises.
SHARED = {"moved": MOVED, "balances": BALANCES, "told": TOLD}
