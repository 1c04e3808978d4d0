"""The rows of a plan as they are typed: added, removed, moved and split, before anything is judged."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from payments import money, pricing

# More rows than any plan may have can be typed and are then refused with a sentence; beyond this, nothing is read.
MAX_ROWS = 100
LONGEST_TITLE = 120

Row = dict[str, str]


def typed_rows(data: Mapping[str, Any], prefix: str, names: tuple[str, ...]) -> list[Row]:
    """What was typed into the fields `names` of each row, whatever it is."""
    total = str(data.get(f"{prefix}-TOTAL_FORMS", ""))
    count = min(int(total), MAX_ROWS) if total.isascii() and total.isdigit() and len(total) < 6 else 1
    return [
        {name: str(data[key]) for name in names if (key := f"{prefix}-{index}-{name}") in data}
        for index in range(count)
    ]


def changed_rows(rows: list[Row], change: str, currency: str | None) -> list[Row]:
    """The rows after a button: add, remove-2, up-2, down-2, split-2. Unknown changes and rows change nothing."""
    verb, __, number = change.partition("-")
    if verb == "add":
        return [*rows, {}][:MAX_ROWS]
    index = int(number) if number.isascii() and number.isdigit() and len(number) < 4 else len(rows)
    if index >= len(rows):
        return rows
    if verb == "remove":
        return rows[:index] + rows[index + 1 :]
    if verb == "split":
        return (rows[:index] + halves(rows[index], currency) + rows[index + 1 :])[:MAX_ROWS]
    other = {"up": index - 1, "down": index + 1}.get(verb, index)
    if 0 <= other < len(rows):
        rows[index], rows[other] = rows[other], rows[index]
    return rows


def halves(row: Row, currency: str | None) -> list[Row]:
    """A milestone as two: price and days halved, what is left over to the first; what cannot be read stays with it.

    Prices are halved in what the gateway can charge, and a milestone of one day becomes two of one day.
    """
    title = row.get("title", "").strip()
    prices, days = _half_prices(row.get("price", ""), currency), _half_days(row.get("delivery_days", ""))
    return [
        {**row, "title": _part_of(title, 1), "price": prices[0], "delivery_days": days[0]},
        {**row, "title": _part_of(title, 2), "price": prices[1], "delivery_days": days[1], "description": ""},
    ]


def totals(rows: list[Row], currency: str | None, *, buyer_fee: int, commission: int) -> dict[str, str] | None:
    """All prices together, what the buyer pays for them in all and what the seller gets, each as money.

    `buyer_fee` and `commission` in basis points, taken of each price by itself (M3). None while a price or the
    currency cannot be read.
    """
    if not currency:
        return None
    try:
        prices = [money.parse(row["price"], currency) for row in rows if row.get("price")]
    except ValueError:
        return None
    price = sum(prices)
    fees = sum(pricing.buyer_fee(one, buyer_fee, currency) for one in prices)
    kept = sum(money.fee(one, commission) for one in prices)
    amounts = {"price": price, "buyer_pays": price + fees, "seller_gets": price - kept}
    return {name: money.display(amount, currency) for name, amount in amounts.items()}


def total_days(rows: list[Row]) -> int:
    """The days that can be read, together."""
    return sum(_days(row.get("delivery_days", "")) or 0 for row in rows)


def _part_of(title: str, number: int) -> str:
    if not title:
        return ""
    # Translators: the parts of a milestone that was split, such as “Script (1)”.
    part = _("{title} ({number})")
    room = LONGEST_TITLE - len(part.format(title="", number=number))
    return part.format(title=title[:room].rstrip(), number=number)


def _half_prices(typed: str, currency: str | None) -> tuple[str, str]:
    if not currency:
        return typed, ""
    try:
        price = money.parse(typed, currency)
    except ValueError:
        return typed, ""
    step = pricing.step_of(currency)
    second = price // 2 // step * step
    return money.plain(price - second, currency), money.plain(second, currency)


def _half_days(typed: str) -> tuple[str, str]:
    days = _days(typed)
    return (str(days - days // 2), str(max(days // 2, 1))) if days else (typed, "")


def _days(typed: str) -> int | None:
    digits = typed.strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 5 else None
