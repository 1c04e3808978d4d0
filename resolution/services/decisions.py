"""What support can decide, as data: which ruling, and how much or how long (R6)."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from marketplace.accounts.models import User
from orders.guards import Refusal, why_not
from orders.models import Order
from orders.phrases import Amount, Count, Phrase, Value
from orders.services import complete_milestone, extend_delivery, refund_part, why_not_part
from resolution.models.choices import Ruling
from resolution.services.outcomes import cancel, go_on


@dataclass(frozen=True)
class Decision:
    """`price` in minor units is the part of the price that a split gives back; `days` of 24 h extend the delivery."""

    ruling: Ruling
    price: int = 0
    days: int = 0
    as_credit: bool = False
    """What goes back is given as credit, because the buyer asks for that (M9)."""

    def why_not(self, order: Order) -> Refusal | None:
        """Why this cannot be decided now; None when it can. Without a price or days yet, whether any could be."""
        milestone = order.open_milestone
        if self.ruling == Ruling.CANCEL_ORDER:
            return why_not(order.cancel)
        if milestone is None:
            if self.ruling == Ruling.CANCEL_MILESTONE:
                return Refusal(_("No milestone is open, so there is none to cancel."))
            return Refusal(_("No milestone is open, so none can be decided."))
        if self.ruling == Ruling.EXTEND:
            return None if milestone.is_in_work else milestone.refusal_by_state()
        if self.ruling == Ruling.CANCEL_MILESTONE:
            return why_not(milestone.cancel)
        part = why_not_part(milestone, self.price) if self.ruling == Ruling.SPLIT and self.price else None
        return why_not(milestone.complete) or part

    def in_words(self, order: Order) -> Phrase:
        """“Logo” is canceled; asked before it takes effect."""
        milestone = order.open_milestone
        values: dict[str, Value] = {"milestone": str(milestone), "days": Count(self.days, "day")}
        if self.ruling == Ruling.SPLIT and milestone and milestone.held:
            values["amount"] = Amount(milestone.held.refund_of(self.price), order.currency)
            part = noop("{amount} of “{milestone}” goes back to the buyer and the rest is paid to the seller")
            return Phrase(part, values)
        words = {
            Ruling.CANCEL_MILESTONE: noop("“{milestone}” is canceled"),
            Ruling.CANCEL_ORDER: noop("the order is canceled"),
            Ruling.SPLIT: noop("a part of “{milestone}” goes back to the buyer and the rest is paid to the seller"),
            Ruling.COMPLETE: noop("“{milestone}” is completed and paid"),
            Ruling.EXTEND: noop("“{milestone}” has {days} more"),
        }
        return Phrase(words[self.ruling], values)


def carry_out(decision: Decision, order: Order, *, by: User, at: datetime, reason: str, note: str) -> None:
    """Do what support decided, by the services that buyers and sellers use; a frozen order's clocks run again first.

    A split is a partial refund followed by the release of all that is left (M5).
    The caller has seen that `decision.why_not` says nothing.
    """
    if decision.ruling in (Ruling.CANCEL_MILESTONE, Ruling.CANCEL_ORDER):
        because = Order.ClosedBecause.CANCELED_BY_SUPPORT
        cancel(
            order,
            decision.ruling,
            because=because,
            by=by,
            at=at,
            reason=reason,
            note=note,
            as_credit=decision.as_credit,
        )
        return
    if order.paused_at:
        go_on(order, by=by, at=at)
    milestone = order.open_milestone
    assert milestone  # or `why_not` would have said so
    if decision.ruling == Ruling.EXTEND:
        extend_delivery(order, milestone, days=decision.days, by=by, at=at, reason=reason, note=note)
        order.save()
        return
    if decision.ruling == Ruling.SPLIT:
        refund_part(
            order,
            milestone,
            price=decision.price,
            by=by,
            at=at,
            reason=reason,
            as_credit=decision.as_credit,
        )
    complete_milestone(order, milestone, by=by, at=at, reason=reason, note=note)
