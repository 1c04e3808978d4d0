"""P1: everything that the Resolution Center could offer on an order's page, or why not."""

import pytest

from marketplace import clock
from orders.guards import Refusal, Refused
from orders.models import Order
from orders.tests.factories import deliver, fresh, make_offer, planned
from resolution import services
from resolution.actions import actions
from resolution.models import Asked
from resolution.tests.conftest import NOON, OrderIn, after
from resolution.tests.factories import declined, opened

pytestmark = pytest.mark.django_db

QUERIES = 6  # whether a dispute or a proposal is in the way is asked for each kind
FROZEN = "A case is open on this order already: one at a time."


def offered(order: Order, side: str) -> dict[str, str]:
    """What is offered: nothing said means that it is possible."""
    return {action.name: action.reason for action in actions(fresh(order), side, clock.now())}


BUYERS = "Only the buyer can ask for this."
SELLERS = "Only the seller can ask for this."
NO_MILESTONE = "No milestone is open, so "
KINDS = ("cancel_milestone", "cancel_order", "partial_refund", "extend", "extra_revisions", "change_upcoming")


def test_what_each_side_can_open_about_an_open_milestone(order_in: OrderIn) -> None:
    """R2's table: extensions by the seller in work, extra revisions by the buyer when something was delivered."""
    nothing_yet = "Nothing has been delivered for “Logo” yet."
    under_review = "“Logo” is delivered and waits for the buyer's answer."
    expected = {
        ("in_progress", "buyer"): {"extend": SELLERS, "extra_revisions": nothing_yet},
        ("in_progress", "seller"): {"extra_revisions": BUYERS},
        ("delivered", "buyer"): {"extend": SELLERS},
        ("delivered", "seller"): {"extend": under_review, "extra_revisions": BUYERS},
        ("in_revision", "buyer"): {"extend": SELLERS},
        ("in_revision", "seller"): {"extra_revisions": BUYERS},
    }
    for state in ("in_progress", "delivered", "in_revision"):
        order = order_in(state)
        for side in ("buyer", "seller"):
            assert offered(order, side) == dict.fromkeys(KINDS, "") | expected[state, side], (state, side)


def test_between_milestones_the_order_can_be_canceled_and_the_plan_changed(between: Order) -> None:
    assert offered(between, "seller") == {
        "cancel_milestone": f"{NO_MILESTONE}there is none to cancel.",
        "cancel_order": "",
        "partial_refund": f"{NO_MILESTONE}nothing is held that could go back.",
        "extend": f"{NO_MILESTONE}there is no delivery date to extend.",
        "extra_revisions": BUYERS,
        "change_upcoming": "",
    }


def test_unlimited_revisions_leave_nothing_to_ask_for(order_in: OrderIn) -> None:
    order = order_in("delivered", plan=[planned("Logo", 10_000, 3, None)])
    assert offered(order, "buyer")["extra_revisions"] == "Revisions are unlimited in this milestone."


def test_an_offer_offers_no_case() -> None:
    assert offered(make_offer(), "buyer") == dict.fromkeys(KINDS, "The offer was not accepted yet.")


def test_an_overdue_order_offers_nothing_before_the_clock_has_settled_it(delivered: Order) -> None:
    with clock.at(after(days=8)):
        reason = "The time for this has run out; the clock is about to settle the order."
        assert offered(delivered, "buyer") == dict.fromkeys(KINDS, reason)


def test_an_open_dispute_offers_its_buttons_to_each_side_and_nothing_else(in_progress: Order) -> None:
    case = opened(in_progress)
    kinds = dict.fromkeys(KINDS, FROZEN)
    assert offered(in_progress, "buyer") == kinds | {
        "extend": SELLERS,
        "accept": "Only the seller can do this: Accept.",
        "decline": "Only the seller can do this: Decline.",
        "withdraw": "",
        "escalate": "The case waits for the seller's answer.",
    }
    assert offered(in_progress, "seller") == kinds | {
        "extra_revisions": BUYERS,
        "accept": "",
        "decline": "",
        "withdraw": "Only the buyer can do this: Withdraw the case.",
        "escalate": "Only the buyer can do this: Take it to Customer Support.",
    }
    found = {action.name: action for action in actions(fresh(in_progress), "buyer", NOON)}
    assert found["withdraw"].url == f"/cases/{case.number}/withdraw/"
    assert found["cancel_order"].url == f"/orders/{in_progress.number}/cases/cancel-order/"
    assert (found["escalate"].who, found["escalate"].when) == ("seller", after(hours=48))


def test_a_proposal_offers_its_buttons_and_leaves_the_disputes_open(in_progress: Order) -> None:
    opened(in_progress, side="seller", kind="extend", asked=Asked(days=3))
    waits = "A proposal waits for the buyer's answer already: one at a time."
    assert offered(in_progress, "buyer") == {
        "cancel_milestone": "",
        "cancel_order": "",
        "partial_refund": "",
        "extend": SELLERS,
        "extra_revisions": waits,
        "change_upcoming": waits,
        "accept": "",
        "decline": "",
        "withdraw": "Only the seller can do this: Withdraw the case.",
        "escalate": "Only the seller can do this: Take it to Customer Support.",
    }


def test_what_has_become_void_offers_nothing_and_is_in_nobodys_way(in_progress: Order) -> None:
    opened(in_progress, side="seller", kind="extend", asked=Asked(days=3))
    deliver(in_progress)
    assert offered(in_progress, "buyer") == dict.fromkeys(KINDS, "") | {"extend": SELLERS}


def test_a_declined_case_can_be_escalated_or_another_opened(delivered: Order) -> None:
    declined(delivered)
    kinds = dict.fromkeys(KINDS, "") | {"extend": SELLERS}
    assert offered(delivered, "buyer") == kinds | {
        "accept": "Only the seller can do this: Accept.",
        "decline": "Only the seller can do this: Decline.",
        "withdraw": "The case was declined.",
        "escalate": "",
    }
    with clock.at(after(days=7)):
        assert offered(delivered, "buyer") == kinds


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
    with django_assert_num_queries(QUERIES):
        actions(order, "buyer", NOON)
    services.withdraw_case(opened(in_progress), by=in_progress.buyer)
    declined(in_progress)
    order = fresh(in_progress)
    with django_assert_num_queries(QUERIES):
        actions(order, "seller", NOON)
