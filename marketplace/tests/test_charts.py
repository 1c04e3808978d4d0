"""The charts that the server draws: their bars, their line, and the same numbers as text."""

import re

import pytest
from django.template import Context, Template

from marketplace.templatetags.charts import Chart, Series, chart

DAYS = [f"{day} Nov" for day in range(1, 13)]


def drawn(it: Chart) -> str:
    return Template("{% load charts %}{% chart it %}").render(Context({"it": it}))


def test_bars_are_as_high_as_their_share_of_the_next_round_value() -> None:
    it = chart(Chart("Orders", ["Mon", "Tue"], [Series("Placed", [3, 0]), Series("Ended", [1, 4], "info")]))
    assert it["scale"] == ["4", "2", "0"]
    assert [(bar["tone"], bar["x"], bar["y"], bar["height"]) for bar in it["bars"]] == [
        ("brand", "7.50%", 40, 120),
        ("info", "25.00%", 120, 40),
        ("info", "75.00%", 0, 160),
    ]
    assert {bar["width"] for bar in it["bars"]} == {"17.50%"}


def test_stacked_bars_stand_on_each_other_and_the_scale_holds_their_sum() -> None:
    it = chart(Chart("Ends", ["Mon"], [Series("Act", [6]), Series("Lapse", [2], "held")], stacked=True))
    assert it["scale"][0] == "8"
    assert [(bar["x"], bar["y"], bar["height"]) for bar in it["bars"]] == [("15.00%", 40, 120), ("15.00%", 0, 40)]


def test_a_line_runs_through_the_middle_of_each_label_and_never_below_nothing() -> None:
    it = chart(Chart("Balance", ["a", "b", "c", "d"], [Series("Held", [0, 5, 10, -3])], kind="line", summed=False))
    assert it["bars"] == []
    assert it["lines"][0]["points"] == "125,160 375,80 625,0 875,160"
    assert it["lines"][0]["area"] == "125,160 125,160 375,80 625,0 875,160 875,160"


@pytest.mark.parametrize(
    ("values", "top"),
    [([0], 2), ([1], 2), ([3], 4), ([7], 8), ([11], 20), ([61], 80), ([999], 1_000), ([1_001], 2_000)],
)
def test_the_scale_ends_at_a_round_value_that_halves(values: list[int], top: int) -> None:
    assert Chart("It", ["Mon"], [Series("It", values)]).top == top


def test_the_same_numbers_stand_in_a_table_and_for_those_who_do_not_see_the_picture() -> None:
    html = drawn(
        Chart("Charged", DAYS, [Series("Charged", [105_500, *[0] * 10, 3517])], currency="USD", href="/orders/")
    )
    assert re.findall(r'<th scope="row">([^<]+)</th><td>([^<]+)</td>', html) == [
        ("1 Nov", "$1,055.00"),
        *[(day, "$0.00") for day in DAYS[1:-1]],
        ("12 Nov", "$35.17"),
        ("Total", "$1,090.17"),
    ]
    assert ">Charged: at most $1,055.00 (1 Nov), at last $35.17.</desc>" in html
    assert "<title>12 Nov: $35.17</title>" in html
    assert 'aria-labelledby="chart-charged-title chart-charged-desc"' in html
    assert re.findall(r'text-anchor="(\w+)">([^<]+)<', html) == [
        ("middle", "3 Nov"),
        ("middle", "6 Nov"),
        ("middle", "9 Nov"),
        ("end", "12 Nov"),
    ]
    assert "style=" not in html
    assert '<a href="/orders/">Charged</a>' in html


def test_of_balances_no_sum_is_told() -> None:
    html = drawn(Chart("Held", ["Mon", "Tue"], [Series("Held", [5, 7])], kind="line", summed=False))
    assert "Total" not in html
    assert ">12<" not in html


def test_where_nothing_happened_there_is_a_sentence_and_no_picture() -> None:
    html = drawn(Chart("Orders", ["Mon"], [Series("Orders", [0])]))
    assert "Nothing in this time." in html
    assert "<svg" not in html


def test_a_series_has_one_value_for_each_label() -> None:
    with pytest.raises(ValueError, match="one value for each of 2 labels"):
        Chart("Orders", ["Mon", "Tue"], [Series("Orders", [1])])
