"""One acceptance as plain SQL: one transaction, one round trip per statement, prepared by psycopg.

The same locks, reads and writes as `orders.services.accept`, and the same rows afterwards.
"""

from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb

from orders.models.order import next_reminder

from .wishes import PERSON, TOLD, WISHED

LOCK = """
    SELECT o.buyer_id, o.seller_id, o.number, o.version, o.decide_from, o.decide_by, o.remind_at, o.paused_at,
        buyer.is_active, buyer.name, seller.is_active, seller.name, terms.review, terms.continuing
    FROM orders_order o
    JOIN accounts_user buyer ON buyer.id = o.buyer_id
    JOIN accounts_user seller ON seller.id = o.seller_id
    JOIN catalog_terms terms ON terms.id = o.terms_id
    WHERE o.id = %(order)s FOR NO KEY UPDATE OF o
"""
PLAN = """
    SELECT m.id, m.position, m.status, m.title, m.price, m.held_id, held.amount, held.released, charge.status
    FROM orders_milestone m
    LEFT JOIN payments_heldfunds held ON held.id = m.held_id
    LEFT JOIN payments_charge charge ON charge.held_id = held.id
    WHERE m.order_id = %(order)s ORDER BY m.position
"""
RELEASE = """
    UPDATE payments_heldfunds held SET
        released = amount - refunded - charged_back, released_at = %(now)s, available_at = %(now)s + clearing,
        cleared_at = CASE WHEN clearing = interval '0' THEN %(now)s END
    WHERE id = %(held)s AND released = 0 AND amount > refunded + charged_back
        AND NOT EXISTS (
            SELECT FROM payments_chargeback chargeback JOIN payments_charge charge ON charge.id = chargeback.charge_id
            WHERE charge.held_id = held.id AND charge.funded AND chargeback.status = 'open')
    RETURNING payee_id, currency, clearing > interval '0', released,
        price - refunded_price - div((price - refunded_price) * commission_rate + 5000, 10000)::bigint
"""
TRANSFERS = """
    INSERT INTO payments_transfer (source_id, destination_id, amount, currency, kind, held_id, created_at)
    SELECT source.id, paid.destination_id, paid.amount, %(currency)s, paid.kind, %(held)s, %(now)s
    FROM (
        SELECT 1 AS turn, id AS destination_id, %(seller)s::bigint AS amount, 'earning' AS kind FROM payments_account
        WHERE code = %(earnings)s AND currency = %(currency)s AND owner_id = %(payee)s
        UNION ALL
        SELECT 2, id, %(platform)s::bigint, 'fee' FROM payments_account
        WHERE code = 'fees' AND currency = %(currency)s AND owner_id IS NULL
    ) AS paid
    JOIN payments_account source ON source.code = 'held' AND source.currency = %(currency)s AND source.owner_id IS NULL
    WHERE paid.amount > 0 ORDER BY paid.turn
"""
COMPLETE = """
    UPDATE orders_milestone SET status = 'completed', ended_at = %(now)s, remind_at = NULL
    WHERE id = %(milestone)s AND status = %(status)s
"""
GO_ON = """
    UPDATE orders_order SET version = %(version)s, acted_at = %(now)s,
        decide_from = %(decide_from)s, decide_by = %(decide_by)s, remind_at = %(remind_at)s
    WHERE id = %(order)s
"""
END = """
    UPDATE orders_order SET version = %(version)s, acted_at = %(now)s, status = 'completed',
        closed_because = 'finished', ended_at = %(now)s, decide_from = NULL, decide_by = NULL, remind_at = NULL
    WHERE id = %(order)s
"""
EVENTS = """
    INSERT INTO orders_event
        (order_id, milestone_id, kind, actor_id, from_status, to_status, reason, note, data, version, at, recorded_at)
    SELECT %(order)s, milestone_id, kind, %(buyer)s, before, after, reason, '', data, %(version)s, %(now)s, %(now)s
    FROM (VALUES
        (1, %(milestone)s, 'accepted', %(status)s, 'completed', '', %(data)s::jsonb),
        (2, NULL, 'ended', 'active', 'completed', 'finished', '{}'::jsonb)
    ) AS happened (turn, milestone_id, kind, before, after, reason, data)
    WHERE turn <= %(turns)s ORDER BY turn
    RETURNING id, kind
"""
NOTICES = f"""
    INSERT INTO notifications_notice
        (recipient_id, kind, own_title, own_text, url, key, attempts, created_at, {TOLD})
    SELECT told.recipient_id, told.kind, '', '', %(url)s, 'event:' || told.id, 0, told.at, {WISHED}
    FROM (SELECT %(seller)s::bigint AS recipient_id, %(now)s AS at, event.*
        FROM unnest(%(ids)s::bigint[], %(kinds)s::text[]) AS event (id, kind)) AS told
    {PERSON} ORDER BY told.id ON CONFLICT DO NOTHING
"""  # noqa: S608 -- constants of this package


def accept(db: "Connection[Any]", order_id: int, milestone_id: int, now: datetime) -> None:
    """Accept a delivered milestone: it and its order, held funds, transfers, events and notices, in one commit.

    AssertionError where the milestone is not delivered or its money not there; nothing is written then.
    """
    with db.transaction(), db.cursor() as cursor:

        def run(statement: str, **values: Any) -> list[tuple[Any, ...]]:
            given = {"order": order_id, "milestone": milestone_id, "now": now, **values}
            cursor.execute(statement.encode(), given, prepare=True)
            return cursor.fetchall() if cursor.description else []

        buyer, seller, number, version, *deadline, paused, _a, _b, _c, _d, review, continuing = run(LOCK)[0]
        plan = {row[0]: row for row in run(PLAN)}
        status, held = plan[milestone_id][2], plan[milestone_id][5]
        assert status in ("delivered", "in_revision")
        assert paused is None
        payee, currency, waits, released, payout = run(RELEASE, held=held)[0]
        run(
            TRANSFERS,
            held=held,
            currency=currency,
            payee=payee,
            earnings="earnings_clearing" if waits else "earnings_available",
            seller=payout,
            platform=released - payout,
        )
        run(COMPLETE, status=status)
        ends = not any(row[2] in ("planned", "awaiting_payment") for row in plan.values())
        if ends:
            run(END, version=version + 1)
        else:
            dates = _deadline(deadline, status, now, review, continuing)
            run(GO_ON, version=version + 1, decide_from=dates[0], decide_by=dates[1], remind_at=dates[2])
        events = run(
            EVENTS,
            buyer=buyer,
            status=status,
            version=version + 1,
            data=Jsonb({"released": payout}),
            turns=2 if ends else 1,
        )
        ids, kinds = zip(*events, strict=True)
        run(NOTICES, seller=seller, url=f"/orders/{number}/", ids=list(ids), kinds=list(kinds))


def _deadline(
    now_set: list[datetime | None], status: str, now: datetime, review: timedelta, continuing: timedelta | None
) -> list[datetime | None]:
    """From when and until when the buyer may go on, and when they are reminded (O13, O16)."""
    if status == "in_revision":
        now_set = [now, now + review, next_reminder(now, now + review, now)]
    until = now_set[1]
    assert until
    if continuing is not None and now + continuing > until:
        return [now, now + continuing, next_reminder(now, now + continuing, now)]
    return now_set
