"""Real threads on real PostgreSQL: of two acts at the same instant exactly one wins, and the other is told why.

The order's row is held until both acts wait for it, so that they meet without any luck; PostgreSQL then serves them
in the order in which they came. Each race is run both ways round. Twins without the lock show that the tests notice.
"""

import threading
import time
from collections.abc import Callable, Generator
from datetime import datetime
from typing import Any

import pytest
from django.db import connection, connections, models, transaction

from marketplace import clock
from marketplace.accounts.tests.factories import UserFactory
from marketplace.catalog.models import Terms
from marketplace.catalog.tests.factories import GigFactory
from marketplace.tests import invariants
from orders import locking, services
from orders.guards import Refused
from orders.models import Delivery, Event, Order
from orders.models.order import new_number
from orders.tests.factories import (
    NOON,
    THREE_STEPS,
    activity,
    after,
    at,
    cents,
    current,
    ending,
    fresh,
    last_charge,
    make_accepted,
    make_delivered,
    make_offer,
    make_ordered,
    statuses,
)
from payments.models import Charge, SandboxCharge
from payments.services import Cents, balance
from payments.tasks import deliver_sandbox_events

pytestmark = pytest.mark.django_db(transaction=True)

Act = Callable[[], Any]
BOTH_WAYS = pytest.mark.parametrize("first", [0, 1], ids=["as_written", "the_other_way_round"])
STALE = "This order has changed since you opened the page. Nothing was done; look again."


@pytest.fixture(autouse=True)
def _noon() -> Generator[None, None, None]:
    with clock.at(NOON):
        yield


class Runner(threading.Thread):
    """One act in a thread of its own, with its own connection and its own clock."""

    def __init__(self, act: Act, instant: datetime) -> None:
        super().__init__(daemon=True)
        self.act, self.instant = act, instant
        self.result: Any = None
        self.start()

    def run(self) -> None:
        try:
            with clock.at(self.instant):
                self.result = self.act()
        except Exception as problem:
            self.result = problem
        finally:
            connections.close_all()

    def ended(self) -> Any:
        self.join(timeout=30)
        assert not self.is_alive(), "a deadlock, or a lock that nobody gave back"
        return self.result


def meet(row: models.Model, *acts: tuple[Act, datetime]) -> list[Any]:
    """Let the acts meet at the lock of `row`, to be served in their order; what each returned or raised."""
    with transaction.atomic():
        type(row)._default_manager.select_for_update(no_key=True).get(pk=row.pk)
        runners = []
        for number, (act, instant) in enumerate(acts, start=1):
            runners.append(Runner(act, instant))
            wait_for_waiting(number)
    return [runner.ended() for runner in runners]


def wait_for_waiting(count: int) -> None:
    until = time.monotonic() + 20
    waiting = (
        "SELECT count(DISTINCT pid) FROM pg_locks JOIN pg_stat_activity USING (pid) "
        "WHERE NOT granted AND datname = current_database()"
    )
    with connection.cursor() as cursor:
        while time.monotonic() < until:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(waiting)
            if cursor.fetchone()[0] >= count:
                return
            time.sleep(0.005)
    pytest.fail("the act does not wait for the lock")


def in_turn(first: int, *acts: tuple[Act, datetime]) -> list[tuple[Act, datetime]]:
    return list(acts if first == 0 else reversed(acts))


def reasons(results: list[Any]) -> list[str]:
    """What was refused, in words; anything else that went wrong is no clear refusal."""
    unclear = [result for result in results if isinstance(result, Exception) and not isinstance(result, Refused)]
    assert unclear == []
    assert invariants.check() == []
    return [str(result) for result in results if isinstance(result, Refused)]


# Accept against lapse


def test_a_buyer_who_comes_just_before_the_clock_has_accepted() -> None:
    order, milestone = in_review()
    results = meet(
        order,
        (lambda: services.accept(milestone, by=order.buyer), after(days=8, microseconds=-1)),
        (lambda: services.settle(order.pk), after(days=8)),
    )
    assert reasons(results) == []
    assert [line[0] for line in activity(order)][-4:] == ["accepted", "left_out", "left_out", "ended"]
    assert ending(order) == ("completed", "not_continued", after(days=8))
    assert balance(order.seller, "USD") == 9_600


def test_a_buyer_who_comes_just_after_the_clock_is_told_that_the_order_is_completed() -> None:
    order, milestone = in_review()
    results = meet(
        order,
        (lambda: services.settle(order.pk), after(days=8)),
        (lambda: services.accept(milestone, by=order.buyer), after(days=8, microseconds=-1)),
    )
    assert reasons(results) == ["The order is completed."]
    assert ending(order) == ("completed", "lapsed", after(days=8))
    assert balance(order.seller, "USD") == 9_600


@BOTH_WAYS
@pytest.mark.parametrize("verb", ["accept", "request_revision"])
def test_at_the_deadline_itself_the_clock_has_decided_whoever_comes_first(first: int, verb: str) -> None:
    order, milestone = in_review()
    details = {"text": "Bluer."} if verb == "request_revision" else {}
    results = meet(
        order,
        *in_turn(
            first,
            (lambda: getattr(services, verb)(milestone, by=order.buyer, **details), after(days=8)),
            (lambda: services.settle(order.pk), after(days=8)),
        ),
    )
    assert reasons(results) == ["The order is completed."]
    assert ending(order) == ("completed", "lapsed", after(days=8))
    assert cents(order) == Cents(charged=12_660, seller=9_600, fees=3_060)
    assert Event.objects.filter(order=order, kind="ended").count() == 1


def in_review() -> tuple[Order, Any]:
    order = make_delivered()
    return order, current(order)


# Twice the same


@pytest.mark.parametrize("version", [None, 1], ids=["without_version", "with_version"])
def test_an_offer_placed_twice_at_once_is_placed_and_charged_once(version: int | None) -> None:
    order = make_offer()
    place = lambda: services.place(order, by=order.buyer, method="card_ok", version=version)  # noqa: E731
    results = meet(order, (place, NOON), (place, NOON))
    assert len(refusals := reasons(results)) == 1
    assert refusals[0] in (
        STALE if version else ("The first milestone is not paid yet.", "The order is already under way.")
    )
    assert SandboxCharge.objects.count() == Charge.objects.count() == 1
    assert statuses(order) == ("active", ["in_progress", "planned", "planned"])
    assert cents(order) == Cents(charged=12_660, held=12_660)


def test_the_same_checkout_sent_twice_at_once_makes_one_order() -> None:
    gig, buyer, number, terms = GigFactory(plan=THREE_STEPS), UserFactory(), new_number(), Terms.objects.in_force()

    def checkout() -> Order:
        return services.order_gig(
            gig,
            by=buyer,
            brief="",
            method="card_ok",
            gig_version=gig.version,
            terms_id=terms.pk,
            number=number,
        )

    results = meet(gig, (checkout, NOON), (checkout, NOON))
    assert reasons(results) == []
    assert [result.number for result in results] == [number, number]
    assert Order.objects.count() == SandboxCharge.objects.count() == 1
    assert statuses(results[0]) == ("active", ["in_progress", "planned", "planned"])


def test_two_tabs_with_two_cards_begin_one_attempt() -> None:
    order = make_ordered(method="card_declined")
    milestone, version = current(order), order.version
    results = meet(
        order,
        (lambda: services.pay(milestone, by=order.buyer, method="card_processing", version=version), NOON),
        (lambda: services.pay(milestone, by=order.buyer, method="card_ok", version=version), NOON),
    )
    assert reasons(results) == [STALE]
    assert [charge.method for charge in Charge.objects.order_by("pk")] == ["card_declined", "card_processing"]


def test_accepting_twice_at_once_pays_once() -> None:
    order, milestone = in_review()
    accept = lambda: services.accept(milestone, by=order.buyer)  # noqa: E731
    assert reasons(meet(order, (accept, NOON), (accept, NOON))) == ["“Script” is completed."]
    assert balance(order.seller, "USD") == 9_600


# One against the other


def test_accepting_against_asking_for_a_revision() -> None:
    order, milestone = in_review()
    accept = (lambda: services.accept(milestone, by=order.buyer), NOON)
    revise = (lambda: services.request_revision(milestone, by=order.buyer, text="Bluer."), NOON)
    assert reasons(meet(order, accept, revise)) == ["“Script” is completed."]
    assert statuses(order) == ("active", ["completed", "planned", "planned"])


def test_asking_for_a_revision_against_accepting_from_the_same_page() -> None:
    order, milestone = in_review()
    seen = order.version
    revise = (lambda: services.request_revision(milestone, by=order.buyer, text="Bluer.", version=seen), NOON)
    accept = (lambda: services.accept(milestone, by=order.buyer, version=seen), NOON)
    assert reasons(meet(order, revise, accept)) == [STALE]
    assert statuses(order) == ("active", ["in_revision", "planned", "planned"])
    assert balance(order.seller, "USD") == 0


def test_starting_against_stopping() -> None:
    order = make_accepted()
    start = (lambda: services.start(order.next_milestone, by=order.buyer, method="card_ok"), NOON)
    stop = (lambda: services.stop(order, by=order.buyer), NOON)
    refusals = reasons(meet(order, start, stop))
    # The first act ends with its charge; the second one comes before or after the answer.
    assert refusals in (
        ["The bank is still deciding about the payment."],
        ["“Storyboard” is open. You can stop after you accept it; to cancel it, open a case."],
    )
    assert statuses(order) == ("active", ["completed", "in_progress", "planned"])


def test_stopping_against_starting() -> None:
    order = make_accepted()
    stop = (lambda: services.stop(order, by=order.buyer), NOON)
    start = (lambda: services.start(order.next_milestone, by=order.buyer, method="card_ok"), NOON)
    assert reasons(meet(order, stop, start)) == ["The order is completed."]
    assert ending(order) == ("completed", "stopped", NOON)
    assert SandboxCharge.objects.count() == 1


@BOTH_WAYS
def test_delivering_again_against_accepting_from_the_pages_they_see(first: int) -> None:
    order, milestone = in_review()
    seen = order.version
    accept = (lambda: services.accept(milestone, by=order.buyer, version=seen), NOON)
    redeliver = (lambda: services.deliver(milestone, by=order.seller, message="Bluer.", version=seen), NOON)
    assert reasons(meet(order, *in_turn(first, accept, redeliver))) == [STALE]
    if first == 0:
        assert statuses(order) == ("active", ["completed", "planned", "planned"])
        assert Delivery.objects.count() == 1
    else:
        assert statuses(order) == ("active", ["delivered", "planned", "planned"])
        assert balance(order.seller, "USD") == 0


@BOTH_WAYS
def test_the_providers_event_against_the_settlement_of_the_same_charge(first: int) -> None:
    order = make_ordered(method="card_lost")
    later = after(minutes=1)
    results = meet(order, *in_turn(first, (deliver_sandbox_events, later), (services.settle_charges, later)))
    assert reasons(results) == []
    assert statuses(order) == ("active", ["in_progress", "planned", "planned"])
    assert [line[0] for line in activity(order)].count("funded") == 1
    assert cents(order) == Cents(charged=12_660, held=12_660)


@BOTH_WAYS
def test_a_success_against_the_end_of_the_payment_window(first: int) -> None:
    order = make_ordered(method="card_lost")
    results = meet(
        order,
        *in_turn(
            first,
            (deliver_sandbox_events, after(hours=24, microseconds=-1)),
            (lambda: services.settle(order.pk), after(hours=24)),
        ),
    )
    assert reasons(results) == []
    with at(hours=25):
        services.settle_charges()
    if first == 0:
        assert statuses(order) == ("active", ["in_progress", "planned", "planned"])
        assert cents(order) == Cents(charged=12_660, held=12_660)
    else:
        assert ending(order) == ("canceled", "unpaid", after(hours=24))
        assert cents(order) == Cents(charged=12_660, refunded=12_660)
    assert last_charge(order).status == "succeeded"


def test_a_message_and_a_delivery_at_once_are_both_kept() -> None:
    order, milestone = in_review()
    results = meet(
        order,
        (lambda: services.deliver(milestone, by=order.seller, message="Bluer."), after(hours=1)),
        (lambda: services.send_message(order, by=order.buyer, text="Bluer, please."), after(hours=2)),
    )
    assert reasons(results) == []
    later = fresh(order)
    assert (later.acted_at, later.decide_by) == (after(hours=2), after(days=8, hours=1))
    assert (later.messages.count(), Delivery.objects.count()) == (1, 2)


# Sweeps side by side


def test_sweeps_side_by_side_settle_each_order_once() -> None:
    orders = [make_delivered() for _ in range(8)] + [make_offer() for _ in range(8)]
    runners = [Runner(services.settle_due, after(days=14)) for _ in range(4)]
    assert sum(runner.ended() for runner in runners) == 16
    assert invariants.check() == []
    assert Event.objects.filter(kind="ended").count() == 16
    assert {ending(order) for order in orders} == {
        ("completed", "lapsed", after(days=8)),
        ("canceled", "expired", after(days=14)),
    }


def test_reminders_side_by_side_are_sent_once() -> None:
    for _ in range(8):
        make_offer()
    runners = [Runner(services.send_reminders, after(days=12)) for _ in range(3)]
    assert sum(runner.ended() for runner in runners) == 8


# Twins without the lock: what the tests above would notice


@pytest.fixture
def no_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read the order without locking it, and let both acts read before either writes."""
    both_have_read, met = threading.Barrier(2, timeout=20), threading.local()

    def read_only(order_id: int) -> tuple[Order, datetime]:
        order = Order.objects.whole().get(pk=order_id)
        if threading.current_thread() is not threading.main_thread() and not hasattr(met, "once"):
            met.once = True
            both_have_read.wait()
        return order, clock.now()

    monkeypatch.setattr(locking, "lock_as_it_is", read_only)


def run_both(*acts: Act) -> list[Any]:
    runners = [Runner(act, NOON) for act in acts]
    return [runner.ended() for runner in runners]


@pytest.mark.breaks_promises
@pytest.mark.usefixtures("no_lock")
def test_without_the_lock_a_paid_milestone_would_be_delivered_again() -> None:
    order, milestone = in_review()
    seen = order.version
    results = run_both(
        lambda: services.accept(milestone, by=order.buyer, version=seen),
        lambda: services.deliver(milestone, by=order.seller, message="Bluer.", version=seen),
    )
    assert not any(isinstance(result, Exception) for result in results), "both believe that they have won"
    assert invariants.check() != []


@pytest.mark.breaks_promises
@pytest.mark.usefixtures("no_lock")
def test_without_the_lock_a_double_place_would_not_be_refused_in_words() -> None:
    order = make_offer()
    place = lambda: services.place(order, by=order.buyer, method="card_ok", version=1)  # noqa: E731
    results = run_both(place, place)
    assert [type(result).__name__ for result in results if isinstance(result, Exception)] == ["IntegrityError"]
