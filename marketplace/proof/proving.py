"""Asking every promise of all rows, in one snapshot and in bounded memory."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import perf_counter

from django.conf import settings
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from . import cases, ledger, operations, orders, reviews
from .promise import BALANCES, MOVED, Promise

ALWAYS: Sequence[Promise] = (
    *ledger.PROMISES,
    *operations.PROMISES,
    *orders.PROMISES,
    *cases.PROMISES,
    *reviews.PROMISES,
    *operations.SANDBOX,
)
ALIVE: Sequence[Promise] = (*operations.ALIVE, *cases.ALIVE, *reviews.ALIVE)
EXAMPLES = 3
# How long what is due may wait for a worker, besides two sweeps (I13, I15).
PATIENCE = timedelta(minutes=5)


@dataclass(frozen=True)
class Result:
    """How one promise fares: rows examined, rows that break it, by how much, the first of them, seconds it took.

    `off` is a sum of differences in minor units where the promise is about amounts, else the number of rows.
    """

    says: str
    rows: int
    broken: int
    off: int
    examples: list[str]
    seconds: float

    @property
    def holds(self) -> bool:
        return not self.broken

    def __str__(self) -> str:
        if self.holds:
            return self.says
        return f"{self.says}: broken by {self.broken} of {self.rows}, off by {self.off}: {', '.join(self.examples)}"


@dataclass(frozen=True)
class Proof:
    """What every promise came to at one instant."""

    at: datetime
    results: list[Result] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not self.broken

    @property
    def broken(self) -> list[Result]:
        return [result for result in self.results if not result.holds]

    @property
    def rows(self) -> int:
        return sum(result.rows for result in self.results)

    @property
    def seconds(self) -> float:
        return sum(result.seconds for result in self.results)


class BrokenPromise(Exception):
    """The proof failed; the message says which promises are broken and by how much."""


def prove(at: datetime, promises: Sequence[Promise] = (*ALWAYS, *ALIVE)) -> Iterator[Result]:
    """Ask each promise in turn, all of one snapshot of the database. PostgreSQL does the sums; nothing is loaded.

    Yields each result as soon as it is known. Changes nothing.
    """
    with _snapshot() as cursor:
        for promise in promises:
            yield _ask(cursor, promise, at)


@contextmanager
def _snapshot() -> Iterator[CursorWrapper]:
    alone = not connection.in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        if alone:
            # So that what is done while we count is seen by all promises or by none.
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("DROP TABLE IF EXISTS pg_temp.moved, pg_temp.balances")
        cursor.execute(MOVED % ())
        cursor.execute(BALANCES % ())
        yield cursor


def _ask(cursor: CursorWrapper, promise: Promise, at: datetime) -> Result:
    started = perf_counter()
    instants = {"now": at, "late": at - PATIENCE - 2 * settings.SWEEP_EVERY}
    count = "SELECT count(*), count(*) FILTER (WHERE off <> 0), coalesce(sum(abs(off)), 0)"
    # S608: every part of these statements is a constant of this package.
    cursor.execute(f"{count} FROM ({promise.rows}) AS promised", instants)
    rows, broken, off = cursor.fetchone()
    examples: list[str] = []
    if broken:
        cursor.execute(f"SELECT what FROM ({promise.rows}) AS promised WHERE off <> 0 LIMIT {EXAMPLES}", instants)  # noqa: S608
        examples = [str(what) for (what,) in cursor.fetchall()]
    return Result(promise.says, rows, broken, int(off), examples, perf_counter() - started)
