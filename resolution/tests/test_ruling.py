"""R6: support rules on a case, or acts without one; always with a reason and a note, never as a party."""

from datetime import timedelta
from typing import Any

import pytest

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.notifications.models import Notice
from orders import services as orders
from orders.guards import Refused
from orders.locking import Stale
from orders.models import Event, Order, Pause
from orders.tests.factories import fresh, make_offer, planned, statuses
from payments.services import balance
from resolution import services
from resolution.models import Case, Reason
from resolution.tests.conftest import NOON, OrderIn, after
from resolution.tests.factories import (
    cancel_milestone_by_support,
    cancel_order_by_support,
    declined,
    fresh_case,
    opened,
    reason,
    rule_cancel_milestone,
    rule_cancel_order,
)

pytestmark = pytest.mark.django_db


def ruling(agent: User, **details: Any) -> dict[str, Any]:
    return {"by": agent, "reason": reason("not_as_described"), "note": "The files do not open.", **details}


@pytest.mark.parametrize("kind", ["cancel_milestone", "cancel_order"])
def test_support_cancels_the_milestone_whatever_the_case_asked_for(delivered: Order, agent: User, kind: str) -> None:
    case = opened(delivered, kind=kind)
    with clock.at(after(hours=6)):
        rule_cancel_milestone(case, **ruling(agent))

    case, order = fresh_case(case), fresh(delivered)
    assert (case.status, case.ruling, case.ruling_reason, case.note, case.ended_at, case.ended_by) == (
        "ruled",
        "cancel_milestone",
        reason("not_as_described"),
        "The files do not open.",
        after(hours=6),
        agent,
    )
    assert statuses(order) == ("active", ["canceled", "planned"])
    assert (order.paused_at, order.decide_by) == (None, after(days=8, hours=6))
    assert order.plan[0].held.refunded == 10_550
    # An agent's act is not an act of either side (O15).
    assert order.acted_at == case.opened_at


@pytest.mark.parametrize("kind", ["cancel_milestone", "cancel_order"])
def test_support_cancels_the_order_whatever_the_case_asked_for(delivered: Order, agent: User, kind: str) -> None:
    rule_cancel_order(opened(delivered, kind=kind), **ruling(agent))
    order = fresh(delivered)
    assert statuses(order) == ("canceled", ["canceled", "not_started"])
    assert (order.closed_because, order.ended_at) == ("canceled_by_support", NOON)


def test_canceling_the_only_milestone_ends_the_order_by_support(order_in: OrderIn, agent: User) -> None:
    order = order_in("delivered", plan=[planned("Logo", 10_000)])
    rule_cancel_milestone(opened(order), **ruling(agent))
    assert statuses(order) == ("canceled", ["canceled"])
    assert fresh(order).closed_because == "canceled_by_support"


def test_dismissing_lets_the_order_go_on_with_at_least_24_hours(delivered: Order, agent: User) -> None:
    with clock.at(after(days=8) - timedelta(seconds=1)):
        case = opened(delivered)
    with clock.at(after(days=12)):
        case = services.dismiss_case(case, **ruling(agent, note="It is as described."))
    assert (case.status, case.ruling, case.note) == ("dismissed", "", "It is as described.")
    order = fresh(delivered)
    assert (order.paused_at, order.decide_by) == (None, after(days=13))
    assert statuses(order) == ("active", ["delivered", "planned"])


def test_a_dismissed_case_leaves_the_pause_when_more_than_24_hours_were_left(delivered: Order, agent: User) -> None:
    with clock.at(after(days=1)):
        case = opened(delivered)
    with clock.at(after(days=2, seconds=7)):
        services.dismiss_case(case, **ruling(agent))
    assert fresh(delivered).decide_by == after(days=9, seconds=7)


def test_both_sides_read_the_ruling_with_its_note(delivered: Order, agent: User) -> None:
    case = opened(delivered)
    rule_cancel_milestone(case, **ruling(agent))
    told = Notice.objects.filter(kind="case_ruled").order_by("pk")
    assert [(notice.recipient, notice.title, notice.text) for notice in told] == [
        (
            person,
            f"Customer Support decided case {case.number}: “Logo” is canceled",
            "The delivery is not as described\nThe files do not open.",
        )
        for person in (delivered.buyer, delivered.seller)
    ]
    events = Event.objects.filter(version=delivered.version + 2).order_by("pk")
    assert [(event.kind, event.actor, event.reason, event.note) for event in events] == [
        ("case_ruled", agent, "The delivery is not as described", "The files do not open."),
        ("resumed", agent, case.number, ""),
        ("canceled", agent, "The delivery is not as described", "The files do not open."),
    ]


VERBS = {
    "rule_cancel_milestone": rule_cancel_milestone,
    "rule_cancel_order": rule_cancel_order,
    "dismiss_case": services.dismiss_case,
}


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
@pytest.mark.parametrize("side", ["buyer", "seller"])
def test_nobody_rules_where_they_are_a_party(delivered: Order, verb: Any, side: str) -> None:
    case = opened(delivered)
    with pytest.raises(Refused) as refused:
        verb(case, **ruling(getattr(delivered, side)))
    assert str(refused.value) == "You are a party in this order; another agent has to decide."
    assert fresh_case(case).status == "open"


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
def test_no_ruling_without_a_note(delivered: Order, agent: User, verb: Any) -> None:
    case = opened(delivered)
    with pytest.raises(Refused) as refused:
        verb(case, **ruling(agent, note="  "))
    assert str(refused.value) == "Write a note: both sides read why."


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
def test_a_stale_ruling_does_nothing(delivered: Order, agent: User, verb: Any) -> None:
    case = opened(delivered)
    with pytest.raises(Stale):
        verb(case, **ruling(agent, version=delivered.version))
    assert fresh_case(case).status == "open"


def test_a_ruling_that_comes_after_the_silence_finds_it_settled(in_progress: Order, agent: User) -> None:
    case = opened(in_progress)
    with clock.at(after(days=3)), pytest.raises(Refused) as refused:
        services.dismiss_case(case, **ruling(agent))
    assert str(refused.value) == "The case was accepted."
    assert fresh_case(case).ended_at == after(days=2)


def test_between_milestones_there_is_none_to_cancel(between: Order, agent: User) -> None:
    case = opened(between, kind="cancel_order")
    with pytest.raises(Refused) as refused:
        rule_cancel_milestone(case, **ruling(agent))
    assert str(refused.value) == "No milestone is open, so there is none to cancel."
    assert (fresh_case(case).status, fresh(between).paused_at) == ("open", NOON)


def test_completed_milestones_stay_completed_and_paid(between: Order, agent: User) -> None:
    rule_cancel_order(opened(between, kind="cancel_order"), **ruling(agent))
    assert statuses(between) == ("completed", ["completed", "not_started"])
    assert fresh(between).closed_because == "canceled_by_support"
    assert balance(between.seller, "USD") == 8_000


# Without a case


def test_support_cancels_a_milestone_without_anybodys_case(in_progress: Order, agent: User) -> None:
    case = cancel_milestone_by_support(in_progress.plan[0], **ruling(agent, version=in_progress.version))
    assert (case.side, case.opened_by, case.status, case.ruling, case.opened_at, case.ended_at) == (
        "support",
        agent,
        "ruled",
        "cancel_milestone",
        NOON,
        NOON,
    )
    order = fresh(in_progress)
    assert statuses(order) == ("active", ["canceled", "planned"])
    assert order.version == in_progress.version + 1
    assert Pause.objects.count() == 0
    kinds = Event.objects.filter(version=order.version).order_by("pk").values_list("kind", "actor")
    assert list(kinds) == [("case_opened", agent.pk), ("case_ruled", agent.pk), ("canceled", agent.pk)]
    assert Notice.objects.filter(kind="case_opened").count() == 0
    assert Notice.objects.filter(kind="case_ruled").count() == 2


def test_support_cancels_an_order_without_anybodys_case(delivered: Order, agent: User) -> None:
    cancel_order_by_support(delivered, **ruling(agent))
    order = fresh(delivered)
    assert statuses(order) == ("canceled", ["canceled", "not_started"])
    assert order.closed_because == "canceled_by_support"


def test_support_acts_after_a_declined_case_too(delivered: Order, agent: User) -> None:
    declined(delivered)
    cancel_milestone_by_support(delivered.plan[0], **ruling(agent))
    assert statuses(delivered) == ("active", ["canceled", "planned"])


def test_while_a_case_is_open_support_rules_on_that_one(delivered: Order, agent: User) -> None:
    opened(delivered)
    for act in (
        lambda: cancel_milestone_by_support(delivered.plan[0], **ruling(agent)),
        lambda: cancel_order_by_support(delivered, **ruling(agent)),
    ):
        with pytest.raises(Refused) as refused:
            act()
        assert str(refused.value) == "A case is open on this order already: one at a time."
    assert Case.objects.count() == 1


def test_support_cancels_only_an_open_milestone(between: Order, agent: User) -> None:
    with pytest.raises(Refused) as refused:
        cancel_milestone_by_support(between.plan[0], **ruling(agent))
    assert str(refused.value) == "No milestone is open, so there is none to cancel."


def test_support_cancels_no_offer(agent: User) -> None:
    with pytest.raises(Refused) as refused:
        cancel_order_by_support(make_offer(), **ruling(agent))
    assert str(refused.value) == "The offer was not accepted yet."


def test_support_cancels_no_order_while_an_attempt_to_pay_is_undecided(between: Order, agent: User) -> None:
    orders.start(between.next_milestone, by=between.buyer, method="card_ok")
    with pytest.raises(Refused) as refused:
        cancel_order_by_support(between, **ruling(agent))
    assert refused.value.refusal.who == "the bank"


@pytest.mark.parametrize("side", ["buyer", "seller"])
def test_an_agent_cancels_nothing_in_their_own_order(order_in: OrderIn, agent: User, side: str) -> None:
    order = order_in("in_progress", **{side: agent})
    for act in (
        lambda: cancel_milestone_by_support(order.plan[0], **ruling(agent)),
        lambda: cancel_order_by_support(order, **ruling(agent)),
    ):
        with pytest.raises(Refused) as refused:
            act()
        assert str(refused.value) == "You are a party in this order; another agent has to decide."
    assert statuses(order) == ("active", ["in_progress", "planned"])


def test_without_a_note_support_cancels_nothing(in_progress: Order, agent: User) -> None:
    with pytest.raises(Refused) as refused:
        cancel_order_by_support(in_progress, **ruling(agent, note=""))
    assert str(refused.value) == "Write a note: both sides read why."


def test_citing_is_counted(delivered: Order, agent: User) -> None:
    case = opened(delivered, code="scope_disagreement")
    rule_cancel_milestone(case, **ruling(agent))
    counts = {row.code: (row.opened_with, row.ruled_with) for row in Reason.objects.with_citations()}
    assert counts["scope_disagreement"] == (1, 0)
    assert counts["not_as_described"] == (0, 1)
    assert counts["seller_late"] == (0, 0)


def test_supports_queue_is_sorted_by_what_is_due_first(order_in: OrderIn) -> None:
    late, early = order_in("delivered"), order_in("delivered")
    with clock.at(after(hours=1)):
        second = opened(late)
    first = opened(early)
    with clock.at(after(days=3)):
        services.settle_due_cases()
    assert list(Case.objects.for_support()) == [first, second]
    assert list(Case.objects.late_at_support(after(days=5))) == [first]
    assert list(Case.objects.late_at_support(after(days=5, hours=1))) == [first, second]
