"""Asking every promise of all rows, in one snapshot and in bounded memory."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from time import perf_counter

from django.conf import settings
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from . import cases, ledger, operations, orders, reviews
from .promise import SHARED, Look, Promise

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
    with _snapshot(promises) as cursor:
        for look, together in groupby(promises, key=lambda promise: promise.look):
            asked = list(together)
            yield from _ask_at_once(cursor, look, asked, at) if look else (_ask(cursor, it, at) for it in asked)


@contextmanager
def _snapshot(promises: Sequence[Promise]) -> Iterator[CursorWrapper]:
    """One instant of the database, with the tables of `SHARED` that these promises read."""
    alone = not connection.in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        if alone:
            # So that what is done while we count is seen by all promises or by none.
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        # For sorts and hashes of all rows; each statement is asked once, so that compiling it costs more than it saves.
        cursor.execute("SET LOCAL work_mem = '64MB'")
        cursor.execute("SET LOCAL jit = off")
        # The numbers of rows of the tables below are enough to plan by.
        cursor.execute("SET LOCAL default_statistics_target = 10")
        for name, made in SHARED.items():
            if not any(re.search(rf"\b{name}\b", promise.rows) for promise in promises):
                continue
            cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{name}")
            cursor.execute(made % ())
            # Nobody else would: without its numbers of rows every join with it is planned blindly.
            cursor.execute(f"ANALYZE pg_temp.{name}")
        yield cursor


def _ask_at_once(cursor: CursorWrapper, look: Look, promises: list[Promise], at: datetime) -> Iterator[Result]:
    """Several promises about the same rows, in one pass over them; each is said to take its share of the time."""
    started = perf_counter()
    # S608: every part of these statements is a constant of this package.
    columns = ", ".join(
        f"{it.where} AS asked_{index}, CASE WHEN {it.where} THEN {it.off} END AS off_{index}"
        for index, it in enumerate(promises)
    )
    counts = ", ".join(
        f"count(*) FILTER (WHERE asked_{index}), count(*) FILTER (WHERE off_{index} <> 0), "
        f"coalesce(sum(abs(off_{index})), 0)"
        for index in range(len(promises))
    )
    # OFFSET keeps PostgreSQL from working out each column anew for each count.
    cursor.execute(f"SELECT {counts} FROM (SELECT {columns} FROM {look.rows} OFFSET 0) AS promised", _instants(at))  # noqa: S608
    counted = cursor.fetchone()
    share = (perf_counter() - started) / len(promises)
    for promise, rows, broken, off in zip(promises, counted[::3], counted[1::3], counted[2::3], strict=True):
        examples = _examples(cursor, promise, at) if broken else []
        yield Result(promise.says, rows, broken, int(off), examples, share)


def _ask(cursor: CursorWrapper, promise: Promise, at: datetime) -> Result:
    started = perf_counter()
    count = "SELECT count(*), count(*) FILTER (WHERE off <> 0), coalesce(sum(abs(off)), 0)"
    # S608: every part of these statements is a constant of this package.
    cursor.execute(f"{count} FROM ({promise.rows}) AS promised", _instants(at))
    rows, broken, off = cursor.fetchone()
    examples = _examples(cursor, promise, at) if broken else []
    return Result(promise.says, rows, broken, int(off), examples, perf_counter() - started)


def _examples(cursor: CursorWrapper, promise: Promise, at: datetime) -> list[str]:
    some = f"SELECT what FROM ({promise.rows}) AS promised WHERE off <> 0 LIMIT {EXAMPLES}"  # noqa: S608
    cursor.execute(some, _instants(at))
    return [str(what) for (what,) in cursor.fetchall()]


def _instants(at: datetime) -> dict[str, datetime]:
    return {"now": at, "late": at - PATIENCE - 2 * settings.SWEEP_EVERY}
