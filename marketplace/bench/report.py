"""What was measured, for people and for programs: a table in the terminal, and JSON."""

import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .measuring import Against, Figures, Judgment, Outcome, ratio


@dataclass(frozen=True)
class Report:
    """All outcomes of one run, in the order in which they were taken, and what they were taken on."""

    outcomes: Sequence[Outcome]
    machine: Mapping[str, str]

    def judged(self) -> Iterator[tuple[Outcome, Sequence[Judgment]]]:
        """Each outcome with its marks, those of growth against the smallest data set with the same measure."""
        for outcome in self.outcomes:
            yield outcome, self.judgments(outcome)

    def judgments(self, outcome: Outcome) -> list[Judgment]:
        """How ours fared against each mark of one of the outcomes."""
        same = [other for other in self.outcomes if other.measure == outcome.measure]
        return list(outcome.judgments(min(same, key=lambda other: other.orders)))

    @property
    def verdict(self) -> str:
        """How many of the marks that could be judged were met."""
        judgments = [judgment for _, found in self.judged() for judgment in found]
        met = sum(judgment.is_met for judgment in judgments)
        return f"{met} of {len(judgments)} marks are met."

    @property
    def missed(self) -> int:
        """How many marks were missed."""
        return sum(not judgment.is_met for _, judgments in self.judged() for judgment in judgments)


def machine(postgres: str, settings: Mapping[str, str], cores: int) -> dict[str, str]:
    """What the figures were taken on, as far as it changes them."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": str(cores),
        "postgresql": postgres,
        **settings,
    }


def head(machine: Mapping[str, str]) -> str:
    """What the figures were taken on, in one line."""
    return ", ".join(f"{name} {value}" for name, value in machine.items())


def table(outcome: Outcome, judgments: Sequence[Judgment]) -> str:
    """Medians per unit with their spread, ratios to ours, single requests' percentiles, and each mark with ✓ or ✗."""
    ours = outcome.figures[0]
    rows = [_row(one, ours, outcome.unit) for one in outcome.figures]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = [
        f"{outcome.measure}, {outcome.orders:,} orders: per {outcome.unit}, median of {ours.runs} runs",
        *(
            "  " + "  ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))])
            for row in rows
        ),
        *(f"  {'✓' if judgment.is_met else '✗ MISSED'} {in_words(judgment)}" for judgment in judgments),
    ]
    return "\n".join(line.rstrip() for line in lines)


def in_words(judgment: Judgment) -> str:
    mark, figure = judgment.mark, judgment.figure
    if mark.against is Against.NUMBER:
        return f"{mark.of} {figure:,.4g} (mark {mark})"
    other = "the smallest data set" if mark.against is Against.SMALLEST else mark.against
    return f"{mark.of} {figure:.2f} × {other} (mark {mark} ×)"


def as_json(report: Report) -> dict[str, Any]:
    """Seconds are per unit; ratios are of seconds, a side's to ours."""
    return {
        "machine": dict(report.machine),
        "missed": report.missed,
        "measures": [
            {
                "measure": outcome.measure,
                "unit": outcome.unit,
                "orders": outcome.orders,
                "sides": [
                    {
                        "side": one.side,
                        "runs": one.runs,
                        "units": one.units,
                        "median_seconds": one.median,
                        "quartiles_seconds": list(one.quartiles),
                        "units_per_second": one.speed,
                        "p50_seconds": one.p50,
                        "p99_seconds": one.p99,
                        "times_ours": ratio(one.median, outcome.figures[0].median),
                        "facts": dict(one.facts),
                    }
                    for one in outcome.figures
                ],
                "marks": [
                    {
                        "of": judgment.mark.of,
                        "against": judgment.mark.against.value
                        if isinstance(judgment.mark.against, Against)
                        else judgment.mark.against,
                        "mark": str(judgment.mark),
                        "figure": judgment.figure,
                        "met": judgment.is_met,
                    }
                    for judgment in judgments
                ],
            }
            for outcome, judgments in report.judged()
        ],
    }


def _row(one: Figures, ours: Figures, unit: str) -> list[str]:
    beside = "" if one is ours else f"{ratio(one.median, ours.median):.2f} × ours"
    latencies = "" if one.p50 is None or one.p99 is None else f"p50 {duration(one.p50)}, p99 {duration(one.p99)}"
    facts = ", ".join(f"{value:,.4g} {name}" for name, value in one.facts.items())
    return [one.side, duration(one.median), f"± {one.spread:.0%}", f"{one.speed:,.0f}/s", beside, latencies, facts]


def duration(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.2f} s"
    if seconds >= 0.001:
        return f"{seconds * 1e3:.2f} ms"
    return f"{seconds * 1e6:.0f} µs"
