"""What every public verb has in common."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import transaction

from orders.locking import Overdue
from orders.services.lapses import settle

P = ParamSpec("P")
R = TypeVar("R")


def verb(function: Callable[P, R]) -> Callable[P, R]:
    """Run a verb in one transaction; if the clock owes the order something, that first, committed on its own (O7).

    So a refused verb changes nothing except what the clock already owed, and a slow or stopped beat
    never changes an outcome. The transaction is a plain one, so that a rehearsal can wrap it.
    """

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            with transaction.atomic():
                return function(*args, **kwargs)
        except Overdue as overdue:
            settle(overdue.order_id)
        with transaction.atomic():
            return function(*args, **kwargs)

    return run
