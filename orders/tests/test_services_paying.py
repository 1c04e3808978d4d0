"""Placing, starting and paying (O2–O4, M7, M8)."""

from datetime import timedelta

import pytest

from marketplace.notifications.models import Notice
from orders import services
from orders.activity import sentence
from orders.models import Milestone, Order
from orders.tests.factories import (
    NOON,
    activity,
    after,
    answer_bank,
    at,
    cents,
    current,
    deliver,
    ending,
    fresh,
    last_charge,
    make_ordered,
    make_placed,
    statuses,
    told,
)
from orders.tests.rows import refused
from payments.gateways import Outcome, State
from payments.models import Charge, Refund, SandboxCharge, SandboxEvent
from payments.services import Cents
from payments.tasks import deliver_sandbox_events, settle_refunds

pytestmark = pytest.mark.django_db(transaction=True)


def charges(order: Order) -> list[tuple[int, str]]:
    return list(Charge.objects.filter(held__milestone__order=order).order_by("pk").values_list("amount", "status"))


def at_the_provider() -> list[str]:
    return list(SandboxCharge.objects.order_by("created_at").values_list("status", flat=True))


def test_placing_charges_the_buyer_for_the_first_milestone_and_only_for_it() -> None:
    order = make_placed()
    assert statuses(order) == ("active", ["in_progress", "planned", "planned"])
    assert charges(order) == [(12_660, "succeeded")]
    assert cents(order) == Cents(charged=12_660, held=12_660)
    milestone = current(order)
    assert (order.placed_at, milestone.started_at, milestone.funded_at) == (NOON, NOON, NOON)
    assert (milestone.deliver_from, milestone.deliver_by) == (NOON, NOON + timedelta(hours=72))
    assert (order.decide_from, order.decide_by, order.remind_at) == (None, None, None)
    assert activity(order) == [
        ("offered", "seller", "", "", "offered"),
        ("placed", "buyer", "", "offered", "awaiting_payment"),
        ("started", "buyer", "Script", "planned", "awaiting_payment"),
        ("funded", None, "Script", "awaiting_payment", "in_progress"),
        ("activated", None, "", "awaiting_payment", "active"),
    ]
    assert told(order) == [("offered", "buyer"), ("funded", "buyer"), ("funded", "seller")]


def test_a_declined_card_leaves_the_milestone_unfunded_until_another_card_pays() -> None:
    order = make_ordered(method="card_declined")
    assert statuses(order) == ("awaiting_payment", ["awaiting_payment", "planned", "planned"])
    assert (order.decide_from, order.decide_by) == (NOON, after(hours=24))
    assert cents(order) == Cents()
    failed = order.events.get(kind="payment_failed")
    assert (failed.actor, failed.reason) == (None, "Your card was declined.")
    assert told(order) == [("payment_failed", "buyer"), ("payment_failed", "seller")]
    declined = "The payment for “Script” failed: Your card was declined."
    to_seller = "The payment for “Script” failed: the bank declined it"
    assert [sentence(failed, order, viewer) for viewer in (order.buyer, order.seller, None)] == [
        declined,
        to_seller,
        declined,
    ]
    notices = {notice.recipient_id: notice.text for notice in Notice.objects.filter(kind="payment_failed")}
    assert notices[order.buyer.pk].startswith(f"{declined}\n")
    assert notices[order.seller.pk].startswith(f"{to_seller}.\n")
    with at(hours=20):
        services.pay(current(order), by=order.buyer, method="card_declined")
        assert fresh(order).decide_by == after(hours=24), "a retry does not move the deadline"
        services.pay(current(order), by=order.buyer, method="card_ok")
    assert statuses(order) == ("active", ["in_progress", "planned", "planned"])
    assert current(order).deliver_by == after(hours=20, days=3)
    assert charges(order) == [(12_660, "failed"), (12_660, "failed"), (12_660, "succeeded")]


def test_no_work_before_money() -> None:
    order = make_placed(method="card_declined")
    with refused("“Script” is not funded yet."):
        services.deliver(current(order), by=order.seller, message="Already done.")


def test_an_unconfirmed_payment_is_confirmed_on_the_banks_page() -> None:
    order = make_placed(method="card_authentication")
    assert statuses(order) == ("awaiting_payment", ["awaiting_payment", "planned", "planned"])
    assert last_charge(order).status == "action_needed"
    assert last_charge(order).action_url == f"/sandbox/authenticate/{SandboxCharge.objects.get().pk}/"
    with refused("Confirm the payment with your bank, or use another card."):
        services.pay(current(order), by=order.buyer, method="card_ok")
    with at(hours=1):
        answer_bank(order, approved=True)
        deliver_sandbox_events()
    assert statuses(order) == ("active", ["in_progress", "planned", "planned"])
    assert current(order).funded_at == after(hours=1)
    assert cents(order) == Cents(charged=12_660, held=12_660)


def test_a_payment_that_the_buyer_does_not_confirm_failed() -> None:
    order = make_ordered(method="card_authentication")
    answer_bank(order, approved=False)
    deliver_sandbox_events()
    assert statuses(order) == ("awaiting_payment", ["awaiting_payment", "planned", "planned"])
    assert order.events.get(kind="payment_failed").reason == "You did not confirm the payment."
    assert fresh(order).decide_by == after(hours=24)


def test_an_unconfirmed_payment_can_be_abandoned_for_another_card() -> None:
    order = make_ordered(method="card_authentication")
    with at(hours=2):
        services.abandon(current(order), by=order.buyer)
        assert at_the_provider() == ["canceled"]
        assert last_charge(order).status == "canceled"
        assert fresh(order).decide_by == after(hours=24)
        assert activity(order)[-1] == ("payment_abandoned", "buyer", "Script", "", "")
        assert told(order)[-1] == ("payment_abandoned", "seller")
        services.pay(current(order), by=order.buyer, method="card_ok")
    assert charges(order) == [(12_660, "canceled"), (12_660, "succeeded")]
    assert cents(order) == Cents(charged=12_660, held=12_660)


def test_a_success_that_comes_late_cancels_the_attempt_that_was_begun_meanwhile() -> None:
    order = make_ordered(method="card_declined")
    declined = last_charge(order)
    with at(hours=1):
        services.pay(current(order), by=order.buyer, method="card_authentication")
    with at(hours=2):
        SandboxCharge.objects.filter(key=declined.key).update(status="succeeded")
        services.record_charge(declined.pk, Outcome(State.SUCCEEDED))
        deliver_sandbox_events()
    assert at_the_provider() == ["succeeded", "canceled"]
    assert charges(order) == [(12_660, "succeeded"), (12_660, "canceled")]
    assert statuses(order) == ("active", ["in_progress", "planned", "planned"])
    assert cents(order) == Cents(charged=12_660, held=12_660)


def test_only_an_unconfirmed_payment_can_be_abandoned() -> None:
    declined = make_placed(method="card_declined")
    with refused("No payment is waiting for a confirmation."):
        services.abandon(current(declined), by=declined.buyer)
    processing = make_placed(method="card_processing")
    with refused("The bank is still deciding about the payment."):
        services.abandon(current(processing), by=processing.buyer)


def test_while_the_bank_decides_the_deadline_is_14_days_and_no_second_attempt_begins() -> None:
    order = make_ordered(method="card_processing")
    assert (order.decide_from, order.decide_by) == (NOON, after(days=14))
    assert activity(order)[-1] == ("payment_processing", None, "Script", "", "")
    with refused("The bank is still deciding about the payment."):
        services.pay(current(order), by=order.buyer, method="card_ok")
    with at(days=13):
        assert services.settle_due() == 0
        deliver_sandbox_events()
    assert statuses(order) == ("active", ["in_progress", "planned", "planned"])
    assert current(order).deliver_by == after(days=16)
    assert fresh(order).decide_by is None
    assert charges(order) == [(12_660, "succeeded")]


def test_a_payment_still_processing_after_14_days_comes_too_late() -> None:
    order = make_ordered(method="card_processing")
    with at(days=14):
        assert services.settle_due() == 1
    assert ending(order) == ("canceled", "unpaid", after(days=14))
    assert last_charge(order).cancel_asked_at == after(days=14)


def test_a_bank_that_refuses_within_the_payment_window_leaves_the_rest_of_it() -> None:
    order = make_ordered(method="card_processing_fails")
    assert order.decide_by == after(days=14)
    with at(hours=1):
        deliver_sandbox_events()
    assert statuses(order) == ("awaiting_payment", ["awaiting_payment", "planned", "planned"])
    assert order.events.get(kind="payment_failed").reason == "Your bank refused the payment."
    assert fresh(order).decide_by == after(hours=24)
    texts = [notice.text for notice in Notice.objects.filter(kind="payment_failed")]
    assert ["until Wed 21 Oct 2026, 12:00" in text for text in texts] == [True, True], "not the bank's fortnight"
    with at(hours=2):
        services.pay(current(order), by=order.buyer, method="card_ok")
    assert statuses(order) == ("active", ["in_progress", "planned", "planned"])


def test_a_bank_that_refuses_after_the_payment_window_gives_the_buyer_one_more() -> None:
    order = make_ordered(method="card_processing_fails")
    with at(days=3):
        deliver_sandbox_events()
    assert fresh(order).decide_by == after(days=4)
    with at(days=3, hours=23):
        services.pay(current(order), by=order.buyer, method="card_declined")
        assert fresh(order).decide_by == after(days=4), "a retry does not move the deadline"
        services.pay(current(order), by=order.buyer, method="card_processing_fails")
        assert fresh(order).decide_by == after(days=14)
    with at(days=13, hours=12):
        deliver_sandbox_events()
    assert fresh(order).decide_by == after(days=14), "never more than a decision may take at all"
    with at(days=14):
        services.settle_due()
    assert ending(order) == ("canceled", "unpaid", after(days=14))


def test_a_lost_answer_is_recovered_and_charged_once() -> None:
    order = make_ordered(method="card_lost")
    assert statuses(order) == ("awaiting_payment", ["awaiting_payment", "planned", "planned"])
    assert charges(order) == [(12_660, "asking")]
    assert at_the_provider() == ["succeeded"]
    assert fresh(order).decide_by == after(hours=24)
    with refused("The bank is still deciding about the payment."):
        services.pay(current(order), by=order.buyer, method="card_ok")
    with at(seconds=29):
        assert services.settle_charges() == 0
    with at(seconds=31):
        assert services.settle_charges() == 1
        assert services.settle_charges() == 0
        deliver_sandbox_events()
    assert statuses(order) == ("active", ["in_progress", "planned", "planned"])
    assert at_the_provider() == ["succeeded"]
    assert charges(order) == [(12_660, "succeeded")]
    assert cents(order) == Cents(charged=12_660, held=12_660)
    assert [event[0] for event in activity(order)].count("funded") == 1


def test_the_event_of_a_lost_answer_funds_the_milestone_as_well_and_only_once() -> None:
    order = make_placed(method="card_lost")
    deliver_sandbox_events()
    with at(minutes=1):
        assert services.settle_charges() == 0
    assert statuses(order) == ("active", ["in_progress", "planned", "planned"])
    assert cents(order) == Cents(charged=12_660, held=12_660)


def test_an_order_that_is_not_paid_in_time_is_canceled_as_unpaid() -> None:
    order = make_ordered(method="card_authentication")
    with at(hours=24, microseconds=-1):
        assert services.settle_due() == 0
    with at(hours=30):
        assert services.settle_due() == 1
    assert ending(order) == ("canceled", "unpaid", after(hours=24))
    assert statuses(order) == ("canceled", ["not_started", "not_started", "not_started"])
    assert at_the_provider() == ["canceled"], "the attempt is canceled at the provider"
    assert cents(order) == Cents()
    with at(hours=31):
        deliver_sandbox_events()
    assert charges(order) == [(12_660, "canceled")]
    assert told(order)[-2:] == [("ended", "buyer"), ("ended", "seller")]
    with refused("The order is canceled."), at(hours=31):
        services.pay(fresh(order).plan[0], by=order.buyer, method="card_ok")


def test_a_charge_that_succeeds_too_late_goes_back_in_full_and_both_sides_are_told() -> None:
    order = make_placed(method="card_processing")
    with at(days=14):
        services.settle_due()
    with at(days=15):
        deliver_sandbox_events()
    assert ending(order) == ("canceled", "unpaid", after(days=14))
    assert cents(order) == Cents(charged=12_660, refunded=12_660)
    assert activity(order)[-1] == ("payment_returned", None, "Script", "", "")
    assert told(order)[-2:] == [("payment_returned", "buyer"), ("payment_returned", "seller")]
    assert charges(order) == [(12_660, "succeeded")]
    assert Refund.objects.get().status == "succeeded"


def test_a_success_that_arrives_with_the_deadline_passed_does_not_outrun_the_clock() -> None:
    """O7: the clock's work is done first, and then the success is too late."""
    order = make_placed(method="card_processing")
    with at(days=14, seconds=1):
        deliver_sandbox_events()
    assert ending(order) == ("canceled", "unpaid", after(days=14))
    assert cents(order) == Cents(charged=12_660, refunded=12_660)


def test_a_late_success_whose_refund_is_refused_waits_for_staff_in_refunds_due() -> None:
    order = make_ordered(method="card_authentication")
    SandboxCharge.objects.update(method="card_refund_refused")
    with at(hours=23):
        answer_bank(order, approved=True)
    with at(hours=25):
        deliver_sandbox_events()
    assert cents(order) == Cents(charged=12_660, refunds_due=12_660)
    assert Refund.objects.get().status == "refused"
    with at(hours=26):
        settle_refunds()
    assert cents(order) == Cents(charged=12_660, refunds_due=12_660)


def test_a_success_of_an_abandoned_attempt_goes_back_when_another_card_has_paid() -> None:
    order = make_placed(method="card_authentication")
    with at(minutes=5):
        services.abandon(current(order), by=order.buyer)
        services.pay(current(order), by=order.buyer, method="card_ok")
        # The provider takes back what it said: the first attempt went through after all.
        first = Charge.objects.filter(held__milestone__order=order).earliest("pk")
        SandboxCharge.objects.filter(key=first.key).update(status="succeeded")
        paid = Outcome(State.SUCCEEDED, provider_id=first.provider_id)
        services.record_charge(first.pk, paid)
        services.record_charge(first.pk, paid)
    assert statuses(order) == ("active", ["in_progress", "planned", "planned"])
    assert cents(order) == Cents(charged=25_320, held=12_660, refunded=12_660)


def test_events_of_a_charge_come_twice_and_late_and_are_applied_once() -> None:
    order = make_placed(method="card_lost")
    services.settle_charges()
    with at(minutes=1):
        services.settle_charges()
        deliver_sandbox_events()
        SandboxEvent.objects.update(delivered_at=None, next_try_at=NOON)
        deliver_sandbox_events()
    version = fresh(order).version
    assert cents(order) == Cents(charged=12_660, held=12_660)
    assert version == 3, "placed, funded; the events changed nothing any more"


def test_paying_twice_is_refused_once_the_milestone_is_funded() -> None:
    order = make_placed()
    milestone = Milestone.objects.get(pk=current(order).pk)
    with refused("“Script” is paid."):
        services.pay(milestone, by=order.buyer, method="card_ok")
    deliver(order)
    assert charges(order) == [(12_660, "succeeded")]
