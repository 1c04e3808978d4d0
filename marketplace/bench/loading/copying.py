"""Copying the stories' rows: one INSERT … SELECT per table and stretch of orders.

`bench.copy` has a row for each order to come: `n` counts them in all of a data set, `pattern` is the story, `shift` how
much later it happens (negative: earlier), and it names the people, the gig and the numbers. Ids are computed: the
copied rows of order n begin at base + (n - first) * stride, where stride is the most rows that a story has.
"""

from dataclasses import dataclass
from functools import partial

from django.db.backends.utils import CursorWrapper

from .copied import BELONGS_TO, NAMES, NOTICE_KEYS, Column
from .patterns import columns_of

UUID = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
STRETCH = 20_000


@dataclass(frozen=True)
class Numbering:
    """How the ids of the copied rows of one table are computed, from the order's n and the row's rank."""

    base: int
    first: int
    stride: int

    def sql(self, rank: str) -> str:
        return f"({self.base} + (c.n - {self.first}) * {self.stride} + {rank})"


@dataclass(frozen=True)
class Piece:
    """The rows of one table of the orders from `first` to `last`: about `rows` of them."""

    table: str
    statement: str
    first: int
    last: int
    rows: float

    def copy(self, cursor: CursorWrapper) -> None:
        cursor.execute(self.statement, [self.first, self.last])


def pieces(cursor: CursorWrapper) -> list[Piece]:
    """What is to be done to copy all of `bench.copy`, in this order."""
    cursor.execute("SELECT min(n), max(n), count(*) FROM bench.copy")
    first, last, count = cursor.fetchone()
    if not count:
        return []
    numberings = {table: _numbering(cursor, table, first) for table in BELONGS_TO if _has_numbers(cursor, table)}
    found = []
    for table in BELONGS_TO:
        statement = _statement(cursor, table, numberings)
        cursor.execute(f"""
            SELECT coalesce(sum(copies * rows), 0)
            FROM (SELECT pattern, count(*) AS copies FROM bench.copy GROUP BY 1) c
            JOIN (SELECT pattern, count(*) AS rows FROM bench.{table} GROUP BY 1) p USING (pattern)
        """)  # noqa: S608
        rows = float(cursor.fetchone()[0])
        found += [
            Piece(table, statement, begin, min(begin + STRETCH - 1, last), rows * STRETCH / max(count, STRETCH))
            for begin in range(first, last + 1, STRETCH)
            if rows
        ]
    return found


def set_sequences(cursor: CursorWrapper) -> None:
    """Let every sequence go on behind the rows that were copied."""
    beforehand = ("accounts_user", "catalog_gig", "catalog_planmilestone", "payments_account", "payments_payoutaccount")
    for table in (*BELONGS_TO, *beforehand):
        cursor.execute("SELECT pg_get_serial_sequence(%s, 'id')", [table])
        (sequence,) = cursor.fetchone()
        if sequence:
            cursor.execute(f"SELECT setval(%s, (SELECT greatest(1, max(id)) FROM {table}))", [sequence])  # noqa: S608


def _has_numbers(cursor: CursorWrapper, table: str) -> bool:
    return any(column.name == "id" and column.kind == "bigint" for column in columns_of(cursor, table))


def _numbering(cursor: CursorWrapper, table: str, first: int) -> Numbering:
    cursor.execute(f"SELECT coalesce(max(id), 0) FROM {table}")  # noqa: S608
    (base,) = cursor.fetchone()
    cursor.execute(f"SELECT coalesce(max(rank), 1) FROM bench.{table}")  # noqa: S608
    (stride,) = cursor.fetchone()
    return Numbering(base, first, stride)


def _statement(cursor: CursorWrapper, table: str, numberings: dict[str, Numbering]) -> str:
    columns = columns_of(cursor, table)
    expression = partial(_expression, cursor, table, numberings)
    names = ", ".join(column.name for column in columns)
    values = ",\n".join(f"{expression(column)} AS {column.name}" for column in columns)
    return f"""
        INSERT INTO {table} ({names})
        SELECT {values}
        FROM bench.copy c JOIN bench.{table} p ON p.pattern = c.pattern {_joins(table)}
        WHERE c.n BETWEEN %s AND %s ORDER BY c.n, p.rank
    """  # noqa: S608


def _joins(table: str) -> str:
    if table != "payments_transfer":
        return ""
    return "".join(
        f"""
        JOIN payments_account {name} ON {name}.code = p.{name}_id_code AND {name}.currency = p.{name}_id_currency
            AND {name}.provider = p.{name}_id_provider AND coalesce({name}.owner_id, 0) =
            CASE p.{name}_id_side WHEN 'buyer' THEN c.buyer WHEN 'seller' THEN c.seller ELSE 0 END
        """
        for name in ("source", "destination")
    )


def _expression(cursor: CursorWrapper, table: str, numberings: dict[str, Numbering], column: Column) -> str:
    """What stands in a column of a copied row: `p` is the story's row, `c` the order to come."""
    name, own = column.name, f"p.{column.name}"
    if name == "id":
        return numberings[table].sql("p.rank") if table in numberings else _uuid(own)
    if (table, name) in SPECIAL:
        return SPECIAL[table, name]
    if table == "notifications_notice" and name == "key":
        return _notice_key(numberings)
    if column.refers_to in numberings:
        return numberings[column.refers_to].sql(f"{own}_rank")
    if column.refers_to in BELONGS_TO:
        return _uuid(own)
    if column.refers_to == "accounts_user":
        return f"CASE {own} WHEN c.old_buyer THEN c.buyer WHEN c.old_seller THEN c.seller ELSE {own} END"
    if column.refers_to == "catalog_gig":
        return f"CASE WHEN {own} IS NOT NULL THEN c.gig END"
    if column.kind == "timestamp with time zone":
        return f"{own} + c.shift"
    if column.kind in ("text", "character varying", "jsonb"):
        return _text(cursor, table, column)
    return own


def _text(cursor: CursorWrapper, table: str, column: Column) -> str:
    """With the new order's numbers where the story's stand, if they stand anywhere in this column."""
    own = f"p.{column.name}"
    cursor.execute(f"""
        SELECT coalesce(bool_or(t::text LIKE '%%' || number || '%%'), false),
            coalesce(bool_or(t::text LIKE '%%' || case_number || '%%'), false)
        FROM (SELECT pattern, {column.name} AS t FROM bench.{table}) t JOIN bench.cast USING (pattern)
    """)  # noqa: S608
    has_number, has_case = cursor.fetchone()
    new = own + ("::text" if column.kind == "jsonb" else "")
    if has_number:
        new = f"replace({new}, c.old_number, c.number)"
    if has_case:
        new = f"CASE WHEN c.cases = 0 THEN {new} ELSE bench.renumbered({new}, c.old_cases, c.new_cases) END"
    if column.kind == "jsonb":
        return f"({new})::jsonb" if has_number or has_case else own
    if column.name not in NAMES:
        return new
    # What was not named after the order is made unique with the order's n; a number of the sandbox's stays one.
    other = f"CASE WHEN {own} ~ '{UUID}' THEN {_uuid(own)}::text ELSE {own} || '-' || c.n END"
    return f"CASE WHEN {own} = '' THEN '' WHEN {own} LIKE '%%' || c.old_number || '%%' THEN {new} ELSE {other} END"


def _uuid(old: str) -> str:
    return f"md5({old}::text || c.n)::uuid"


def _notice_key(numberings: dict[str, Numbering]) -> str:
    ids = " ".join(f"WHEN '{prefix}' THEN {numberings[t].sql('p.key_rank')}" for prefix, t in NOTICE_KEYS.items())
    made = f"p.key_before || p.key_of || ':' || (CASE p.key_of {ids} END) || p.key_after"
    return f"coalesce({made}, p.key || '-' || c.n)"


ACCOUNT = "(SELECT {} FROM payments_payoutaccount account WHERE account.owner_id = c.seller)"
SPECIAL = {
    ("orders_order", "number"): "c.number",
    ("orders_order", "title"): "c.title",
    ("resolution_case", "number"): "c.new_cases[p.rank]",
    ("payments_transfer", "source_id"): "source.id",
    ("payments_transfer", "destination_id"): "destination.id",
    ("payments_withdrawal", "account_id"): ACCOUNT.format("account.id"),
    ("payments_sandboxpayout", "account_id"): ACCOUNT.format("account.provider_id::uuid"),
    # Without gaps, in the order of the ids.
    (
        "payments_document",
        "number",
    ): "(SELECT coalesce(max(number), 0) FROM payments_document before WHERE before.kind = p.kind)"
    " + row_number() OVER (PARTITION BY p.kind ORDER BY c.n, p.rank)",
}
