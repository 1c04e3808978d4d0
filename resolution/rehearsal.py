"""What an agreement about an order would do to it, before anybody agrees (R7)."""

from marketplace.accounts.models import User
from orders.locking import lock_as_it_is, touch
from orders.models import Order
from orders.rehearsal import Rehearsal, rehearse
from orders.services import freeze
from resolution.models import NOTHING_MORE, Asked, Case, Reason
from resolution.services import consider
from resolution.services.outcomes import take_effect

Because = Order.ClosedBecause


def what_agreeing_does(
    order: Order,
    kind: str,
    *,
    by: User | None,
    asked: Asked = NOTHING_MORE,
    because: Because = Because.CANCELED_BY_AGREEMENT,
) -> Rehearsal:
    """What it would do if `by` agreed now to a case of this kind; None: if nobody had to (O15). Raises `Refused`."""

    def act() -> None:
        locked, now = lock_as_it_is(order.pk)
        case = consider(locked, kind, "", now=now, asked=asked)
        case.reason = Reason()
        touch(locked, by=by, now=now)
        if kind == Case.Kind.PARTIAL_REFUND:
            # Its clocks will have stood still, and get their least rest (R4).
            freeze(locked, by=by, at=now, case_number="")
        take_effect(locked, case, because=because, by=by, at=now)

    return rehearse(order, act)
