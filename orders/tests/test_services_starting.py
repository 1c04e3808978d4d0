"""Starting the next milestone, accepting and continuing, and who may begin anything at all (O1, O3, O4, O20)."""

import pytest

from orders import services
from orders.models import Order
from orders.tests.factories import (
    NOON,
    ONE_STEP,
    activity,
    after,
    at,
    cents,
    current,
    ending,
    fresh,
    make_accepted,
    make_delivered,
    make_offer,
    make_placed,
    start_next,
    statuses,
)
from orders.tests.rows import refused
from payments.models import Charge
from payments.services import Cents, UnknownMethod, balance

pytestmark = pytest.mark.django_db(transaction=True)


def charges(order: Order) -> list[tuple[int, str]]:
    return list(Charge.objects.filter(held__milestone__order=order).order_by("pk").values_list("amount", "status"))


def test_the_next_milestone_is_charged_only_when_the_buyer_starts_it() -> None:
    order = make_accepted()
    assert charges(order) == [(12_660, "succeeded")]
    assert statuses(order) == ("active", ["completed", "planned", "planned"])
    with at(days=2):
        start_next(order)
    assert charges(order) == [(12_660, "succeeded"), (15_825, "succeeded")]
    assert statuses(order) == ("active", ["completed", "in_progress", "planned"])
    assert current(order).deliver_by == after(days=7)
    assert fresh(order).decide_by is None


def test_milestones_start_strictly_in_turn() -> None:
    order = make_accepted()
    with refused("“Storyboard” comes first."):
        services.start(order.plan[2], by=order.buyer, method="card_ok")
    start_next(order)
    with refused("“Storyboard” has to end first."):
        services.start(fresh(order).plan[2], by=order.buyer, method="card_ok")
    assert charges(order) == [(12_660, "succeeded"), (15_825, "succeeded")]


def test_starting_late_in_the_window_gives_at_least_24_hours_to_pay() -> None:
    order = make_accepted()
    assert order.decide_by == after(days=8)
    with at(days=7, hours=12):
        start_next(order, method="card_declined")
        assert fresh(order).decide_by == after(days=8, hours=12)
    with at(days=8, hours=11):
        services.pay(current(order), by=order.buyer, method="card_ok")
    assert statuses(order) == ("active", ["completed", "in_progress", "planned"])


def test_starting_early_leaves_the_longer_window() -> None:
    order = make_accepted()
    with at(days=1):
        start_next(order, method="card_declined")
    assert fresh(order).decide_by == after(days=8)


def test_a_later_milestone_that_is_not_paid_ends_the_order_as_not_continued() -> None:
    order = make_accepted()
    start_next(order, method="card_declined")
    with at(days=8):
        assert services.settle_due() == 1
    assert ending(order) == ("completed", "not_continued", after(days=8))
    assert statuses(order) == ("completed", ["completed", "not_started", "not_started"])
    assert balance(order.seller, "USD") == 9_600


def test_accept_and_continue_does_both_in_turn() -> None:
    order = make_delivered()
    with at(days=1):
        started = services.accept_and_continue(
            current(order), by=order.buyer, method="card_ok", version=fresh(order).version
        )
    assert started.title == "Storyboard"
    assert statuses(order) == ("active", ["completed", "in_progress", "planned"])
    assert cents(order) == Cents(charged=28_485, held=15_825, seller=9_600, fees=3_060)
    assert [event[:3] for event in activity(order)[-3:]] == [
        ("accepted", "buyer", "Script"),
        ("started", "buyer", "Storyboard"),
        ("funded", None, "Storyboard"),
    ]


def test_when_the_payment_of_accept_and_continue_fails_the_acceptance_stands() -> None:
    order = make_delivered()
    with at(days=1):
        services.accept_and_continue(current(order), by=order.buyer, method="card_declined")
    assert statuses(order) == ("active", ["completed", "awaiting_payment", "planned"])
    assert balance(order.seller, "USD") == 9_600
    assert fresh(order).decide_by == after(days=8)


def test_the_last_milestone_cannot_be_continued_and_is_not_accepted_by_trying() -> None:
    order = make_delivered(plan=ONE_STEP)
    with refused("This is the last milestone; there is none to continue with."):
        services.accept_and_continue(current(order), by=order.buyer, method="card_ok")
    assert statuses(order) == ("active", ["delivered"])
    assert balance(order.seller, "USD") == 0


def test_nobody_continues_with_a_deactivated_seller_and_nothing_is_accepted_by_trying() -> None:
    order = make_delivered()
    type(order.seller).objects.filter(pk=order.seller_id).update(is_active=False)
    with refused("The seller's account is deactivated, so nothing new can start."):
        services.accept_and_continue(current(order), by=order.buyer, method="card_ok")
    assert statuses(order) == ("active", ["delivered", "planned", "planned"])


def test_an_unknown_payment_method_changes_nothing() -> None:
    order = make_offer()
    with pytest.raises(UnknownMethod, match=r"^Choose one of the payment methods shown\.$"):
        services.place(order, by=order.buyer, method="a cheque")
    assert statuses(order) == ("offered", ["planned", "planned", "planned"])
    assert fresh(order).version == 1


def test_a_deactivated_person_places_starts_and_pays_nothing() -> None:
    offer, between, unpaid = make_offer(), make_accepted(), make_placed(method="card_declined")
    for order in (offer, between, unpaid):
        type(order.buyer).objects.filter(pk=order.buyer_id).update(is_active=False)
    for act, order, milestone in (
        (services.start, between, fresh(between).next_milestone),
        (services.pay, unpaid, current(unpaid)),
    ):
        with refused("The buyer's account is deactivated."):
            act(milestone, by=order.buyer, method="card_ok")
    with refused("The buyer's account is deactivated."):
        services.place(offer, by=offer.buyer, method="card_ok")
    with at(days=8):
        services.settle_due()
    assert ending(between) == ("completed", "not_continued", after(days=8)), "a buyer's clocks run on"


def test_nobody_pays_a_deactivated_seller() -> None:
    offer, between, unpaid = make_offer(), make_accepted(), make_placed(method="card_declined")
    for order in (offer, between, unpaid):
        type(order.seller).objects.filter(pk=order.seller_id).update(is_active=False)
    reason = "The seller's account is deactivated, so nothing new can start."
    with refused(reason):
        services.place(offer, by=offer.buyer, method="card_ok")
    with refused(reason):
        services.start(fresh(between).next_milestone, by=between.buyer, method="card_ok")
    with refused(reason):
        services.pay(current(unpaid), by=unpaid.buyer, method="card_ok")
    services.stop(between, by=between.buyer)
    assert ending(between) == ("completed", "stopped", NOON)
