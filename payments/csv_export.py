"""The one way tables leave as CSV: readable by every spreadsheet, run by none."""

import csv
from collections.abc import Iterable, Iterator
from datetime import datetime, tzinfo
from typing import NamedTuple

from django.http import StreamingHttpResponse

from payments.money import exact

BOM = "\ufeff"  # or Excel takes UTF-8 for the alphabet of its own country
# What makes a spreadsheet take text for a formula, also after spaces and in the wide forms that some fold.
_BEGINS_A_FORMULA = tuple("=+-@＝＋－＠")
_BREAKS = ("\t", "\r", "\n")
_ROWS_AT_ONCE = 200


class Amount(NamedTuple):
    """Minor units of a currency; written as a plain decimal, so a negative one stays a number."""

    minor: int
    currency: str


Cell = str | int | datetime | Amount | None


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def cell(value: Cell, zone: tzinfo) -> str:
    """How a value is written. Text that a spreadsheet would calculate gets an apostrophe before it."""
    match value:
        case None:
            return ""
        case Amount(minor, currency):
            return exact(minor, currency)
        case datetime():
            return f"{value.astimezone(zone):%Y-%m-%d %H:%M:%S}"
        case int():
            return str(value)
    text = value.replace("\0", "")
    risky = text.lstrip().startswith(_BEGINS_A_FORMULA) or text.startswith(_BREAKS)
    return f"'{text}" if risky else text


def lines(header: Iterable[str], rows: Iterable[Iterable[Cell]], zone: tzinfo) -> Iterator[str]:
    """The file in pieces of many rows; never more than one piece in memory. Times are in `zone`."""
    writer = csv.writer(_Echo(), quoting=csv.QUOTE_ALL)
    piece = [BOM, writer.writerow(header)]
    for row in rows:
        piece.append(writer.writerow([cell(value, zone) for value in row]))
        if len(piece) > _ROWS_AT_ONCE:
            yield "".join(piece)
            piece = []
    yield "".join(piece)


def csv_response(
    name: str, header: Iterable[str], rows: Iterable[Iterable[Cell]], zone: tzinfo
) -> StreamingHttpResponse:
    """The file as a download. `name` is made by us, of letters, digits and hyphens, never of what a person typed."""
    response = StreamingHttpResponse(lines(header, rows, zone), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response
