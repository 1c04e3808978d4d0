"""R3, R4, O15, O19: what a freeze does to the order's other cases, and what comes after more than one case."""

from datetime import timedelta

import pytest
from django.test import Client

from marketplace import clock
from marketplace.accounts.models import User
from orders import services as orders
from orders.guards import Refused
from orders.models import Order
from orders.tests.factories import current, deliver, fresh, statuses
from orders.tests.rows import refused
from resolution import services
from resolution.actions import open_action
from resolution.models import Asked, Case
from resolution.tests.conftest import NOON, OrderIn, after
from resolution.tests.factories import declined, fresh_case, opened, reason

pytestmark = pytest.mark.django_db


def longer(order: Order) -> Case:
    return opened(order, side="seller", kind="extend", code="more_time_needed", asked=Asked(days=2))


def test_the_time_to_answer_a_proposal_stands_still_while_a_dispute_freezes_the_order(in_progress: Order) -> None:
    proposal = longer(in_progress)
    with clock.at(after(hours=10)):
        dispute = opened(in_progress)
    with clock.at(after(hours=50)):
        assert services.settle_due_cases() == 0
        assert not fresh_case(proposal).is_overdue(after(hours=50))
        services.withdraw_case(dispute, by=in_progress.buyer)
    assert fresh_case(proposal).answer_by == after(hours=48 + 40)
    with clock.at(after(hours=88) - timedelta(microseconds=1)):
        services.accept_case(proposal, by=in_progress.buyer)
    assert fresh_case(proposal).status == "accepted"


def test_a_proposal_whose_time_was_over_before_the_freeze_is_settled_during_it(in_progress: Order) -> None:
    proposal = longer(in_progress)
    with clock.at(after(days=33)):
        # The clock's own dispute: it is opened without looking at the proposal first.
        assert services.open_owed_disputes() == 1
        assert services.settle_due_cases() == 1
    case = fresh_case(proposal)
    assert (case.status, case.ended_at) == ("withdrawn", after(hours=48))


def test_the_time_to_go_to_support_stands_still_while_another_dispute_freezes_the_order(in_progress: Order) -> None:
    first = declined(in_progress)
    assert first.escalate_by == after(days=7)
    with clock.at(after(days=6)):
        second = opened(in_progress, side="seller", kind="cancel_order")
    with clock.at(after(days=7, hours=12)):
        services.decline_case(second, by=in_progress.buyer, text="No.")
    assert fresh_case(first).escalate_by == after(days=8, hours=12)
    assert fresh_case(second).escalate_by == after(days=14, hours=12)
    with clock.at(after(days=8, hours=12) - timedelta(microseconds=1)):
        assert services.escalate_case(first, by=in_progress.buyer, text="Please look.").status == "escalated"


def test_a_proposal_that_becomes_void_or_is_not_answered_makes_no_click_stale(in_progress: Order) -> None:
    proposal = longer(in_progress)
    deliver(in_progress)
    seen = fresh(in_progress).version
    assert services.settle_due_cases() == 1
    assert (fresh_case(proposal).status, fresh(in_progress).version) == ("void", seen)
    orders.accept(current(in_progress), by=in_progress.buyer, version=seen)
    assert statuses(in_progress) == ("active", ["completed", "planned"])


def test_silence_about_a_proposal_leaves_the_version_alone(in_progress: Order) -> None:
    proposal = longer(in_progress)
    seen = fresh(in_progress).version
    with clock.at(after(hours=48)):
        services.settle_case(proposal.pk)
    assert (fresh_case(proposal).status, fresh(in_progress).version) == ("withdrawn", seen)


@pytest.fixture
def asked_twice(delivered: Order) -> tuple[Case, Case]:
    """Two times 60.00 of 100.00: the first was declined, the second accepted."""
    asks = {"kind": "partial_refund", "asked": Asked(amount=6_000), "code": "scope_disagreement"}
    first, second = declined(delivered, **asks), opened(delivered, **asks)
    services.accept_case(second, by=delivered.seller)
    return first, second


def test_more_than_is_left_can_go_to_support_and_every_page_says_so(
    asked_twice: tuple[Case, Case], delivered: Order, client: Client
) -> None:
    first, _ = asked_twice
    services.escalate_case(first, by=delivered.buyer, text="This was another matter.")
    for person in (delivered.buyer, delivered.seller):
        client.force_login(person)
        page = client.get(first.get_absolute_url())
        assert page.status_code == 200
        said = "By now only $40.00 of the price is held for “Logo”: less than this asks for."
        assert said in page.content.decode()


def test_what_was_accepted_is_not_accepted_again(asked_twice: tuple[Case, Case], delivered: Order) -> None:
    _, second = asked_twice
    with refused("The case was accepted."):
        services.accept_case(second, by=delivered.seller)


def test_the_very_late_claim_is_the_buyers_right_after_two_cases(in_progress: Order) -> None:
    for _ in range(2):
        services.withdraw_case(opened(in_progress), by=in_progress.buyer)
    limit = "You have opened two cases about “Logo” already. More only through Customer Support."
    assert open_action(fresh(in_progress), "cancel_milestone", "buyer", NOON).reason == limit
    with clock.at(after(days=4)):
        assert open_action(fresh(in_progress), "cancel_milestone", "buyer", after(days=4)).allowed
        with refused(limit):
            opened(in_progress)
        case = opened(in_progress, code="seller_late")
    assert (case.status, fresh(in_progress).plan[0].status) == ("accepted", "canceled")


def test_a_void_proposal_that_was_set_aside_is_in_the_way_until_staff_have_looked(
    order_in: OrderIn, agent: User
) -> None:
    order = order_in("in_progress")
    proposal = longer(order)
    deliver(order)
    Case.objects.filter(pk=proposal.pk).update(stuck_at=NOON)
    with refused("A proposal waits for the buyer's answer already: one at a time."):
        opened(
            order, kind="extra_revisions", code="more_changes_wanted", asked=Asked(revisions=1), statement="One more."
        )


def test_nobody_writes_in_a_case_that_is_over_or_that_is_not_theirs(in_progress: Order, stranger: User) -> None:
    seen = opened(in_progress)
    with pytest.raises(Refused, match=r"Only the buyer, the seller and Customer Support write here\."):
        services.write_in_case(seen, by=stranger, text="Hello")
    services.withdraw_case(seen, by=in_progress.buyer)
    with pytest.raises(Refused, match=r"The case was withdrawn\."):
        services.write_in_case(seen, by=in_progress.buyer, text="One more thing.")
    assert seen.messages.count() == 0


def test_an_extension_by_support_is_at_least_one_day(in_progress: Order, agent: User) -> None:
    decision = services.Decision(Case.Ruling.EXTEND, days=0)
    with refused("An extension is at least one day."):
        services.rule_without_case(in_progress, decision, by=agent, reason=reason(), note="I looked.")


def test_the_sellers_day_until_the_buyer_may_cancel_stands_still_with_the_order(in_progress: Order) -> None:
    """O15: the delivery date has passed when the dispute begins, but not the 24 hours after it."""
    with clock.at(after(days=3, hours=1)):
        dispute = opened(in_progress)
    with clock.at(after(days=4)):
        services.decline_case(dispute, by=in_progress.seller, text="I was about to deliver.")
    milestone = fresh(in_progress).plan[0]
    assert (milestone.deliver_by, milestone.very_late_at) == (after(days=3), after(days=5))
    assert not milestone.is_very_late(after(days=5) - timedelta(microseconds=1))
    assert milestone.is_very_late(after(days=5))


def test_after_the_buyers_own_withdrawal_exactly_the_rest_of_that_day_is_left(in_progress: Order) -> None:
    with clock.at(after(days=3, hours=1)):
        dispute = opened(in_progress)
    with clock.at(after(days=4)):
        services.withdraw_case(dispute, by=in_progress.buyer)
    assert fresh(in_progress).plan[0].very_late_at == after(days=4, hours=23)


def test_an_act_on_the_order_finds_what_silence_has_decided_although_no_sweep_came(
    delivered: Order, client: Client
) -> None:
    """O7, R4: the seller's offer of a part counts as agreed after 48 hours; at 50 the buyer accepts the milestone."""
    opened(delivered, side="seller", kind="partial_refund", code="scope_disagreement", asked=Asked(amount=1_000))
    client.force_login(delivered.buyer)
    with clock.at(after(hours=50)):
        milestone = current(delivered)
        url = f"/orders/{delivered}/milestones/{milestone.pk}/accept/"
        assert client.get(url).status_code == 200
        assert fresh(delivered).paused_at == NOON
        assert client.post(url, {"version": fresh(delivered).version}).status_code == 409
        seen = fresh(delivered)
        assert (seen.paused_at, seen.pauses.get().ended_at) == (None, after(hours=48))
        assert client.post(url, {"version": seen.version}).status_code == 302
    assert statuses(delivered) == ("active", ["completed", "planned"])
