"""Instants as the present reader writes them: in their language's way and in their time zone, which is named."""

from datetime import date, datetime, time
from functools import lru_cache

from babel.dates import format_datetime, format_skeleton
from django.utils import timezone

from marketplace import clock
from marketplace.accounts.reader import language, locale, locale_of

# Ours, the same wherever English is read. Other languages write dates as the CLDR says.
ENGLISH = {
    "MMMd": "d MMM",
    "yMMMd": "d MMM y",
    "MMMEd": "EEE d MMM",
    "yMMMEd": "EEE d MMM y",
}


def day(instant: datetime) -> str:
    """ "1 Dec", with the year when it is not this year."""
    return _date(instant, "MMMd", always_year=False)


def month(instant: datetime) -> str:
    """ "Dec"."""
    return format_datetime(timezone.localtime(instant).replace(tzinfo=None), "LLL", locale=locale())


def full_day(instant: datetime) -> str:
    """ "1 Dec 2026"."""
    return _date(instant, "MMMd", always_year=True)


def when(instant: datetime, *, seconds: bool = False) -> str:
    """ "Tue 1 Dec, 14:05", with the year when it is not this year; with seconds "Tue 1 Dec, 14:05:09"."""
    zone = timezone.get_current_timezone()
    local = timezone.localtime(instant, zone)
    skeleton = "MMMEd" if local.year == timezone.localtime(clock.now(), zone).year else "yMMMEd"
    return f"{_written(local.date(), skeleton, language())}, {local:{'%H:%M:%S' if seconds else '%H:%M'}}"


def deadline(instant: datetime) -> str:
    """For notices, which are read anywhere: "Tue 1 Dec 2026, 14:05 (Europe/Madrid)"."""
    time = f"{timezone.localtime(instant):%H:%M}"
    return f"{_date(instant, 'MMMEd', always_year=True)}, {time} ({timezone.get_current_timezone_name()})"


def _date(instant: datetime, skeleton: str, *, always_year: bool) -> str:
    local = timezone.localtime(instant)
    if always_year or local.year != timezone.localtime(clock.now()).year:
        skeleton = f"y{skeleton}"
    return _written(local.date(), skeleton, language())


@lru_cache(maxsize=10_000)
def _written(day: date, skeleton: str, language: str) -> str:
    """A day as readers of a language write it: pages say the same few days over and over."""
    locale, midnight = locale_of(language), datetime.combine(day, time())
    if locale.language == "en":
        return str(format_datetime(midnight, ENGLISH[skeleton], locale=locale))
    return str(format_skeleton(skeleton, midnight, locale=locale))
