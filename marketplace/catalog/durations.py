"""Counts and windows of time in words, exactly: "8 days", "90 seconds" (terms are printed and entered like this)."""

import re
from datetime import timedelta
from functools import lru_cache

from django.utils.translation import get_language, ngettext_lazy
from django.utils.translation import gettext as _

from marketplace.accounts import figures

UNITS = {
    "day": timedelta(days=1),
    "hour": timedelta(hours=1),
    "minute": timedelta(minutes=1),
    "second": timedelta(seconds=1),
}
# All that `counted` can count; each language has its own plurals.
_COUNTED = {
    "day": ngettext_lazy("%(number)d day", "%(number)d days", "number"),
    "hour": ngettext_lazy("%(number)d hour", "%(number)d hours", "number"),
    "minute": ngettext_lazy("%(number)d minute", "%(number)d minutes", "number"),
    "second": ngettext_lazy("%(number)d second", "%(number)d seconds", "number"),
    "revision": ngettext_lazy("%(number)d revision", "%(number)d revisions", "number"),
}
LONGEST = timedelta(days=3650)
_WRITTEN = re.compile(r"([0-9]{1,9}) ?(\w+)")


def counted(number: int, unit: str) -> str:
    """ "1 day", "3 days" for a unit above; KeyError for others, which have an `ngettext` of their own."""
    return _counted(number, unit, get_language())


@lru_cache(maxsize=10_000)
def _counted(number: int, unit: str, language: str | None) -> str:
    """`counted` in the active language, which is named so that what was said once is found again."""
    return str(_COUNTED[unit] % {"number": number})


def in_words(length: timedelta) -> str:
    """The length in the largest unit that says it exactly; short windows of days in hours ("48 hours")."""
    for name, unit in UNITS.items():
        count, rest = divmod(length, unit)
        if rest or not count or (name == "day" and count < 3):
            continue
        return counted(count, name)
    if not length:
        return counted(0, "second")
    number = f"{length.total_seconds():g}".replace(".", figures.decimal_sign())
    return _("{number} seconds").format(number=number)


def parse(text: str) -> timedelta:
    """Read "8 days", "24 hours" or "90 seconds", in English or as `in_words` shows them to this reader.

    Raises ValueError with a sentence for the person who wrote it.
    """
    match = _WRITTEN.fullmatch(text.strip().lower())
    unit = _units_by_name().get(match[2]) if match else None
    if match is None or unit is None:
        raise ValueError(_("Write a whole number and a unit, such as “8 days”, “24 hours” or “90 seconds”."))
    count = int(match[1])
    if count > LONGEST // unit:
        raise ValueError(_("At most {length}.").format(length=counted(LONGEST.days, "day")))
    return count * unit


def _units_by_name() -> dict[str, timedelta]:
    names: dict[str, timedelta] = {}
    for unit, length in UNITS.items():
        shown = (counted(number, unit).partition(" ")[2].lower() for number in (1, 2, 5))
        names |= dict.fromkeys((unit, f"{unit}s", *shown), length)
    return names
