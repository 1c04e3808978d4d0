"""The application's clock: the one place where the time is read (rule O7).

A verb reads `now()` once, after it holds the order's lock. SQL never calls now().
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

from django.utils import timezone

_imagined: ContextVar[datetime | None] = ContextVar("imagined", default=None)


def now() -> datetime:
    """The present instant, or the imagined one inside `at`."""
    return _imagined.get() or timezone.now()


@contextmanager
def at(instant: datetime) -> Iterator[None]:
    """Run the body as if it were `instant`: for rehearsals ("what if it were day 8") and demo stories."""
    # In UTC, or adding eight days to it would add them to a wall clock and lose an hour in spring (I13).
    token = _imagined.set(instant.astimezone(UTC))
    try:
        yield
    finally:
        _imagined.reset(token)
