"""R6: support takes a side's step for it: by the side's own verb, named in the activity, told to both."""

from collections.abc import Callable
from typing import Any

import pytest

from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import StaffFactory
from marketplace.notifications.models import Notice
from orders import services
from orders.activity import sentence
from orders.guards import Refused
from orders.models import Delivery, Event, Order
from orders.operating import operated_by
from orders.tests.factories import (
    ONE_STEP,
    after,
    at,
    cents,
    checked_file,
    current,
    ending,
    fresh,
    make_accepted,
    make_delivered,
    make_offer,
    make_ordered,
    make_placed,
    told,
)
from orders.tests.rows import refused, stale
from orders.tests.steps import SERVICES
from payments.services import Cents

pytestmark = pytest.mark.django_db(transaction=True)

WHY = "They wrote to us from another address."
BUYERS, SELLERS = "Customer Support, for Ana Ruiz, ", "Customer Support, for Theo Lindqvist, "


def unconfirmed() -> Order:
    return make_ordered(method="card_authentication")


# The step, an order that allows it, what the activity says, and the heading of the notices.
STEPS: dict[str, tuple[Callable[[], Order], str, str]] = {
    "decline": (
        make_offer,
        f"The order ended: {BUYERS}declined the offer",
        "Your order ended: {}declined the offer",
    ),
    "abandon": (
        unconfirmed,
        f"{BUYERS}gave up the attempt to pay for “Script”",
        "{}gave up the attempt to pay for “Script”",
    ),
    "accept": (
        make_delivered,
        f"{BUYERS}accepted “Script”; $96.00 paid to Theo Lindqvist",
        "{}accepted “Script”: $96.00 paid",
    ),
    "request_revision": (
        make_delivered,
        f"{BUYERS}asked for a revision of “Script”",
        "{}asked for a revision of “Script”",
    ),
    "stop": (make_accepted, f"The order ended: {BUYERS}stopped it", "Your order ended: {}stopped it"),
    "edit_offer": (
        make_offer,
        f"{SELLERS}changed the offer",
        "{}changed the offer: Shorter",
    ),
    "withdraw": (
        make_offer,
        f"The order ended: {SELLERS}withdrew the offer",
        "Your order ended: {}withdrew the offer",
    ),
    "deliver": (make_placed, f"{SELLERS}delivered “Script” (Delivery 1)", "{}delivered “Script”"),
    "grant_revisions": (
        make_placed,
        f"{SELLERS}granted 1 revision extra for “Script”",
        "{}granted 1 revision extra for “Script”",
    ),
}


@pytest.fixture
def sam() -> User:
    return StaffFactory.create(name="Sam Support")


def take(step: str, order: Order, agent: User, why: str = WHY) -> Any:
    with operated_by(agent, order, why=why):
        return SERVICES[step](order, fresh(order).current)


def last(order: Order) -> Event:
    shown = order.events.exclude(kind__in=["left_out"]).select_related("actor", "on_behalf_of", "milestone")
    found = shown.last()
    assert found
    return found


@pytest.mark.parametrize("step", STEPS)
def test_a_step_is_taken_for_a_side_and_both_are_told_by_whom_and_why(step: str, sam: User) -> None:
    make, said, title = STEPS[step]
    order = make()
    seller = said.count(SELLERS)
    side, other = (order.seller, order.buyer) if seller else (order.buyer, order.seller)
    before = order.events.count()
    with at(hours=1):
        take(step, order, sam)
    event = last(order)
    assert (event.actor, event.on_behalf_of, event.data["why"], event.at) == (sam, side, WHY, after(hours=1))
    # Every line that the step wrote is the agent's, also the hidden ones, in one version of the order.
    written = order.events.order_by("pk")[before:]
    assert {(line.actor, line.on_behalf_of, line.version) for line in written} == {(sam, side, fresh(order).version)}
    assert sentence(event, order=fresh(order), viewer=None) == f"{said}. Why: {WHY}"
    assert sentence(event, fresh(order), side) == f"{said.replace(f'for {side.name},', 'for you,')}. Why: {WHY}"
    notices = Notice.objects.filter(key=f"event:{event.pk}").select_related("recipient")
    assert {notice.recipient.name: notice.title for notice in notices} == {
        side.name: title.format("Customer Support, for you, "),
        other.name: title.format(f"Customer Support, for {side.name}, "),
    }
    assert all(f"\nWhy: {WHY}\n" in notice.text for notice in notices)
    assert fresh(order).acted_at == after(hours=1)


def test_what_it_does_is_the_sides_own_act(sam: User) -> None:
    """The same delivery, file, window and money as when the side takes the step."""
    order = make_placed(plan=ONE_STEP)
    with at(hours=1), operated_by(sam, order, why=WHY):
        services.deliver(current(order), by=order.seller, message="Here it is.", files=[checked_file()])
    delivery = Delivery.objects.select_related("delivered_by").get()
    attachment = order.attachments.select_related("uploaded_by").get()
    assert (delivery.delivered_by, attachment.uploaded_by) == (order.seller, order.seller)
    assert (fresh(order).decide_by, fresh(order).acted_at) == (after(days=8, hours=1), after(hours=1))
    with at(hours=2):
        take("accept", order, sam)
    assert ending(order) == ("completed", "finished", after(hours=2))
    assert cents(order) == Cents(charged=10_550, seller=8_000, fees=2_550)
    # Who did it and why is said once, where it was done.
    assert [sentence(event, fresh(order), None) for event in order.events.order_by("-pk")[:2]] == [
        "The order ended: all milestones are done",
        f"Customer Support, for Ana Ruiz, accepted “Logo”; $80.00 paid to Theo Lindqvist. Why: {WHY}",
    ]


def test_another_persons_act_and_the_clocks_are_not_the_agents(sam: User) -> None:
    """What was overdue happens first, dated when it was due and nobody's; the step is refused by what is true then."""
    order = make_delivered()
    with at(days=9), pytest.raises(Refused) as late:
        take("accept", order, sam)
    assert str(late.value) == "The order is completed."
    assert ending(order) == ("completed", "lapsed", after(days=8))
    assert set(order.events.filter(at=after(days=8)).values_list("actor", "on_behalf_of")) == {(None, None)}
    other = make_placed()
    services.deliver(current(other), by=other.seller, message="Here it is.")
    assert (last(other).actor, last(other).on_behalf_of, "why" in last(other).data) == (other.seller, None, False)
    assert told(other)[-1] == ("delivered", "buyer")


def test_the_providers_answer_to_a_step_is_the_clocks_too(sam: User) -> None:
    order = unconfirmed()
    take("abandon", order, sam)
    services.pay(current(order), by=order.buyer, method="card_ok")
    kinds = order.events.filter(milestone__position=1).order_by("pk").values_list("kind", "actor")
    assert list(kinds)[-2:] == [("payment_abandoned", sam.pk), ("funded", None)]


@pytest.mark.parametrize("party", ["buyer", "seller"])
def test_a_party_acts_for_nobody(party: str, sam: User) -> None:
    order = make_delivered(**{party: sam})
    with refused("You are a party in this order; another agent has to decide."):
        take("accept", order, sam)


@pytest.mark.parametrize("why", ["", " \n "])
def test_without_a_why_nothing_is_done(why: str, sam: User) -> None:
    order = make_delivered()
    with refused("Say why: both sides read it."):
        take("accept", order, sam, why)


@pytest.mark.parametrize(
    ("step", "make"),
    [
        ("place", make_offer),
        ("start", make_accepted),
        ("pay", lambda: make_ordered(method="card_declined")),
        ("accept_and_continue", make_delivered),
    ],
)
def test_nobody_but_the_buyer_charges_the_buyer(step: str, make: Callable[[], Order], sam: User) -> None:
    order = make()
    milestone = fresh(order).next_milestone if step == "start" else fresh(order).current
    with operated_by(sam, order, why=WHY), refused("Only the buyer can do this: it charges them."):
        SERVICES[step](order, milestone)


def test_the_guards_and_the_version_are_the_sides_own(sam: User) -> None:
    order = make_placed()
    with refused("Nothing has been delivered for “Script” yet."):
        take("accept", order, sam)
    with stale(), operated_by(sam, order, why=WHY):
        services.deliver(current(order), by=order.seller, message="x", version=order.version - 1)


def test_it_ends_with_its_block(sam: User) -> None:
    """Also when the step fails: what follows in the same process is nobody's but its own."""
    order = make_delivered()
    take("accept", order, sam)
    with pytest.raises(Refused):
        take("edit_offer", order, sam)
    services.stop(order, by=order.buyer)
    assert (last(order).actor, last(order).on_behalf_of) == (order.buyer, None)
