"""What an agreement about an order would do to it, before anybody agrees (R7)."""

from marketplace.accounts.models import User
from orders.locking import lock_as_it_is, touch
from orders.models import Order
from orders.rehearsal import Rehearsal, rehearse
from resolution.services.outcomes import cancel


def what_cancel_does(order: Order, kind: str, *, by: User) -> Rehearsal:
    """What it would do if both sides agreed now to cancel the open milestone or the order. Raises `Refused`."""

    def act() -> None:
        locked, now = lock_as_it_is(order.pk)
        touch(locked, by=by, now=now)
        cancel(locked, kind, because=Order.ClosedBecause.CANCELED_BY_AGREEMENT, by=by, at=now, reason="")

    return rehearse(order, act)
