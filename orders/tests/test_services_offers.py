"""From gig to order: gigs as they stand, custom offers, requests, and the terms they are made under (G2–G4)."""

from datetime import timedelta
from typing import Any

import pytest

import marketplace.catalog.services as catalog
from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import UserFactory
from marketplace.catalog.models import Terms
from marketplace.catalog.tests.factories import GigFactory, TermsFactory
from marketplace.notifications.models import Notice
from orders import services
from orders.models import OfferRequest, Order
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
    make_accepted,
    make_delivered,
    make_offer,
    make_ordered,
    make_placed,
    planned,
    statuses,
    told,
)
from orders.tests.rows import refused, stale
from payments.models import Charge
from payments.services import Cents

pytestmark = pytest.mark.django_db(transaction=True)


def steps(order: Order) -> list[tuple[int, str, int, int, int | None]]:
    return [(step.position, step.title, step.price, step.delivery_days, step.revisions) for step in fresh(order).plan]


def deactivate(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


# A gig's plan, ordered as it stands


def test_a_gig_is_ordered_with_a_copy_of_its_plan_under_the_terms_in_force() -> None:
    gig = GigFactory(plan=THREE_STEPS, title="Whiteboard explainer video")
    order = make_ordered(gig=gig)
    assert steps(order) == [
        (1, "Script", 12_000, 3, 1),
        (2, "Storyboard", 15_000, 5, 2),
        (3, "Animation", 20_000, 9, None),
    ]
    assert (order.seller, order.gig, order.currency, order.terms) == (gig.seller, gig, "USD", Terms.objects.in_force())
    assert statuses(order) == ("active", ["in_progress", "planned", "planned"])
    assert activity(order) == [
        ("drawn_up", None, "", "", "offered"),
        ("placed", "buyer", "", "offered", "awaiting_payment"),
        ("started", "buyer", "Script", "planned", "awaiting_payment"),
        ("funded", None, "Script", "awaiting_payment", "in_progress"),
        ("activated", None, "", "awaiting_payment", "active"),
    ]
    assert told(order) == [("funded", "buyer"), ("funded", "seller")]
    catalog.archive(gig, by=gig.seller)
    assert steps(order)[0] == (1, "Script", 12_000, 3, 1)


def test_a_changed_gig_or_changed_terms_are_not_paid_for_unseen() -> None:
    gig = GigFactory(plan=THREE_STEPS)
    reason = "The gig or the terms have changed since you opened the page. Please look again."
    with refused(reason):
        make_ordered(gig=gig, gig_version=gig.version - 1)
    seen = Terms.objects.in_force().pk
    TermsFactory(review=timedelta(days=5))
    with refused(reason):
        make_ordered(gig=gig, terms_id=seen)
    assert not Order.objects.exists()


def test_the_same_checkout_sent_twice_makes_one_order_and_one_charge() -> None:
    gig, buyer, number = GigFactory(plan=THREE_STEPS), UserFactory(), new_number()
    first = make_ordered(gig=gig, buyer=buyer, number=number)
    second = make_ordered(gig=gig, buyer=buyer, number=number)
    assert first == second
    assert Charge.objects.count() == 1
    other = GigFactory(plan=THREE_STEPS)
    with refused("This page has expired. Please open the gig once more."):
        make_ordered(gig=other, buyer=buyer, number=number)
    with refused("This page has expired. Please open the gig once more."):
        make_ordered(gig=gig, buyer=UserFactory(), number=number)


def test_a_gig_that_is_not_for_sale_is_not_ordered() -> None:
    gig = GigFactory(plan=THREE_STEPS, status="paused")
    with refused("This gig cannot be ordered at the moment."):
        make_ordered(gig=gig)


def test_nobody_buys_from_themselves() -> None:
    gig = GigFactory(plan=THREE_STEPS)
    with refused("Nobody buys from themselves."):
        make_ordered(gig=gig, buyer=gig.seller)
    with refused("Nobody buys from themselves."):
        make_offer(buyer=gig.seller, seller=gig.seller)
    with refused("Nobody buys from themselves."):
        services.ask_offer(by=gig.seller, seller=gig.seller, text="Something like this.")


def test_a_deactivated_seller_sells_nothing_and_a_deactivated_buyer_orders_nothing() -> None:
    gig, other = GigFactory(plan=THREE_STEPS), GigFactory(plan=THREE_STEPS)
    deactivate(gig.seller)
    with refused("The seller's account is deactivated, so nothing new can start."):
        make_ordered(gig=gig)
    buyer = UserFactory()
    deactivate(buyer)
    with refused("The buyer's account is deactivated."):
        make_ordered(gig=other, buyer=buyer)
    gone = User.objects.get(pk=buyer.pk)
    with refused("This account is deactivated."):
        make_offer(buyer=gone)
    with refused("This account is deactivated."):
        services.ask_offer(by=buyer, seller=other.seller, text="Something like this.")


# Offers


def test_an_offer_waits_14_days_for_its_answer() -> None:
    order = make_offer()
    assert (order.status, order.terms) == ("offered", Terms.objects.in_force())
    assert (order.decide_from, order.decide_by) == (NOON, after(days=14))
    assert activity(order) == [("offered", "seller", "", "", "offered")]
    assert told(order) == [("offered", "buyer")]
    with at(days=14, microseconds=-1):
        assert services.settle_due() == 0
    with at(days=14):
        assert services.settle_due() == 1
    assert ending(order) == ("canceled", "expired", after(days=14))
    assert statuses(order) == ("canceled", ["not_started", "not_started", "not_started"])
    assert told(order)[1:] == [("ended", "buyer"), ("ended", "seller")]
    with refused("The order is canceled."):
        services.place(order, by=order.buyer, method="card_ok")


def test_an_offer_that_has_expired_is_not_placed_even_when_the_clock_is_late() -> None:
    order = make_offer()
    with at(days=14), pytest.raises(services.offers.Refused, match=r"^The order is canceled\.$"):
        services.place(order, by=order.buyer, method="card_ok")
    assert ending(order) == ("canceled", "expired", after(days=14))
    assert cents(order) == Cents()


def test_placing_late_gives_24_hours_to_pay_from_then() -> None:
    order = make_offer()
    with at(days=13, hours=12):
        services.place(order, by=order.buyer, method="card_declined")
    assert fresh(order).decide_by == after(days=14, hours=12)


def test_an_offer_can_be_declined_by_the_buyer() -> None:
    order = make_offer()
    with at(days=1):
        services.decline_offer(order, by=order.buyer, version=1)
    assert ending(order) == ("canceled", "declined", after(days=1))
    assert activity(order)[-1] == ("ended", "buyer", "", "offered", "canceled")
    assert told(order)[-1] == ("ended", "seller")
    with refused("The order is canceled."):
        services.decline_offer(order, by=order.buyer)


def test_an_offer_can_be_withdrawn_by_the_seller() -> None:
    order = make_offer()
    with at(days=1):
        services.withdraw_offer(order, by=order.seller, version=1)
    assert ending(order) == ("canceled", "withdrawn", after(days=1))
    assert activity(order)[-1] == ("ended", "seller", "", "offered", "canceled")
    assert told(order)[-1] == ("ended", "buyer")


def test_an_accepted_offer_is_neither_edited_nor_withdrawn_nor_declined() -> None:
    unpaid, active = make_placed(method="card_declined"), make_placed()
    for order, reason in (
        (unpaid, "The first milestone is not paid yet."),
        (active, "The order is already under way."),
    ):
        with refused(reason):
            services.withdraw_offer(order, by=order.seller)
        with refused(reason):
            services.decline_offer(order, by=order.buyer)
        with refused(reason):
            services.edit_offer(
                order, by=order.seller, title="x", brief="", plan=THREE_STEPS, version=fresh(order).version
            )


def test_an_edit_replaces_the_plan_renews_terms_and_deadline_and_is_a_new_version() -> None:
    order = make_offer()
    old_terms = order.terms
    TermsFactory(review=timedelta(days=5), offer=timedelta(days=10))
    with at(days=3):
        edited = services.edit_offer(
            order,
            by=order.seller,
            title="A shorter video",
            brief="Thirty seconds.",
            plan=(planned("Film", 30_000, 7, 2),),
            version=1,
        )
    assert edited.plan == fresh(order).plan
    order = fresh(order)
    assert (order.title, order.brief, order.version) == ("A shorter video", "Thirty seconds.", 2)
    assert order.terms == Terms.objects.in_force() != old_terms
    assert (order.decide_from, order.decide_by) == (after(days=3), after(days=13))
    assert steps(order) == [(1, "Film", 30_000, 7, 2)]
    assert activity(order)[-1] == ("offer_edited", "seller", "", "", "")
    assert told(order)[-1] == ("offer_edited", "buyer")
    with at(days=3), stale():
        services.place(order, by=order.buyer, method="card_ok", version=1)
    with at(days=4):
        services.place(order, by=order.buyer, method="card_ok", version=2)
    assert cents(order) == Cents(charged=31_650, held=31_650)


def test_an_order_keeps_its_terms_when_new_ones_are_published() -> None:
    order = make_placed()
    TermsFactory(review=timedelta(days=2), buyer_fee=900, commission=1000)
    services.deliver(current(order), by=order.seller, message="Here it is.")
    assert fresh(order).decide_by == after(days=8)
    services.accept(current(order), by=order.buyer)
    assert cents(order) == Cents(charged=12_660, seller=9_600, fees=3_060)


def test_an_offer_outside_the_terms_is_refused_by_the_service_too() -> None:
    order = make_offer()
    for plan, reason in (
        ((), "A plan has between 1 and 20 milestones."),
        ((planned(),) * 21, "A plan has between 1 and 20 milestones."),
        ((planned(price=1),), "Milestone 1: The least price of a milestone is $3.00."),
        ((planned(days=0),), "Milestone 1: The delivery takes between 1 and 365 days."),
    ):
        with refused(reason):
            services.send_offer(by=order.seller, buyer=order.buyer, title="x", brief="", currency="USD", plan=plan)
        with refused(reason):
            services.edit_offer(order, by=order.seller, title="x", brief="", plan=plan, version=1)


def test_the_same_page_sent_twice_makes_one_offer() -> None:
    seller, buyer, number = UserFactory(), UserFactory(), new_number()

    def send(title: str = "Film", plan: Any = THREE_STEPS) -> Order:
        return services.send_offer(
            by=seller, buyer=buyer, title=title, brief="", currency="USD", plan=plan, number=number
        )

    assert send() == send()
    assert Notice.objects.filter(kind="offered").count() == 1
    for changed in ({"title": "Another film"}, {"plan": THREE_STEPS[:2]}):
        with refused("An offer was sent from this page already. Check it before you send another one."):
            send(**changed)


# Requests


def test_a_buyer_asks_and_the_sellers_offer_answers() -> None:
    gig, buyer = GigFactory(plan=THREE_STEPS), UserFactory(name="Ana Ruiz")
    request = services.ask_offer(by=buyer, seller=gig.seller, gig=gig, text="Ninety seconds instead of sixty.")
    notice = Notice.objects.get(kind="offer_asked")
    assert (notice.recipient, notice.title) == (gig.seller, "Ana Ruiz asks you for an offer")
    offer = services.send_offer(
        by=gig.seller, buyer=buyer, title="Longer", brief="", currency="USD", plan=THREE_STEPS, gig=gig, request=request
    )
    request.refresh_from_db()
    assert (request.offer, request.answered_at) == (offer, NOON)
    with refused("This request is already answered."):
        services.send_offer(
            by=gig.seller, buyer=buyer, title="Again", brief="", currency="USD", plan=THREE_STEPS, request=request
        )


def test_a_request_is_answered_only_by_the_one_who_was_asked_to_the_one_who_asked() -> None:
    gig = GigFactory(plan=THREE_STEPS)
    request = services.ask_offer(by=UserFactory(), seller=gig.seller, gig=gig, text="Ninety seconds, please.")
    for by, buyer in ((gig.seller, UserFactory()), (UserFactory(), request.buyer)):
        with refused("This request came from somebody else."):
            services.send_offer(
                by=by, buyer=buyer, title="Hm", brief="", currency="USD", plan=THREE_STEPS, request=request
            )


def test_asking_twice_in_the_same_words_is_one_request() -> None:
    gig, buyer = GigFactory(plan=THREE_STEPS), UserFactory()
    first = services.ask_offer(by=buyer, seller=gig.seller, gig=gig, text="Ninety seconds, please.")
    assert services.ask_offer(by=buyer, seller=gig.seller, gig=gig, text="Ninety seconds, please.") == first
    assert services.ask_offer(by=buyer, seller=gig.seller, gig=gig, text="And in colour.") != first
    assert Notice.objects.filter(kind="offer_asked").count() == 2


def test_what_was_not_started_can_be_ordered_again_once_the_order_has_ended() -> None:
    order = make_accepted()
    with refused("You can order again when the order has ended."):
        services.ask_offer(by=order.buyer, seller=order.seller, text="The rest.", again=order)
    services.stop(order, by=order.buyer)
    request = services.ask_offer(by=order.buyer, seller=order.seller, text="The rest.", again=order)
    assert (request.again, request.offer) == (order, None)
    assert ending(order) == ("completed", "stopped", NOON)


def test_an_order_whose_milestones_were_all_started_is_not_ordered_again() -> None:
    order = make_delivered(plan=(planned("Logo"),))
    services.accept(current(order), by=order.buyer)
    with refused("Every milestone of this order was started."):
        services.ask_offer(by=order.buyer, seller=order.seller, text="Once more.", again=order)


def test_nothing_is_ordered_again_from_a_deactivated_seller() -> None:
    order = make_accepted()
    services.stop(order, by=order.buyer)
    deactivate(order.seller)
    with refused("The seller's account is deactivated, so nothing new can start."):
        services.ask_offer(by=order.buyer, seller=order.seller, text="The rest.", again=order)
    assert not OfferRequest.objects.exists()


def test_an_overdue_order_is_settled_before_it_is_ordered_again() -> None:
    order = make_accepted()
    with at(days=9):
        services.ask_offer(by=order.buyer, seller=order.seller, text="The rest.", again=order)
    assert ending(order) == ("completed", "not_continued", after(days=8))
