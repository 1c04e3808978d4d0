"""What must never break, asked of the tables in SQL; written from the promises, not from the code (I1–I14, I16).

`check()` holds at any instant. It speaks of tables and columns only and imports no verb, so that it cannot
repeat a mistake that the code makes.
"""

from collections import defaultdict

from django.db import connection

# Each query finds the rows that break the promise named beside it.
BROKEN = {
    "I1 a transfer is one positive amount in one currency, from one account to another": """
        SELECT transfer.id FROM payments_transfer transfer
        JOIN payments_account source ON source.id = transfer.source_id
        JOIN payments_account destination ON destination.id = transfer.destination_id
        WHERE transfer.amount <= 0 OR source.id = destination.id
           OR source.currency <> transfer.currency OR destination.currency <> transfer.currency
    """,
    "I2 the ledger sums to zero in every currency": """
        SELECT currency, sum(moved) FROM (
            SELECT account.currency, transfer.amount AS moved FROM payments_transfer transfer
            JOIN payments_account account ON account.id = transfer.destination_id
            UNION ALL
            SELECT account.currency, -transfer.amount FROM payments_transfer transfer
            JOIN payments_account account ON account.id = transfer.source_id
        ) moves GROUP BY currency HAVING sum(moved) <> 0
    """,
    "I3 at every prefix of the journal a milestone's held funds are at least nothing": """
        SELECT * FROM (
            SELECT transfer.held_id, transfer.id, sum(
                CASE WHEN destination.code = 'held' THEN transfer.amount ELSE 0 END
                - CASE WHEN source.code = 'held' THEN transfer.amount ELSE 0 END
            ) OVER (PARTITION BY transfer.held_id ORDER BY transfer.id) AS held
            FROM payments_transfer transfer
            JOIN payments_account source ON source.id = transfer.source_id
            JOIN payments_account destination ON destination.id = transfer.destination_id
        ) prefixes WHERE held < 0
    """,
    "I3 an open milestone holds what was charged less what was refunded, any other holds nothing": """
        SELECT milestone.id, milestone.status, held.now, held.charged, held.refunded
        FROM orders_milestone milestone JOIN moved held ON held.id = milestone.held_id
        WHERE held.now <> CASE
            WHEN milestone.status IN ('in_progress', 'delivered', 'in_revision')
            THEN held.funding - held.refunded_from_held ELSE 0 END
    """,
    "I4 what was charged is held, with the seller, in fees, due back, given back or charged back": """
        SELECT id, charged, now, seller, fees, refunds_due, refunded, charged_back FROM moved
        WHERE charged <> now + seller + fees + refunds_due + refunded + charged_back
    """,
    "I5 at most one success funds a milestone": """
        SELECT held_id FROM payments_charge WHERE funded GROUP BY held_id HAVING count(*) > 1
    """,
    "I5 one release at most, and always of all that is left": """
        SELECT held.id FROM payments_heldfunds held
        LEFT JOIN payments_transfer transfer ON transfer.held_id = held.id AND transfer.kind = 'earning'
        GROUP BY held.id
        HAVING count(transfer.id) > 1
            OR held.refunded + held.released + held.charged_back > held.amount
            OR (held.released > 0 AND held.refunded + held.released + held.charged_back <> held.amount)
    """,
    "I5 a success is booked once: it funds, or it goes back": """
        SELECT charge.id FROM payments_charge charge
        WHERE (charge.status = 'succeeded') <> (charge.funded OR charge.surplus) OR (charge.funded AND charge.surplus)
           OR (charge.status = 'succeeded') <> EXISTS (
               SELECT FROM payments_transfer transfer
               WHERE transfer.charge_id = charge.id AND transfer.kind IN ('charge', 'surplus')
                 AND transfer.amount = charge.amount)
    """,
    "I6 the buyer's fee is the rate of the price, half up": """
        SELECT id, price, buyer_fee FROM payments_heldfunds
        WHERE buyer_fee <> round(price::numeric * buyer_fee_rate / 10000 / step) * step
           OR (amount <> 0 AND amount <> price + buyer_fee)
    """,
    "I6 the seller gets the price that is left less the commission on it, half up": """
        SELECT held.id, moved.seller FROM payments_heldfunds held JOIN moved ON moved.id = held.id
        WHERE held.released > 0 AND moved.seller <>
            held.price - held.refunded_price
            - round((held.price - held.refunded_price)::numeric * held.commission_rate / 10000)
    """,
    "I6 a refunded part gives back the part and the fee on it": """
        SELECT id FROM payments_heldfunds
        WHERE amount > 0 AND charged_back = 0 AND refunded <> amount
            - (price - refunded_price)
            - round((price - refunded_price)::numeric * buyer_fee_rate / 10000 / step) * step
    """,
    "I7 what the provider charged is one charge here, with the same amount": """
        SELECT theirs.key, theirs.status, ours.status FROM payments_sandboxcharge theirs
        LEFT JOIN payments_charge ours ON ours.key = theirs.key AND ours.provider = 'sandbox'
        WHERE ours.id IS NULL OR (theirs.status = 'succeeded' AND theirs.amount <> ours.amount)
    """,
    "I7 what is booked as charged was charged by the provider": """
        SELECT ours.key FROM payments_charge ours
        LEFT JOIN payments_sandboxcharge theirs ON theirs.key = ours.key
        WHERE ours.status = 'succeeded' AND theirs.status IS DISTINCT FROM 'succeeded'
    """,
    "I7 what is booked as refunded was given back by the provider, once": """
        SELECT ours.key FROM payments_refund ours
        LEFT JOIN payments_sandboxrefund theirs ON theirs.key = ours.key
        WHERE (ours.status = 'succeeded') <> EXISTS (
                SELECT FROM payments_transfer transfer
                WHERE transfer.refund_id = ours.id AND transfer.kind = 'refunded' AND transfer.amount = ours.amount)
           OR (ours.status = 'succeeded'
               AND (theirs.status IS DISTINCT FROM 'succeeded' OR theirs.amount <> ours.amount))
    """,
    "I7 the provider gave nothing back that we did not ask for": """
        SELECT theirs.key FROM payments_sandboxrefund theirs
        LEFT JOIN payments_refund ours ON ours.key = theirs.key
        WHERE ours.id IS NULL OR (theirs.status = 'succeeded' AND theirs.amount <> ours.amount)
    """,
    "I7 no movement is booked twice": """
        SELECT charge_id, refund_id, kind FROM payments_transfer
        WHERE kind IN ('charge', 'surplus', 'refund', 'refunded')
        GROUP BY charge_id, refund_id, kind HAVING count(*) > 1
    """,
    "I8 no account is negative that may not be": """
        SELECT account.id, account.code, account.balance FROM balances account
        WHERE account.balance < 0 AND account.code NOT IN ('clearing', 'chargebacks', 'debt', 'loss')
    """,
    "I9 ledger, events and deliveries refuse changes": """
        SELECT tables.name FROM (VALUES ('payments_transfer'), ('orders_event'), ('orders_delivery')) tables (name)
        WHERE NOT EXISTS (
            SELECT FROM pg_trigger trigger
            WHERE trigger.tgrelid = tables.name::regclass AND trigger.tgenabled = 'O'
              AND trigger.tgtype & 2 <> 0 AND trigger.tgtype & 8 <> 0 AND trigger.tgtype & 16 <> 0)
    """,
    "I10 the counters of held funds are the sums of their transfers": """
        SELECT held.id FROM payments_heldfunds held JOIN moved ON moved.id = held.id
        WHERE held.amount <> moved.funding OR held.refunded <> moved.refunded_from_held
           OR held.released <> moved.seller + moved.fees OR held.charged_back <> moved.charged_back
    """,
    "I11 at most one milestone of an order is current": """
        SELECT order_id FROM orders_milestone
        WHERE status IN ('awaiting_payment', 'in_progress', 'delivered', 'in_revision')
        GROUP BY order_id HAVING count(*) > 1
    """,
    "I11 a milestone is charged only after the one before has ended": """
        SELECT later.id FROM orders_milestone later
        JOIN orders_milestone earlier ON earlier.order_id = later.order_id AND earlier.position < later.position
        JOIN payments_charge charge ON charge.held_id = later.held_id
        WHERE earlier.ended_at IS NULL OR earlier.ended_at > charge.created_at
           OR earlier.status NOT IN ('completed', 'canceled')
    """,
    "I11 an ended order holds nothing and has nothing current": """
        SELECT orders.id, milestone.status FROM orders_order orders
        JOIN orders_milestone milestone ON milestone.order_id = orders.id
        LEFT JOIN moved ON moved.id = milestone.held_id
        WHERE orders.status IN ('completed', 'canceled')
          AND (coalesce(moved.now, 0) <> 0 OR milestone.status NOT IN ('completed', 'canceled', 'not_started'))
    """,
    "I12 a milestone is completed exactly when something was released": """
        SELECT milestone.id, milestone.status FROM orders_milestone milestone
        LEFT JOIN payments_heldfunds held ON held.id = milestone.held_id
        WHERE (milestone.status = 'completed') <> (coalesce(held.released, 0) > 0)
    """,
    "I12 a milestone is canceled exactly when all of it was refunded or charged back": """
        SELECT milestone.id, milestone.status FROM orders_milestone milestone
        LEFT JOIN payments_heldfunds held ON held.id = milestone.held_id
        WHERE (milestone.status = 'canceled')
           <> (coalesce(held.amount, 0) > 0 AND held.refunded + held.charged_back = held.amount)
    """,
    "I12 an order is completed exactly when it ended with a completed milestone": """
        SELECT orders.id, orders.status FROM orders_order orders
        WHERE orders.status IN ('completed', 'canceled') AND (orders.status = 'completed') <> EXISTS (
            SELECT FROM orders_milestone milestone
            WHERE milestone.order_id = orders.id AND milestone.status = 'completed')
    """,
    "I12 an order under way waits for the buyer exactly when it has a deadline": """
        SELECT orders.id FROM orders_order orders
        LEFT JOIN orders_milestone milestone ON milestone.order_id = orders.id
            AND milestone.status IN ('awaiting_payment', 'in_progress', 'delivered', 'in_revision')
        WHERE (orders.decide_by IS NOT NULL) <> (
            orders.status NOT IN ('completed', 'canceled')
            AND coalesce(milestone.status, 'none') NOT IN ('in_progress', 'in_revision'))
    """,
    "I13 a review window is the delivery, the window of the terms and the recorded pauses": """
        SELECT orders.number, orders.decide_by FROM orders_order orders
        JOIN catalog_terms terms ON terms.id = orders.terms_id
        JOIN orders_milestone milestone ON milestone.order_id = orders.id AND milestone.status = 'delivered'
        WHERE orders.decide_by <> milestone.delivered_at + terms.review + coalesce((
            SELECT sum(added_to_decide_by) FROM orders_pause
            WHERE order_id = orders.id AND started_at >= milestone.delivered_at), '0')
    """,
    "I13 nothing is completed by the clock but at the end of its window": """
        SELECT orders.number, event.at FROM orders_event event
        JOIN orders_order orders ON orders.id = event.order_id
        JOIN catalog_terms terms ON terms.id = orders.terms_id
        JOIN orders_milestone milestone ON milestone.id = event.milestone_id
        WHERE event.kind = 'lapsed' AND (event.at > event.recorded_at
           OR event.at <> milestone.delivered_at + terms.review + coalesce((
            SELECT sum(added_to_decide_by) FROM orders_pause
            WHERE order_id = orders.id AND started_at >= milestone.delivered_at), '0'))
    """,
    "I13 the delivery date is the funded instant, the days of the plan and the recorded pauses": """
        SELECT milestone.id, milestone.deliver_by FROM orders_milestone milestone
        WHERE milestone.status = 'in_progress' AND milestone.deliver_by <>
            milestone.funded_at + milestone.delivery_days * interval '24 hours' + coalesce((
            SELECT sum(added_to_deliver_by) FROM orders_pause WHERE order_id = milestone.order_id
              AND coalesce(ended_at, milestone.funded_at) >= milestone.funded_at), '0')
    """,
    "I13 a revision is due when it was asked for, the window of the terms and the recorded pauses": """
        SELECT milestone.id, milestone.deliver_by FROM orders_milestone milestone
        JOIN orders_order orders ON orders.id = milestone.order_id
        JOIN catalog_terms terms ON terms.id = orders.terms_id
        JOIN LATERAL (
            SELECT max(at) AS at FROM orders_event
            WHERE milestone_id = milestone.id AND kind = 'revision_requested') asked ON true
        WHERE milestone.status = 'in_revision' AND milestone.deliver_by <> asked.at + terms.revision + coalesce((
            SELECT sum(added_to_deliver_by) FROM orders_pause
            WHERE order_id = milestone.order_id AND started_at >= asked.at), '0')
    """,
    "I13 an offer expires when it was last sent and the window of the terms": """
        SELECT orders.number FROM orders_order orders JOIN catalog_terms terms ON terms.id = orders.terms_id
        WHERE orders.status = 'offered' AND orders.decide_by <> terms.offer + (
            SELECT max(at) FROM orders_event
            WHERE order_id = orders.id AND kind IN ('offered', 'offer_edited'))
    """,
    "I13 an order is frozen exactly while a pause of it is open": """
        SELECT orders.number FROM orders_order orders
        LEFT JOIN orders_pause pause ON pause.order_id = orders.id AND pause.ended_at IS NULL
        WHERE orders.paused_at IS DISTINCT FROM pause.started_at
    """,
    "I14 revisions used are the revisions asked for, and were left": """
        SELECT milestone.id FROM orders_milestone milestone
        LEFT JOIN orders_event event ON event.milestone_id = milestone.id AND event.kind = 'revision_requested'
        GROUP BY milestone.id
        HAVING milestone.revisions_used <> count(event.id)
            OR milestone.revisions_used > milestone.revisions + milestone.revisions_granted
    """,
    "I16 events count up with the order's version, and none is newer than it": """
        SELECT event.id FROM orders_event event JOIN orders_order orders ON orders.id = event.order_id
        WHERE event.version > orders.version OR EXISTS (
            SELECT FROM orders_event earlier
            WHERE earlier.order_id = event.order_id AND earlier.id < event.id AND earlier.version > event.version)
    """,
    "I16 a version of an order is the work of one person": """
        SELECT order_id, version FROM orders_event GROUP BY order_id, version HAVING count(DISTINCT actor_id) > 1
    """,
    "I16 an order's ending is told with its reason, at the instant it has": """
        SELECT orders.number FROM orders_order orders
        WHERE orders.status IN ('completed', 'canceled') AND (
            SELECT count(*) FROM orders_event event
            WHERE event.order_id = orders.id AND event.kind = 'ended'
              AND event.reason = orders.closed_because AND event.at = orders.ended_at
              AND event.to_status = orders.status) <> 1
    """,
    "I17 a notice is told once per event and person, and never to the person who acted": """
        SELECT notice.id FROM notifications_notice notice
        JOIN orders_event event ON notice.key = 'event:' || event.id
        WHERE notice.recipient_id = event.actor_id
    """,
}

MOVED = """
    WITH moved AS MATERIALIZED (
        SELECT held.id,
            coalesce(sum(transfers.amount) FILTER (WHERE source IN ('clearing', 'credit')), 0) AS charged,
            coalesce(sum(transfers.amount) FILTER (WHERE source IN ('clearing', 'credit') AND destination = 'held'), 0)
                AS funding,
            coalesce(sum(transfers.amount) FILTER (WHERE destination = 'held'), 0)
                - coalesce(sum(transfers.amount) FILTER (WHERE source = 'held'), 0) AS now,
            coalesce(sum(transfers.amount) FILTER (WHERE source = 'held' AND destination = 'refunds_due'), 0)
                AS refunded_from_held,
            coalesce(
                sum(transfers.amount) FILTER (WHERE destination LIKE 'earnings%' AND source NOT LIKE 'earnings%'), 0
            ) AS seller,
            coalesce(sum(transfers.amount) FILTER (WHERE destination = 'fees'), 0) AS fees,
            coalesce(sum(transfers.amount) FILTER (WHERE destination = 'refunds_due'), 0)
                - coalesce(sum(transfers.amount) FILTER (WHERE source = 'refunds_due'), 0) AS refunds_due,
            coalesce(sum(transfers.amount) FILTER (WHERE destination IN ('clearing', 'credit')), 0) AS refunded,
            coalesce(sum(transfers.amount) FILTER (WHERE destination = 'chargebacks'), 0) AS charged_back
        FROM payments_heldfunds held
        LEFT JOIN (
            SELECT transfer.held_id, transfer.amount, source.code AS source, destination.code AS destination
            FROM payments_transfer transfer
            JOIN payments_account source ON source.id = transfer.source_id
            JOIN payments_account destination ON destination.id = transfer.destination_id
        ) transfers ON transfers.held_id = held.id
        GROUP BY held.id
    ), balances AS MATERIALIZED (
        SELECT account.id, account.code,
            coalesce((SELECT sum(amount) FROM payments_transfer WHERE destination_id = account.id), 0)
            - coalesce((SELECT sum(amount) FROM payments_transfer WHERE source_id = account.id), 0) AS balance
        FROM payments_account account
    )
"""

# The published machines, word by word (rules, section 3).
ORDER_MOVES = {
    "": {"offered"},
    "offered": {"awaiting_payment", "canceled"},
    "awaiting_payment": {"active", "canceled"},
    "active": {"completed", "canceled"},
}
MILESTONE_MOVES = {
    "planned": {"awaiting_payment", "not_started"},
    "awaiting_payment": {"in_progress", "not_started"},
    "in_progress": {"delivered", "canceled", "completed"},
    "delivered": {"delivered", "in_revision", "completed", "canceled"},
    "in_revision": {"delivered", "completed", "canceled"},
}


def check() -> list[str]:
    """The promises that are broken, each with the first rows that break it; empty when all of them hold."""
    broken = []
    with connection.cursor() as cursor:
        for promise, query in BROKEN.items():
            cursor.execute(MOVED + query)
            if rows := cursor.fetchmany(3):
                broken.append(f"{promise}: {rows}")
    return broken + _replayed()


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
            """
        )
        return [f"I15 the provider's answer is not recorded: {row}" for row in cursor.fetchall()]


def _replayed() -> list[str]:
    """I16: each state change has one event, its path is legal, and replaying them gives the present state."""
    broken = []
    with connection.cursor() as cursor:
        cursor.execute("SELECT order_id, id, status FROM orders_milestone")
        milestones = {(order, milestone): status for order, milestone, status in cursor.fetchall()}
        cursor.execute("SELECT id, status FROM orders_order")
        orders = dict(cursor.fetchall())
        cursor.execute(
            "SELECT order_id, milestone_id, kind, from_status, to_status FROM orders_event "
            "WHERE to_status <> '' ORDER BY id"
        )
        replayed: dict[tuple[int, int | None], str] = defaultdict(str) | dict.fromkeys(milestones, "planned")
        for order, milestone, kind, before, after in cursor.fetchall():
            moves = MILESTONE_MOVES if milestone else ORDER_MOVES
            if replayed[order, milestone] != before or after not in moves.get(before, ()):
                broken.append(f"I16 {kind} moves {order}/{milestone} from {before!r} to {after!r}, no legal move")
            replayed[order, milestone] = after
    for (order, milestone), status in replayed.items():
        present = milestones[order, milestone] if milestone else orders[order]
        if status != present:
            broken.append(f"I16 {order}/{milestone} is {present!r}, but its events say {status!r}")
    for order in orders:
        if (order, None) not in replayed:
            broken.append(f"I16 order {order} has no event")
    return broken
