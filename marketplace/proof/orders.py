"""The promises of orders, their clocks and their history: I3 at rest, I9, I11 to I14, I16 and I17."""

from .promise import Promise

PROMISES = [
    Promise(
        "I3 an open milestone holds what was charged less what was refunded, any other holds nothing",
        """
        SELECT milestone.id AS what, held.now - CASE
            WHEN milestone.status IN ('in_progress', 'delivered', 'in_revision')
            THEN held.funding - held.refunded_from_held ELSE 0 END AS off
        FROM orders_milestone milestone JOIN moved held ON held.id = milestone.held_id
        """,
    ),
    Promise(
        "I9 ledger, documents, events and deliveries refuse changes",
        """
        SELECT tables.name AS what, (NOT EXISTS (
            SELECT FROM pg_trigger trigger
            WHERE trigger.tgrelid = tables.name::regclass AND trigger.tgenabled = 'O'
              AND trigger.tgtype & 2 <> 0 AND trigger.tgtype & 8 <> 0 AND trigger.tgtype & 16 <> 0))::int AS off
        FROM (VALUES ('payments_transfer'), ('payments_document'), ('orders_event'), ('orders_delivery')) tables (name)
        """,
    ),
    Promise(
        "I11 at most one milestone of an order is current",
        """
        SELECT order_id AS what, greatest(0, count(*) - 1) AS off FROM orders_milestone
        WHERE status IN ('awaiting_payment', 'in_progress', 'delivered', 'in_revision') GROUP BY order_id
        """,
    ),
    Promise(
        "I11 a milestone is charged only after the one before has ended",
        """
        SELECT later.id AS what, (earlier.ended_at IS NULL OR earlier.ended_at > charge.created_at
            OR earlier.status NOT IN ('completed', 'canceled'))::int AS off
        FROM orders_milestone later
        JOIN orders_milestone earlier ON earlier.order_id = later.order_id AND earlier.position < later.position
        JOIN payments_charge charge ON charge.held_id = later.held_id
        """,
    ),
    Promise(
        "I11 an ended order holds nothing and has nothing current",
        """
        SELECT milestone.id AS what, abs(coalesce(moved.now, 0))
            + (milestone.status NOT IN ('completed', 'canceled', 'not_started'))::int AS off
        FROM orders_order orders JOIN orders_milestone milestone ON milestone.order_id = orders.id
        LEFT JOIN moved ON moved.id = milestone.held_id
        WHERE orders.status IN ('completed', 'canceled')
        """,
    ),
    Promise(
        "I12 a milestone is completed exactly when something was released",
        """
        SELECT milestone.id AS what,
            ((milestone.status = 'completed') <> (coalesce(held.released, 0) > 0))::int AS off
        FROM orders_milestone milestone LEFT JOIN payments_heldfunds held ON held.id = milestone.held_id
        """,
    ),
    Promise(
        "I12 a milestone is canceled exactly when all of it was refunded or charged back",
        """
        SELECT milestone.id AS what, ((milestone.status = 'canceled')
            <> (coalesce(held.amount, 0) > 0 AND held.refunded + held.charged_back = held.amount))::int AS off
        FROM orders_milestone milestone LEFT JOIN payments_heldfunds held ON held.id = milestone.held_id
        """,
    ),
    Promise(
        "I12 an order is completed exactly when it ended with a completed milestone",
        """
        SELECT orders.id AS what, ((orders.status = 'completed') <> EXISTS (
            SELECT FROM orders_milestone milestone
            WHERE milestone.order_id = orders.id AND milestone.status = 'completed'))::int AS off
        FROM orders_order orders WHERE orders.status IN ('completed', 'canceled')
        """,
    ),
    Promise(
        "I12 an order under way waits for the buyer exactly when it has a deadline",
        """
        SELECT orders.id AS what, ((orders.decide_by IS NOT NULL) <> (
            orders.status NOT IN ('completed', 'canceled')
            AND coalesce(milestone.status, 'none') NOT IN ('in_progress', 'in_revision')))::int AS off
        FROM orders_order orders
        LEFT JOIN orders_milestone milestone ON milestone.order_id = orders.id
            AND milestone.status IN ('awaiting_payment', 'in_progress', 'delivered', 'in_revision')
        """,
    ),
    Promise(
        "I13 a review window is the delivery, the window of the terms and the recorded pauses",
        """
        SELECT orders.number AS what, (orders.decide_by <> milestone.delivered_at + terms.review + coalesce((
            SELECT sum(added_to_decide_by) FROM orders_pause
            WHERE order_id = orders.id AND started_at >= milestone.delivered_at), '0'))::int AS off
        FROM orders_order orders
        JOIN catalog_terms terms ON terms.id = orders.terms_id
        JOIN orders_milestone milestone ON milestone.order_id = orders.id AND milestone.status = 'delivered'
        """,
    ),
    Promise(
        "I13 nothing is completed by the clock but at the end of its window",
        """
        SELECT orders.number AS what, (event.at > event.recorded_at
            OR event.at <> milestone.delivered_at + terms.review + coalesce((
                SELECT sum(added_to_decide_by) FROM orders_pause
                WHERE order_id = orders.id AND started_at >= milestone.delivered_at), '0'))::int AS off
        FROM orders_event event
        JOIN orders_order orders ON orders.id = event.order_id
        JOIN catalog_terms terms ON terms.id = orders.terms_id
        JOIN orders_milestone milestone ON milestone.id = event.milestone_id
        WHERE event.kind = 'lapsed'
        """,
    ),
    Promise(
        "I13 the delivery date is the funded instant, the days of the plan, the recorded pauses and the extensions",
        """
        SELECT milestone.id AS what, (milestone.deliver_by <>
            milestone.funded_at + milestone.delivery_days * interval '24 hours' + coalesce((
                SELECT sum(added_to_deliver_by) FROM orders_pause WHERE order_id = milestone.order_id
                  AND coalesce(ended_at, milestone.funded_at) >= milestone.funded_at), '0') + coalesce((
                SELECT sum((data->>'added_microseconds')::bigint) * interval '1 microsecond' FROM orders_event
                WHERE milestone_id = milestone.id AND kind = 'delivery_extended'), '0'))::int AS off
        FROM orders_milestone milestone WHERE milestone.status = 'in_progress'
        """,
    ),
    Promise(
        "I13 a revision is due when it was asked for, the window of the terms, the recorded pauses and the extensions",
        """
        SELECT milestone.id AS what, (milestone.deliver_by <> asked.at + terms.revision + coalesce((
            SELECT sum(added_to_deliver_by) FROM orders_pause
            WHERE order_id = milestone.order_id AND started_at >= asked.at), '0') + coalesce((
            SELECT sum((data->>'added_microseconds')::bigint) * interval '1 microsecond' FROM orders_event
            WHERE milestone_id = milestone.id AND kind = 'delivery_extended' AND id > asked.id), '0'))::int AS off
        FROM orders_milestone milestone
        JOIN orders_order orders ON orders.id = milestone.order_id
        JOIN catalog_terms terms ON terms.id = orders.terms_id
        JOIN LATERAL (
            SELECT max(at) AS at, max(id) AS id FROM orders_event
            WHERE milestone_id = milestone.id AND kind = 'revision_requested') asked ON true
        WHERE milestone.status = 'in_revision'
        """,
    ),
    Promise(
        "I13 an offer expires when it was last sent and the window of the terms",
        """
        SELECT orders.number AS what, (orders.decide_by <> terms.offer + (
            SELECT max(at) FROM orders_event
            WHERE order_id = orders.id AND kind IN ('offered', 'offer_edited')))::int AS off
        FROM orders_order orders JOIN catalog_terms terms ON terms.id = orders.terms_id
        WHERE orders.status = 'offered'
        """,
    ),
    Promise(
        "I13 an order is frozen exactly while a pause of it is open",
        """
        SELECT orders.number AS what, (orders.paused_at IS DISTINCT FROM pause.started_at)::int AS off
        FROM orders_order orders
        LEFT JOIN orders_pause pause ON pause.order_id = orders.id AND pause.ended_at IS NULL
        """,
    ),
    Promise(
        "I14 revisions used are the revisions asked for, and were left",
        """
        SELECT milestone.id AS what, (milestone.revisions_used <> count(event.id)
            OR milestone.revisions_used > milestone.revisions + milestone.revisions_granted)::int AS off
        FROM orders_milestone milestone
        LEFT JOIN orders_event event ON event.milestone_id = milestone.id AND event.kind = 'revision_requested'
        GROUP BY milestone.id
        """,
    ),
    Promise(
        "I16 events count up with the order's version, and none is newer than it",
        """
        SELECT event.id AS what, (event.version > orders.version OR coalesce(event.version < event.before, false))::int
            AS off
        FROM (
            SELECT id, order_id, version, max(version) OVER (
                PARTITION BY order_id ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
            FROM orders_event
        ) event JOIN orders_order orders ON orders.id = event.order_id
        """,
    ),
    Promise(
        "I16 a version of an order is the work of one person",
        """
        SELECT order_id || '/' || version AS what, (count(DISTINCT actor_id) > 1)::int AS off
        FROM orders_event GROUP BY order_id, version
        """,
    ),
    Promise(
        "I16 an order's ending is told with its reason, at the instant it has",
        """
        SELECT orders.number AS what, ((
            SELECT count(*) FROM orders_event event
            WHERE event.order_id = orders.id AND event.kind = 'ended'
              AND event.reason = orders.closed_because AND event.at = orders.ended_at
              AND event.to_status = orders.status) <> 1)::int AS off
        FROM orders_order orders WHERE orders.status IN ('completed', 'canceled')
        """,
    ),
    # The published machines, word by word (rules, section 3).
    Promise(
        "I16 every move follows the one before and is legal in the published machine",
        """
        WITH moves (of, before, after) AS (VALUES
            ('order', '', 'offered'), ('order', 'offered', 'awaiting_payment'), ('order', 'offered', 'canceled'),
            ('order', 'awaiting_payment', 'active'), ('order', 'awaiting_payment', 'canceled'),
            ('order', 'active', 'completed'), ('order', 'active', 'canceled'),
            ('milestone', 'planned', 'awaiting_payment'), ('milestone', 'planned', 'not_started'),
            ('milestone', 'awaiting_payment', 'in_progress'), ('milestone', 'awaiting_payment', 'not_started'),
            ('milestone', 'in_progress', 'delivered'), ('milestone', 'in_progress', 'canceled'),
            ('milestone', 'in_progress', 'completed'),
            ('milestone', 'delivered', 'delivered'), ('milestone', 'delivered', 'in_revision'),
            ('milestone', 'delivered', 'completed'), ('milestone', 'delivered', 'canceled'),
            ('milestone', 'in_revision', 'delivered'), ('milestone', 'in_revision', 'completed'),
            ('milestone', 'in_revision', 'canceled'))
        SELECT event.id AS what,
            (event.from_status <> event.state OR moves.after IS NULL)::int AS off
        FROM (
            SELECT id, milestone_id, from_status, to_status,
                lag(to_status, 1, CASE WHEN milestone_id IS NULL THEN '' ELSE 'planned' END)
                    OVER (PARTITION BY order_id, milestone_id ORDER BY id) AS state
            FROM orders_event WHERE to_status <> ''
        ) event
        LEFT JOIN moves ON moves.of = CASE WHEN event.milestone_id IS NULL THEN 'order' ELSE 'milestone' END
            AND moves.before = event.from_status AND moves.after = event.to_status
        """,
    ),
    Promise(
        "I16 replaying the events gives the present state",
        """
        SELECT 'order ' || orders.number AS what, (orders.status IS DISTINCT FROM (
            SELECT to_status FROM orders_event event
            WHERE event.order_id = orders.id AND event.milestone_id IS NULL AND to_status <> ''
            ORDER BY id DESC LIMIT 1))::int AS off
        FROM orders_order orders
        UNION ALL
        SELECT 'milestone ' || milestone.id, (milestone.status <> coalesce((
            SELECT to_status FROM orders_event event
            WHERE event.milestone_id = milestone.id AND to_status <> '' ORDER BY id DESC LIMIT 1), 'planned'))::int
        FROM orders_milestone milestone
        """,
    ),
    Promise(
        "I17 a notice is told once per event and person, and never to the person who acted",
        """
        SELECT notice.id AS what, (notice.recipient_id = event.actor_id)::int AS off
        FROM notifications_notice notice JOIN orders_event event ON notice.key = 'event:' || event.id
        """,
    ),
]
