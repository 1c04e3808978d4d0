"""What is next in an order: one sentence, who must act by when, and what if nobody does (P2, O14)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from orders import services
from orders.models import Milestone, Order
from orders.words import ENDINGS
from payments.models import Charge
from resolution.models import Case
from resolution.words import silence_in_words


@dataclass(frozen=True)
class Headline:
    """What happens next, in one sentence, and the deadline of whoever must act."""

    title: str
    text: str = ""
    until: datetime | None = None
    since: datetime | None = None
    if_nobody_acts: str = ""
    by: str = "Until"


def headline(order: Order, side: str, now: datetime, case: Case | None = None) -> Headline:
    """What is next, as `side` reads it; of a frozen order with the case that froze it."""
    if order.has_ended:
        return Headline(
            "This order is completed" if order.status == Order.Status.COMPLETED else "This order is canceled",
            _ending(order),
        )
    nobody = services.if_nobody_acts(order)
    if order.is_overdue(now):
        return Headline("The time has run out", f"The clock is about to settle this order: {nobody}", order.decide_by)
    if order.paused_at:
        return _of_case(order, side, case)
    mine = side == "buyer"
    window = partial(
        Headline,
        until=order.decide_by,
        since=order.decide_from,
        if_nobody_acts=nobody,
        by="Decide by" if mine else "Until",
    )
    milestone = order.current
    if order.status == Order.Status.OFFERED:
        title = "Answer this offer" if mine else f"Waiting for {order.buyer.name} to answer the offer"
        return window(title, "Nothing is charged before the offer is accepted.")
    if milestone is None:
        following = order.next_milestone
        assert following
        title = f"Start “{following.title}” or stop" if mine else f"Waiting for {order.buyer.name} to continue"
        return window(title, "Do not work on it before it is funded." if not mine else "")
    named = f"“{milestone.title}”"
    if milestone.status == Milestone.Status.AWAITING_PAYMENT:
        return _payment(milestone, mine, window)
    if milestone.status == Milestone.Status.DELIVERED:
        title = f"Review {named}" if mine else f"Waiting for {order.buyer.name} to review {named}"
        return window(f"{title} – delivery {len(milestone.deliveries.all())}", "")
    revises = milestone.status == Milestone.Status.IN_REVISION
    title = f"Deliver the revision of {named}" if revises else f"Deliver {named}"
    if mine:
        title = f"{order.seller.name} {'revises' if revises else 'works on'} {named}"
    late = "This milestone is late." if milestone.is_late(now) else ""
    if milestone.is_very_late(now) and mine:
        late = "This milestone is very late: you can cancel it on the spot, with a full refund, by opening a case."
    return Headline(
        title,
        late,
        milestone.deliver_by,
        milestone.deliver_from,
        "" if milestone.is_late(now) else "the milestone shows as late to both of you.",
        by="Due" if mine else "Deliver by",
    )


def _payment(milestone: Milestone, mine: bool, window: Callable[..., Headline]) -> Headline:
    """A milestone that is not funded yet (O4)."""
    named = f"“{milestone.title}”"
    charge = milestone.last_charge
    if not mine:
        return window(f"{named} is not funded yet", "Do not work on it: the buyer's payment has not succeeded.")
    if charge and charge.status == Charge.Status.ACTION_NEEDED:
        title, text = f"Confirm the payment for {named}", "Your bank wants you to confirm this payment."
        return window(title, text, by="Confirm by")
    if charge and not charge.decided:
        text = "Your bank is still deciding. You need not do anything; we tell you when it has decided."
        return window(f"The payment for {named} is being decided", text, by="The bank decides by")
    if charge and charge.status == Charge.Status.CANCELED:
        reason = "The last attempt was given up; nothing was charged."
    else:
        reason = f"The last attempt failed: {charge.reason}" if charge and charge.reason else ""
    return window(f"Pay for {named}", reason, by="Pay by")


def _of_case(order: Order, side: str, case: Case | None) -> Headline:
    """A frozen order: who has to act on the case, by when, and what silence means (R2, R4)."""
    text = "The order is frozen: its clocks stand still until the case ends."
    if case is None:
        return Headline("A case is open", text)
    if case.kind == Case.Kind.CHARGEBACK:
        text = "The bank has taken the payment back. The order is frozen: its clocks stand still until it has decided."
        return Headline(f"The buyer's bank decides about “{case.milestone}”", text, case.support_due, by="Expected by")
    if case.status != Case.Status.OPEN:
        return Headline(f"Customer Support decides whether to {case.what}", text, case.support_due, by="Expected by")
    person = case.answerer
    mine = side == case.answering_side
    return Headline(
        f"Answer the case: {case.what}?" if mine else f"Waiting for {person} to answer the case: {case.what}?",
        text,
        case.answer_by,
        case.opened_at,
        f"{silence_in_words(case)}.",
        by="Answer by" if mine else "Until",
    )


def _ending(order: Order) -> str:
    words = {"buyer": order.buyer.name, "seller": order.seller.name}
    reason = ENDINGS[order.closed_because].format(**words)
    return f"{reason[0].upper()}{reason[1:]}."
