"""The promises of orders, their clocks and their history: I3 at rest, I9, I11 to I14, I16 and I17."""

from .promise import Look, Promise

MILESTONES = Look(
    "milestone.id",
    """
        orders_milestone milestone JOIN orders_order orders ON orders.id = milestone.order_id
        LEFT JOIN payments_heldfunds held ON held.id = milestone.held_id
        LEFT JOIN moved ON moved.id = milestone.held_id
        LEFT JOIN told ON told.milestone_id = milestone.id
    """,
)
ORDERS = Look(
    "orders.number",
    """
        orders_order orders
        LEFT JOIN told ON told.order_id = orders.id AND told.milestone_id IS NULL
        LEFT JOIN orders_pause pause ON pause.order_id = orders.id AND pause.ended_at IS NULL
        LEFT JOIN (
            SELECT order_id, count(*) FILTER (WHERE status = 'completed') AS completed,
                count(*) FILTER (WHERE status IN ('awaiting_payment', 'in_progress', 'delivered', 'in_revision'))
                    AS current,
                count(*) FILTER (WHERE status IN ('in_progress', 'in_revision')) AS in_work,
                count(*) FILTER (WHERE status NOT IN ('completed', 'canceled', 'not_started')) AS ahead
            FROM orders_milestone GROUP BY order_id
        ) plan ON plan.order_id = orders.id
    """,
)
HISTORY = Look(
    "coalesce(told.first_leap::text, told.first_backwards::text, 'order ' || told.order_id)",
    "told JOIN orders_order orders ON orders.id = told.order_id",
)

PROMISES = [
    MILESTONES.promise(
        "I3 an open milestone holds what was charged less what was refunded, any other holds nothing",
        """
        moved.now - CASE WHEN milestone.status IN ('in_progress', 'delivered', 'in_revision')
            THEN moved.funding - moved.refunded_from_held ELSE 0 END
        """,
        "moved.id IS NOT NULL",
    ),
    MILESTONES.promise(
        "I11 an ended order holds nothing and has nothing current",
        """
        abs(coalesce(moved.now, 0))
            + (milestone.status NOT IN ('completed', 'canceled', 'not_started'))::int
        """,
        "orders.status IN ('completed', 'canceled')",
    ),
    MILESTONES.promise(
        "I12 a milestone is completed exactly when something was released",
        "((milestone.status = 'completed') <> (coalesce(held.released, 0) > 0))::int",
    ),
    MILESTONES.promise(
        "I12 a milestone is canceled exactly when all of it was refunded or charged back",
        """
        ((milestone.status = 'canceled')
            <> (coalesce(held.amount, 0) > 0 AND held.refunded + held.charged_back = held.amount))::int
        """,
    ),
    MILESTONES.promise(
        "I14 revisions used are the revisions asked for, and were left",
        """
        (milestone.revisions_used <> coalesce(told.revisions, 0)
            OR milestone.revisions_used > milestone.revisions + milestone.revisions_granted)::int
        """,
    ),
    MILESTONES.promise(
        "I16 replaying the events of a milestone gives its present state",
        "(milestone.status <> coalesce(told.state, 'planned'))::int",
    ),
    ORDERS.promise(
        "I11 at most one milestone of an order is current",
        "greatest(0, plan.current - 1)",
        "plan.current > 0",
    ),
    ORDERS.promise(
        "I12 an order is completed exactly when it ended with a completed milestone",
        "((orders.status = 'completed') <> (coalesce(plan.completed, 0) > 0))::int",
        "orders.status IN ('completed', 'canceled')",
    ),
    ORDERS.promise(
        "I12 an order under way waits for the buyer exactly when it has a deadline",
        """
        ((orders.decide_by IS NOT NULL)
            <> (orders.status NOT IN ('completed', 'canceled') AND coalesce(plan.in_work, 0) = 0))::int
        """,
    ),
    ORDERS.promise(
        "I13 an order is frozen exactly while a pause of it is open",
        "(orders.paused_at IS DISTINCT FROM pause.started_at)::int",
    ),
    ORDERS.promise(
        "I16 an order's ending is told with its reason, at the instant it has",
        """
        ((told.endings, told.because, told.ended_at, told.state)
            IS DISTINCT FROM (1, orders.closed_because, orders.ended_at, orders.status))::int
        """,
        "orders.status IN ('completed', 'canceled')",
    ),
    ORDERS.promise(
        "I16 replaying the events of an order gives its present state",
        "(orders.status IS DISTINCT FROM told.state)::int",
    ),
    ORDERS.promise(
        "O13 an order under way has a milestone that is planned or current",
        "(coalesce(plan.ahead, 0) = 0)::int",
        "orders.status NOT IN ('completed', 'canceled')",
    ),
    HISTORY.promise(
        "I16 events count up with the order's version, and none is newer than it",
        "(told.version > orders.version OR told.first_backwards IS NOT NULL)::int",
    ),
    HISTORY.promise(
        "I16 every move follows the one before and is legal in the published machine",
        "(told.first_leap IS NOT NULL)::int",
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
        "I16 a version of an order is the work of one person",
        """
        SELECT order_id || '/' || version AS what, coalesce(min(actor_id) <> max(actor_id), false)::int AS off
        FROM orders_event GROUP BY order_id, version
        """,
    ),
    Promise(
        "I17 a notice is told once per event and person, and never to the person who acted",
        """
        SELECT notice.id AS what, (notice.recipient_id = event.actor_id)::int AS off
        FROM notifications_notice notice JOIN orders_event event
            ON notice.key = 'event:' || event.id
        """,
    ),
]
