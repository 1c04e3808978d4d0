"""Whose language and time zone a text is written in. Formats of numbers and dates follow the language."""

from collections.abc import Iterator
from contextlib import contextmanager

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


def locale() -> Locale:
    """How the present reader writes numbers, dates and money."""
    return Locale.parse(translation.to_locale(translation.get_language() or settings.LANGUAGE_CODE))
