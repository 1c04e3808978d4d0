"""The sweep as one set-based SQL statement: everything that is due at once, with the rows that our sweep makes.

It settles what lapses: orders whose milestone was delivered and not answered in time (O6, O14).
"""

from datetime import datetime
from typing import Any

from psycopg import Connection

from .wishes import PERSON, TOLD, WISHED

SETTLE = f"""
WITH due AS MATERIALIZED (
    SELECT id, number, buyer_id, seller_id, version + 1 AS version, decide_by AS at
    FROM orders_order
    WHERE paused_at IS NULL AND stuck_at IS NULL AND decide_by <= %(now)s
    ORDER BY decide_by
    FOR NO KEY UPDATE SKIP LOCKED
), lapsing AS MATERIALIZED (
    SELECT due.*, milestone.id AS milestone_id, milestone.held_id
    FROM due JOIN orders_milestone milestone ON milestone.order_id = due.id AND milestone.status = 'delivered'
), released AS (
    UPDATE payments_heldfunds held SET
        released = amount - refunded - charged_back, released_at = lapsing.at, available_at = lapsing.at + clearing,
        cleared_at = CASE WHEN clearing = interval '0' THEN lapsing.at END
    FROM lapsing
    WHERE held.id = lapsing.held_id AND released = 0 AND amount > refunded + charged_back
        AND NOT EXISTS (
            SELECT FROM payments_chargeback chargeback JOIN payments_charge charge ON charge.id = chargeback.charge_id
            WHERE charge.held_id = held.id AND charge.funded AND chargeback.status = 'open')
    RETURNING lapsing.*, held.payee_id, held.currency, held.released AS all_of_it,
        CASE WHEN clearing > interval '0' THEN 'earnings_clearing' ELSE 'earnings_available' END AS earnings,
        price - refunded_price - div((price - refunded_price) * commission_rate + 5000, 10000)::bigint AS payout
), booked AS (
    INSERT INTO payments_transfer (source_id, destination_id, amount, currency, kind, held_id, created_at)
    SELECT source.id, paid.destination_id, paid.amount, released.currency, paid.kind, released.held_id, released.at
    FROM released
    JOIN payments_account earnings ON earnings.code = released.earnings
        AND earnings.currency = released.currency AND earnings.owner_id = released.payee_id
    JOIN payments_account fees ON fees.code = 'fees'
        AND fees.currency = released.currency AND fees.owner_id IS NULL
    JOIN payments_account source ON source.code = 'held'
        AND source.currency = released.currency AND source.owner_id IS NULL
    CROSS JOIN LATERAL (VALUES
        (1, earnings.id, released.payout, 'earning'),
        (2, fees.id, released.all_of_it - released.payout, 'fee')) AS paid (turn, destination_id, amount, kind)
    WHERE paid.amount > 0
    ORDER BY released.at, released.id, paid.turn
), completed AS (
    UPDATE orders_milestone milestone SET status = 'completed', ended_at = released.at, remind_at = NULL
    FROM released WHERE milestone.id = released.milestone_id
), left_out AS (
    UPDATE orders_milestone milestone SET status = 'not_started', ended_at = released.at
    FROM released WHERE milestone.order_id = released.id AND milestone.status = 'planned'
    RETURNING milestone.id, milestone.order_id, milestone.position
), closed AS (
    SELECT released.*,
        CASE WHEN rest.order_id IS NULL THEN 'finished' ELSE 'lapsed' END AS because
    FROM released LEFT JOIN (SELECT DISTINCT order_id FROM left_out) rest ON rest.order_id = released.id
), ended AS (
    UPDATE orders_order SET status = 'completed', closed_because = closed.because, ended_at = closed.at,
        decide_from = NULL, decide_by = NULL, remind_at = NULL, version = closed.version
    FROM closed WHERE orders_order.id = closed.id
), happened AS (
    INSERT INTO orders_event
        (order_id, milestone_id, kind, from_status, to_status, reason, note, data, version, at, recorded_at)
    SELECT order_id, milestone_id, kind, before, after, reason, '', data, version, at, %(now)s
    FROM (
        SELECT id AS order_id, 0 AS turn, milestone_id, 'lapsed' AS kind, 'delivered' AS before, 'completed' AS after,
            '' AS reason, jsonb_build_object('released', payout) AS data, version, at
        FROM closed
        UNION ALL
        SELECT closed.id, left_out.position, left_out.id, 'left_out', 'planned', 'not_started', '', '{{}}',
            closed.version, closed.at
        FROM left_out JOIN closed ON closed.id = left_out.order_id
        UNION ALL
        SELECT id, 100000, NULL, 'ended', 'active', 'completed', because, '{{}}', version, at FROM closed
    ) AS lines
    ORDER BY at, order_id, turn
    RETURNING id, order_id, kind, at
), told AS (
    SELECT happened.id, happened.kind, happened.at, '/orders/' || closed.number || '/' AS url, side.recipient_id
    FROM happened JOIN closed ON closed.id = happened.order_id
    CROSS JOIN LATERAL (VALUES (closed.buyer_id), (closed.seller_id)) AS side (recipient_id)
    WHERE happened.kind <> 'left_out'
), notices AS (
    INSERT INTO notifications_notice (recipient_id, kind, own_title, own_text, url, key, attempts, created_at, {TOLD})
    SELECT told.recipient_id, told.kind, '', '', told.url, 'event:' || told.id, 0, told.at, {WISHED}
    FROM told {PERSON} ORDER BY told.id ON CONFLICT DO NOTHING
)
SELECT count(*) FROM closed
"""  # noqa: S608 -- constants of this package


def settle_due(db: "Connection[Any]", now: datetime) -> int:
    """Settle every order that lapsed before `now`, in one transaction; returns how many."""
    with db.transaction():
        found = db.execute(SETTLE.encode(), {"now": now}).fetchone()
    assert found
    return int(found[0])
