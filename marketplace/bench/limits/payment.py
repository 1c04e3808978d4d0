"""Placing an order and starting a milestone as plain SQL: the three steps of a payment, prepared by psycopg.

The same locks, reads, writes and commits as `orders.services.place` and `start` with a card that succeeds at once, and
the same rows afterwards. The provider's own rows are written as the sandbox writes them, with nothing open around them.
"""

import json
import uuid
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb

from orders.models.order import next_reminder
from payments.money import fee

from .wishes import DOER, TOLD, WISHED

LABEL = "Visa ending in 4242"
LOCK = """
    SELECT o.number, o.title, o.currency, o.status, o.version, o.decide_by, o.paused_at, o.buyer_id, o.seller_id,
        buyer.is_active, seller.is_active, terms.payment, terms.buyer_fee, terms.commission, terms.clearing,
        terms.very_late
    FROM orders_order o
    JOIN accounts_user buyer ON buyer.id = o.buyer_id
    JOIN accounts_user seller ON seller.id = o.seller_id
    JOIN catalog_terms terms ON terms.id = o.terms_id
    WHERE o.id = %(order)s FOR NO KEY UPDATE OF o
"""
PLAN = """
    SELECT m.id, m.status, m.title, m.price, m.delivery_days, m.held_id, held.amount, charge.status
    FROM orders_milestone m
    LEFT JOIN payments_heldfunds held ON held.id = m.held_id
    LEFT JOIN payments_charge charge ON charge.held_id = held.id
    WHERE m.order_id = %(order)s ORDER BY m.position
"""
ASKED = """
    UPDATE orders_order SET version = %(version)s, acted_at = %(now)s, status = %(after)s,
        placed_at = CASE WHEN %(places)s THEN %(now)s ELSE placed_at END,
        decide_from = %(now)s, decide_by = %(pay_by)s, remind_at = %(remind_at)s
    WHERE id = %(order)s
"""
EVENT = """
    INSERT INTO orders_event
        (order_id, milestone_id, kind, actor_id, from_status, to_status, reason, note, data, version, at, recorded_at)
    VALUES (%(order)s, %(about)s, %(kind)s, %(actor)s, %(before)s, %(after)s, '', '', %(data)s, %(version)s,
        %(now)s, %(now)s)
    RETURNING id
"""
HOLD = """
    INSERT INTO payments_heldfunds (reference, description, payer_id, payee_id, currency, price, buyer_fee,
        buyer_fee_rate, commission_rate, step, amount, refunded, refunded_price, released, charged_back, clearing)
    VALUES (%(reference)s, %(description)s, %(buyer)s, %(seller)s, %(currency)s, %(price)s, %(fee)s,
        %(fee_rate)s, %(commission)s, 1, 0, 0, 0, 0, 0, %(clearing)s)
    RETURNING id
"""
ACCOUNTS = """
    SELECT code, provider, id FROM payments_account
    WHERE code = ANY(%(codes)s) AND currency = %(currency)s AND (owner_id IS NULL OR owner_id = %(seller)s)
"""
OPEN = """
    INSERT INTO payments_account (code, owner_id, currency, provider)
    SELECT code, CASE WHEN code LIKE 'earnings%%' THEN %(seller)s::bigint END, %(currency)s,
        CASE WHEN code = 'clearing' THEN 'sandbox' ELSE '' END
    FROM unnest(%(codes)s::text[]) AS code
    ON CONFLICT DO NOTHING
"""
STARTED = """
    UPDATE orders_milestone SET status = 'awaiting_payment', started_at = %(now)s, held_id = %(held)s,
        pay_by = %(pay_by)s
    WHERE id = %(milestone)s AND status = 'planned'
"""
CHARGE = """
    INSERT INTO payments_charge (held_id, attempt, amount, method, credit, keep_card, method_label, key, status,
        provider, provider_id, reason, action_url, return_url, created_at, funded, surplus, documented)
    VALUES (%(held)s, 1, %(amount)s, 'card_ok', 0, false, %(label)s, %(key)s, 'created',
        'sandbox', '', '', '', %(url)s, %(now)s, false, false, false)
    RETURNING id
"""
CLAIM = """
    UPDATE payments_charge SET status = 'asking', asked_at = %(now)s WHERE id = %(charge)s AND status = 'created'
"""
CUSTOMER = "SELECT provider_id FROM payments_providercustomer WHERE user_id = %(buyer)s AND provider = 'sandbox'"
NEW_CUSTOMER = """
    INSERT INTO payments_providercustomer (user_id, provider, provider_id)
    VALUES (%(buyer)s, 'sandbox', 'customer-' || %(buyer)s::bigint)
"""
PROVIDED = """
    INSERT INTO payments_sandboxcharge (id, key, amount, currency, method, description, reference, return_url, status,
        reason, refunded, created_at)
    VALUES (%(given)s, %(key)s, %(amount)s, %(currency)s, 'card_ok', %(description)s, %(reference)s, %(url)s,
        'succeeded', '', 0, %(now)s)
"""
ANNOUNCED = """
    INSERT INTO payments_sandboxevent (id, kind, key, body, created_at, tries, next_try_at)
    VALUES (%(event)s, 'charge.succeeded', %(key)s, %(body)s, %(now)s, 0, %(now)s)
"""
SUCCEEDED = """
    UPDATE payments_charge SET status = 'succeeded', provider_id = %(given)s::text, settled_at = %(now)s, funded = true
    WHERE id = %(charge)s AND status = 'asking' AND NOT surplus
"""
FUNDED = """
    UPDATE payments_heldfunds SET amount = %(amount)s, funded_at = %(now)s
    WHERE id = %(held)s AND amount = 0 AND price + buyer_fee = %(amount)s
"""
TRANSFER = """
    INSERT INTO payments_transfer (source_id, destination_id, amount, currency, kind, created_at, held_id, charge_id)
    VALUES (%(source)s, %(destination)s, %(amount)s, %(currency)s, 'charge', %(now)s, %(held)s, %(charge)s)
"""
WORKS = """
    UPDATE orders_milestone SET status = 'in_progress', funded_at = %(now)s, deliver_from = %(now)s,
        deliver_by = %(deliver_by)s, very_late_at = %(deliver_by)s + %(very_late)s, remind_at = %(remind_at)s
    WHERE id = %(milestone)s AND status = 'awaiting_payment'
"""
NOTICES = f"""
    INSERT INTO notifications_notice
        (recipient_id, kind, own_title, own_text, until, url, key, attempts, created_at, {TOLD})
    SELECT told.recipient_id, 'funded', '', '', %(deliver_by)s, %(url)s, 'event:' || %(event)s::bigint, 0, told.at,
        {WISHED}
    FROM unnest(ARRAY[%(buyer)s, %(seller)s]::bigint[]) WITH ORDINALITY AS one (recipient_id, turn)
    CROSS JOIN LATERAL (SELECT one.recipient_id, one.turn, %(now)s::timestamptz AS at) AS told
    {DOER} ORDER BY told.turn ON CONFLICT DO NOTHING
"""  # noqa: S608 -- constants of this package
GOES_ON = """
    UPDATE orders_order SET version = %(version)s, status = 'active', decide_from = NULL, decide_by = NULL,
        remind_at = NULL
    WHERE id = %(order)s
"""


def pay(db: "Connection[Any]", order_id: int, milestone_id: int, now: datetime) -> None:
    """Place an offered order, or start the next milestone of an active one, and pay for it with a good card.

    Three steps, each with commits of its own: the intent, the provider's answer, what follows from it.
    AssertionError where there is nothing to start; nothing is written then.
    """
    with db.cursor() as cursor:
        known: dict[str, Any] = {"order": order_id, "milestone": milestone_id, "now": now, "label": LABEL}

        def run(statement: str, **values: Any) -> list[tuple[Any, ...]]:
            cursor.execute(statement.encode(), {**known, **values}, prepare=True)
            return cursor.fetchall() if cursor.description else []

        def note(kind: str, before: str, after: str, *, about: int | None, actor: int | None, **data: int) -> int:
            values = {"kind": kind, "before": before, "after": after, "about": about, "actor": actor}
            return int(run(EVENT, **values, data=Jsonb(data))[0][0])

        with db.transaction():
            _intend(run, note, known)
        run(CLAIM)
        if not run(CUSTOMER):
            run(NEW_CUSTOMER)
        with db.transaction():
            known["given"] = _provide(run, known)
        with db.transaction():
            _fund(run, note, known)


def _intend(run: Any, note: Any, known: dict[str, Any]) -> None:
    number, title, currency, status, version, until, paused, buyer, seller, *_, window, rate, cut, clearing, _ = run(
        LOCK
    )[0]
    plan = {row[0]: row for row in run(PLAN)}
    _id, planned, name, price, *_ = plan[known["milestone"]]
    assert (status, planned) in (("offered", "planned"), ("active", "planned"))
    assert paused is None
    places = status == "offered"
    pay_by = max(until or known["now"], known["now"] + window)
    reference, amount = f"{number}/{known['milestone']}", price + fee(price, rate)
    known |= {
        "version": version + 1,
        "buyer": buyer,
        "seller": seller,
        "currency": currency,
        "pay_by": pay_by,
        "reference": reference,
        "description": f"{title} – {name}"[:300],
        "url": f"/orders/{number}/",
        "amount": amount,
        "key": f"charge-{reference}-1-{amount}",
        "places": places,
    }
    remind_at = next_reminder(known["now"], pay_by, known["now"])
    run(ASKED, after="awaiting_payment" if places else status, remind_at=remind_at)
    if places:
        note("placed", status, "awaiting_payment", about=None, actor=buyer)
    note("started", planned, "awaiting_payment", about=known["milestone"], actor=buyer)
    known["held"] = run(HOLD, price=price, fee=amount - price, fee_rate=rate, commission=cut, clearing=clearing)[0][0]
    codes = ["earnings_available", "fees", "held", "refunds_due"]
    _open(run, [*codes, "earnings_clearing"] if clearing > timedelta(0) else codes)
    run(STARTED)
    known["charge"] = run(CHARGE)[0][0]


def _provide(run: Any, known: dict[str, Any]) -> uuid.UUID:
    charge, event = uuid.uuid4(), uuid.uuid4()
    sums = {"amount": known["amount"], "currency": known["currency"]}
    data = {"key": known["key"], "id": str(charge), **sums, "reason": ""}
    run(PROVIDED, given=charge)
    body = {"id": str(event), "type": "charge.succeeded", "created": known["now"].isoformat(), "data": data}
    run(ANNOUNCED, event=event, body=json.dumps(body))
    return charge


def _fund(run: Any, note: Any, known: dict[str, Any]) -> None:
    status, very_late = (run(LOCK)[0][index] for index in (3, 15))
    days, held, charge = {row[0]: (row[4], row[5], row[7]) for row in run(PLAN)}[known["milestone"]]
    assert (held, charge) == (known["held"], "asking")
    known["version"] += 1
    run(SUCCEEDED)
    run(FUNDED)
    accounts = _open(run, ["clearing", "held"])
    run(TRANSFER, source=accounts["clearing"], destination=accounts["held"])
    deliver_by = known["now"] + timedelta(days=days)
    remind_at = next_reminder(known["now"], deliver_by, known["now"])
    run(WORKS, deliver_by=deliver_by, very_late=very_late, remind_at=remind_at)
    about = {"about": known["milestone"], "actor": None}
    event = note("funded", "awaiting_payment", "in_progress", **about, charged=known["amount"])
    if known["places"]:
        note("activated", status, "active", about=None, actor=None)
    run(NOTICES, event=event, deliver_by=deliver_by)
    run(GOES_ON)


def _open(run: Any, codes: list[str]) -> dict[str, int]:
    """The ids of these accounts, opened where they are missing."""
    for _ in range(2):
        found = {code: id_ for code, provider, id_ in run(ACCOUNTS, codes=codes) if provider in ("", "sandbox")}
        if missing := sorted(set(codes) - found.keys()):
            run(OPEN, codes=missing)
    return found
