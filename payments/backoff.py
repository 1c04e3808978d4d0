"""When to try again what has failed: later and later, so that it does not stand before the rest."""

from datetime import datetime, timedelta
from itertools import count, takewhile

from django.db.models import Case, DateTimeField, Value, When

LONGEST = timedelta(hours=1)


def next_try(at: datetime, first: timedelta) -> Case:
    """For rows with a number of `tries`: `first` after `at`, then twice as long each time, at most an hour."""
    delays = takewhile(lambda delay: delay < LONGEST, (first * 2**tries for tries in count()))
    return Case(
        *(When(tries=tries, then=Value(at + delay)) for tries, delay in enumerate(delays)),
        default=Value(at + LONGEST),
        output_field=DateTimeField(),
    )
