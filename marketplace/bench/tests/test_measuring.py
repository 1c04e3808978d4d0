"""The arithmetic of measuring, and how it is told: exact numbers throughout."""

import json
from xml.etree import ElementTree

import pytest

from marketplace.bench.loading.casting import shares
from marketplace.bench.loading.plots import PLOTS
from marketplace.bench.loading.progress import Progress
from marketplace.bench.loading.sets import LEAST
from marketplace.bench.measuring import Against, Done, Figures, Mark, Measure, Outcome, Side, percentile, sum_up, take
from marketplace.bench.plot import svg
from marketplace.bench.report import Report, as_json, head, table


def figures(side: str, seconds: float, **facts: float) -> Figures:
    return sum_up(side, [(seconds * 10, Done(units=10, facts=facts))])


def test_percentiles_stand_between_their_neighbors() -> None:
    assert [percentile([4, 1, 3, 2], p) for p in (0, 25, 50, 100)] == [1, 1.75, 2.5, 4]
    assert percentile([7], 99) == 7


def test_runs_are_summed_up_per_unit() -> None:
    runs = [
        (1.0, Done(units=10, latencies=[0.1, 0.3], facts={"queries": 5})),
        (2.0, Done(units=10, latencies=[0.2], facts={"queries": 7})),
        (4.0, Done(units=10, facts={"queries": 6})),
    ]
    summed = sum_up("ours", runs)
    assert (summed.runs, summed.units, summed.median, summed.speed) == (3, 30, 0.2, 5.0)
    assert summed.quartiles == pytest.approx((0.15, 0.3))
    assert summed.spread == pytest.approx(0.375)
    assert (summed.p50, summed.figure("time"), summed.figure("queries")) == (0.2, 0.2, 7)
    assert summed.p99 == pytest.approx(0.298)


def test_sides_take_turns_and_each_round_turns_them_round() -> None:
    order: list[str] = []

    def side(name: str) -> Side:
        return Side(name, lambda: order.append(name), prepare=lambda: order.append(f"before {name}"))

    take(Measure("m", [side("a"), side("b")]), 10, runs=3)
    works = [name for name in order if not name.startswith("before")]
    assert works == ["a", "b", "a", "b", "b", "a", "a", "b"]
    assert order[:4] == ["before a", "a", "before b", "b"]


def test_seconds_that_a_run_told_itself_are_those_that_count() -> None:
    outcome = take(Measure("m", [Side("a", lambda: Done(units=2, seconds=3.0))]), 10, runs=2)
    assert outcome.figures[0].median == 1.5


def a_report() -> Report:
    marks = [
        Mark("speed", "SQL", at_least=0.5),
        Mark("time", "naive", at_most=0.1),
        Mark("queries", at_most=10),
        Mark("time", Against.SMALLEST, at_most=1.2),
    ]
    beside = [figures("SQL", 0.001), figures("naive", 0.04)]
    small = Outcome("sweep", "order", 1_000, [figures("ours", 0.002, queries=9), *beside], marks)
    large = Outcome("sweep", "order", 9_000, [figures("ours", 0.003, queries=11), *beside], marks)
    return Report([small, large], {"cores": "2"})


def test_a_mark_compares_ours_with_a_side_a_number_or_the_smallest_set() -> None:
    judged = [[(round(j.figure, 3), j.is_met) for j in judgments] for _, judgments in a_report().judged()]
    assert judged == [
        [(0.5, True), (0.05, True), (9, True)],
        [(0.333, False), (0.075, True), (11, False), (1.5, False)],
    ]
    assert a_report().missed == 3


def test_the_table_says_what_was_missed() -> None:
    report = a_report()
    said = [line for outcome, judgments in report.judged() for line in table(outcome, judgments).splitlines()]
    assert [head(report.machine), *said, report.verdict] == [
        "cores 2",
        "sweep, 1,000 orders: per order, median of 1 runs",
        "  ours    2.00 ms  ± 0%    500/s                  9 queries",
        "  SQL     1.00 ms  ± 0%  1,000/s   0.50 × ours",
        "  naive  40.00 ms  ± 0%     25/s  20.00 × ours",
        "  ✓ speed 0.50 × SQL (mark ≥ 0.5 ×)",
        "  ✓ time 0.05 × naive (mark ≤ 0.1 ×)",
        "  ✓ queries 9 (mark ≤ 10)",
        "sweep, 9,000 orders: per order, median of 1 runs",
        "  ours    3.00 ms  ± 0%    333/s                  11 queries",
        "  SQL     1.00 ms  ± 0%  1,000/s   0.33 × ours",
        "  naive  40.00 ms  ± 0%     25/s  13.33 × ours",
        "  ✗ MISSED speed 0.33 × SQL (mark ≥ 0.5 ×)",
        "  ✓ time 0.07 × naive (mark ≤ 0.1 ×)",
        "  ✗ MISSED queries 11 (mark ≤ 10)",
        "  ✗ MISSED time 1.50 × the smallest data set (mark ≤ 1.2 ×)",
        "4 of 7 marks are met.",
    ]


def test_json_has_the_figures_and_the_marks() -> None:
    told = json.loads(json.dumps(as_json(a_report())))
    assert (told["missed"], told["machine"]) == (3, {"cores": "2"})
    last = told["measures"][1]
    assert (last["measure"], last["orders"], [side["side"] for side in last["sides"]]) == (
        "sweep",
        9_000,
        ["ours", "SQL", "naive"],
    )
    assert [side["times_ours"] for side in last["sides"]] == pytest.approx([1, 1 / 3, 40 / 3])
    assert [mark["met"] for mark in last["marks"]] == [False, True, False, False]


def test_the_plot_has_a_line_for_each_side_and_a_point_for_each_size() -> None:
    root = ElementTree.fromstring(svg(a_report()))
    space = "{http://www.w3.org/2000/svg}"
    assert len(list(root.iter(f"{space}polyline"))) == 3
    assert len(list(root.iter(f"{space}circle"))) == 6
    said = {text.text for text in root.iter(f"{space}text")}
    assert {"sweep", "ours", "SQL", "naive", "orders", "per order", "1,000", "9,000", "1 ms", "100 ms"} <= said


def test_a_data_set_has_as_many_orders_as_asked_for_and_short_queues() -> None:
    for orders in (LEAST, 10_000, 1_000_000):
        assert sum(share.copies for share in shares(orders)) + len(PLOTS) == orders
    queue = {share.plot.name: share.copies + 1 for share in shares(1_000_000)}
    assert queue["escalated"] + queue["unanswered"] + queue["charged back"] == 300


def test_progress_tells_the_time_that_is_left() -> None:
    instants = iter([0.0, 30.0, 120.0])
    said: list[str] = []
    progress = Progress(said.append, now=lambda: next(instants))
    progress.expect(4)
    progress.finish(1, "orders")
    progress.finish(3, "events")
    assert said == [" 25%     30 s gone, 1:30 min left  orders", "100%  2:00 min gone,     0 s left  events"]
