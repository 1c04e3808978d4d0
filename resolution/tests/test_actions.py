"""P1: everything that the Resolution Center could offer on an order's page, or why not."""

import pytest

from marketplace import clock
from orders.guards import Refusal, Refused
from orders.models import Order
from orders.tests.factories import fresh, make_offer
from resolution import services
from resolution.actions import actions
from resolution.tests.conftest import NOON, OrderIn, after
from resolution.tests.factories import declined, opened

pytestmark = pytest.mark.django_db

FROZEN = "A case is open on this order already: one at a time."


def offered(order: Order, side: str) -> dict[str, str]:
    """What is offered: nothing said means that it is possible."""
    return {action.name: action.reason for action in actions(fresh(order), side, clock.now())}


def test_an_open_milestone_and_the_order_can_be_canceled_by_both(order_in: OrderIn) -> None:
    for state in ("in_progress", "delivered", "in_revision"):
        order = order_in(state)
        for side in ("buyer", "seller"):
            assert offered(order, side) == {"cancel_milestone": "", "cancel_order": ""}


def test_between_milestones_only_the_order_can_be_canceled(between: Order) -> None:
    assert offered(between, "seller") == {
        "cancel_milestone": "No milestone is open, so there is none to cancel.",
        "cancel_order": "",
    }


def test_an_offer_offers_no_case() -> None:
    reason = "The offer was not accepted yet."
    assert offered(make_offer(), "buyer") == {"cancel_milestone": reason, "cancel_order": reason}


def test_an_overdue_order_offers_nothing_before_the_clock_has_settled_it(delivered: Order) -> None:
    with clock.at(after(days=8)):
        reason = "The time for this has run out; the clock is about to settle the order."
        assert offered(delivered, "buyer") == {"cancel_milestone": reason, "cancel_order": reason}


def test_an_open_case_offers_its_buttons_to_each_side(in_progress: Order) -> None:
    case = opened(in_progress)
    kinds = {"cancel_milestone": FROZEN, "cancel_order": FROZEN}
    assert offered(in_progress, "buyer") == kinds | {
        "accept": "Only the seller can do this: Accept.",
        "decline": "Only the seller can do this: Decline.",
        "withdraw": "",
        "escalate": "The case waits for the seller's answer.",
    }
    assert offered(in_progress, "seller") == kinds | {
        "accept": "",
        "decline": "",
        "withdraw": "Only the buyer can do this: Withdraw the case.",
        "escalate": "Only the buyer can do this: Take it to Customer Support.",
    }
    found = {action.name: action for action in actions(fresh(in_progress), "buyer", NOON)}
    assert found["withdraw"].url == f"/cases/{case.number}/withdraw/"
    assert found["cancel_order"].url == f"/orders/{in_progress.number}/cases/"
    assert (found["escalate"].who, found["escalate"].when) == ("seller", after(hours=48))


def test_a_declined_case_can_be_escalated_or_another_opened(delivered: Order) -> None:
    declined(delivered)
    assert offered(delivered, "buyer") == {
        "cancel_milestone": "",
        "cancel_order": "",
        "accept": "Only the seller can do this: Accept.",
        "decline": "Only the seller can do this: Decline.",
        "withdraw": "The case was declined.",
        "escalate": "",
    }
    with clock.at(after(days=7)):
        assert offered(delivered, "buyer") == {"cancel_milestone": "", "cancel_order": ""}


def test_what_the_page_says_is_what_the_verb_says(in_progress: Order) -> None:
    case = opened(in_progress)
    [said] = [action for action in actions(fresh(in_progress), "buyer", NOON) if action.name == "escalate"]
    with pytest.raises(Refused) as refused:
        services.escalate_case(case, by=in_progress.buyer, text="Please look.")
    assert refused.value.refusal == Refusal(said.reason, said.who, said.when)


def test_the_buttons_take_the_same_queries_however_many_cases_there_were(
    in_progress: Order, django_assert_num_queries: object
) -> None:
    order = fresh(in_progress)
    with django_assert_num_queries(3):
        actions(order, "buyer", NOON)
    services.withdraw_case(opened(in_progress), by=in_progress.buyer)
    declined(in_progress)
    order = fresh(in_progress)
    with django_assert_num_queries(3):
        actions(order, "seller", NOON)
