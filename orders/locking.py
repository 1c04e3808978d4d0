"""The one lock: the order's row. Milestones, held funds and cases of an order change only under it."""

from datetime import datetime

from django.db import connection
from django.db.models import QuerySet, prefetch_related_objects
from django.db.transaction import TransactionManagementError
from django.utils.translation import gettext as _

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.statement import Statement
from orders.guards import Refusal, Refused
from orders.models import Milestone, Order


def _locked(order_id: int) -> QuerySet[Order]:
    locked = Order.objects.select_for_update(of=("self",), no_key=True)
    return locked.select_related("buyer", "seller", "terms").filter(pk=order_id)


def _planned(order_id: int) -> QuerySet[Milestone]:
    return Milestone.objects.filter(order=order_id).select_related("held").order_by("position")


# Every verb asks these two, and Django would write their 120 columns for longer than PostgreSQL takes to find them.
_LOCKED = Statement(_locked)
_PLAN = Statement(_planned)


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
    """Lock the order even when it is overdue: for the clock's own work. Raises `Order.DoesNotExist`."""
    if not connection.in_atomic_block:
        raise TransactionManagementError("An order is locked within a transaction: the lock ends with it.")
    # The order's row is read as it is when the lock is held; people are as they were when it was asked for, so who is
    # deactivated while somebody waits is deactivated from the next act on. Milestones and money, which others change
    # under this lock, are read by a statement of their own afterwards: one that waited would see them as they were.
    # Who waited while the offer came under newer terms finds nothing, because the row is looked at again with the terms
    # of before. By then it is locked: asked once more, it is found.
    found = _LOCKED.models(order_id) or _LOCKED.models(order_id)
    if not found:
        raise Order.DoesNotExist(f"No order {order_id}.")
    order: Order = found[0]
    order.know_plan(_PLAN.models(order_id))
    if order.open_milestone is None:
        # Only before the money is there does anything depend on the attempts to pay.
        prefetch_related_objects(order.plan, "held__charges")
    return order, clock.now()


def touch(order: Order, *, by: User | None, now: datetime) -> None:
    """Count a change (O19) and, when a person makes it, note that somebody acted (O15). The verb saves the row."""
    order.version += 1
    if by is not None:
        order.acted_at = now


def locked_milestone(order: Order, milestone_id: int) -> Milestone:
    """The milestone among those of the locked order, so that guards and verbs speak of the same rows."""
    return next(milestone for milestone in order.plan if milestone.pk == milestone_id)
