"""Pages of long lists by key: a page begins after the last row of the one before, wherever that is by now.

Unlike a page by number, the last one costs what the first one costs, nothing is skipped or shown twice while rows
come and go, and nobody has to count the rows. The key is the row's own place in the order, so the order must be total:
it ends with the primary key.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Generic, TypeVar

from django.db.models import Model, Q, QuerySet

Row = TypeVar("Row", bound=Model)

BETWEEN = "~"
LONGEST_KEY = 200
LARGEST = 2**63


@dataclass(frozen=True)
class Column:
    """A column of a list's order: its name, how its values are read back from an address, and which way it goes."""

    name: str
    read: Callable[[str], Any]
    descending: bool = False

    @property
    def ordering(self) -> str:
        return f"-{self.name}" if self.descending else self.name

    @property
    def reversed(self) -> "Column":
        return Column(self.name, self.read, not self.descending)


@dataclass(frozen=True)
class Page(Sequence[Row], Generic[Row]):
    """Some rows of a list, with the keys of what comes before and after them; empty where there is nothing."""

    rows: list[Row]
    before: str = ""
    after: str = ""

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, at: Any) -> Any:
        return self.rows[at]

    @property
    def has_other_pages(self) -> bool:
        return bool(self.before or self.after)


def number(text: str) -> int:
    """A whole number that fits a column of the database. Raises ValueError."""
    found = int(text)
    if not -LARGEST <= found < LARGEST:
        raise ValueError(text)
    return found


def fraction(text: str) -> float:
    """A floating number, as exact as it was written. Raises ValueError."""
    found = float(text)
    if not math.isfinite(found):
        raise ValueError(text)
    return found


def decimal(text: str) -> Decimal:
    """A decimal number. Raises ValueError."""
    try:
        found = Decimal(text)
    except InvalidOperation as error:
        raise ValueError(text) from error
    if not found.is_finite() or abs(found.adjusted()) > 30:
        raise ValueError(text)
    return found


def instant(text: str) -> datetime:
    """An instant with its offset. Raises ValueError."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(text)
    return found


def word(text: str) -> str:
    """A short code. Raises ValueError."""
    if not text.isalnum():
        raise ValueError(text)
    return text


# What every order ends with: the newest row first where all else is the same.
NEWEST = Column("pk", number, descending=True)


def page_of(
    rows: QuerySet[Row], columns: Sequence[Column], query: Mapping[str, str], *, most: int, name: str = ""
) -> Page[Row]:
    """The page that an address asks for, by `?after=` or `?before=` and a key; else the first.

    `name` goes before these two words where a page has several lists. One query. A key that cannot be read, and one
    that nothing comes after any more, show the first page.
    """
    return page_from(lambda place: place.cut(rows), columns, query, most=most, name=name)


def page_from(
    cut: "Callable[[Place], Iterable[Row]]",
    columns: Sequence[Column],
    query: Mapping[str, str],
    *,
    most: int,
    name: str = "",
) -> Page[Row]:
    """The same, where `cut` reads the rows of a place by itself, because they are put together of several queries."""
    first = Place(tuple(columns), most=most)
    after, before = query.get(f"{name}after", ""), query.get(f"{name}before", "")
    place = _asked(first, after, back=False) or _asked(first, before, back=True) or first
    found = list(cut(place))
    if not found and place.key:
        place, found = first, list(cut(first))
    more, found = len(found) > most, found[:most]
    if place.back:
        found.reverse()
    ahead, behind = (True, more) if place.back else (more, bool(place.key))
    return Page(
        found,
        before=key_of(found[0], columns) if found and behind else "",
        after=key_of(found[-1], columns) if found and ahead else "",
    )


@dataclass(frozen=True)
class Place:
    """A place in a list: after a key, or before it when one goes back; without a key its beginning."""

    columns: tuple[Column, ...]
    most: int
    key: tuple[Any, ...] = ()
    back: bool = False

    @property
    def ordering(self) -> list[str]:
        return [column.ordering for column in self._columns]

    def cut(self, rows: QuerySet[Row]) -> QuerySet[Row]:
        """As many of the `rows` from here on as a page holds, and one that says whether there are more."""
        return rows.filter(self._beyond()).order_by(*self.ordering)[: self.most + 1]

    @property
    def _columns(self) -> list[Column]:
        return [column.reversed if self.back else column for column in self.columns]

    def _beyond(self) -> Q:
        if not self.key:
            return Q()
        beyond, same = Q(), Q()
        for column, value in zip(self._columns, self.key, strict=True):
            ahead = "lt" if column.descending else "gt"
            beyond |= same & Q(**{f"{column.name}__{ahead}": value})
            same &= Q(**{column.name: value})
        # The bound of the first column says nothing new, but an index can begin there; it cannot with an «or».
        lead = self._columns[0]
        return Q(**{f"{lead.name}__{'lte' if lead.descending else 'gte'}": self.key[0]}) & beyond


def key_of(row: Model, columns: Sequence[Column]) -> str:
    """The key of a row, as an address carries it."""
    values = [getattr(row, column.name) for column in columns]
    return BETWEEN.join(value.isoformat() if isinstance(value, datetime) else str(value) for value in values)


def _asked(first: Place, key: str, *, back: bool) -> Place | None:
    parts = key.split(BETWEEN) if len(key) <= LONGEST_KEY else []
    if len(parts) != len(first.columns):
        return None
    try:
        read = tuple(column.read(part) for column, part in zip(first.columns, parts, strict=True))
    except (ValueError, OverflowError):
        return None
    return Place(first.columns, first.most, read, back)
