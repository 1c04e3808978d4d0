"""The tables' side of the comparison with the small model of the rules."""

# Everything that the model knows, as the tables have it, in one statement.
WHAT_IS_TRUE = """
    SELECT 'order', status, closed_because, decide_by, paused_at, acted_at, ended_at,
        NULL::bigint, NULL::bigint, NULL::bigint, 0 AS place
    FROM orders_order WHERE id = %(order)s
    UNION ALL
    SELECT 'milestone', status, '', deliver_by, very_late_at, NULL, ended_at,
        price, revisions_granted, revisions_used, position
    FROM orders_milestone WHERE order_id = %(order)s
    UNION ALL
    SELECT 'case', status, kind || ' ' || side, answer_by, escalate_by, NULL, ended_at, NULL, NULL, NULL, id
    FROM resolution_case WHERE order_id = %(order)s
    UNION ALL
    SELECT 'money', '', name, NULL, NULL, NULL, NULL, sum(amount * sign), NULL, NULL, 0 FROM (
        SELECT transfer.amount, kinds.name, kinds.sign FROM payments_transfer transfer
        JOIN orders_milestone milestone ON milestone.held_id = transfer.held_id
        JOIN payments_account source ON source.id = transfer.source_id
        JOIN payments_account destination ON destination.id = transfer.destination_id
        CROSS JOIN LATERAL (VALUES
            ('charged', (transfer.kind IN ('charge', 'surplus'))::int),
            ('held', (destination.code = 'held')::int - (source.code = 'held')::int),
            ('back', (destination.code = 'refunds_due')::int - (source.code = 'refunds_due')::int
                + (transfer.kind = 'refunded')::int - (transfer.kind = 'refund_returned')::int),
            ('seller', (destination.code LIKE 'earnings%%')::int - (source.code LIKE 'earnings%%')::int),
            ('fees', (destination.code = 'fees')::int - (source.code = 'fees')::int),
            ('charged_back', (transfer.kind = 'chargeback_lost')::int)) kinds (name, sign)
        WHERE milestone.order_id = %(order)s
    ) moved GROUP BY name
    ORDER BY 11
"""
