"""The rows of the stories, kept beside the site's tables in the schema `bench`, ready to be copied many times.

`bench.cast` has a row for each story: its order (`pattern`), plot, people, numbers, and how much earlier than the
pattern a copy may be. Each copied table has a namesake here with the rows of the stories as they are, and besides

- `pattern` and `rank`, the row's number among the rows of its order,
- for each column that refers to a copied row, that row's rank, as `<column>_rank`,
- for transfers, whose accounts they are: `<column>_code`, `_currency`, `_provider` and `_side`,
- for notices, the parts of their key: `key_before`, `key_rank`, `key_after` and `key_of`, the table it numbers.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper

from .copied import BELONGS_TO, COLUMNS, NOTICE_KEYS, Column
from .story import Story

# S608 throughout: names of tables and columns come from this package and from the catalog of PostgreSQL.


def keep(stories: Mapping[str, Story], at: datetime) -> None:
    """Make the schema `bench` from the stories that were told until `at`. All or nothing: call it in a transaction."""
    with connection.cursor() as cursor:
        _mail_and_read(cursor, at)
        cursor.execute("CREATE SCHEMA bench")
        cursor.execute("""
            CREATE TABLE bench.cast (pattern bigint PRIMARY KEY, plot text, buyer bigint, seller bigint, number text,
                cases text[], case_number text, slack interval)
        """)
        for plot, story in stories.items():
            known: list[Any] = [plot, story.plot.slack, story.order.pk]
            cursor.execute(
                """
                INSERT INTO bench.cast
                SELECT orders.id, %s, buyer_id, seller_id, number, found.cases, found.cases[1], %s
                FROM orders_order orders CROSS JOIN LATERAL (
                    SELECT array(SELECT number FROM resolution_case WHERE order_id = orders.id ORDER BY id) AS cases
                ) found
                WHERE orders.id = %s
                """,
                known,
            )
        for table in BELONGS_TO:
            _keep_table(cursor, table)
        _find_slack(cursor, at)


def _mail_and_read(cursor: CursorWrapper, at: datetime) -> None:
    """Everything told has been mailed, and read where it is old; the sandbox has told everything too."""
    cursor.execute("""
        UPDATE notifications_notice
        SET emailed_at = created_at, next_attempt_at = NULL, read_at = CASE WHEN created_at < %s - interval '10 days'
            THEN created_at + interval '3 hours' END
    """, [at])  # fmt: skip
    cursor.execute("DELETE FROM payments_sandboxevent")


def columns_of(cursor: CursorWrapper, table: str) -> list[Column]:
    cursor.execute(COLUMNS, [table])
    return [Column(*row) for row in cursor.fetchall()]


def _keep_table(cursor: CursorWrapper, table: str) -> None:
    more = [
        f", (SELECT rank FROM bench.{column.refers_to} kept WHERE kept.id = t.{column.name}) AS {column.name}_rank"  # noqa: S608
        for column in columns_of(cursor, table)
        if column.refers_to in BELONGS_TO and column.refers_to != table
    ]
    if table == "payments_transfer":
        more += [_account("source_id"), _account("destination_id")]
    if table == "notifications_notice":
        more.append(_notice_key())
    cursor.execute(f"""
        CREATE TABLE bench.{table} AS SELECT t.* {"".join(more)} FROM (
            SELECT t.*, row_number() OVER (PARTITION BY pattern ORDER BY id) AS rank
            FROM (SELECT t.*, {BELONGS_TO[table]} AS pattern FROM {table} t) t WHERE pattern IS NOT NULL) t
    """)  # noqa: S608


def _account(column: str) -> str:
    side = "CASE a.owner_id WHEN story.buyer THEN 'buyer' WHEN story.seller THEN 'seller' ELSE '' END"
    story = f"FROM payments_account a, bench.cast story WHERE a.id = t.{column} AND story.pattern = t.pattern"
    return "".join(
        f", (SELECT {value} {story}) AS {column}_{name}"
        for name, value in {"code": "a.code", "currency": "a.currency", "provider": "a.provider", "side": side}.items()
    )


def _notice_key() -> str:
    form = f"^(.*?)({'|'.join(NOTICE_KEYS)}):([0-9]+)(.*)$"
    ranks = " ".join(
        f"WHEN '{prefix}' THEN (SELECT rank FROM bench.{table} kept WHERE kept.id = (parts[3])::bigint)"  # noqa: S608
        for prefix, table in NOTICE_KEYS.items()
    )
    found = f"FROM regexp_match(t.key, '{form}') AS parts"
    return (
        f", (SELECT parts[1] {found}) AS key_before, (SELECT parts[2] {found}) AS key_of"
        f", (SELECT CASE parts[2] {ranks} END {found}) AS key_rank, (SELECT parts[4] {found}) AS key_after"
    )


def _find_slack(cursor: CursorWrapper, at: datetime) -> None:
    """How far every row of a story can be moved into the past before something of it is due: NULL is any distance.

    Whatever date lies in the future is a deadline of somebody's.
    """
    dates = " UNION ALL ".join(
        f"SELECT pattern, {column.name} AS due FROM bench.{table}"  # noqa: S608
        for table in BELONGS_TO
        for column in columns_of(cursor, table)
        if column.kind == "timestamp with time zone"
    )
    cursor.execute(f"""
        UPDATE bench.cast SET slack = least(slack, (next.due - %s) * 0.9)
        FROM (SELECT pattern, min(due) AS due FROM ({dates}) dates WHERE due > %s GROUP BY pattern) next
        WHERE next.pattern = "cast".pattern
    """, [at, at])  # noqa: S608  # fmt: skip
