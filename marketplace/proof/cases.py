"""The promises of disputes and proposals: R1, R2, R4, R6 and I16 of cases, and that no order is stuck (O13)."""

from .promise import Promise

DISPUTES = "('cancel_milestone', 'cancel_order', 'partial_refund', 'chargeback')"

PROMISES = [
    Promise(
        "R1 at most one dispute and one proposal of an order wait for somebody",
        f"""
        SELECT order_id AS what, greatest(0, count(*) - 1) AS off FROM resolution_case
        WHERE status IN ('open', 'escalated') GROUP BY order_id, kind IN {DISPUTES}
        """,  # noqa: S608
    ),
    Promise(
        "R2 what silence meant happened when it was due",
        """
        SELECT cases.number AS what, (event.at <> cases.answer_by OR event.at > event.recorded_at)::int AS off
        FROM orders_event event JOIN resolution_case cases ON cases.number = event.data->>'case'
        WHERE event.kind = 'case_unanswered'
        """,
    ),
    Promise(
        "R4 a dispute that waits for somebody freezes its order, in a pause of its own",
        f"""
        SELECT cases.number AS what, (orders.paused_at IS NULL OR pause.id IS NULL)::int AS off
        FROM resolution_case cases JOIN orders_order orders ON orders.id = cases.order_id
        LEFT JOIN orders_pause pause ON pause.order_id = orders.id AND pause.ended_at IS NULL
            AND pause.case_number = cases.number
        WHERE cases.status IN ('open', 'escalated') AND cases.kind IN {DISPUTES}
        """,  # noqa: S608
    ),
    Promise(
        "R4 a pause begins when its case opens or goes to support, and ends with an act on it",
        """
        SELECT pause.id AS what, (cases.kind IN ('extend', 'extra_revisions', 'change_upcoming')
            OR NOT EXISTS (
                SELECT FROM orders_event event WHERE event.order_id = pause.order_id AND event.at = pause.started_at
                  AND event.data->>'case' = cases.number AND event.kind IN ('case_opened', 'case_escalated'))
            OR pause.ended_at IS NOT NULL AND NOT EXISTS (
                SELECT FROM orders_event event WHERE event.order_id = pause.order_id AND event.at = pause.ended_at
                  AND event.data->>'case' = cases.number AND event.kind IN ('case_accepted', 'case_declined',
                      'case_withdrawn', 'case_unanswered', 'case_ruled', 'case_dismissed', 'case_settled')))::int AS off
        FROM orders_pause pause JOIN resolution_case cases ON cases.number = pause.case_number
        """,
    ),
    Promise(
        "R4 a pause gives the buyer's deadline its length, and more only so that the least rest is left",
        """
        SELECT pause.id AS what, (pause.added_to_decide_by < pause.ended_at - pause.started_at
            OR pause.added_to_decide_by > pause.ended_at - pause.started_at + CASE
                WHEN cases.status = 'withdrawn' AND cases.ended_at = pause.ended_at AND pause.id = (
                    SELECT max(id) FROM orders_pause WHERE order_id = cases.order_id AND case_number = cases.number)
                THEN '0' ELSE terms.least_rest END)::int AS off
        FROM orders_pause pause JOIN resolution_case cases ON cases.number = pause.case_number
        JOIN orders_order orders ON orders.id = pause.order_id JOIN catalog_terms terms ON terms.id = orders.terms_id
        WHERE pause.added_to_decide_by IS NOT NULL
        """,
    ),
    Promise(
        "R4 a proposal is void from the instant at which what it speaks of ended",
        """
        SELECT cases.number AS what, (cases.ended_at > cases.answer_by OR NOT EXISTS (
            SELECT FROM orders_order WHERE id = cases.order_id AND ended_at = cases.ended_at
            UNION ALL
            SELECT FROM orders_milestone
            WHERE cases.kind <> 'change_upcoming' AND id = cases.milestone_id AND ended_at = cases.ended_at
            UNION ALL
            SELECT FROM orders_delivery
            WHERE cases.kind = 'extend' AND milestone_id = cases.milestone_id AND delivered_at = cases.ended_at
            UNION ALL
            SELECT FROM orders_milestone WHERE order_id = cases.order_id AND position = cases.upcoming_from
                AND started_at = cases.ended_at))::int AS off
        FROM resolution_case cases WHERE cases.status = 'void'
        """,
    ),
    Promise(
        "R6 nobody rules where they are a party, and no proposal is ruled on",
        f"""
        SELECT cases.number AS what, (coalesce(cases.ended_by_id IN (orders.buyer_id, orders.seller_id), false)
            OR cases.kind NOT IN {DISPUTES})::int AS off
        FROM resolution_case cases JOIN orders_order orders ON orders.id = cases.order_id
        WHERE cases.status IN ('ruled', 'dismissed')
        """,  # noqa: S608
    ),
    Promise(
        "I16 every move of a case follows the one before, and the last gives its present state",
        """
        SELECT coalesce(moves.number, cases.number) AS what, (moves.id IS NULL OR moves.case_from <> moves.before
            OR moves.is_last AND moves.case_to IS DISTINCT FROM cases.status)::int AS off
        FROM resolution_case cases FULL JOIN (
            SELECT id, data->>'case' AS number, data->>'case_from' AS case_from, data->>'case_to' AS case_to,
                lag(data->>'case_to', 1, 'new') OVER (PARTITION BY data->>'case' ORDER BY id) AS before,
                lead(id) OVER (PARTITION BY data->>'case' ORDER BY id) IS NULL AS is_last
            FROM orders_event WHERE data ? 'case_to') moves ON moves.number = cases.number
        """,
    ),
]

# What tests of orders alone, without cases, do not keep.
ALIVE = [
    Promise(
        "R4 an order is frozen only while a dispute waits for somebody",
        f"""
        SELECT orders.number AS what, (NOT EXISTS (
            SELECT FROM resolution_case cases WHERE cases.order_id = orders.id
              AND cases.status IN ('open', 'escalated') AND cases.kind IN {DISPUTES}))::int AS off
        FROM orders_order orders WHERE orders.paused_at IS NOT NULL
        """,  # noqa: S608
    ),
    Promise(
        "I13 no proposal stays open when what it speaks of has ended",
        """
        SELECT cases.number AS what, (least(orders.ended_at, milestone.ended_at, first.started_at,
            CASE WHEN cases.kind = 'extend' AND milestone.delivered_at >= cases.opened_at
                THEN milestone.delivered_at END) < %(late)s)::int AS off
        FROM resolution_case cases JOIN orders_order orders ON orders.id = cases.order_id
        LEFT JOIN orders_milestone milestone ON milestone.id = cases.milestone_id AND cases.kind <> 'change_upcoming'
        LEFT JOIN orders_milestone first ON first.order_id = cases.order_id AND first.position = cases.upcoming_from
        WHERE cases.status = 'open'
        """,
    ),
]
