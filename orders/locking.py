"""The one lock: the order's row. Milestones, held funds and cases of an order change only under it."""

from datetime import datetime

from django.utils.translation import gettext as _

from marketplace import clock
from marketplace.accounts.models import User
from orders.guards import Refusal, Refused
from orders.models import Milestone, Order


class Overdue(Exception):
    """The locked order is overdue: what the clock owes has to be done first (O7)."""

    def __init__(self, order_id: int) -> None:
        super().__init__(f"order {order_id} is overdue")
        self.order_id = order_id


class Stale(Refused):
    """The form was drawn from another version of the order: nothing is done, the page is shown again (O19)."""

    def __init__(self, order: Order, seen: int) -> None:
        super().__init__(Refusal(_("This order has changed since you opened the page. Nothing was done; look again.")))
        self.order = order
        self.seen = seen


def lock(order_id: int, *, version: int | None = None) -> tuple[Order, datetime]:
    """Lock the order until the transaction ends, and read the clock.

    Returns the order, with everything that the guards look at, and the verb's one instant.
    Raises `Overdue` when the clock's work comes first, `Stale` when `version` is not the order's.
    """
    order, now = lock_as_it_is(order_id)
    if order.is_overdue(now):
        raise Overdue(order_id)
    if version is not None and version != order.version:
        raise Stale(order, version)
    return order, now


def lock_as_it_is(order_id: int) -> tuple[Order, datetime]:
    """Lock the order even when it is overdue: for the clock's own work."""
    # The row first, everything else afterwards: what is read before the lock is held may be old.
    Order.objects.select_for_update(no_key=True).only("pk").get(pk=order_id)
    order = Order.objects.whole().get(pk=order_id)
    return order, clock.now()


def touch(order: Order, *, by: User | None, now: datetime) -> None:
    """Count a change (O19) and, when a person makes it, note that somebody acted (O15). The verb saves the row."""
    order.version += 1
    if by is not None:
        order.acted_at = now


def locked_milestone(order: Order, milestone_id: int) -> Milestone:
    """The milestone among those of the locked order, so that guards and verbs speak of the same rows."""
    return next(milestone for milestone in order.plan if milestone.pk == milestone_id)
