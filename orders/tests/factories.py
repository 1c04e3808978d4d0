"""Orders as they come to be: every state is reached through the services, none is set by hand."""

from datetime import datetime
from typing import Any

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import UserFactory
from marketplace.catalog.plans import PlannedMilestone
from orders import services
from orders.models import Milestone, Order


def planned(title: str = "Step", price: int = 10_000, days: int = 3, revisions: int | None = 1) -> PlannedMilestone:
    return PlannedMilestone(title, f"What {title} contains", price, days, revisions)


THREE_STEPS = (
    planned("Script", 12_000, 3, 1),
    planned("Storyboard", 15_000, 5, 2),
    planned("Animation", 20_000, 9, None),
)


def make_offer(
    *, buyer: User | None = None, seller: User | None = None, plan: Any = THREE_STEPS, currency: str = "USD"
) -> Order:
    """An offer that waits for the buyer's answer."""
    return services.send_offer(
        by=seller or UserFactory(name="Theo Lindqvist"),
        buyer=buyer or UserFactory(name="Ana Ruiz"),
        title="Whiteboard explainer video",
        brief="Sixty seconds about beekeeping.",
        currency=currency,
        plan=plan,
    )


def make_placed(*, method: str = "card_ok", **details: Any) -> Order:
    """A placed order; with a good card its first milestone is in progress. Needs a test that commits."""
    order = make_offer(**details)
    services.place(order, by=order.buyer, method=method)
    return fresh(order)


def make_delivered(**details: Any) -> Order:
    order = make_placed(**details)
    deliver(order)
    return fresh(order)


def make_accepted(**details: Any) -> Order:
    """The first milestone is accepted, the next one not started."""
    order = make_delivered(**details)
    services.accept(current(order), by=order.buyer)
    return fresh(order)


def make_in_revision(**details: Any) -> Order:
    order = make_delivered(**details)
    services.request_revision(current(order), by=order.buyer, text="Frames 4–6 show the old logo.")
    return fresh(order)


def deliver(order: Order, message: str = "Here it is.") -> None:
    services.deliver(current(order), by=order.seller, message=message)


def current(order: Order) -> Milestone:
    milestone = fresh(order).current
    assert milestone
    return milestone


def fresh(order: Order) -> Order:
    """The order as the database has it now, with what the guards look at."""
    return Order.objects.whole().get(pk=order.pk)


def statuses(order: Order) -> tuple[str, list[str]]:
    order = fresh(order)
    return order.status, [milestone.status for milestone in order.plan]


def at(instant: datetime) -> Any:
    return clock.at(instant)
