"""Guards: named conditions of transitions that carry their refusal as text (rule P1).

The same objects guard the transitions, fill the buttons and word the errors,
so *why not* cannot drift from *may*.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Refusal:
    """Why an action is not possible, and where there is one, the instant or the person that would change it."""

    reason: str
    who: str = ""
    when: datetime | None = None

    def __str__(self) -> str:
        return self.reason


class Refused(Exception):
    """A verb was refused; nothing was changed."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal


class Guard:
    """A condition in the form `django_fsm` takes (true when it passes) that can also say why it does not."""

    def __init__(self, rule: Callable[[Any], Refusal | None]) -> None:
        self.rule = rule
        self.__name__ = rule.__name__
        self.__doc__ = rule.__doc__

    def __call__(self, subject: Any) -> bool:
        return self.rule(subject) is None

    def why_not(self, subject: Any) -> Refusal | None:
        return self.rule(subject)


def guard(rule: Callable[[Any], Refusal | None]) -> Guard:
    return Guard(rule)


def why_not(transition: Any) -> Refusal | None:
    """The refusal of a bound transition, or None when it is allowed now.

    The state is asked first, in the words of `subject.refusal_by_state`, then the guards in their order.
    """
    subject = transition.__self__
    rule = transition._django_fsm.get_transition(subject.status)  # noqa: SLF001
    if rule is None:
        return subject.refusal_by_state(transition.__name__)  # type: ignore[no-any-return]
    for condition in rule.conditions or []:
        refusal: Refusal | None = condition.why_not(subject)
        if refusal:
            return refusal
    return None


def require(transition: Any) -> None:
    """Raise `Refused` with the reason unless the bound transition is allowed now."""
    refusal = why_not(transition)
    if refusal:
        raise Refused(refusal)
