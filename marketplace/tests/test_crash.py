"""kill -9 of a real process at each step of a charge, a release and a refund (M7, promise 3).

What was committed is taken up by the sweeps; what was not has never happened. Nothing is charged twice.
"""

import signal
from collections.abc import Generator
from datetime import timedelta

import pytest

from marketplace import clock
from marketplace.tests import invariants
from marketplace.tests.processes import run_python
from orders import services
from orders.models import Order
from orders.tests.factories import (
    NOON,
    activity,
    after,
    cents,
    current,
    ending,
    fresh,
    make_delivered,
    make_offer,
    make_placed,
    statuses,
)
from payments.models import Charge, Refund, SandboxCharge, SandboxRefund, Transfer
from payments.services import Cents, balance, settle_refunds
from payments.tasks import deliver_sandbox_events

pytestmark = pytest.mark.django_db(transaction=True)

# Runs a verb at NOON and kills itself where it is told to: before or after the function of this name.
CHILD = """
import os, signal, sys
import django
django.setup()

from importlib import import_module
from marketplace import clock
from orders import services
from orders.models import Order
from orders.tests.factories import NOON, cancel_order, current

act, when, where = sys.argv[1:4]
order = Order.objects.get(number=sys.argv[4])
module_name, _, path = where.partition(":")
owner = import_module(module_name)
*parents, name = path.split(".")
for parent in parents:
    owner = getattr(owner, parent)
original = getattr(owner, name)

def killed(*args, **kwargs):
    if when == "after":
        original(*args, **kwargs)
    os.kill(os.getpid(), signal.SIGKILL)

setattr(owner, name, killed)
with clock.at(NOON):
    if act == "place":
        services.place(order, by=order.buyer, method="card_ok")
    elif act == "accept":
        services.accept(current(order), by=order.buyer)
    elif act == "accept_and_continue":
        services.accept_and_continue(current(order), by=order.buyer, method="card_ok")
    elif act == "cancel":
        cancel_order(order)
"""


@pytest.fixture(autouse=True)
def _noon() -> Generator[None, None, None]:
    with clock.at(NOON):
        yield


def kill(act: str, when: str, where: str, order: Order) -> None:
    ended = run_python(CHILD, act, when, where, order.number)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert invariants.check() == [], "whatever the instant of the crash"


def settle_later(**length: float) -> int:
    with clock.at(after(**length)):
        return services.settle_charges()


def everything_again() -> None:
    """Sweeps and events, as often as they like."""
    for minutes in (2, 5, 60):
        with clock.at(after(minutes=minutes)):
            services.settle_charges()
            settle_refunds(at=clock.now())
            deliver_sandbox_events()


def funded_once(order: Order) -> None:
    assert statuses(order) == ("active", ["in_progress", "planned", "planned"])
    assert list(SandboxCharge.objects.values_list("amount", "status")) == [(12_660, "succeeded")]
    assert list(Charge.objects.values_list("attempt", "status", "funded")) == [(1, "succeeded", True)]
    assert list(Transfer.objects.values_list("kind", "amount")) == [("charge", 12_660)]
    assert cents(order) == Cents(charged=12_660, held=12_660)
    assert [line[0] for line in activity(order)].count("funded") == 1
    assert (invariants.check(), invariants.at_rest()) == ([], [])


def test_killed_before_the_intent_is_committed_nothing_has_happened() -> None:
    order = make_offer()
    kill("place", "after", "payments.services:begin_charge", order)
    assert statuses(order) == ("offered", ["planned", "planned", "planned"])
    assert (Charge.objects.count(), SandboxCharge.objects.count()) == (0, 0)
    everything_again()
    services.place(order, by=order.buyer, method="card_ok")
    funded_once(order)


@pytest.mark.parametrize(
    ("when", "where", "charge", "at_the_provider"),
    [
        pytest.param("before", "orders.services.paying:collect", "created", [], id="intent_committed"),
        pytest.param("after", "payments.services.charging:_claim", "asking", [], id="claimed"),
        pytest.param(
            "before", "payments.gateways:SandboxGateway.charge", "asking", [], id="before_the_provider_is_asked"
        ),
        pytest.param(
            "after", "payments.gateways:SandboxGateway.charge", "asking", ["succeeded"], id="charged_but_no_answer"
        ),
        pytest.param(
            "before", "orders.services.paying:record_charge", "asking", ["succeeded"], id="answered_but_not_recorded"
        ),
        pytest.param(
            "after", "payments.services:record_outcome", "asking", ["succeeded"], id="recorded_but_not_booked"
        ),
        pytest.param("after", "payments.services:fund", "asking", ["succeeded"], id="booked_but_not_started"),
        pytest.param(
            "after", "orders.services.paying:_succeeded", "asking", ["succeeded"], id="all_written_but_not_committed"
        ),
    ],
)
def test_killed_at_a_step_of_a_charge_it_is_charged_and_funded_once(
    when: str, where: str, charge: str, at_the_provider: list[str]
) -> None:
    order = make_offer()
    kill("place", when, where, order)
    assert statuses(order) == ("awaiting_payment", ["awaiting_payment", "planned", "planned"])
    assert list(Charge.objects.values_list("status", flat=True)) == [charge]
    assert list(SandboxCharge.objects.values_list("status", flat=True)) == at_the_provider
    assert Transfer.objects.count() == 0
    assert settle_later(seconds=30) == 0, "somebody may still be waiting for the answer"
    assert settle_later(seconds=31) == 1
    funded_once(order)
    assert current(order).funded_at == NOON + timedelta(seconds=31)
    everything_again()
    funded_once(order)


def test_killed_after_charging_the_providers_event_alone_would_do() -> None:
    order = make_offer()
    kill("place", "after", "payments.gateways:SandboxGateway.charge", order)
    with clock.at(after(seconds=5)):
        deliver_sandbox_events()
    funded_once(order)
    everything_again()
    funded_once(order)


def test_killed_after_charging_and_settled_too_late_the_money_goes_back() -> None:
    order = make_offer()
    kill("place", "after", "payments.gateways:SandboxGateway.charge", order)
    with clock.at(after(days=14)):
        services.settle_due()
        services.settle_charges()
    assert ending(order) == ("canceled", "unpaid", after(days=14))
    assert cents(order) == Cents(charged=12_660, refunded=12_660)


@pytest.mark.parametrize(
    "where", ["payments.services:release", "orders.services.working:end_if_nothing_is_left"], ids=["paid", "completed"]
)
def test_killed_within_an_acceptance_nothing_is_accepted(where: str) -> None:
    order = make_delivered()
    kill("accept", "after", where, order)
    assert statuses(order) == ("active", ["delivered", "planned", "planned"])
    assert cents(order) == Cents(charged=12_660, held=12_660)
    services.accept(current(order), by=order.buyer)
    assert balance(order.seller, "USD") == 9_600


def test_killed_between_accepting_and_continuing_the_acceptance_stands() -> None:
    order = make_delivered()
    kill("accept_and_continue", "before", "orders.services.working:start", order)
    assert statuses(order) == ("active", ["completed", "planned", "planned"])
    assert fresh(order).decide_by == after(days=8)
    assert balance(order.seller, "USD") == 9_600


@pytest.mark.parametrize(
    ("when", "where", "refund", "given_back"),
    [
        pytest.param("before", "payments.services.refunding:send_refund", "created", 0, id="intent_committed"),
        pytest.param("before", "payments.gateways:SandboxGateway.refund", "asking", 0, id="before_it_is_asked"),
        pytest.param("after", "payments.gateways:SandboxGateway.refund", "asking", 1, id="given_back_but_no_answer"),
        pytest.param("after", "payments.services.refunding:record_refund", "asking", 1, id="not_committed"),
    ],
)
def test_killed_at_a_step_of_a_refund_it_is_given_back_once(
    when: str, where: str, refund: str, given_back: int
) -> None:
    order = make_placed()
    kill("cancel", when, where, order)
    assert ending(order) == ("canceled", "canceled_by_agreement", NOON)
    assert list(Refund.objects.values_list("status", flat=True)) == [refund]
    assert SandboxRefund.objects.count() == given_back
    assert cents(order) == Cents(charged=12_660, refunds_due=12_660)
    everything_again()
    assert cents(order) == Cents(charged=12_660, refunded=12_660)
    assert list(SandboxRefund.objects.values_list("amount", "status")) == [(12_660, "succeeded")]
    assert (invariants.check(), invariants.at_rest()) == ([], [])
