"""Whole numbers and amounts as the present reader writes them. Integers in, text out: no float, no rounding."""

import re
from functools import lru_cache

from babel.numbers import format_decimal, get_currency_symbol, get_decimal_symbol, get_group_symbol

from marketplace.accounts.reader import language, locale_of

NBSP = "\u00a0"
_SPACES = (" ", NBSP, "\u202f")
# Up to here these languages write no separator ("1158", "11.158"): the CLDR's minimumGroupingDigits, not in Babel.
_UNGROUPED = {"bg": 9999, "es": 9999, "hu": 9999, "it": 9999, "pl": 9999}
_NUMBER_IN_PATTERN = re.compile(r"[#0.,]+")


def whole(number: int) -> str:
    """ "1,158"; in Spanish "1158", and "11.158"."""
    return _whole(number, language())


@lru_cache(maxsize=10_000)
def _whole(number: int, language: str) -> str:
    written = locale_of(language)
    if abs(number) <= _UNGROUPED.get(written.language, 0):
        return str(number)
    return str(format_decimal(number, locale=written))


def with_decimals(units: int, part: str) -> str:
    """A whole number with the digits after its decimal sign: "1,158.25"; none when `part` is empty."""
    return whole(units) + (decimal_sign() + part if part else "")


def decimal_sign() -> str:
    return _decimal_sign(language())


@lru_cache(maxsize=100)
def _decimal_sign(language: str) -> str:
    return str(get_decimal_symbol(locale_of(language)))


def group_signs() -> tuple[str, ...]:
    """What may stand between groups of three digits; any space where the language takes a space."""
    sign = str(get_group_symbol(locale_of(language())))
    return _SPACES if sign in _SPACES else (sign,)


def symbol(currency: str) -> str:
    return str(get_currency_symbol(currency, locale=locale_of(language())))


def beside(digits: str, sign: str) -> str:
    """The digits with a currency's sign on the side where the language writes it; letters never touch digits."""
    pattern = str(locale_of(language()).currency_formats["standard"].pattern).split(";")[0]
    before, after = _NUMBER_IN_PATTERN.split(pattern, maxsplit=1)
    if before.endswith("¤") and sign[-1:].isalpha():
        before += NBSP
    if after.startswith("¤") and sign[:1].isalpha():
        after = NBSP + after
    return f"{before}{digits}{after}".replace("¤", sign)
