"""What every verb about cases has in common."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from orders.services import verb
from resolution.locking import CaseDue
from resolution.services.silence import settle_case

P = ParamSpec("P")
R = TypeVar("R")


def case_verb(function: Callable[P, R]) -> Callable[P, R]:
    """An order's verb that also settles what the clock owes its cases first, each committed on its own (R4).

    What that sets going may itself be overdue by now: `verb` takes care of that in its turn.
    """
    acted = verb(function)

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        # At most a dispute and a proposal: there are never more than two.
        for _ in range(2):
            try:
                return acted(*args, **kwargs)
            except CaseDue as due:
                settle_case(due.case_id)
        return acted(*args, **kwargs)

    return run
