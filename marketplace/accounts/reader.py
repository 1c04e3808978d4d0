"""Whose language and time zone a text is written in. Formats of numbers and dates follow the language."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from babel import Locale
from django.conf import settings
from django.utils import timezone, translation

from marketplace.accounts.models import User


@contextmanager
def reading_as(person: User) -> Iterator[None]:
    """Write for `person`, whoever acts: a notice or a mail speaks their language and tells their time (P4).

    Who never chose a language and did not sign up in one reads the site's own.
    """
    with translation.override(person.language or settings.LANGUAGE_CODE), timezone.override(person.time_zone):
        yield


def language() -> str:
    """The language that the present reader's numbers, dates and money are written for."""
    return translation.get_language() or settings.LANGUAGE_CODE


def locale() -> Locale:
    """How the present reader writes numbers, dates and money."""
    return locale_of(language())


@lru_cache(maxsize=100)
def locale_of(language: str) -> Locale:
    """How readers of a language write. Babel finds it anew each time, and a page asks for it hundreds of times."""
    return Locale.parse(translation.to_locale(language))
