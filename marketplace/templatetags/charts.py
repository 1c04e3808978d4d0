"""Charts drawn by the server as SVG, with their numbers in a table below. `{% load charts %}`, `{% chart it %}`.

The page links static/charts.css. A view makes a `Chart`; every width is an integer share, so no float ever touches
the money that is shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from django import template
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django_stubs_ext import StrOrPromise

from marketplace.accounts import figures
from payments.money import display

register = template.Library()

HEIGHT = 160
# Of the width of the picture, in hundredths of a percent.
WIDTH = 10_000
# So many labels of dates fit below each other's side on a phone.
LABELS = 4
STEPS = (2, 4, 6, 8, 10)

Tone = Literal["brand", "info", "held", "slate", "danger"]


@dataclass(frozen=True)
class Series:
    """One row of values: counts, or amounts in minor units where the chart has a currency."""

    name: StrOrPromise
    values: Sequence[int]
    tone: Tone = "brand"


@dataclass(frozen=True)
class Chart:
    """Values over time, one per label, as bars or as a line. Two series stand side by side, or on each other when
    `stacked`. Raises ValueError where a series has not one value per label."""

    title: StrOrPromise
    labels: Sequence[str]
    series: Sequence[Series]
    currency: str = ""
    kind: Literal["bars", "line"] = "bars"
    stacked: bool = False
    summed: bool = True
    """Whether the sum of the values means something; of balances it does not."""
    about: StrOrPromise = ""
    href: str = ""
    """Where the rows behind the values are listed."""

    def __post_init__(self) -> None:
        if any(len(series.values) != len(self.labels) for series in self.series):
            raise ValueError(f"{self.title}: one value for each of {len(self.labels)} labels.")

    def say(self, value: int) -> str:
        return display(value, self.currency) if self.currency else figures.whole(value)

    @property
    def is_empty(self) -> bool:
        return not any(any(series.values) for series in self.series)

    @property
    def top(self) -> int:
        """The value at the upper edge: the next round one that halves without a rest."""
        at_each_label = zip(*(series.values for series in self.series), strict=True)
        highest = max((sum(values) if self.stacked else max(values) for values in at_each_label), default=0)
        scale = 1
        while True:
            for step in STEPS:
                if step * scale >= highest:
                    return step * scale
            scale *= 10


@register.inclusion_tag("_chart.html")
def chart(it: Chart, name: str = "") -> dict[str, Any]:
    """`name` tells two charts of one page apart where their titles are the same."""
    top, slots = it.top, max(1, len(it.labels))
    return {
        "chart": it,
        "name": f"chart-{slugify(name or it.title) or 'it'}",
        "summary": _summary(it),
        "series": [
            {"name": series.name, "tone": series.tone, "total": it.say(sum(series.values))} for series in it.series
        ],
        "scale": [it.say(top), it.say(top // 2), it.say(0)],
        "grid": [0, HEIGHT // 2, HEIGHT],
        "height": HEIGHT,
        "bars": [] if it.kind == "line" else _bars(it, top, slots),
        "lines": _lines(it, top, slots) if it.kind == "line" else [],
        "slots": [
            {"x": _percent(WIDTH * index // slots), "said": said} for index, said in enumerate(_said_of_each(it))
        ],
        "slot": _percent(WIDTH // slots),
        "labels": _labels(it, slots),
        "rows": [
            {"label": label, "values": [it.say(series.values[index]) for series in it.series]}
            for index, label in enumerate(it.labels)
        ],
    }


def _summary(it: Chart) -> str:
    """What a person who doesn't see the picture most wants to know; every number is in the table."""
    parts = []
    for series in it.series:
        if not any(series.values):
            parts.append(_("{name}: nothing.").format(name=series.name))
            continue
        best = max(range(len(series.values)), key=lambda index: series.values[index])
        parts.append(
            _("{name}: at most {value} ({label}), at last {last}.").format(
                name=series.name,
                value=it.say(series.values[best]),
                label=it.labels[best],
                last=it.say(series.values[-1]),
            )
        )
    return " ".join(parts)


def _said_of_each(it: Chart) -> list[str]:
    """What a pointer reads at each label: "1 Dec: 5", "1 Dec: Placed 5, Closed 2"."""
    alone = len(it.series) == 1
    return [
        f"{label}: "
        + ", ".join(
            it.say(series.values[index]) if alone else f"{series.name} {it.say(series.values[index])}"
            for series in it.series
        )
        for index, label in enumerate(it.labels)
    ]


def _bars(it: Chart, top: int, slots: int) -> list[dict[str, Any]]:
    """Every bar with a value. Below the least that can be seen it is drawn at that; less than nothing is not drawn."""
    beside = 1 if it.stacked else max(1, len(it.series))
    room = WIDTH * 7 // 10 // slots
    bars = []
    stand_on = [0] * slots
    for place, series in enumerate(it.series):
        for index, value in enumerate(series.values):
            if value <= 0:
                continue
            height = max(2, value * HEIGHT // top)
            left = WIDTH * index // slots + (WIDTH // slots - room) // 2
            bars.append(
                {
                    "tone": series.tone,
                    "x": _percent(left + (0 if it.stacked else room * place // beside)),
                    "width": _percent(room // beside),
                    "y": HEIGHT - stand_on[index] - height,
                    "height": height,
                }
            )
            if it.stacked:
                stand_on[index] += height
    return bars


def _lines(it: Chart, top: int, slots: int) -> list[dict[str, Any]]:
    """Each series as the points of a line, and of the area below it, in thousandths of the width."""
    lines = []
    for series in it.series:
        points = [
            f"{(2 * index + 1) * 500 // slots},{HEIGHT - max(0, value) * HEIGHT // top}"
            for index, value in enumerate(series.values)
        ]
        first, last = 500 // slots, (2 * slots - 1) * 500 // slots
        area = [f"{first},{HEIGHT}", *points, f"{last},{HEIGHT}"]
        lines.append({"tone": series.tone, "points": " ".join(points), "area": " ".join(area)})
    return lines


def _labels(it: Chart, slots: int) -> list[dict[str, str]]:
    """The labels for which there is room, counted from the last, which is always there."""
    every = -(-slots // LABELS)
    last = len(it.labels) - 1
    shown = [index for index in range(len(it.labels)) if (last - index) % every == 0]
    labels = []
    for index in shown:
        side = "end" if index == last and slots > LABELS else "start" if index == 0 and slots > LABELS else "middle"
        halves = {"start": 2 * index, "middle": 2 * index + 1, "end": 2 * index + 2}[side]
        labels.append({"text": it.labels[index], "anchor": side, "x": _percent(halves * WIDTH // 2 // slots)})
    return labels


def _percent(share: int) -> str:
    return f"{share // 100}.{share % 100:02}%"
