"""Data sets: made, proved, kept for the next time."""

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from marketplace.bench.data_set import DataSet
from marketplace.proof import prove

from . import bulk, casting, copying, crowd, databases, patterns
from .cast import play_all
from .plots import PLOTS
from .progress import Progress, Say

# The present of every data set: nothing is due at this instant.
PRESENT = datetime(2026, 11, 2, 12, tzinfo=UTC)
LEAST = len(PLOTS) + 50
# From this many orders on indexes are built afterwards.
MANY = 20_000
STORIES = "bench_stories"
STORY_MODULES = ("cast", "copied", "patterns", "plots", "story")
BLESSING = """
    CREATE TABLE bench.blessing (fingerprint text, orders bigint, at timestamptz,
        seller bigint, buyer bigint, big_seller bigint, big_buyer bigint, support bigint, finance bigint, admin bigint)
"""


class BrokenSet(Exception):
    """The proof of a data set failed; the message says which promises are broken."""


@contextmanager
def data_set(orders: int, *, say: Say, fresh: bool = False, small: bool = False) -> Iterator[DataSet]:
    """The data set of so many orders; within, this process is connected to its database.

    It is taken, migrated like any database, if there is one of the same fingerprint, else made: a crash leaves one
    without a blessing, which is made anew. Raises ValueError for fewer orders than there are stories, BrokenSet if the
    proof fails.
    """
    if orders < LEAST:
        raise ValueError(f"A data set has at least {LEAST} orders.")
    if settings.PAYMENT_GATEWAY != "sandbox":
        raise ValueError("Data sets are paid with the sandbox's test cards: set PAYMENT_GATEWAY=sandbox.")
    name = f"bench_orders_{orders}"
    mark = fingerprint()
    if fresh or not _is_blessed(name, mark):
        _make_stories(fingerprint(*STORY_MODULES), say=say, fresh=fresh)
        databases.drop(name)
        databases.create(name, like=STORIES)
        with databases.using(name):
            fill(orders, mark, say=say)
        say(f"{databases.size(name) / 1e6:,.0f} MB in the database {name}")
    with databases.using(name):
        call_command("migrate", verbosity=0, interactive=False, skip_checks=True)
        yield replace(blessed(name), small=small)


@contextmanager
def scratch(data: DataSet) -> Iterator[DataSet]:
    """A copy of the data set to write in; within, this process is connected to the copy, which is dropped afterwards.

    It takes about as long as the files take to copy: some seconds for 100,000 orders.
    """
    name = f"{data.database}_scratch"
    with databases.using(STORIES):  # PostgreSQL copies no database that somebody is connected to
        databases.drop(name)
        databases.create(name, like=data.database)
    try:
        with databases.using(name):
            yield replace(data, database=name)
    finally:
        databases.drop(name)


def add_due(connection: BaseDatabaseWrapper, count: int, *, at: datetime) -> None:
    """Append `count` active orders of three milestones whose first is delivered, with windows that ended before `at`.

    They have everything that orders have: funds, transfers, events, notices, documents. All promises hold still,
    as nothing is due for longer than four minutes. There is no way back: append in a `scratch` copy, or use them up.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        casting.draw_due(cursor, count, at)
        for piece in copying.pieces(cursor):
            piece.copy(cursor)
        copying.set_sequences(cursor)
        casting.count_on(cursor)


def fingerprint(*modules: str) -> str:
    """Of what data sets are made by: this package, or some of its modules."""
    sources = [
        path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")) if not modules or path.stem in modules
    ]
    return hashlib.sha256(b"".join(sources)).hexdigest()[:16]


def fill(orders: int, mark: str, *, say: Say) -> None:
    """Make the orders from the stories that are in this database, prove all of it, and bless it. Raises BrokenSet."""
    with connection.cursor() as cursor:
        bulk.settings(cursor)
        cursor.execute(casting.SCHEMA)
        crowd.settle(cursor, orders)
        casting.draw_some_of_each(cursor, orders)
        pieces = copying.pieces(cursor)
        rows = sum(piece.rows for piece in pieces)
        proof = rows * 0.3
        progress = Progress(say)
        progress.expect(rows + proof)
        progress.finish(0, f"people, gigs and the plan of {orders:,} orders")
        if orders >= MANY:
            with bulk.without_indexes(cursor, progress, rows):
                _copy(cursor, pieces, progress)
        else:
            _copy(cursor, pieces, progress)
        copying.set_sequences(cursor)
        crowd.rate(cursor)
        casting.count_on(cursor)
        cursor.execute("VACUUM ANALYZE")
        progress.finish(0, "analyzed")
        _refuse_broken(say)
        progress.finish(proof, "proved: every promise holds")
        _bless(cursor, orders, mark)
        bulk.write_out(cursor)


def _copy(cursor: CursorWrapper, pieces: list[copying.Piece], progress: Progress) -> None:
    for piece in pieces:
        piece.copy(cursor)
        progress.finish(piece.rows, f"{piece.table}, orders up to {piece.last:,}")


def _refuse_broken(say: Say) -> None:
    broken = []
    for result in prove(PRESENT):
        if not result.holds:
            broken.append(str(result))
            say(f"BROKEN  {result}")
    if broken:
        raise BrokenSet("\n".join(broken))


def tell_stories() -> None:
    """Play every story in this empty database and keep their rows. Nothing is logged but errors."""
    logging.disable(logging.WARNING)
    try:
        admin, staff, stories = play_all(PRESENT)
    finally:
        logging.disable(logging.NOTSET)
    with transaction.atomic(), connection.cursor() as cursor:
        patterns.keep(stories, PRESENT)
        cursor.execute(BLESSING)
        people = [staff.support.pk, staff.finance.pk, admin.pk]
        cursor.execute("INSERT INTO bench.blessing (support, finance, admin) VALUES (%s, %s, %s)", people)


def _make_stories(mark: str, *, say: Say, fresh: bool) -> None:
    """The database that all data sets begin as a copy of: migrated, with one order of each kind."""
    if not fresh and _is_blessed(STORIES, mark):
        return
    databases.drop(STORIES)
    databases.create(STORIES)
    with databases.using(STORIES):
        say("Migrating a database of its own …")
        call_command("migrate", verbosity=0, interactive=False, skip_checks=True)
        say(f"Playing one order of each of {len(PLOTS)} kinds through the services …")
        tell_stories()
        _refuse_broken(say)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE bench.blessing SET fingerprint = %s", [mark])


def _bless(cursor: CursorWrapper, orders: int, mark: str) -> None:
    """Write down what the set is, and who is who. The usual ones stand in the middle of the crowd."""
    cursor.execute(
        """
        UPDATE bench.blessing SET fingerprint = %s, orders = %s, at = %s,
            big_seller = first_person + 1, big_buyer = first_person + sellers + 1,
            seller = first_person + 1 + sellers / 2, buyer = first_person + sellers + 1 + buyers / 2
        FROM bench.crowd
        """,
        [mark, orders, PRESENT],
    )


def _is_blessed(name: str, mark: str) -> bool:
    if name not in databases.names():
        return False
    with databases.using(name), connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('bench.blessing') IS NOT NULL")
        if not cursor.fetchone()[0]:
            return False
        cursor.execute("SELECT fingerprint FROM bench.blessing")
        return bool(cursor.fetchone() == (mark,))


def blessed(name: str) -> DataSet:
    """What is written down in the database that this process is connected to."""
    with connection.cursor() as cursor:
        cursor.execute("""
            SELECT orders, at, seller, buyer, big_seller, big_buyer, support, finance, admin FROM bench.blessing
        """)
        return DataSet(name, *cursor.fetchone())
