"""Counts and windows of time in words, exactly: "8 days", "90 seconds" (terms are printed and entered like this)."""

import re
from datetime import timedelta

UNITS = {
    "day": timedelta(days=1),
    "hour": timedelta(hours=1),
    "minute": timedelta(minutes=1),
    "second": timedelta(seconds=1),
}
LONGEST = timedelta(days=3650)
_WRITTEN = re.compile(r"([0-9]{1,9}) ?(day|hour|minute|second)s?")


def counted(number: int, unit: str) -> str:
    """ "1 day", "3 days"."""
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def in_words(length: timedelta) -> str:
    """The length in the largest unit that says it exactly; short windows of days in hours ("48 hours")."""
    for name, unit in UNITS.items():
        count, rest = divmod(length, unit)
        if rest or not count or (name == "day" and count < 3):
            continue
        return counted(count, name)
    if not length:
        return "0 seconds"
    return f"{length.total_seconds():g} seconds"


def parse(text: str) -> timedelta:
    """Read "8 days", "24 hours" or "90 seconds". Raises ValueError with a sentence for the person who wrote it."""
    match = _WRITTEN.fullmatch(text.strip().lower())
    if match is None:
        raise ValueError("Write a whole number and a unit, such as “8 days”, “24 hours” or “90 seconds”.")
    count, unit = int(match[1]), UNITS[match[2]]
    if count > LONGEST // unit:
        raise ValueError("At most 3650 days.")
    return count * unit
