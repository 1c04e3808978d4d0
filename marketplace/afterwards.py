"""What follows a commit and must not undo it."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from django.db import transaction

P = ParamSpec("P")


def afterwards(do: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
    """Do it once the present transaction is committed; at once when there is none.

    What goes wrong is logged and stops nothing: neither what follows the same commit nor who committed. Django names
    the function in its log, and breaks on a `partial`, which has no name.
    """

    @wraps(do)
    def named() -> None:
        do(*args, **kwargs)

    transaction.on_commit(named, robust=True)
