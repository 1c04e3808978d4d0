"""R1, R2, R4, O8, O17: proposals freeze nothing, happen when accepted, and are void when their subject has ended."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.notifications.models import Notice
from orders import services as orders
from orders.guards import Refused
from orders.models import Event, Order, Pause
from orders.plan_changes import changes_of_event
from orders.tests.factories import activity, current, deliver, fresh, planned, statuses
from orders.tests.rows import refused
from resolution import services
from resolution.models import Case
from resolution.models.asked import Asked
from resolution.models.choices import Ruling
from resolution.services import Decision
from resolution.tests.conftest import NOON, OrderIn, after
from resolution.tests.factories import POSTER, agreed, declined, fresh_case, opened, reason

pytestmark = pytest.mark.django_db

ONE_AT_A_TIME = "A case is open on this order already: one at a time."
FROZEN = "A case is open: the order is frozen until it ends."
VOID = "The proposal is void: what it speaks of has ended."
CARDS = planned("Business cards", 5_000, 5, 1)


def longer(order: Order, **details: Any) -> Case:
    return opened(order, side="seller", kind="extend", **details)


def more(order: Order, **details: Any) -> Case:
    return opened(order, kind="extra_revisions", **details)


def changed(order: Order, *upcoming: Any, **details: Any) -> Case:
    return opened(order, kind="change_upcoming", asked=Asked(upcoming=upcoming), **details)


# Extending the delivery date


def test_a_proposal_freezes_nothing_and_waits_48_hours(in_progress: Order) -> None:
    case = longer(in_progress)
    order = fresh(in_progress)
    assert (case.status, case.side, case.on_silence, case.answer_by) == ("open", "seller", "withdrawn", after(hours=48))
    assert (order.paused_at, order.version, Pause.objects.count()) == (None, in_progress.version + 1, 0)
    assert activity(order)[-1] == ("case_opened", "seller", "Logo", "", "")
    notice = Notice.objects.get(kind="case_opened")
    assert (notice.recipient, notice.title) == (order.buyer, "Theo Lindqvist opened a case to extend “Logo” by 2 days")
    assert notice.text.endswith("If the buyer does not answer, it counts as withdrawn, and nothing changes.")


def test_an_accepted_extension_moves_the_delivery_date_and_its_reminder(in_progress: Order) -> None:
    case = longer(in_progress)
    with clock.at(after(hours=5)):
        case = agreed(case)
    logo = fresh(in_progress).plan[0]
    assert (case.status, case.ended_at, case.ended_by) == ("accepted", after(hours=5), in_progress.buyer)
    assert (logo.deliver_from, logo.deliver_by, logo.remind_at) == (NOON, after(days=5), after(days=3))
    assert [event[:3] for event in activity(in_progress)[-2:]] == [
        ("case_accepted", "buyer", "Logo"),
        ("delivery_extended", "buyer", "Logo"),
    ]
    assert Event.objects.latest("pk").reason == "The work needs more time"


def test_a_late_milestone_is_extended_from_now(in_revision: Order) -> None:
    with clock.at(after(days=3, hours=6)):
        case = longer(in_revision)
    with clock.at(after(days=4)):
        agreed(case)
    logo = fresh(in_revision).plan[0]
    assert (logo.deliver_by, logo.remind_at) == (after(days=6), after(days=5, hours=12))


@pytest.mark.parametrize(
    ("state", "kind", "side", "why"),
    [
        ("in_progress", "extend", "buyer", "Only the seller can ask for this."),
        ("delivered", "extend", "seller", "“Logo” is delivered and waits for the buyer's answer."),
        ("between", "extend", "seller", "No milestone is open, so there is no delivery date to extend."),
        ("delivered", "extra_revisions", "seller", "Only the buyer can ask for this."),
        ("in_progress", "extra_revisions", "buyer", "Nothing has been delivered for “Logo” yet."),
        ("between", "extra_revisions", "buyer", "No milestone is open, so there is nothing to revise."),
    ],
)
def test_who_may_propose_what_when(order_in: OrderIn, state: str, kind: str, side: str, why: str) -> None:
    order = order_in(state)
    with refused(why):
        opened(order, kind=kind, side=side, code="agreed_by_both")


# Extra revisions


@pytest.mark.parametrize(("state", "left"), [("delivered", 4), ("in_revision", 3)])
def test_accepted_revisions_are_granted(order_in: OrderIn, state: str, left: int) -> None:
    case = agreed(more(order_in(state)))
    logo = fresh(case.order).plan[0]
    assert (logo.revisions_granted, logo.revisions_left) == (2, left)
    assert [event[0] for event in activity(case.order)[-2:]] == ["case_accepted", "revisions_granted"]


def test_unlimited_revisions_are_not_added_to(order_in: OrderIn) -> None:
    order = order_in("delivered", plan=[planned("Logo", 10_000, 3, None), CARDS])
    with refused("Revisions are unlimited in this milestone."):
        more(order)


# Changing what is upcoming


def test_upcoming_milestones_are_changed_and_added_when_accepted(in_progress: Order) -> None:
    before = fresh(in_progress).plan[0]
    case = changed(in_progress, planned("Business cards", 6_000, 4, 1), planned("Poster", 8_000, 3, None))
    assert [step.price for step in fresh(in_progress).plan] == [10_000, 5_000]
    agreed(case)
    order = fresh(in_progress)
    assert [(step.position, step.title, step.price, step.delivery_days, step.revisions) for step in order.plan] == [
        (1, "Logo", 10_000, 3, 2),
        (2, "Business cards", 6_000, 4, 1),
        (3, "Poster", 8_000, 3, None),
    ]
    assert (order.price, order.plan[0].deliver_by, order.plan[0].held) == (24_000, before.deliver_by, before.held)
    event = Event.objects.latest("pk")
    assert (event.kind, event.actor, changes_of_event(event.data, "USD")) == (
        "plan_changed",
        in_progress.seller,
        "“Business cards”: $50.00 → $60.00, 5 days → 4 days; “Poster” is added ($80.00, 3 days, unlimited revisions)",
    )


def test_what_was_added_is_started_and_paid_at_its_new_price(
    between: Order, django_capture_on_commit_callbacks: Any
) -> None:
    agreed(changed(between, POSTER, CARDS, side="seller"))
    with django_capture_on_commit_callbacks(execute=True):
        orders.start(fresh(between).next_milestone, by=between.buyer, method="card_ok")
    order = fresh(between)
    assert statuses(order) == ("active", ["completed", "in_progress", "planned"])
    assert (order.plan[1].title, order.plan[1].held.amount) == ("Poster", 8_440)


def test_when_all_upcoming_ones_are_dropped_the_current_one_is_the_last(delivered: Order) -> None:
    agreed(changed(delivered))
    orders.accept(current(delivered), by=delivered.buyer)
    assert (statuses(delivered), fresh(delivered).closed_because) == (("completed", ["completed"]), "finished")


def test_a_milestone_can_be_added_where_none_was_left(order_in: OrderIn) -> None:
    order = order_in("delivered", plan=[planned("Logo", 10_000)])
    case = changed(order, POSTER, side="seller")
    assert case.upcoming_from == 2
    agreed(case)
    orders.accept(current(order), by=order.buyer)
    assert statuses(order) == ("active", ["completed", "planned"])


MANY = [planned(f"Step {number}", 1_000, 1, 1) for number in range(2, 22)]


@pytest.mark.parametrize(
    ("state", "upcoming", "why"),
    [
        ("in_progress", [CARDS], "Nothing would change."),
        ("between", [], "At least one milestone has to stay. To end the order, the buyer can stop it."),
        ("in_progress", [planned("Poster", 1)], "Milestone 2: The least price of a milestone is $3.00."),
        ("in_progress", [CARDS, planned("", 5_000)], "Milestone 3: It needs a title."),
        ("between", MANY, "An order has at most 20 milestones, those that ended included."),
    ],
)
def test_a_change_keeps_to_the_rules_of_every_plan(order_in: OrderIn, state: str, upcoming: Any, why: str) -> None:
    order = order_in(state)
    with refused(why):
        changed(order, *upcoming)


def test_an_order_may_grow_to_20_milestones(between: Order) -> None:
    agreed(changed(between, *MANY[:19]))
    assert len(fresh(between).plan) == 20


def test_a_change_that_has_become_impossible_is_refused_when_it_is_accepted(in_progress: Order, agent: User) -> None:
    """The last milestones may be dropped only while another is current: that one was canceled meanwhile."""
    case = changed(in_progress)
    services.rule_without_case(in_progress, Decision(Ruling.CANCEL_MILESTONE), by=agent, **decided())
    with refused("At least one milestone has to stay. To end the order, the buyer can stop it."):
        agreed(case)
    assert fresh_case(case).status == "open"


def decided() -> dict[str, Any]:
    return {"reason": reason("not_as_described"), "note": "We looked."}


# One dispute and one proposal at a time


def test_a_dispute_and_a_proposal_may_both_be_open(in_progress: Order) -> None:
    proposal, dispute = longer(in_progress), opened(in_progress)
    assert (fresh_case(proposal).status, fresh_case(dispute).status) == ("open", "open")
    assert fresh(in_progress).paused_at == NOON


@pytest.mark.parametrize("side", ["buyer", "seller"])
def test_a_second_proposal_waits_for_the_first(in_progress: Order, side: str) -> None:
    longer(in_progress)
    with pytest.raises(Refused) as second:
        changed(in_progress, POSTER, side=side)
    refusal = second.value.refusal
    assert (refusal.reason, refusal.who, refusal.when) == (
        "A proposal waits for the buyer's answer already: one at a time.",
        "buyer",
        after(hours=48),
    )


def test_what_is_void_is_in_nobodys_way(in_progress: Order) -> None:
    void = longer(in_progress)
    deliver(in_progress)
    assert more(in_progress).status == "open"
    assert fresh_case(void).status == "void"


@pytest.mark.parametrize(
    ("kind", "constraint"), [("extend", "one_proposal_at_a_time"), ("cancel_milestone", "one_dispute_at_a_time")]
)
def test_the_database_refuses_a_second_one(in_progress: Order, kind: str, constraint: str) -> None:
    first = opened(in_progress, side="seller", kind=kind)
    services.withdraw_case(first, by=in_progress.seller)
    opened(in_progress, side="seller", kind=kind)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Case.objects.filter(pk=first.pk).update(status="open", ended_at=None)


# While a dispute freezes the order


def test_while_frozen_no_proposal_is_opened_or_accepted(in_progress: Order) -> None:
    case = longer(in_progress)
    opened(in_progress)
    with refused(FROZEN):
        agreed(case)
    services.withdraw_case(case, by=in_progress.seller)
    with refused(ONE_AT_A_TIME):
        changed(in_progress, POSTER)


@pytest.mark.parametrize("kind", ["extra_revisions", "change_upcoming"])
def test_while_frozen_no_other_kind_is_accepted_either(in_revision: Order, kind: str) -> None:
    case = opened(in_revision, kind=kind)
    opened(in_revision)
    with refused(FROZEN):
        agreed(case)


def test_while_frozen_a_proposal_can_be_declined(in_progress: Order) -> None:
    case = longer(in_progress)
    opened(in_progress)
    case = services.decline_case(case, by=in_progress.buyer, text="No.")
    assert (case.status, case.escalate_by, fresh(in_progress).paused_at) == ("declined", None, NOON)


def test_a_declined_proposal_is_over(in_progress: Order) -> None:
    case = declined(in_progress, side="seller", kind="extend")
    assert not case.can_go_to_support
    with refused("Customer Support decides disputes; a proposal is for the two sides to agree on."):
        services.escalate_case(case, by=in_progress.seller, text="Please.")
    assert fresh(in_progress).plan[0].deliver_by == after(days=3)


def test_support_rules_on_no_proposal_and_opens_none(in_progress: Order, agent: User) -> None:
    case = longer(in_progress)
    acts: list[Callable[[], Any]] = [
        *(lambda ruling=ruling: services.rule(case, Decision(ruling), by=agent, **decided()) for ruling in Ruling),
        lambda: services.dismiss_case(case, by=agent, **decided()),
        lambda: services.open_case_by_support(
            in_progress, by=agent, kind="extend", reason=reason("more_time_needed"), statement="Please."
        ),
    ]
    for act in acts:
        with refused("Customer Support decides disputes; a proposal is for the two sides to agree on."):
            act()


# Silence, and what becomes void


def test_silence_withdraws_a_proposal_at_its_instant(in_progress: Order) -> None:
    case = longer(in_progress)
    with clock.at(after(hours=48) - timedelta(microseconds=1)):
        assert services.settle_due_cases() == 0
    with clock.at(after(days=5)):
        assert services.settle_due_cases() == 1
    case = fresh_case(case)
    assert (case.status, case.ended_at, case.ended_by) == ("withdrawn", after(hours=48), None)
    assert fresh(in_progress).plan[0].deliver_by == after(days=3)
    assert Notice.objects.filter(kind="case_unanswered").count() == 2


def test_an_extension_is_void_once_the_work_is_delivered(in_progress: Order) -> None:
    case = longer(in_progress)
    with clock.at(after(hours=7)):
        deliver(in_progress)
    with clock.at(after(hours=9)):
        with pytest.raises(Refused) as late:
            agreed(case)
        assert str(late.value) == VOID
    case = fresh_case(case)
    assert (case.status, case.ended_at, case.ended_by) == ("void", after(hours=7), None)
    told = Notice.objects.filter(kind="case_void").order_by("pk")
    assert [(notice.recipient, notice.title) for notice in told] == [
        (person, f"Case {case.number} is void: “Logo” was delivered")
        for person in (in_progress.buyer, in_progress.seller)
    ]
    assert (Event.objects.latest("pk").at, Event.objects.latest("pk").actor) == (after(hours=7), None)


def test_revisions_are_void_once_the_milestone_has_ended(delivered: Order) -> None:
    case = more(delivered)
    with clock.at(after(hours=2)):
        orders.accept(current(delivered), by=delivered.buyer)
    with clock.at(after(hours=3)):
        assert services.settle_due_cases() == 1
    assert (fresh_case(case).status, fresh_case(case).ended_at) == ("void", after(hours=2))
    assert Notice.objects.filter(kind="case_void").first().title.endswith("“Logo” has ended")


def test_a_change_is_void_once_the_first_of_them_has_started(
    between: Order, django_capture_on_commit_callbacks: Any
) -> None:
    case = changed(between, POSTER, side="seller")
    with clock.at(after(hours=4)), django_capture_on_commit_callbacks(execute=True):
        orders.start(fresh(between).next_milestone, by=between.buyer, method="card_ok")
    with clock.at(after(hours=6)):
        assert services.settle_due_cases() == 1
    assert (fresh_case(case).status, fresh_case(case).ended_at) == ("void", after(hours=4))
    assert [step.title for step in fresh(between).plan] == ["Logo", "Business cards"]


def test_a_change_speaks_of_what_is_upcoming_and_outlives_the_current_milestone(delivered: Order) -> None:
    case = changed(delivered, POSTER)
    orders.accept(current(delivered), by=delivered.buyer)
    assert services.settle_due_cases() == 0
    agreed(case)
    assert [step.title for step in fresh(delivered).plan] == ["Logo", "Poster"]


def test_every_proposal_is_void_once_the_order_has_ended(between: Order) -> None:
    case = changed(between, POSTER)
    with clock.at(after(hours=1)):
        orders.stop(between, by=between.buyer)
        assert services.settle_due_cases() == 1
    assert (fresh_case(case).status, fresh_case(case).ended_at) == ("void", after(hours=1))
    assert Notice.objects.filter(kind="case_void").first().title.endswith("the order has ended")


@pytest.mark.parametrize("first", ["cases", "orders", "nobody"])
def test_a_proposal_is_void_from_the_lapse_of_its_order_whichever_sweep_comes_first(
    delivered: Order, first: str
) -> None:
    """The window ends on day 8, the time to answer on day 9, and beat was down until day 20."""
    with clock.at(after(days=7)):
        case = more(delivered)
    with clock.at(after(days=20)):
        if first == "nobody":
            with pytest.raises(Refused, match="void"):
                services.decline_case(case, by=delivered.seller, text="No.")
        else:
            {"cases": services.settle_due_cases, "orders": orders.settle_due}[first]()
            services.settle_due_cases()
    assert (fresh_case(case).status, fresh_case(case).ended_at) == ("void", after(days=8))
    assert (fresh(delivered).closed_because, fresh(delivered).ended_at) == ("lapsed", after(days=8))


def test_a_proposal_that_nobody_answered_in_time_is_withdrawn_and_not_void_later(delivered: Order) -> None:
    case = more(delivered)
    with clock.at(after(days=20)):
        orders.settle_due()
        services.settle_due_cases()
    assert (fresh_case(case).status, fresh_case(case).ended_at) == ("withdrawn", after(hours=48))
