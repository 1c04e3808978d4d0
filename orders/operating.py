"""The operator's twin of a step: support takes it for one of the two sides, by the verb of that side (R6)."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from django.utils.translation import gettext as _

from marketplace.accounts.models import User
from orders.guards import Refusal, Refused
from orders.models import Order


@dataclass(frozen=True)
class Operator:
    """The agent who acts for a side, and why, in words that both sides read."""

    agent: User
    why: str


_operator: ContextVar[Operator | None] = ContextVar("operator", default=None)


def operator() -> Operator | None:
    """Who acts for a side at the moment; None when everybody acts for themselves."""
    return _operator.get()


@contextmanager
def operated_by(agent: User, order: Order, *, why: str) -> Iterator[None]:
    """Run a verb of `order` on behalf of the side that is its `by`: `with operated_by(…): accept(…, by=order.buyer)`.

    It is the side's own act, with the same guards, lock and version; but its events name the agent, on whose behalf
    and why, and both sides are told, because neither of them acted. What the clock does first stays the clock's.
    Raises `Refused` for an agent who is a party and without a `why`; what charges a buyer refuses by itself.
    """
    refuse_party(order, agent)
    if not why.strip():
        raise Refused(Refusal(_("Say why: both sides read it.")))
    token = _operator.set(Operator(agent, why.strip()))
    try:
        yield
    finally:
        _operator.reset(token)


def refuse_party(order: Order, user: User) -> None:
    """Nobody rules or acts for others where they are a party (R6). Raises `Refused`."""
    if order.side_of(user):
        raise Refused(Refusal(_("You are a party in this order; another agent has to decide."), who="another agent"))


def refuse_operator() -> None:
    """Nobody but the buyer does what charges the buyer (R6). Raises `Refused` while somebody acts for a side."""
    if operator():
        raise Refused(Refusal(_("Only the buyer can do this: it charges them."), who="buyer"))
