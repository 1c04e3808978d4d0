"""Money: integer minor units with an ISO 4217 currency code. No float ever touches it (M1)."""

import re

CURRENCIES = {
    "USD": "$",
    "EUR": "€",
    "GBP": "£",
    "CHF": "CHF ",
    "PLN": "PLN ",
    "MXN": "MX$",
    "BRL": "R$",
    "INR": "₹",
    "AUD": "A$",
    "CAD": "CA$",
    "JPY": "¥",
    "KRW": "₩",
    "CLP": "CLP ",
    "KWD": "KWD ",
    "BHD": "BHD ",
    "TND": "TND ",
}
_EXPONENTS = {"JPY": 0, "KRW": 0, "CLP": 0, "KWD": 3, "BHD": 3, "TND": 3}
_DEFAULT_EXPONENT = 2
_BASIS_POINTS = 10_000
# Leaves room for the fee and for sums of many rows within PostgreSQL's bigint.
GREATEST = 10**14

_NUMBER = re.compile(r"(?P<whole>[0-9]{1,3}(?:,[0-9]{3})+|[0-9]*)(?:\.(?P<part>[0-9]*))?")


def exponent(currency: str) -> int:
    """How many decimals `currency` has: 0, 2 or 3. ValueError for a currency we do not deal in."""
    if currency not in CURRENCIES:
        raise ValueError(f"{currency!r} is not a currency we deal in.")
    return _EXPONENTS.get(currency, _DEFAULT_EXPONENT)


def _digits(amount: int, currency: str, *, group: str) -> str:
    decimals = exponent(currency)
    whole, part = divmod(abs(amount), 10**decimals)
    return f"{whole:{group}}" + (f".{part:0{decimals}}" if decimals else "")


def display(amount: int, currency: str) -> str:
    """For people: "$1,158.25", "¥1,001", "KWD 12.345", "−$1.00"."""
    sign = "−" if amount < 0 else ""
    return sign + CURRENCIES.get(currency, "") + _digits(amount, currency, group=",")


def plain(amount: int, currency: str) -> str:
    """For form fields: "1158.25". `parse` reads it back."""
    return ("-" if amount < 0 else "") + _digits(amount, currency, group="")


def parse(text: str, currency: str) -> int:
    """The amount a person typed, in minor units. ValueError with a sentence that can be shown to them."""
    decimals = exponent(currency)
    typed = text.strip().removeprefix(currency).removeprefix(CURRENCIES[currency].strip()).strip()
    number = _NUMBER.fullmatch(typed)
    if not number or not (number["whole"] or number["part"]):
        raise ValueError(f"Enter an amount like {plain(12345, currency)}, without signs or letters.")
    # More digits than decimals are refused even when they are zeros: 1.500 may well mean fifteen hundred.
    if len(number["part"] or "") > decimals:
        has = f"at most {decimals} decimals" if decimals else "no decimals"
        raise ValueError(f"{currency} has {has}: enter an amount like {plain(12345, currency)}.")
    digits = number["whole"].replace(",", "") + (number["part"] or "").ljust(decimals, "0")
    # Length first: turning thousands of digits into a number is refused by Python itself, in words of its own.
    if len(digits) > 40 or int(digits) > GREATEST:
        raise ValueError(f"That is more than we can handle: at most {display(GREATEST, currency)}.")
    return int(digits)


def fee(price: int, rate: int, step: int = 1) -> int:
    """`rate` basis points of `price`, half up to the minor unit, or to the gateway's `step` of minor units (M3)."""
    if price < 0 or not 0 <= rate < _BASIS_POINTS or step < 1:
        raise ValueError(f"No fee of {price} at {rate} basis points in steps of {step}.")
    unit = _BASIS_POINTS * step
    return (2 * price * rate + unit) // (2 * unit) * step
