"""Cost against size as an SVG drawn by hand: one small plot per measure, both axes logarithmic.

It reads in light and dark: what is drawn in takes the color of the reader's scheme.
"""

import math
from collections.abc import Iterator, Sequence
from html import escape

from .measuring import Outcome
from .report import Report

WIDTH, HEIGHT, COLUMNS = 420, 300, 2
LEFT, RIGHT, TOP, BOTTOM = 70, 14, 46, 44
STYLE = """
    :root { color-scheme: light dark; --ink: #22302a; --faint: #dde4df; --paper: #ffffff;
        --s0: #0b6e4f; --s1: #b3541e; --s2: #3b5fa4; --s3: #7a4b94; }
    @media (prefers-color-scheme: dark) {
        :root { --ink: #e3eae6; --faint: #39433e; --paper: #161b18;
            --s0: #5fd3a4; --s1: #f0a06c; --s2: #8fb0f0; --s3: #c79be0; }
    }
    text { font: 12px system-ui, sans-serif; fill: var(--ink); }
    .title { font-weight: 600; font-size: 13px; } .small { font-size: 11px; }
    .paper { fill: var(--paper); } .grid { stroke: var(--faint); } .axis { stroke: var(--ink); }
    .line { fill: none; stroke-width: 2; }
    .s0 { stroke: var(--s0); } .s1 { stroke: var(--s1); stroke-dasharray: 7 3; }
    .s2 { stroke: var(--s2); stroke-dasharray: 2 3; } .s3 { stroke: var(--s3); stroke-dasharray: 9 3 2 3; }
    .d0 { fill: var(--s0); } .d1 { fill: var(--s1); } .d2 { fill: var(--s2); } .d3 { fill: var(--s3); }
"""
COLORS = 4


def svg(report: Report) -> str:
    """One plot for each measure, with a line for each side over the sizes that were measured."""
    by_measure: dict[str, list[Outcome]] = {}
    for outcome in report.outcomes:
        by_measure.setdefault(outcome.measure, []).append(outcome)
    rows = math.ceil(len(by_measure) / COLUMNS) or 1
    width, height = WIDTH * min(COLUMNS, max(1, len(by_measure))), HEIGHT * rows
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        "<title>Cost of each measure against the number of orders</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="paper" width="{width}" height="{height}"/>',
    ]
    for place, (measure, outcomes) in enumerate(by_measure.items()):
        x, y = place % COLUMNS * WIDTH, place // COLUMNS * HEIGHT
        parts += [f'<g transform="translate({x} {y})">', *_plot(measure, outcomes), "</g>"]
    return "\n".join([*parts, "</svg>", ""])


def _plot(measure: str, outcomes: Sequence[Outcome]) -> Iterator[str]:
    sides = [figures.side for figures in outcomes[0].figures]
    lines = {
        side: [
            (outcome.orders, one.figure("time"))
            for outcome in outcomes
            for one in outcome.figures
            if one.side == side and one.figure("time") > 0
        ]
        for side in sides
    }
    costs = [cost for line in lines.values() for _, cost in line] or [1.0]
    low, high = 10 ** math.floor(math.log10(min(costs))), 10 ** math.ceil(math.log10(max(costs)))
    across = _Scale(min(o.orders for o in outcomes), max(o.orders for o in outcomes), LEFT, WIDTH - RIGHT)
    upward = _Scale(low, high if high > low else low * 10, HEIGHT - BOTTOM, TOP)
    yield f'<text class="title" x="{LEFT}" y="18">{escape(measure)}</text>'
    yield from _legend(sides)
    for cost in upward.decades():
        y = upward.at(cost)
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text class="small" x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{_short(cost)}</text>'
    for orders in sorted({outcome.orders for outcome in outcomes}):
        x = across.at(orders)
        yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'
        anchor = "end" if x > WIDTH - RIGHT - 20 and len(outcomes) > 1 else "middle"
        yield f'<text class="small" x="{x:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="{anchor}">{orders:,}</text>'
    bottom, middle = HEIGHT - BOTTOM, (TOP + HEIGHT - BOTTOM) / 2
    yield f'<path class="axis" fill="none" d="M{LEFT} {TOP}V{bottom}H{WIDTH - RIGHT}"/>'
    yield f'<text class="small" x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 8}" text-anchor="middle">orders</text>'
    unit = escape(outcomes[0].unit)
    yield f'<text class="small" transform="translate(12 {middle}) rotate(-90)" text-anchor="middle">per {unit}</text>'
    for number, side in enumerate(sides):
        kind = number % COLORS
        points = [(across.at(orders), upward.at(cost)) for orders, cost in sorted(lines[side])]
        if len(points) > 1:
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            yield f'<polyline class="line s{kind}" points="{path}"/>'
        for x, y in points:
            yield f'<circle class="d{kind}" cx="{x:.1f}" cy="{y:.1f}" r="4"/>'


def _short(seconds: float) -> str:
    """A power of ten."""
    if seconds >= 1:
        return f"{seconds:g} s"
    return f"{seconds * 1e3:g} ms" if seconds >= 0.001 else f"{seconds * 1e6:g} µs"


def _legend(sides: Sequence[str]) -> Iterator[str]:
    x = float(LEFT)
    for number, side in enumerate(sides):
        kind = number % COLORS
        yield f'<line class="line s{kind}" x1="{x:.1f}" x2="{x + 20:.1f}" y1="32" y2="32"/>'
        yield f'<text class="small" x="{x + 25:.1f}" y="36">{escape(side)}</text>'
        x += 40 + 6.2 * len(side)


class _Scale:
    """A logarithmic scale from `low` to `high`, drawn from `start` to `end`; a single value stands in the middle."""

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        self.low, self.high, self.start, self.end = low, high, start, end

    def at(self, value: float) -> float:
        if self.high == self.low:
            return (self.start + self.end) / 2
        part = (math.log10(value) - math.log10(self.low)) / (math.log10(self.high) - math.log10(self.low))
        return self.start + part * (self.end - self.start)

    def decades(self) -> list[float]:
        return [10.0**power for power in range(round(math.log10(self.low)), round(math.log10(self.high)) + 1)]
