"""The tables whose rows belong to an order and are copied with it, in the order in which they refer to each other."""

from typing import NamedTuple

# For each: the order of a row `t`. What is of nobody's order (people, gigs, accounts) is made beforehand.
BELONGS_TO = {
    "orders_order": "t.id",
    "payments_heldfunds": "(SELECT order_id FROM orders_milestone WHERE held_id = t.id)",
    "orders_milestone": "t.order_id",
    "orders_event": "t.order_id",
    "orders_delivery": "(SELECT order_id FROM orders_milestone WHERE id = t.milestone_id)",
    "orders_message": "t.order_id",
    "orders_readmark": "t.order_id",
    "orders_reminder": "t.order_id",
    "orders_pause": "t.order_id",
    "resolution_case": "t.order_id",
    "resolution_casemessage": "(SELECT order_id FROM resolution_case WHERE id = t.case_id)",
    "resolution_supportnote": "t.order_id",
    "payments_charge": "(SELECT pattern FROM bench.payments_heldfunds WHERE id = t.held_id)",
    "payments_refund": "(SELECT pattern FROM bench.payments_heldfunds WHERE id = t.held_id)",
    "payments_chargeback": "(SELECT pattern FROM bench.payments_charge WHERE id = t.charge_id)",
    "payments_withdrawal": "(SELECT pattern FROM bench.cast WHERE seller = t.owner_id)",
    "payments_transfer": """coalesce(
        (SELECT pattern FROM bench.payments_heldfunds WHERE id = t.held_id),
        (SELECT pattern FROM bench.payments_charge WHERE id = t.charge_id),
        (SELECT pattern FROM bench.payments_refund WHERE id = t.refund_id),
        (SELECT pattern FROM bench.payments_chargeback WHERE id = t.chargeback_id),
        (SELECT pattern FROM bench.payments_withdrawal WHERE id = t.withdrawal_id))""",
    "payments_document": """coalesce(
        (SELECT pattern FROM bench.payments_charge WHERE id = t.charge_id),
        (SELECT pattern FROM bench.payments_refund WHERE id = t.refund_id))""",
    "payments_sandboxcharge": "(SELECT pattern FROM bench.payments_charge WHERE key = t.key)",
    "payments_sandboxrefund": "(SELECT pattern FROM bench.payments_refund WHERE key = t.key)",
    "payments_sandboxdispute": "(SELECT pattern FROM bench.payments_sandboxcharge WHERE id = t.charge_id)",
    "payments_sandboxpayout": "(SELECT pattern FROM bench.payments_withdrawal WHERE key = t.key)",
    "reviews_review": "t.order_id",
    # Support's notices tell of an order by its number or a case's.
    "notifications_notice": """(SELECT pattern FROM bench.cast WHERE t.recipient_id IN (buyer, seller)
        OR t.url LIKE '%' || number || '%' OR t.url LIKE '%' || case_number || '%' LIMIT 1)""",
}
# What stands before the colon in a notice's key, and the table whose row it numbers.
NOTICE_KEYS = {
    "event": "orders_event",
    "message": "orders_message",
    "case-message": "resolution_casemessage",
    "reminder": "orders_reminder",
    "review": "reviews_review",
    "withdrawal": "payments_withdrawal",
    "refund": "payments_refund",
}
# Columns that hold what a provider or we ourselves call a thing. Unique, and mostly made of the order's number.
NAMES = ("key", "provider_id")


class Column(NamedTuple):
    """A column, its type as PostgreSQL calls it, and the table that it refers to."""

    name: str
    kind: str
    refers_to: str | None


COLUMNS = """
    SELECT attribute.attname, format_type(attribute.atttypid, NULL), (
        SELECT target.relname FROM pg_constraint fk JOIN pg_class target ON target.oid = fk.confrelid
        WHERE fk.conrelid = attribute.attrelid AND fk.contype = 'f' AND fk.conkey[1] = attribute.attnum LIMIT 1)
    FROM pg_attribute attribute
    WHERE attribute.attrelid = %s::regclass AND attribute.attnum > 0 AND NOT attribute.attisdropped
        AND attribute.attgenerated = ''
    ORDER BY attribute.attnum
"""
