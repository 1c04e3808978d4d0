"""How milestones and orders end. Every function here runs under the caller's lock and saves what it changed."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

import payments.services as payments
from marketplace.accounts.models import User
from orders import writing
from orders.activity import move, record
from orders.guards import Refusal, Refused, require
from orders.models import Event, Milestone, Order
from orders.models.milestone_guards import no_bank_is_deciding
from payments.models import Refund
from payments.money import display

Because = Order.ClosedBecause


def end(order: Order, because: str, *, by: User | None, at: datetime, note: str = "") -> None:
    """End the order: what was not funded is left out, its attempts to pay are canceled (O4, O12).

    Raises `Refused` when the order has ended already. The open milestone, if any, was ended by the caller.
    """
    for milestone in order.plan:
        if milestone.status in (Milestone.Status.PLANNED, Milestone.Status.AWAITING_PAYMENT):
            if milestone.held:
                payments.cancel_attempts(milestone.held, at=at)
            move(milestone.leave_out, at, kind=Event.Kind.LEFT_OUT, by=by, at=at)
    move(order.end, because, at, kind=Event.Kind.ENDED, by=by, at=at, reason=because, note=note)


def end_if_nothing_is_left(order: Order, because: str, *, by: User | None, at: datetime) -> bool:
    """O13: when no milestone is planned or current, the order ends at once with the reason of the last act."""
    if order.next_milestone or order.current:
        return False
    end(order, because, by=by, at=at)
    return True


def given_back(refund: Refund) -> dict[str, Any]:
    """What an event says of a refund: how much, and how much of it as credit, in minor units."""
    return {"refunded": refund.amount, **({"credited": refund.credit} if refund.credit else {})}


def pay_seller(milestone: Milestone, *, at: datetime) -> int:
    """Release all that is left of the milestone's held funds (M3, O10); returns what the seller got."""
    assert milestone.held  # the database refuses a funded milestone without held funds
    return writing.release(milestone.held, at=at)


def refund_part(
    order: Order,
    milestone: Milestone,
    *,
    price: int,
    by: User | None,
    at: datetime,
    reason: str,
    note: str = "",
    as_credit: bool = False,
) -> None:
    """Give back `price` (minor units) of an open milestone's price, with the fee on it (M3, M5).

    The way it was paid, or with `as_credit` all of it as credit, for a buyer who asks support for that (M9).
    Transfers, refund and event appear together; the provider is asked after the commit.
    Raises `Refused` unless the milestone is open and less than its held price is asked for.
    """
    refusal = why_not_part(milestone, price)
    if refusal:
        raise Refused(refusal)
    assert milestone.held  # the database refuses an open milestone without held funds
    refund = payments.refund_part(milestone.held, price=price, at=at, as_credit=as_credit)
    milestone.held.refresh_from_db()
    record(
        Event.Kind.PARTLY_REFUNDED,
        order,
        by=by,
        at=at,
        milestone=milestone,
        reason=reason,
        note=note,
        **given_back(refund),
    )


def why_not_part(milestone: Milestone, price: int) -> Refusal | None:
    """Why `price` (minor units) is no part of what is held of the milestone's price that could go back (R2, M5)."""
    held = milestone.held
    if held is None or not milestone.is_open:
        return milestone.refusal_by_state()
    if not 0 < price < held.left_price:
        most = display(held.left_price, held.currency)
        said = _("A part is more than nothing and less than the {amount} that are held of the price.")
        return Refusal(said.format(amount=most))
    if price % held.step:
        said = _("Amounts in {currency} go in steps of {amount}.")
        return Refusal(said.format(currency=held.currency, amount=display(held.step, held.currency)))
    return no_bank_is_deciding.why_not(milestone)


def complete_milestone(
    order: Order, milestone: Milestone, *, by: User, at: datetime, reason: str = "", note: str = ""
) -> None:
    """Support completes an open milestone: the seller is paid, the buyer has one window to go on (R6, O13)."""
    require(milestone.complete)
    released = pay_seller(milestone, at=at)
    move(
        milestone.complete,
        at,
        kind=Event.Kind.COMPLETED_BY_SUPPORT,
        by=by,
        at=at,
        reason=reason,
        note=note,
        released=released,
    )
    order.set_deadline(at, at + order.terms.review)
    end_if_nothing_is_left(order, Because.FINISHED, by=by, at=at)
    order.save()


def cancel_milestone(
    order: Order,
    milestone: Milestone,
    *,
    because: str,
    by: User | None,
    at: datetime,
    reason: str,
    note: str = "",
    as_credit: bool = False,
) -> None:
    """Cancel the open milestone: what is held goes back to the buyer; completed milestones stay (O11, O13).

    The way it was paid, or with `as_credit` all of it as credit, for a buyer who asks support for that (M9).
    `because` is how the order ends if nothing is left to do, `reason` the valid reason's text (R5).
    Raises `Refused` when the milestone is not open.
    """
    _refund_and_cancel(milestone, by=by, at=at, reason=reason, note=note, as_credit=as_credit)
    order.set_deadline(at, at + order.terms.review)
    end_if_nothing_is_left(order, because, by=by, at=at)
    order.save()


def cancel_order(
    order: Order,
    *,
    because: str,
    by: User | None,
    at: datetime,
    reason: str,
    note: str = "",
    as_credit: bool = False,
) -> None:
    """Cancel the order: the open milestone is refunded, the rest is not started, completed ones stay (O11, O12).

    `as_credit` as in `cancel_milestone`.
    Raises `Refused` when the order is not active or an attempt to pay is undecided.
    """
    require(order.cancel)
    if order.open_milestone:
        _refund_and_cancel(order.open_milestone, by=by, at=at, reason=reason, note=note, as_credit=as_credit)
    end(order, because, by=by, at=at, note=note)


def cancel_charged_back(order: Order, milestone: Milestone, *, at: datetime) -> None:
    """The bank gave the buyer the payment back: the milestone ends, and what else is held is refunded (M10, O13).

    If nothing is left to do the order ends `canceled_by_support`: of O12's words the one for what the sides did not
    agree on; a chargeback is a dispute for support. Raises `Refused` when the milestone is not open.
    """
    require(milestone.cancel)
    assert milestone.held
    milestone.held.refresh_from_db()
    refunded = payments.refund_all(milestone.held, at=at).amount if milestone.held.left else 0
    more = f", and {display(refunded, order.currency)} more is refunded" if refunded else ""
    move(
        milestone.cancel,
        at,
        kind=Event.Kind.CANCELED_BY_BANK,
        by=None,
        at=at,
        reason=f"the bank gave the payment back to the buyer{more}",
        refunded=refunded,
    )
    order.set_deadline(at, at + order.terms.review)
    end_if_nothing_is_left(order, Because.CANCELED_BY_SUPPORT, by=None, at=at)
    order.save()


def _refund_and_cancel(
    milestone: Milestone, *, by: User | None, at: datetime, reason: str, note: str, as_credit: bool
) -> None:
    require(milestone.cancel)
    assert milestone.held
    refund = payments.refund_all(milestone.held, at=at, as_credit=as_credit)
    move(
        milestone.cancel,
        at,
        kind=Event.Kind.CANCELED,
        by=by,
        at=at,
        reason=reason,
        note=note,
        **given_back(refund),
    )
