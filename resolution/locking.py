"""Cases change only under their order's lock; a case's own due silence comes first (R4)."""

from datetime import datetime

from orders.locking import lock
from orders.models import Order
from resolution.models import Case


class CaseDue(Exception):
    """A case of the order was not answered in time or has become void: what that means has to happen first (R4)."""

    def __init__(self, case_id: int) -> None:
        super().__init__(f"case {case_id} is due")
        self.case_id = case_id


def lock_order(order_id: int, *, version: int | None = None) -> tuple[Order, datetime]:
    """Lock an order for the sake of its cases, and read the clock.

    Raises `CaseDue` and `Overdue` when the clock's work comes first, `Stale`.
    """
    order, now = lock(order_id, version=version)
    due = Case.objects.filter(order=order).due(now).values_list("pk", flat=True).first()
    if due is not None:
        raise CaseDue(due)
    return order, now


def lock_case(case_id: int, *, version: int | None = None) -> tuple[Order, Case, datetime]:
    """Lock a case by its order, and fetch both anew. Raises as `lock_order`."""
    order_id = Case.objects.values_list("order_id", flat=True).get(pk=case_id)
    order, now = lock_order(order_id, version=version)
    return order, case_of(order, case_id, now), now


def case_of(order: Order, case_id: int, now: datetime) -> Case:
    """A case of the locked order, on the same rows that the order's own guards and verbs speak of."""
    case = Case.objects.select_related("reason", "opened_by").get(pk=case_id, order=order)
    case.order = order
    case.milestone = next((milestone for milestone in order.plan if milestone.pk == case.milestone_id), None)
    case.moment = now
    return case
