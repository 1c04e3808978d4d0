"""A dispute freezes the order, and its end gives every clock the pause (R4, I13)."""

from datetime import timedelta

import pytest

from orders import services
from orders.models import Pause
from orders.tests.factories import (
    NOON,
    activity,
    after,
    at,
    current,
    deliver,
    ending,
    freeze,
    fresh,
    last_charge,
    make_accepted,
    make_delivered,
    make_in_revision,
    make_placed,
    resume,
    start_next,
    statuses,
)
from orders.tests.rows import refused
from payments.gateways import Outcome, State
from payments.models import Charge, SandboxCharge
from payments.tasks import deliver_sandbox_events

pytestmark = pytest.mark.django_db(transaction=True)

FROZEN = "A case is open: the order is frozen until it ends."
DAY = timedelta(hours=24)


def test_a_frozen_review_window_stands_still_and_goes_on_with_exactly_the_rest() -> None:
    order = make_delivered()
    with at(days=3):
        assert freeze(order).paused_at == after(days=3)
    with at(days=100):
        assert services.settle_due() == 0
        assert not services.settle(order.pk)
        order = resume(order)
    assert (order.paused_at, order.decide_by) == (None, after(days=105))
    pause = Pause.objects.get()
    assert (pause.started_at, pause.ended_at, pause.case_number) == (after(days=3), after(days=100), "RC-TEST-0001")
    assert (pause.added_to_decide_by, pause.added_to_deliver_by) == (97 * DAY, None)
    assert [event[:2] for event in activity(order)[-2:]] == [("frozen", "buyer"), ("resumed", "seller")]
    with at(days=105, microseconds=-1):
        assert services.settle_due() == 0
    with at(days=105):
        assert services.settle_due() == 1
    assert ending(order) == ("completed", "lapsed", after(days=105))


def test_every_pause_of_a_window_is_added() -> None:
    order = make_delivered()
    for day in (1, 3, 5):
        with at(days=day):
            freeze(order)
        with at(days=day + 1):
            resume(order)
    assert fresh(order).decide_by == after(days=8 + 3)
    with at(days=7):
        deliver(order)
    assert fresh(order).decide_by == after(days=7 + 8), "a new delivery has a full window of its own"


def test_after_a_decline_at_least_the_least_rest_is_left() -> None:
    order = make_delivered()
    with at(days=7, hours=20):
        freeze(order)
    with at(days=10):
        order = resume(order, least_rest=DAY)
    assert order.decide_by == after(days=11)
    assert Pause.objects.get().added_to_decide_by == timedelta(days=3)


def test_a_clock_with_more_than_the_least_rest_gets_exactly_the_pause() -> None:
    order = make_delivered()
    with at(days=2):
        freeze(order)
    with at(days=3):
        assert resume(order, least_rest=DAY).decide_by == after(days=9)


def test_the_sellers_clock_gets_the_pause_as_well() -> None:
    order = make_placed()
    with at(days=1):
        freeze(order)
    with at(days=6):
        assert not current(order).is_late(after(days=6)), "a frozen clock is not late"
        order = resume(order)
    assert (order.decide_by, current(order).deliver_by) == (None, after(days=8))
    revised = make_in_revision()
    with at(days=2):
        freeze(revised)
    with at(days=2, hours=12):
        resume(revised, least_rest=DAY)
    assert current(revised).deliver_by == after(days=3, hours=12), "a day was left at the freeze"


def test_a_delivery_date_that_had_passed_stays_passed() -> None:
    order = make_placed()
    with at(days=3):
        freeze(order)
        assert current(order).is_late(after(days=3))
    with at(days=20):
        resume(order, least_rest=DAY)
    assert current(order).deliver_by == after(days=3)
    # But the day until the buyer may cancel on the spot had not passed (O15, R4).
    assert not current(order).is_very_late(after(days=20))
    assert current(order).very_late_at == after(days=21)
    assert Pause.objects.get().added_to_deliver_by is None


def test_nothing_but_messages_is_possible_while_frozen() -> None:
    delivered, between, working = make_delivered(), make_accepted(), make_placed()
    for order in (delivered, between, working):
        freeze(order)
    milestone = current(delivered)
    with refused(FROZEN):
        services.accept(milestone, by=delivered.buyer)
    with refused(FROZEN):
        services.accept_and_continue(milestone, by=delivered.buyer, method="card_ok")
    with refused(FROZEN):
        services.request_revision(milestone, by=delivered.buyer, text="Once more.")
    with refused(FROZEN):
        services.deliver(milestone, by=delivered.seller, message="Once more.")
    with refused(FROZEN):
        services.grant_revisions(milestone, by=delivered.seller, count=1)
    with refused(FROZEN):
        services.start(between.next_milestone, by=between.buyer, method="card_ok")
    with refused(FROZEN):
        services.stop(between, by=between.buyer)
    with refused(FROZEN):
        services.deliver(current(working), by=working.seller, message="Here it is.")
    services.send_message(working, by=working.seller, text="Can we talk?")
    assert working.messages.get().text == "Can we talk?"


def test_an_unfunded_milestone_is_not_paid_while_frozen_and_its_window_gets_the_pause() -> None:
    order = make_accepted()
    start_next(order, method="card_declined")
    with at(days=1):
        freeze(order)
        with refused(FROZEN):
            services.pay(current(order), by=order.buyer, method="card_ok")
        with refused(FROZEN):
            services.abandon(current(order), by=order.buyer)
    with at(days=3):
        resume(order)
        services.pay(current(order), by=order.buyer, method="card_declined")
    assert fresh(order).decide_by == current(order).pay_by == after(days=10)
    with at(days=4):
        services.pay(current(order), by=order.buyer, method="card_processing")
    assert fresh(order).decide_by == after(days=16), "14 days from the start, and the pause"
    with at(days=5):
        deliver_sandbox_events()
    assert statuses(order) == ("active", ["completed", "in_progress", "planned"])


def test_a_milestone_funded_by_a_late_success_while_frozen_gets_only_the_rest_of_the_pause() -> None:
    order = make_accepted()
    start_next(order, method="card_authentication")
    services.abandon(current(order), by=order.buyer)
    with at(days=1):
        freeze(order)
    with at(days=2):
        first = last_charge(order)
        type(first).objects.filter(pk=first.pk).update(status=Charge.Status.FAILED)
        succeed_at_the_provider(first)
        services.record_charge(first.pk, Outcome(State.SUCCEEDED, provider_id=first.provider_id))
    assert statuses(order) == ("active", ["completed", "in_progress", "planned"])
    assert current(order).deliver_by == after(days=7)
    with at(days=4):
        resume(order)
    assert current(order).deliver_by == after(days=9)


def succeed_at_the_provider(charge: Charge) -> None:
    SandboxCharge.objects.filter(key=charge.key).update(status="succeeded")


def test_a_pause_without_length_changes_no_clock() -> None:
    order = make_delivered()
    freeze(order)
    resume(order)
    assert fresh(order).decide_by == NOON + timedelta(seconds=691_200)
