"""What the buyer is charged now, and what later when they start it: the same picture before every payment (O2, O3)."""

from dataclasses import dataclass

from marketplace.catalog.durations import counted
from marketplace.catalog.models import Gig, Terms
from orders.models import Milestone, Order
from payments.pricing import buyer_fee


@dataclass(frozen=True)
class Charged:
    """One milestone with what the buyer is charged for it, in minor units."""

    title: str
    price: int
    fee: int
    delivery_days: int

    @property
    def total(self) -> int:
        return self.price + self.fee

    @property
    def days(self) -> str:
        return counted(self.delivery_days, "day")


@dataclass(frozen=True)
class Schedule:
    """The charge that comes now, and those that come when the buyer starts the later milestones."""

    now: Charged
    later: list[Charged]
    currency: str
    is_whole: bool

    @property
    def total(self) -> int:
        """If everything from now on goes to the end, in minor units."""
        return self.now.total + sum(row.total for row in self.later)


def schedule_of_gig(gig: Gig, terms: Terms) -> Schedule:
    """What ordering the gig's plan under these terms comes to."""
    rows = [
        Charged(step.title, step.price, buyer_fee(step.price, terms.buyer_fee, gig.currency), step.delivery_days)
        for step in gig.plan.all()
    ]
    return Schedule(rows[0], rows[1:], gig.currency, is_whole=True)


def schedule_of_order(order: Order, milestone: Milestone) -> Schedule:
    """What paying for `milestone` comes to, and what may follow it."""
    planned = [step for step in order.plan if step.status == step.Status.PLANNED and step.pk != milestone.pk]
    rows = [Charged(step.title, step.price, step.buyer_fee, step.delivery_days) for step in (milestone, *planned)]
    return Schedule(rows[0], rows[1:], order.currency, is_whole=milestone.position == 1)
