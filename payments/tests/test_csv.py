"""CSV that every spreadsheet can read and none calculates."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from payments.csv_export import Amount, cell, csv_response, lines

from .factories import NOON


@pytest.mark.parametrize(
    "hostile",
    [
        '=HYPERLINK("https://evil.example","x")',
        "=cmd|' /C calc'!A0",
        "+1+1",
        "-2+3",
        "@SUM(A1)",
        "\t=1+1",
        "\r=1+1",
        "\n=1+1",
        "  =1+1",
        "\u00a0=1+1",
        "＝1+1",
        "-1.00",
    ],
)
def test_text_that_a_spreadsheet_would_calculate_stays_text(hostile: str) -> None:
    assert cell(hostile, UTC) == "'" + hostile


@pytest.mark.parametrize("harmless", ["Logo = design", "a-b", "12 pages", "1.00", "", "'quoted'", "ロゴ", "<b>&"])
def test_other_text_is_left_as_it_is(harmless: str) -> None:
    assert cell(harmless, UTC) == harmless


def test_numbers_of_ours_stay_numbers_in_every_currency() -> None:
    amounts = [(-105_50, "USD", "-105.50"), (1_001, "JPY", "1001"), (-12_345, "KWD", "-12.345"), (0, "EUR", "0.00")]
    assert [cell(Amount(minor, currency), UTC) for minor, currency, _ in amounts] == [text for _, _, text in amounts]
    assert (cell(7, UTC), cell(None, UTC)) == ("7", "")


def test_times_are_in_the_zone_asked_for() -> None:
    assert cell(NOON, ZoneInfo("Asia/Tokyo")) == "2026-11-03 21:00:00"


def test_a_table_is_read_back_as_it_was_written() -> None:
    rows = [["a,b;c", 'say "x"', "two\nlines", "日本語 مرحبا"], ["\0null", "=1", None, NOON]]
    text = "".join(lines(["One", "Two", "Three", "Four"], rows, UTC))
    assert text.startswith('\ufeff"One","Two"')
    assert list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""))) == [
        ["One", "Two", "Three", "Four"],
        ["a,b;c", 'say "x"', "two\nlines", "日本語 مرحبا"],
        ["null", "'=1", "", "2026-11-03 12:00:00"],
    ]


def test_rows_are_asked_for_as_they_are_sent() -> None:
    asked: list[int] = []

    def rows() -> Iterator[list[int]]:
        for number in range(1_000):
            asked.append(number)
            yield [number]

    pieces = lines(["Number"], rows(), UTC)
    first = next(pieces)
    assert len(asked) < 300
    assert first.count("\r\n") + sum(piece.count("\r\n") for piece in pieces) == 1_001


def test_the_answer_is_a_download_in_utf_8() -> None:
    response = csv_response("earnings-2026", ["Name"], [["日本"]], UTC)
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="earnings-2026.csv"'
    assert response.getvalue() == '\ufeff"Name"\r\n"日本"\r\n'.encode()
