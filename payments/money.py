"""Money: integer minor units with an ISO 4217 currency code. No float ever touches it (M1)."""

import re
from functools import lru_cache

from django.utils.translation import gettext as _

from marketplace.accounts import figures
from marketplace.accounts.reader import language, locale_of

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


def exponent(currency: str) -> int:
    """How many decimals `currency` has: 0, 2 or 3. ValueError for a currency we do not deal in."""
    if currency not in CURRENCIES:
        raise ValueError(f"{currency!r} is not a currency we deal in.")
    return _EXPONENTS.get(currency, _DEFAULT_EXPONENT)


def display(amount: int, currency: str) -> str:
    """For people, as the reader writes money: "$1,158.25", "¥1,001", "KWD 12.345", "−$1.00"; "1158,25 US$"."""
    return _displayed(amount, currency, language())


@lru_cache(maxsize=10_000)
def _displayed(amount: int, currency: str, language: str) -> str:
    """`display` in the present reader's language, which is named so that what was written once is found again."""
    units, part = _split(amount, currency)
    return ("−" if amount < 0 else "") + pattern(currency).format(figures.with_decimals(units, part))


def pattern(currency: str) -> str:
    """What stands around the digits of an amount: "${}", "KWD {}", in Spanish "{} US$". For live totals in scripts."""
    if locale_of(language()).language == "en":
        return CURRENCIES.get(currency, "") + "{}"
    return figures.beside("{}", figures.symbol(currency))


def plain(amount: int, currency: str) -> str:
    """For form fields, with the reader's decimal sign and no other: "1158.25", "1158,25". `parse` reads it back."""
    return exact(amount, currency).replace(".", figures.decimal_sign())


def exact(amount: int, currency: str) -> str:
    """For machines, in whatever language: "1158.25", "-1158.25"."""
    units, part = _split(amount, currency)
    return ("-" if amount < 0 else "") + str(units) + (f".{part}" if part else "")


def parse(text: str, currency: str) -> int:
    """The amount a person typed in their own format, in minor units.

    ValueError with a sentence that can be shown to them; also for what could mean two amounts (M1): "1.500" is fifteen
    hundred to a Spanish reader, and one and a half dinars to others.
    """
    decimals = exponent(currency)
    sign, groups = figures.decimal_sign(), "".join(map(re.escape, figures.group_signs()))
    number = re.fullmatch(
        rf"(?P<whole>[0-9]{{1,3}}(?P<grouped>[{groups}][0-9]{{3}})+|[0-9]*)(?:{re.escape(sign)}(?P<part>[0-9]*))?",
        _without_currency(text.strip(), currency),
    )
    example = plain(12345, currency)
    if not number or not (number["whole"] or number["part"]):
        raise ValueError(_("Enter an amount like {example}, without signs or letters.").format(example=example))
    part, units = number["part"] or "", re.sub(r"[^0-9]", "", number["whole"])
    # More digits than decimals are refused even when they are zeros: 1.500 may well mean fifteen hundred.
    if len(part) > decimals:
        raise ValueError(_too_many_decimals(decimals).format(currency=currency, count=decimals, example=example))
    if decimals == 3 and number["grouped"] and number["part"] is None and len(units) <= 6:
        written = int(units)
        raise ValueError(
            _("“{typed}” can be read in two ways. Write {large} or {small}.").format(
                typed=text.strip(), large=plain(written * 1000, currency), small=plain(written, currency)
            )
        )
    digits = units + part.ljust(decimals, "0")
    # Length first: turning thousands of digits into a number is refused by Python itself, in words of its own.
    if len(digits) > 40 or int(digits) > GREATEST:
        raise ValueError(
            _("That is more than we can handle: at most {amount}.").format(amount=display(GREATEST, currency))
        )
    return int(digits)


def _split(amount: int, currency: str) -> tuple[int, str]:
    """The whole units, and the digits after the decimal sign; both without the sign of the amount."""
    decimals = exponent(currency)
    units, part = divmod(abs(amount), 10**decimals)
    return units, f"{part:0{decimals}}" if decimals else ""


def _without_currency(typed: str, currency: str) -> str:
    """The currency may stand on either side: as its code, as our sign or as the sign of the reader's language."""
    for sign in sorted((currency, CURRENCIES[currency].strip(), figures.symbol(currency)), key=len, reverse=True):
        bare = typed.removeprefix(sign).removesuffix(sign).strip()
        if bare != typed:
            return bare
    return typed


def _too_many_decimals(decimals: int) -> str:
    if not decimals:
        return _("{currency} has no decimals: enter an amount like {example}.")
    return _("{currency} has at most {count} decimals: enter an amount like {example}.")


def fee(price: int, rate: int, step: int = 1) -> int:
    """`rate` basis points of `price`, half up to the minor unit, or to the gateway's `step` of minor units (M3)."""
    if price < 0 or not 0 <= rate < _BASIS_POINTS or step < 1:
        raise ValueError(f"No fee of {price} at {rate} basis points in steps of {step}.")
    unit = _BASIS_POINTS * step
    return (2 * price * rate + unit) // (2 * unit) * step
