"""Splitting milestones and adding up plans, before anything is judged."""

import pytest

from marketplace.catalog.plan_rows import changed_rows, halves, total_days, totals

SCRIPT = {"title": "Script", "description": "All of it", "price": "100.01", "delivery_days": "5", "revisions": "2"}
CARDS = {"title": "Cards", "description": "", "price": "5", "delivery_days": "1", "revisions": "0"}


def test_a_split_halves_price_and_days_and_leaves_the_rest_to_the_first() -> None:
    assert changed_rows([SCRIPT, CARDS], "split-0", "USD") == [
        SCRIPT | {"title": "Script (1)", "price": "50.01", "delivery_days": "3"},
        SCRIPT | {"title": "Script (2)", "price": "50.00", "delivery_days": "2", "description": ""},
        CARDS,
    ]


@pytest.mark.parametrize(
    ("row", "currency", "first", "second"),
    [
        ({"price": "1001", "delivery_days": "1"}, "JPY", ("501", "1"), ("500", "1")),
        ({"price": "0.01", "delivery_days": "x"}, "USD", ("0.01", "x"), ("0.00", "")),
        ({"price": "a lot", "delivery_days": ""}, "USD", ("a lot", ""), ("", "")),
        ({"price": "10", "delivery_days": "8"}, None, ("10", "4"), ("", "4")),
        ({}, "USD", ("", ""), ("", "")),
    ],
)
def test_what_cannot_be_halved_stays_with_the_first(
    row: dict[str, str], currency: str | None, first: tuple[str, str], second: tuple[str, str]
) -> None:
    found = [(half["title"], half["price"], half["delivery_days"]) for half in halves(row, currency)]
    assert found == [("", *first), ("", *second)]


def test_a_long_title_keeps_room_for_its_part() -> None:
    titles = [half["title"] for half in halves({"title": "x" * 120}, "USD")]
    assert titles == ["x" * 116 + " (1)", "x" * 116 + " (2)"]


@pytest.mark.parametrize("change", ["split-2", "split-x", "split", "join-0", ""])
def test_an_unknown_change_changes_nothing(change: str) -> None:
    assert changed_rows([SCRIPT, CARDS], change, "USD") == [SCRIPT, CARDS]


def test_totals_take_the_fee_of_each_price_by_itself() -> None:
    rows = [SCRIPT, CARDS, {}]
    assert totals(rows, "USD", buyer_fee=550, commission=2000) == {
        "price": "$105.01",
        "buyer_pays": "$110.79",
        "seller_gets": "$84.01",
    }
    assert total_days(rows) == 6
    assert totals([SCRIPT, {"price": "a lot"}], "USD", buyer_fee=550, commission=2000) is None
    assert totals(rows, None, buyer_fee=550, commission=2000) is None
