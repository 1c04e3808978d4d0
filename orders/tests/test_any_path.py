"""Whatever people, the bank, support and the clock do, in whatever order: no promise is broken.

And at every step the button and the verb agree: what is offered succeeds, what is greyed is refused in those words.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import UserFactory
from marketplace.tests import invariants
from orders import services
from orders.actions import subject_of, why_not_now
from orders.guards import Refused
from orders.models import Milestone, Order
from orders.tests.factories import (
    NOON,
    answer_bank,
    cancel_milestone,
    cancel_order,
    complete_milestone,
    freeze,
    fresh,
    last_charge,
    make_offer,
    planned,
    refund_part,
    resume,
)
from orders.tests.steps import SERVICES
from payments.models import Charge, SandboxCharge
from payments.services import settle_refunds
from payments.tasks import deliver_sandbox_events

PLAN = (planned("Script", 12_345, 2, 1), planned("Film", 9_999, 3, None))
METHODS = (
    "card_ok",
    "card_ok",
    "card_declined",
    "card_authentication",
    "card_processing",
    "card_processing_fails",
    "card_lost",
    "card_refund_refused",
)
# Around every window there is: reminders, payment, revision, review, a decision of the bank.
HOURS = (0, 0, 1, 5, 13, 24, 30, 49, 72, 100, 192, 200, 336)


def sweep() -> None:
    services.settle_due()
    services.settle_charges()
    services.send_reminders()
    settle_refunds(at=clock.now())
    deliver_sandbox_events()


def refund_some(order: Order) -> None:
    milestone = fresh(order).open_milestone
    if milestone:
        refund_part(milestone, by=order.seller, price=333, reason="Less than agreed")


def bank(order: Order, *, approved: bool) -> None:
    if Charge.objects.filter(held__milestone__order=order).exists() and SandboxCharge.objects.filter(
        key=last_charge(order).key
    ):
        answer_bank(order, approved=approved)


def dispute(order: Order) -> None:
    if fresh(order).status == "active" and not fresh(order).paused_at and not undecided(order):
        freeze(order)


def undecided(order: Order) -> bool:
    current = fresh(order).current
    return bool(current and current.undecided_charge)


def end_dispute(order: Order, least_rest: timedelta | None) -> None:
    if fresh(order).paused_at:
        resume(order, least_rest)


def ruled(order: Order, support: User, act: Callable[..., Any]) -> None:
    end_dispute(order, None)
    if act is cancel_order or fresh(order).open_milestone:
        act(order, by=support)


OTHERS: dict[str, Callable[[Order, User], Any]] = {
    "message": lambda order, _: services.send_message(order, by=order.buyer, text="Hello"),
    "sweep": lambda order, _: sweep(),
    "settle": lambda order, _: services.settle(order.pk),
    "events": lambda order, _: deliver_sandbox_events(),
    "charges": lambda order, _: services.settle_charges(),
    "approve": lambda order, _: bank(order, approved=True),
    "deny": lambda order, _: bank(order, approved=False),
    "dispute": lambda order, _: dispute(order),
    "withdraw dispute": lambda order, _: end_dispute(order, None),
    "dismiss dispute": lambda order, _: end_dispute(order, timedelta(hours=24)),
    "refund some": lambda order, _: refund_some(order),
    "cancel milestone": lambda order, support: ruled(order, support, cancel_milestone),
    "cancel order": lambda order, support: ruled(order, support, cancel_order),
    "complete": lambda order, support: ruled(order, support, complete_milestone),
}
# What moves an order on is tried more often than what ends it.
FORWARD = ("place", "pay", "deliver", "accept", "accept_and_continue", "request_revision", "start", "sweep", "events")
STEPS = st.tuples(st.sampled_from((*FORWARD * 3, *SERVICES, *OTHERS)), st.sampled_from(METHODS), st.sampled_from(HOURS))


def press(order: Order, name: str, method: str) -> None:
    """Press a button; what it offered must come true, unless the clock comes first."""
    seen = fresh(order)
    offered = why_not_now(seen, name, clock.now())
    overdue = seen.is_overdue(clock.now())
    answer = None
    try:
        SERVICES[name](seen, subject_of(seen, name), method=method)
    except Refused as refused:
        answer = refused.refusal
    if not overdue:
        assert str(answer) == str(offered), f"{name}: what the verb answers, and what the button said"


def step(order: Order, support: User, name: str, method: str) -> None:
    if name in SERVICES:
        press(order, name, method)
        return
    try:
        OTHERS[name](order, support)
    except Refused:
        assert name in ("refund some", "cancel milestone", "cancel order", "complete"), name


@pytest.mark.django_db(transaction=True)
@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(path=st.lists(STEPS, min_size=8, max_size=22))
def test_no_path_breaks_a_promise(path: list[tuple[str, str, int]]) -> None:
    now: datetime = NOON
    with clock.at(now):
        order, support = make_offer(plan=PLAN), UserFactory(is_staff=True)
    for name, method, hours in path:
        now += timedelta(hours=hours)
        with clock.at(now):
            step(order, support, name, method)
        assert invariants.check() == [], f"after {name} ({method}) at {now}"
    for days in (30, 60, 90):
        with clock.at(now + timedelta(days=days)):
            sweep()
    assert (invariants.check(), invariants.at_rest()) == ([], [])
    left = fresh(order)
    assert left.has_ended or left.paused_at or left.current.status in Milestone.WORKING, "nobody waits for the clock"
