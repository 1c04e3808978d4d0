"""Measuring sides of the same work against each other in one run (design: machines are noisy, ratios are not).

A measure has sides; the first is ours. Every side does its work once to warm up, then all sides take turns, and each
round turns the order round (AB, BA, AB, …), so that whatever else the machine does falls on all of them alike.
"""

import gc
import resource
import statistics
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from time import perf_counter

RUNS = 5


@dataclass(frozen=True)
class Done:
    """What one run of a side came to, besides its time.

    `units` is how much was done (milestones, rows, requests); `latencies` are seconds of single requests where they
    were measured one by one; `facts` are other figures by name ("queries", "bytes", "peak MB"), of which the greatest
    over all runs is kept. `seconds`, where given, is what counts as the time of the run: for work that has to wait or
    to prepare between its parts.
    """

    units: int = 1
    latencies: Sequence[float] = ()
    facts: Mapping[str, float] = field(default_factory=dict)
    seconds: float | None = None


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class Side:
    """One way to do the work. `prepare` runs before each run and its time does not count."""

    name: str
    work: Callable[[], Done | None]
    prepare: Callable[[], object] = _nothing


class Against(Enum):
    """What a mark compares with, where that is not another side."""

    NUMBER = "a number"
    SMALLEST = "the smallest data set of the run"


@dataclass(frozen=True)
class Mark:
    """What our side is held to; give exactly one of `at_least` and `at_most`.

    `of` is "speed" (units a second), "time" (seconds of a unit, the p50 of single requests where there are any), or
    the name of a fact. `against` is the name of a side, for the ratio of ours to theirs; `Against.SMALLEST`, for the
    ratio to ours in the smallest data set; or `Against.NUMBER`, for the figure itself. With `beside`, the name of a
    side, our figure is first divided by that side's of the same data set: so growth does not depend on the machine.
    """

    of: str
    against: str | Against = Against.NUMBER
    at_least: float | None = None
    at_most: float | None = None
    beside: str = ""

    def __post_init__(self) -> None:
        assert (self.at_least is None) != (self.at_most is None)

    def is_met_by(self, figure: float) -> bool:
        return figure >= self.at_least if self.at_least is not None else figure <= (self.at_most or 0)

    def __str__(self) -> str:
        return f"≥ {self.at_least:g}" if self.at_least is not None else f"≤ {self.at_most:g}"


@dataclass(frozen=True)
class Measure:
    """The same work done in several ways; `unit` names what is counted ("milestone", "request")."""

    name: str
    sides: Sequence[Side]
    unit: str = "run"
    marks: Sequence[Mark] = ()
    runs: int | None = None


@dataclass(frozen=True)
class Figures:
    """What one side came to over its runs: seconds are per unit."""

    side: str
    runs: int
    units: int
    median: float
    quartiles: tuple[float, float]
    p50: float | None = None
    p99: float | None = None
    facts: Mapping[str, float] = field(default_factory=dict)

    @property
    def speed(self) -> float:
        """Units a second."""
        return 1 / self.median if self.median else 0.0

    @property
    def spread(self) -> float:
        """Half the distance between the quartiles as a part of the median."""
        low, high = self.quartiles
        return (high - low) / 2 / self.median if self.median else 0.0

    def figure(self, of: str) -> float:
        """The figure that a mark speaks of. Raises KeyError when no run told it."""
        if of == "speed":
            return self.speed
        if of == "time":
            return self.median if self.p50 is None else self.p50
        return self.facts[of]


@dataclass(frozen=True)
class Judgment:
    """How our side fared against one mark."""

    mark: Mark
    figure: float

    @property
    def is_met(self) -> bool:
        return self.mark.is_met_by(self.figure)


@dataclass(frozen=True)
class Outcome:
    """A measure's figures in a data set of `orders` orders; the marks of growth are judged over several outcomes."""

    measure: str
    unit: str
    orders: int
    figures: Sequence[Figures]
    marks: Sequence[Mark]

    def judgments(self, smallest: "Outcome | None" = None) -> Iterator[Judgment]:
        """Each mark with its figure; those against the smallest data set only where there is a smaller one."""
        for mark in self.marks:
            figure = self.our_figure(mark)
            if mark.against is Against.NUMBER:
                yield Judgment(mark, figure)
            elif mark.against is Against.SMALLEST:
                if smallest and smallest.orders < self.orders:
                    yield Judgment(mark, ratio(figure, smallest.our_figure(mark)))
            else:
                yield Judgment(mark, ratio(figure, self.of(mark.against).figure(mark.of)))

    def of(self, side: str) -> Figures:
        """The figures of the side with this name."""
        return next(one for one in self.figures if one.side == side)

    def our_figure(self, mark: Mark) -> float:
        """What our side came to in what the mark speaks of, beside what it names."""
        figure = self.figures[0].figure(mark.of)
        return ratio(figure, self.of(mark.beside).figure(mark.of)) if mark.beside else figure


def ratio(ours: float, theirs: float) -> float:
    return ours / theirs if theirs else float("inf")


def take(measure: Measure, orders: int, *, runs: int = RUNS) -> Outcome:
    """Warm every side up once, then let them take turns `runs` times, and sum up."""
    runs = measure.runs or runs
    for side in measure.sides:
        _run(side)
    taken: dict[str, list[tuple[float, Done]]] = {side.name: [] for side in measure.sides}
    for turn in range(runs):
        for side in measure.sides if turn % 2 == 0 else reversed(measure.sides):
            taken[side.name].append(_run(side))
    figures = [sum_up(side.name, taken[side.name]) for side in measure.sides]
    return Outcome(measure.name, measure.unit, orders, figures, measure.marks)


def _run(side: Side) -> tuple[float, Done]:
    side.prepare()
    gc.collect()
    began = perf_counter()
    done = side.work() or Done()
    seconds = perf_counter() - began
    return (seconds if done.seconds is None else done.seconds), done


def sum_up(side: str, taken: Sequence[tuple[float, Done]]) -> Figures:
    """Medians and quartiles of the seconds per unit over runs; percentiles over all single requests."""
    each = [seconds / max(1, done.units) for seconds, done in taken]
    latencies = [seconds for _, done in taken for seconds in done.latencies]
    facts: dict[str, float] = {}
    for _, done in taken:
        for name, value in done.facts.items():
            facts[name] = max(value, facts.get(name, value))
    return Figures(
        side=side,
        runs=len(each),
        units=sum(done.units for _, done in taken),
        median=statistics.median(each),
        quartiles=(percentile(each, 25), percentile(each, 75)),
        p50=percentile(latencies, 50) if latencies else None,
        p99=percentile(latencies, 99) if latencies else None,
        facts=facts,
    )


def percentile(values: Sequence[float], percent: float) -> float:
    """Of the sorted values, interpolated between neighbors."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def peak_memory() -> int:
    """The most memory that this process has held so far, in bytes; what the system counts in differs."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
