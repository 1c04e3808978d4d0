"""How milestones and orders end: stopping, canceling, completing, and the one place that computes it (O9–O13)."""

import pytest

from marketplace.accounts.tests.factories import UserFactory
from orders import services
from orders.models import Event
from orders.tests.factories import (
    ONE_STEP,
    activity,
    after,
    at,
    cancel_milestone,
    cancel_order,
    cents,
    complete_milestone,
    current,
    deliver,
    ending,
    freeze,
    fresh,
    make_accepted,
    make_delivered,
    make_in_revision,
    make_offer,
    make_ordered,
    make_placed,
    planned,
    refund_part,
    resume,
    start_next,
    statuses,
    told,
)
from orders.tests.rows import refused
from payments.models import Refund
from payments.services import Cents, balance
from payments.tasks import deliver_sandbox_events

pytestmark = pytest.mark.django_db(transaction=True)


# Stopping


def test_the_buyer_stops_between_milestones_and_the_rest_is_not_started() -> None:
    order = make_accepted()
    with at(days=3):
        services.stop(order, by=order.buyer)
    assert ending(order) == ("completed", "stopped", after(days=3))
    assert statuses(order) == ("completed", ["completed", "not_started", "not_started"])
    assert cents(order) == Cents(charged=12_660, seller=9_600, fees=3_060)
    assert activity(order)[-3:] == [
        ("left_out", "buyer", "Storyboard", "planned", "not_started"),
        ("left_out", "buyer", "Animation", "planned", "not_started"),
        ("ended", "buyer", "", "active", "completed"),
    ]
    assert told(order)[-1] == ("ended", "seller")
    with at(days=400):
        assert services.settle_due() == 0


def test_a_stopped_order_can_never_be_resumed() -> None:
    order = make_accepted()
    services.stop(order, by=order.buyer)
    with refused("The order is completed."):
        services.start(fresh(order).plan[1], by=order.buyer, method="card_ok")
    with refused("The order is completed."):
        services.stop(order, by=order.buyer)


def test_while_a_milestone_is_open_stopping_would_be_a_cancellation() -> None:
    reason = "“Script” is open. You can stop after you accept it; to cancel it, open a case."
    for order in (make_placed(), make_delivered(), make_in_revision()):
        with refused(reason):
            services.stop(order, by=order.buyer)


def test_an_order_is_stopped_after_a_declined_payment_but_not_while_an_attempt_is_undecided() -> None:
    declined, undecided, processing = make_accepted(), make_accepted(), make_accepted()
    start_next(declined, method="card_declined")
    start_next(undecided, method="card_authentication")
    start_next(processing, method="card_processing")
    for order in (undecided, processing):
        with refused("The bank is still deciding about the payment."):
            services.stop(order, by=order.buyer)
    services.stop(declined, by=declined.buyer)
    services.abandon(current(undecided), by=undecided.buyer)
    services.stop(undecided, by=undecided.buyer)
    for order in (declined, undecided):
        assert statuses(order) == ("completed", ["completed", "not_started", "not_started"])
        assert cents(order) == Cents(charged=12_660, seller=9_600, fees=3_060)


def test_what_is_not_under_way_is_not_stopped() -> None:
    offer, unpaid = make_offer(), make_ordered(method="card_declined")
    with refused("The offer was not accepted yet."):
        services.stop(offer, by=offer.buyer)
    with refused("The first milestone is not paid yet."):
        services.stop(unpaid, by=unpaid.buyer)


# Canceling


def test_canceling_a_milestone_gives_all_of_it_back_and_the_buyer_one_window_to_go_on() -> None:
    order = make_placed()
    with at(days=2):
        cancel_milestone(order)
    assert statuses(order) == ("active", ["canceled", "planned", "planned"])
    assert (fresh(order).decide_from, fresh(order).decide_by) == (after(days=2), after(days=10))
    assert cents(order) == Cents(charged=12_660, refunded=12_660)
    assert activity(order)[-1] == ("canceled", None, "Script", "in_progress", "canceled")
    event = Event.objects.get(order=order, kind="canceled")
    assert (event.reason, event.data) == ("Scope disagreement", {"refunded": 12_660})
    assert told(order)[-2:] == [("canceled", "buyer"), ("canceled", "seller")]
    with at(days=3):
        start_next(order)
    assert statuses(order) == ("active", ["canceled", "in_progress", "planned"])


def test_canceling_the_only_milestone_ends_the_order_as_canceled_for_the_given_reason() -> None:
    order = make_delivered(plan=ONE_STEP)
    with at(days=1):
        cancel_milestone(order, because="canceled_late")
    assert ending(order) == ("canceled", "canceled_late", after(days=1))
    assert cents(order) == Cents(charged=10_550, refunded=10_550)


def test_canceling_the_last_milestone_leaves_the_earlier_ones_completed_and_paid() -> None:
    order = make_accepted(plan=(planned("Script"), planned("Film")))
    start_next(order)
    with at(days=1):
        cancel_milestone(order)
    assert ending(order) == ("completed", "canceled_by_agreement", after(days=1))
    assert statuses(order) == ("completed", ["completed", "canceled"])
    assert cents(order) == Cents(charged=21_100, seller=8_000, fees=2_550, refunded=10_550)


def test_after_a_canceled_milestone_the_buyer_may_stop_or_let_the_window_end() -> None:
    stopped, left = make_placed(), make_placed()
    for order in (stopped, left):
        cancel_milestone(order)
    services.stop(stopped, by=stopped.buyer)
    with at(days=8):
        services.settle_due()
    assert ending(stopped)[:2] == ("canceled", "stopped"), "no milestone of it was completed"
    assert ending(left) == ("canceled", "not_continued", after(days=8))


def test_canceling_the_order_gives_the_open_milestone_back_and_leaves_the_rest_out() -> None:
    order = make_accepted()
    start_next(order)
    deliver(order)
    support = UserFactory(is_staff=True)
    with at(days=1):
        cancel_order(order, by=support, because="canceled_by_support")
    assert ending(order) == ("completed", "canceled_by_support", after(days=1))
    assert statuses(order) == ("completed", ["completed", "canceled", "not_started"])
    assert cents(order) == Cents(charged=28_485, seller=9_600, fees=3_060, refunded=15_825)
    assert [line[:2] for line in activity(order)[-3:]] == [
        ("canceled", "support"),
        ("left_out", "support"),
        ("ended", "support"),
    ]
    assert told(order)[-2:] == [("ended", "buyer"), ("ended", "seller")]


def test_an_order_is_canceled_between_milestones_but_not_while_the_bank_decides() -> None:
    order, undecided = make_accepted(), make_accepted()
    start_next(undecided, method="card_processing")
    cancel_order(order)
    assert statuses(order) == ("completed", ["completed", "not_started", "not_started"])
    with refused("The bank is still deciding about the payment."):
        cancel_order(undecided)


def test_only_an_order_under_way_is_canceled() -> None:
    offer = make_offer()
    with refused("The offer was not accepted yet."):
        cancel_order(offer)


def test_a_partly_refunded_milestone_gives_back_only_what_is_left() -> None:
    order = make_delivered()
    refund_part(current(order), by=order.seller, price=2_000, reason="Less than agreed")
    cancel_milestone(order)
    assert sorted(Refund.objects.values_list("amount", flat=True)) == [2_110, 10_550]
    assert cents(order) == Cents(charged=12_660, refunded=12_660)


def test_a_refund_that_the_bank_refuses_waits_in_refunds_due_and_the_order_ends_all_the_same() -> None:
    order = make_placed(plan=ONE_STEP, method="card_refund_refused")
    cancel_order(order)
    assert statuses(order) == ("canceled", ["canceled"])
    assert cents(order) == Cents(charged=10_550, refunds_due=10_550)


def test_a_frozen_order_is_canceled_after_its_clocks_run_again() -> None:
    order = make_delivered()
    with at(days=1):
        freeze(order)
    with at(days=2):
        resume(order)
        cancel_order(order)
    assert ending(order) == ("canceled", "canceled_by_agreement", after(days=2))


# Completing


def test_support_completes_an_open_milestone_and_the_buyer_has_one_window_from_then() -> None:
    order, support = make_placed(), UserFactory(is_staff=True)
    with at(days=4):
        complete_milestone(order, by=support)
    assert statuses(order) == ("active", ["completed", "planned", "planned"])
    assert (fresh(order).decide_from, fresh(order).decide_by) == (after(days=4), after(days=12))
    assert cents(order) == Cents(charged=12_660, seller=9_600, fees=3_060)
    assert activity(order)[-1] == ("completed_by_support", "support", "Script", "in_progress", "completed")
    assert told(order)[-2:] == [("completed_by_support", "buyer"), ("completed_by_support", "seller")]


def test_the_last_milestone_completed_by_support_finishes_the_order() -> None:
    order, support = make_in_revision(plan=ONE_STEP), UserFactory(is_staff=True)
    with at(days=4):
        complete_milestone(order, by=support)
    assert ending(order) == ("completed", "finished", after(days=4))


# The one place where an order ends


def test_every_ending_pays_what_was_completed_and_holds_nothing_else() -> None:
    """O10, O12: in whatever way the order ends, at the same point of it."""
    endings = {
        "stopped": lambda order: services.stop(order, by=order.buyer),
        "canceled_by_agreement": cancel_order,
        "canceled_by_support": lambda order: cancel_order(order, because="canceled_by_support"),
    }
    for because, finish in endings.items():
        order = make_accepted()
        finish(order)
        assert ending(order)[:2] == ("completed", because)
        assert balance(order.seller, "USD") == 9_600
        assert cents(order).held == 0


def test_an_attempt_left_undecided_at_the_end_is_canceled_at_the_provider() -> None:
    order = make_accepted()
    start_next(order, method="card_authentication")
    with at(days=8):
        services.settle_due()
        deliver_sandbox_events()
    assert ending(order) == ("completed", "not_continued", after(days=8))
    assert cents(order) == Cents(charged=12_660, seller=9_600, fees=3_060)
