"""A clause that is kept with an event and read by two people: the words once, the values apart.

It is stored as data, so that each reader reads it in their own language and format. The words are marked for
translation where they are written (`gettext_noop`), and looked up when they are read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext as _

from marketplace.catalog.durations import counted, in_words
from orders.plan_changes import changes_of_event
from payments.money import display


@dataclass(frozen=True)
class Amount:
    """Minor units of a currency."""

    minor: int
    currency: str

    def __str__(self) -> str:
        return display(self.minor, self.currency)


@dataclass(frozen=True)
class Count:
    """A number of a unit that `durations.counted` knows: "3 days"."""

    number: int
    unit: str

    def __str__(self) -> str:
        return counted(self.number, self.unit)


@dataclass(frozen=True)
class Length:
    """A window of time: "24 hours"."""

    seconds: float

    def __str__(self) -> str:
        return in_words(timedelta(seconds=self.seconds))


@dataclass(frozen=True)
class Changes:
    """What a plan becomes: the stored plans `before` and `after`."""

    before: list[dict[str, Any]]
    after: list[dict[str, Any]]
    currency: str

    def __str__(self) -> str:
        return changes_of_event({"before": self.before, "after": self.after}, self.currency)


@dataclass(frozen=True)
class Phrase:
    """`text` with `values` in its named places; `str` of it is in the reader's language."""

    text: str
    values: Mapping[str, "Value"] = field(default_factory=dict)

    def __str__(self) -> str:
        return _(self.text).format(**{name: str(value) for name, value in self.values.items()})


Value = str | Amount | Count | Length | Changes | Phrase
KINDS: dict[str, type[Amount | Count | Length | Changes]] = {
    "amount": Amount,
    "count": Count,
    "length": Length,
    "changes": Changes,
}


def kept(value: Value) -> Any:
    """What an event keeps of a value."""
    if isinstance(value, str):
        return value
    if isinstance(value, Phrase):
        return {"text": value.text, "values": {name: kept(each) for name, each in value.values.items()}}
    name = next(name for name, kind in KINDS.items() if isinstance(value, kind))
    return {name: vars(value)}


def read(data: Any) -> str:
    """What was kept, in the reader's language; anything else as it is."""
    return str(_revived(data))


def _revived(data: Any) -> Any:
    if not isinstance(data, dict):
        return data
    if "text" in data:
        return Phrase(data["text"], {name: _revived(each) for name, each in data["values"].items()})
    for name, kind in KINDS.items():
        if name in data:
            return kind(**data[name])
    return data
