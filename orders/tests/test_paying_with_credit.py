"""O3, M8, M9: saved cards and credit on the pages that pay, and refunds that are given as credit."""

import pytest
from django.db import transaction

from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import UserFactory
from marketplace.tests.visitor import Visitor
from orders import services
from orders.models import Event, Order
from orders.tasks import tell_refused_refunds
from orders.tests.factories import (
    ONE_STEP,
    activity,
    at,
    cancel_milestone,
    cents,
    current,
    deliver,
    fresh,
    last_charge,
    make_accepted,
    make_offer,
    make_placed,
    refund_part,
    statuses,
    told,
)
from orders.words import SENTENCES
from payments.gateways import Outcome, State
from payments.models import Refund, SavedCard
from payments.services import Cents, balance, turn_into_credit
from payments.tasks import deliver_sandbox_events

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ana() -> Visitor:
    return Visitor(UserFactory(name="Ana Ruiz"))


def with_credit(buyer: User) -> None:
    """$105.50 of credit, in the way that anybody gets it."""
    cancel_milestone(make_placed(buyer=buyer, plan=ONE_STEP), as_credit=True)


def pay_for(order: Order, **how: object) -> None:
    services.place(order, by=order.buyer, method="card_ok", **how)


def test_a_card_is_saved_with_consent_and_offered_first_the_next_time(ana: Visitor) -> None:
    order = make_offer(buyer=ana.user)
    address = f"{order.get_absolute_url()}place/"
    page = ana.open(address)
    assert "Save this card for the next milestone" in page.words("label")
    assert not any("saved" in label for label in page.words("label", cls="choice"))
    assert not any("credit" in label for label in page.words("label"))
    ana.press("Accept the offer · pay $126.60", method="card_ok", keep_card="on")
    card = SavedCard.objects.get()
    deliver(order)
    services.accept(current(order), by=ana.user)
    following = fresh(order).next_milestone
    page = ana.open(f"{order.get_absolute_url()}milestones/{following.pk}/start/")
    assert page.words("label", cls="choice")[:2] == [
        "Visa ending in 4242, saved",
        "Visa ending in 4242 Succeeds at once.",
    ]
    ana.press("Start the next milestone · pay $158.25", method=f"saved-{card.pk}", keep_card="on")
    charge = last_charge(order)
    assert (charge.card, charge.keep_card, charge.status) == (card, False, "succeeded")
    assert SavedCard.objects.count() == 1


def test_nobody_pays_with_the_card_of_somebody_else(ana: Visitor) -> None:
    details = {"provider": "sandbox", "provider_id": "card_ok", "label": "Visa", "created_at": "2026-01-01T00:00Z"}
    foreign = SavedCard.objects.create(owner=UserFactory(), **details)
    order = make_offer(buyer=ana.user)
    page = ana.post(f"{order.get_absolute_url()}place/", {"version": order.version, "method": f"saved-{foreign.pk}"})
    assert (page.status, statuses(order)[0]) == (422, "offered")


def test_credit_pays_first_when_the_buyer_ticks_it(ana: Visitor) -> None:
    with_credit(ana.user)
    order = make_offer(buyer=ana.user)
    page = ana.open(f"{order.get_absolute_url()}place/")
    assert "Use my credit of $105.50 first" in page.words("label")
    page = ana.press("Accept the offer · pay $126.60", method="card_ok", use_credit="on")
    assert cents(order) == Cents(charged=12_660, held=12_660, with_credit=10_550)
    assert (last_charge(order).card_amount, balance(ana.user, "USD", "credit")) == (2110, 0)
    assert "$105.50 of what was charged was paid with credit." in page.words("p")


def test_credit_alone_funds_a_milestone_at_once(ana: Visitor) -> None:
    with_credit(ana.user)
    order = make_offer(buyer=ana.user, plan=ONE_STEP)
    pay_for(order, use_credit=True)
    assert statuses(order) == ("active", ["in_progress"])
    assert cents(order) == Cents(charged=10_550, held=10_550, with_credit=10_550)


def test_every_way_of_paying_takes_credit_and_keeps_cards(ana: Visitor) -> None:
    with_credit(ana.user)
    order = make_placed(buyer=ana.user, method="card_declined")
    services.pay(current(order), by=ana.user, method="card_ok", keep_card=True, use_credit=True)
    assert (last_charge(order).credit, SavedCard.objects.count()) == (10_550, 1)
    deliver(order)
    services.accept_and_continue(current(order), by=ana.user, method="card_ok", use_credit=True)
    assert last_charge(order).credit == 0
    assert statuses(order)[1] == ["completed", "in_progress", "planned"]


def test_a_late_success_whose_credit_is_spent_goes_back_and_the_milestone_still_waits(ana: Visitor) -> None:
    with_credit(ana.user)
    order = make_offer(buyer=ana.user)
    services.place(order, by=ana.user, method="card_processing", use_credit=True)
    charge = last_charge(order)
    services.record_charge(charge.pk, Outcome(State.FAILED, charge.provider_id, reason="Your bank refused."))
    pay_for(make_offer(buyer=ana.user, plan=ONE_STEP), use_credit=True)
    with at(minutes=5):
        deliver_sandbox_events()
    assert statuses(order) == ("awaiting_payment", ["awaiting_payment", "planned", "planned"])
    assert activity(order)[-1][0] == "payment_returned"
    assert order.events.last().data == {"refunded": 2110}
    assert cents(order) == Cents(charged=2110, refunded=2110)


def test_a_refund_as_credit_is_said_in_the_activity_and_on_the_page(ana: Visitor) -> None:
    order = make_placed(buyer=ana.user)
    refund_part(current(order), by=order.seller, price=2000, reason="Less", as_credit=True)
    page = ana.open(order.get_absolute_url())
    assert "Theo Lindqvist refunded $21.10 of “Script” to you, given as credit" in " ".join(page.words("li"))
    assert "$21.10 back: given as credit" in " ".join(page.words("p"))
    assert "$21.10 of what was refunded was given as credit." in page.words("p")
    assert balance(ana.user, "USD", "credit") == 2110


def test_a_refund_that_goes_back_to_card_and_credit_says_how_much_is_credit(ana: Visitor) -> None:
    with_credit(ana.user)
    order = make_offer(buyer=ana.user)
    pay_for(order, use_credit=True)
    cancel_milestone(order)
    event = order.events.get(kind="canceled")
    assert event.data == {"refunded": 12_660, "credited": 10_550}
    page = ana.open(order.get_absolute_url())
    said = " ".join(page.words("li"))
    assert "$126.60 goes back to you, $105.50 of it given as credit" in said


def test_both_sides_are_told_when_staff_turn_a_refused_refund_into_credit() -> None:
    order = make_placed(method="card_refund_refused")
    with at(days=1):
        cancel_milestone(order)
        assert tell_refused_refunds() == 1
        with transaction.atomic():
            turn_into_credit(Refund.objects.get(), at=order.created_at)
        assert tell_refused_refunds() == 1
        assert tell_refused_refunds() == 0
    assert activity(order)[-1] == ("refund_credited", None, "Script", "", "")
    assert told(order)[-2:] == [("refund_credited", "buyer"), ("refund_credited", "seller")]
    assert cents(order) == Cents(charged=12_660, refunded=12_660, as_credit=12_660)
    assert balance(order.buyer, "USD", "credit") == 12_660


def test_every_kind_of_event_has_its_sentence() -> None:
    assert set(SENTENCES) == set(Event.Kind.values)


def test_a_milestone_paid_with_credit_pays_its_seller_in_full(ana: Visitor) -> None:
    with_credit(ana.user)
    order = make_accepted(buyer=ana.user, method="card_ok")
    following = fresh(order).next_milestone
    services.start(following, by=ana.user, method="card_ok", use_credit=True)
    deliver(order)
    services.accept(current(order), by=ana.user)
    assert cents(order) == Cents(charged=28_485, seller=21_600, fees=6_885, with_credit=10_550)
