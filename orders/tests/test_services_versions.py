"""One number serves stale tabs, double clicks, unseen redeliveries and edited offers (O19)."""

from collections.abc import Callable
from typing import Any

import pytest

from marketplace.accounts.tests.factories import UserFactory
from orders import services
from orders.locking import Stale
from orders.models import Order
from orders.tests.factories import (
    THREE_STEPS,
    at,
    cancel_milestone,
    complete_milestone,
    current,
    deliver,
    freeze,
    fresh,
    make_accepted,
    make_delivered,
    make_in_revision,
    make_offer,
    make_ordered,
    make_placed,
    resume,
    statuses,
)
from orders.tests.rows import stale

pytestmark = pytest.mark.django_db(transaction=True)

Verb = Callable[[Order, Any, int], Any]


def unpaid() -> Order:
    return make_ordered(method="card_declined")


def unconfirmed() -> Order:
    return make_ordered(method="card_authentication")


VERBS: dict[str, tuple[Callable[[], Order], Verb]] = {
    "place": (make_offer, lambda o, m, v: services.place(o, by=o.buyer, method="card_ok", version=v)),
    "decline": (make_offer, lambda o, m, v: services.decline_offer(o, by=o.buyer, version=v)),
    "withdraw": (make_offer, lambda o, m, v: services.withdraw_offer(o, by=o.seller, version=v)),
    "edit": (
        make_offer,
        lambda o, m, v: services.edit_offer(o, by=o.seller, title="x", brief="", plan=THREE_STEPS, version=v),
    ),
    "pay": (unpaid, lambda o, m, v: services.pay(m, by=o.buyer, method="card_ok", version=v)),
    "abandon": (unconfirmed, lambda o, m, v: services.abandon(m, by=o.buyer, version=v)),
    "deliver": (make_placed, lambda o, m, v: services.deliver(m, by=o.seller, message="x", version=v)),
    "grant": (make_placed, lambda o, m, v: services.grant_revisions(m, by=o.seller, count=1, version=v)),
    "accept": (make_delivered, lambda o, m, v: services.accept(m, by=o.buyer, version=v)),
    "accept and continue": (
        make_delivered,
        lambda o, m, v: services.accept_and_continue(m, by=o.buyer, method="card_ok", version=v),
    ),
    "revise": (
        make_delivered,
        lambda o, m, v: services.request_revision(m, by=o.buyer, text="x", version=v),
    ),
    "accept in revision": (make_in_revision, lambda o, m, v: services.accept(m, by=o.buyer, version=v)),
    "start": (
        make_accepted,
        lambda o, m, v: services.start(m, by=o.buyer, method="card_ok", version=v),
    ),
    "stop": (make_accepted, lambda o, m, v: services.stop(o, by=o.buyer, version=v)),
}


@pytest.mark.parametrize("name", VERBS)
def test_a_verb_that_was_drawn_from_another_version_does_nothing(name: str) -> None:
    make, act = VERBS[name]
    order = make()
    milestone, version = fresh(order).current or fresh(order).next_milestone, fresh(order).version
    for other in (version - 1, version + 1):
        with stale():
            act(order, milestone, other)
    act(order, milestone, version)
    assert fresh(order).version > version
    with stale():
        act(order, milestone, version)  # the second click of a double click


def test_a_double_click_on_accept_and_continue_charges_once() -> None:
    order = make_delivered()
    milestone, version = current(order), order.version
    services.accept_and_continue(milestone, by=order.buyer, method="card_ok", version=version)
    with stale():
        services.accept_and_continue(milestone, by=order.buyer, method="card_ok", version=version)
    assert statuses(order) == ("active", ["completed", "in_progress", "planned"])


def test_a_redelivery_that_the_buyer_has_not_seen_is_not_accepted() -> None:
    order = make_delivered()
    seen = order.version
    with at(hours=1):
        deliver(order, "A new version.")
    with at(hours=2), stale():
        services.accept(current(order), by=order.buyer, version=seen)


def test_what_the_clock_did_is_a_new_version_too() -> None:
    order = make_accepted()
    with at(days=8), pytest.raises(Stale):
        services.stop(order, by=order.buyer, version=order.version)
    assert fresh(order).closed_because == "not_continued"


def test_every_change_raises_the_version_and_its_events_carry_it() -> None:
    order = make_offer()
    seen = [fresh(order).version]

    def step(act: Callable[[], Any]) -> None:
        act()
        seen.append(fresh(order).version)

    step(lambda: services.place(order, by=order.buyer, method="card_declined"))
    step(lambda: services.pay(current(order), by=order.buyer, method="card_ok"))
    step(lambda: deliver(order))
    step(lambda: services.request_revision(current(order), by=order.buyer, text="x"))
    step(lambda: services.grant_revisions(current(order), by=order.seller, count=1))
    step(lambda: freeze(order))
    step(lambda: resume(order))
    step(lambda: deliver(order))
    step(lambda: services.accept(current(order), by=order.buyer))
    step(lambda: services.start(fresh(order).next_milestone, by=order.buyer, method="card_ok"))
    step(lambda: cancel_milestone(order))
    step(lambda: services.start(fresh(order).next_milestone, by=order.buyer, method="card_ok"))
    step(lambda: complete_milestone(order, UserFactory()))
    # Paying is two changes: the attempt, and what the provider said.
    assert seen == [1, 3, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15, 17, 18]
    assert [event.version for event in order.events.filter(kind="funded")] == [5, 14, 17]
    assert fresh(order).closed_because == "finished"


def test_a_message_and_a_reminder_leave_the_version_alone() -> None:
    order = make_delivered()
    services.send_message(order, by=order.buyer, text="Thank you")
    with at(days=6):
        services.send_reminders()
    services.accept(current(order), by=order.buyer, version=order.version)
    assert statuses(order) == ("active", ["completed", "planned", "planned"])
