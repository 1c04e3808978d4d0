"""Many rows at once: secondary indexes and foreign keys are taken down and built afterwards, over all rows.

Building a foreign key checks every row, so nothing gets in that it would have refused. Checks, unique keys and
triggers stay in force all the time.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db.backends.utils import CursorWrapper

from .progress import Progress

FOREIGN_KEYS = """
    SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint
    WHERE contype = 'f' AND connamespace = 'public'::regnamespace AND conparentid = 0 ORDER BY 1, 2
"""
INDEXES = """
    SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
    JOIN pg_class ON pg_class.oid = indexrelid
    WHERE NOT indisunique AND relnamespace = 'public'::regnamespace ORDER BY 1
"""
# What building them costs, in rows inserted for each row of the data set's orders.
INDEX_COST = 0.05
KEY_COST = 0.012


def settings(cursor: CursorWrapper) -> None:
    """For this session only: what is loaded is on disk at the latest with `write_out`."""
    for name, value in {
        "maintenance_work_mem": "1GB",
        "work_mem": "256MB",
        "synchronous_commit": "off",
        "jit": "off",
        "max_parallel_maintenance_workers": "2",
    }.items():
        cursor.execute(f"SET {name} = '{value}'")


def write_out(cursor: CursorWrapper) -> None:
    """Write everything to disk now, rather than while measuring; by itself PostgreSQL does it within minutes."""
    cursor.execute("SELECT pg_has_role(current_user, 'pg_checkpoint', 'USAGE')")
    if cursor.fetchone()[0]:
        cursor.execute("CHECKPOINT")


@contextmanager
def without_indexes(cursor: CursorWrapper, progress: Progress, rows: float) -> Iterator[None]:
    """Take them down, run the body, build them again. Where the body raises they stay down: drop the database."""
    cursor.execute(FOREIGN_KEYS)
    keys = cursor.fetchall()
    cursor.execute(INDEXES)
    indexes = cursor.fetchall()
    for table, name, _ in keys:
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    for name, _ in indexes:
        cursor.execute(f"DROP INDEX {name}")
    index_cost, key_cost = rows * INDEX_COST / 3, rows * KEY_COST / 3
    progress.expect(len(indexes) * index_cost + len(keys) * key_cost)
    yield
    for name, definition in indexes:
        cursor.execute(definition)
        progress.finish(index_cost, f"index {name}")
    for table, name, definition in keys:
        cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
        progress.finish(key_cost, f"foreign key {name}")
