"""Large tables from a few rows: each row copied by SQL, with copies of the rows that it belongs to."""

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

TABLES = (
    "accounts_user",
    "catalog_gig",
    "catalog_planmilestone",
    "payments_account",
    "payments_heldfunds",
    "payments_charge",
    "payments_refund",
    "payments_transfer",
    "payments_document",
    "orders_order",
    "orders_milestone",
    "orders_event",
    "orders_message",
    "orders_offerrequest",
    "resolution_case",
    "reviews_review",
    "notifications_notice",
)
# Texts and numbers that no two rows may share.
UNLIKE = {
    "accounts_user": ("email", "handle"),
    "catalog_gig": ("slug",),
    "payments_heldfunds": ("reference",),
    "payments_charge": ("key", "provider_id"),
    "payments_refund": ("key", "provider_id"),
    "orders_order": ("number",),
    "resolution_case": ("number",),
}
STEP = 1_000_000  # between the numbers of a row and of its copy; sequences do not come near


def multiply(copies: int) -> None:
    """Copy all rows of the `TABLES` so many times, with their keys, and let PostgreSQL count them."""
    with connection.cursor() as cursor:
        for table in TABLES:
            _copy(cursor, table, copies)
        _give_a_part_to_the_first(cursor)
        cursor.execute("VACUUM ANALYZE")


def _give_a_part_to_the_first(cursor: CursorWrapper) -> None:
    """Of every tenth copy the people are those of the first rows, so that they have hundreds of everything."""
    with transaction.atomic():
        cursor.execute("SET LOCAL session_replication_role = replica")
        for table, *people in PEOPLE:
            new = ", ".join(f"{person} = {person} % {STEP}" for person in people)
            cursor.execute(f"UPDATE {table} SET {new} WHERE id / {STEP} % 10 = 1")


def _copy(cursor: CursorWrapper, table: str, copies: int) -> None:
    cursor.execute(
        """
        SELECT attname, coalesce((
            SELECT confrelid::regclass::text FROM pg_constraint
            WHERE conrelid = attrelid AND contype = 'f' AND conkey = ARRAY[attnum]
        ), '')
        FROM pg_attribute
        WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
        ORDER BY attnum
        """,
        [table],
    )
    columns = dict(cursor.fetchall())
    values = [_value(table, column, target) for column, target in columns.items()]
    names = ", ".join(f'"{column}"' for column in columns)
    cursor.execute(
        f"INSERT INTO {table} ({names}) SELECT {', '.join(values)} FROM {table} CROSS JOIN generate_series(1, %s) copy"
        f" WHERE {WHICH.get(table, 'true')}",
        [copies],
    )


def _value(table: str, column: str, target: str) -> str:
    if (table, column) in BETWEEN_ACCOUNTS:
        own = f"(SELECT id FROM payments_account WHERE owner_id IS NOT NULL AND id < {STEP})"
        return f'CASE WHEN {table}."{column}" IN {own} THEN {STEP} * copy ELSE 0 END + {table}."{column}"'
    if column == "id" or target in TABLES or (table, column) in SHIFTED:
        return f'{table}."{column}" + copy * {STEP}'
    if column in UNLIKE.get(table, ()):
        return f"""CASE "{column}" WHEN '' THEN '' ELSE substr(md5("{column}" || copy), 1, 20) END"""
    if (table, column) in COUNTED:
        return f'{table}."{column}" + copy * 1000'
    return f'{table}."{column}"'


# Foreign keys that the database ties in a way of its own, and numbers that go on.
SHIFTED = {("payments_transfer", "held_id"), ("payments_account", "owner_id")}
BETWEEN_ACCOUNTS = {("payments_transfer", "source_id"), ("payments_transfer", "destination_id")}
# The accounts of nobody are there once.
WHICH = {"payments_account": "owner_id IS NOT NULL"}
PEOPLE = (
    ("orders_order", "buyer_id", "seller_id"),
    ("payments_heldfunds", "payer_id", "payee_id"),
    ("reviews_review", "author_id", "subject_id"),
)
COUNTED = {("payments_document", "number")}
