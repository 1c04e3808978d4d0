"""Orders as they come to be: every state is reached through the services, none is set by hand."""

from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

import orders.files
from marketplace import clock
from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import UserFactory
from marketplace.catalog.models import Gig, Terms
from marketplace.catalog.plans import PlannedMilestone
from marketplace.catalog.tests.factories import GigFactory
from marketplace.notifications.models import Notice
from orders import services
from orders.locking import lock, locked_milestone, touch
from orders.models import Milestone, Order
from orders.models.order import new_number
from payments.gateways.sandbox import confirm
from payments.models import Charge, SandboxCharge
from payments.services import Cents, where_every_cent_is

# Tests of orders begin here. Eight days later Europe has left summer time, and ten days later America has.
NOON = datetime(2026, 10, 20, 12, tzinfo=UTC)


def planned(title: str = "Step", price: int = 10_000, days: int = 3, revisions: int | None = 1) -> PlannedMilestone:
    return PlannedMilestone(title, f"What {title} contains", price, days, revisions)


THREE_STEPS = (
    planned("Script", 12_000, 3, 1),
    planned("Storyboard", 15_000, 5, 2),
    planned("Animation", 20_000, 9, None),
)
ONE_STEP = (planned("Logo", 10_000, 2, 1),)


def after(**length: float) -> datetime:
    return NOON + timedelta(**length)


def at(**length: float) -> AbstractContextManager[None]:
    """Run the body as if it were this long after `NOON`."""
    return clock.at(after(**length))


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


def make_ordered(
    *, gig: Gig | None = None, buyer: User | None = None, method: str = "card_ok", number: str = "", **versions: int
) -> Order:
    """A gig's plan, ordered as it stands. Needs a test that commits."""
    gig = gig or GigFactory(plan=THREE_STEPS, title="Whiteboard explainer video")
    order = services.order_gig(
        gig,
        by=buyer or UserFactory(name="Ana Ruiz"),
        brief="Sixty seconds about beekeeping.",
        method=method,
        gig_version=versions.get("gig_version", gig.version),
        terms_id=versions.get("terms_id", Terms.objects.in_force().pk),
        number=number or new_number(),
    )
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


def start_next(order: Order, method: str = "card_ok") -> Milestone:
    following = fresh(order).next_milestone
    assert following
    services.start(following, by=order.buyer, method=method)
    return Milestone.objects.get(pk=following.pk)


def freeze(order: Order, number: str = "RC-TEST-0001") -> Order:
    """What opening a dispute does to its order."""
    with transaction.atomic():
        locked, now = lock(order.pk)
        touch(locked, by=locked.buyer, now=now)
        services.freeze(locked, by=locked.buyer, at=now, case_number=number)
    return fresh(order)


def resume(order: Order, least_rest: timedelta | None = None) -> Order:
    """What the end of a dispute does to its order."""
    with transaction.atomic():
        locked, now = lock(order.pk)
        touch(locked, by=locked.seller, now=now)
        services.resume(locked, by=locked.seller, at=now, least_rest=least_rest)
    return fresh(order)


@services.verb
def refund_part(
    milestone: Milestone, *, by: User, price: int, reason: str, note: str = "", as_credit: bool = False
) -> None:
    """What an accepted case or a ruling does when a part goes back."""
    locked, now = lock(milestone.order_id)
    touch(locked, by=by, now=now)
    services.refund_part(
        locked,
        locked_milestone(locked, milestone.pk),
        price=price,
        by=by,
        at=now,
        reason=reason,
        note=note,
        as_credit=as_credit,
    )
    locked.save()


def cancel_milestone(
    order: Order, by: User | None = None, because: str = "canceled_by_agreement", *, as_credit: bool = False
) -> Order:
    """What an accepted case or a ruling does to the open milestone."""
    with transaction.atomic():
        locked, now = lock(order.pk)
        milestone = locked.open_milestone
        assert milestone
        touch(locked, by=by, now=now)
        services.cancel_milestone(
            locked, milestone, because=because, by=by, at=now, reason="Scope disagreement", as_credit=as_credit
        )
    return fresh(order)


def cancel_order(order: Order, by: User | None = None, because: str = "canceled_by_agreement") -> Order:
    with transaction.atomic():
        locked, now = lock(order.pk)
        touch(locked, by=by, now=now)
        services.cancel_order(locked, because=because, by=by, at=now, reason="Scope disagreement")
    return fresh(order)


def complete_milestone(order: Order, by: User) -> Order:
    """What a ruling of Customer Support does to the open milestone."""
    with transaction.atomic():
        locked, now = lock(order.pk)
        milestone = locked.open_milestone
        assert milestone
        touch(locked, by=None, now=now)
        services.complete_milestone(locked, milestone, by=by, at=now, reason="Delivered as described", note="I looked.")
    return fresh(order)


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


def ending(order: Order) -> tuple[str, str, datetime | None]:
    order = fresh(order)
    return order.status, order.closed_because, order.ended_at


def last_charge(order: Order) -> Charge:
    return Charge.objects.filter(held__milestone__order=order).latest("pk")


def answer_bank(order: Order, *, approved: bool) -> None:
    """The buyer's answer on their bank's page, told to us by the provider's event."""
    charge = SandboxCharge.objects.get(key=last_charge(order).key)
    confirm(charge.pk, approved=approved, at=clock.now())


def cents(order: Order) -> Cents:
    """Where every cent of the order is."""
    found = where_every_cent_is([milestone.held.reference for milestone in fresh(order).plan if milestone.held])
    return Cents(*(sum(getattr(one, name) for one in found.values()) for name in Cents.__dataclass_fields__))


def side(order: Order, user: User | None) -> str | None:
    """«buyer», «seller» or «support»; None is the clock."""
    return user and (order.side_of(user) or "support")


def activity(order: Order) -> list[tuple[str, str | None, str, str, str]]:
    """The events: kind, who, the milestone's title, from, to."""
    return [
        (
            event.kind,
            side(order, event.actor),
            event.milestone.title if event.milestone else "",
            event.from_status,
            event.to_status,
        )
        for event in order.events.select_related("actor", "milestone")
    ]


def told(order: Order) -> list[tuple[str, str | None]]:
    """Who was told what: the kinds of the notices and their recipients."""
    notices = Notice.objects.filter(url__startswith=order.get_absolute_url()).order_by("pk")
    return [(notice.kind, side(order, notice.recipient)) for notice in notices.select_related("recipient")]


def checked_file(name: str = "logo.png", content: bytes = b"\x89PNG\r\n\x1a\n and so on") -> orders.files.CheckedFile:
    return orders.files.check(UploadedFile(BytesIO(content), name, size=len(content)))
