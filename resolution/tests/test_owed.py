"""O15, O20: the disputes that the clock opens for support."""

from datetime import timedelta

import pytest

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.notifications.models import Notice
from orders import services as orders
from orders.guards import Refused
from orders.models import Event, Order, Pause
from orders.tests.factories import deliver, fresh, statuses
from resolution import services
from resolution.models import Case
from resolution.services import owed
from resolution.tests.conftest import OrderIn, after
from resolution.tests.factories import opened, reason

pytestmark = pytest.mark.django_db

DUE = {"days": 33}  # the delivery date is 3 days after noon, and 30 days past it


def deactivate(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


# Abandoned


@pytest.mark.parametrize("state", ["in_progress", "in_revision"])
def test_30_days_past_its_date_without_an_act_the_clock_opens_a_dispute_for_support(
    order_in: OrderIn, state: str
) -> None:
    order = order_in(state)
    with clock.at(after(**DUE) - timedelta(microseconds=1)):
        assert services.open_owed_disputes() == 0
    with clock.at(after(**DUE) + timedelta(hours=5)):
        assert services.open_owed_disputes() == 1
        assert services.open_owed_disputes() == 0

    case, order = Case.objects.get(), fresh(order)
    assert (case.order, case.milestone, case.kind) == (order, order.plan[0], "cancel_milestone")
    assert (case.status, case.side, case.opened_by, case.reason.code) == (
        "escalated",
        "clock",
        None,
        "seller_unresponsive",
    )
    assert (case.opened_at, case.support_due) == (after(**DUE), after(days=36))
    assert case.statement == ("“Logo” is more than 30 days past its delivery date, and neither side has acted since.")
    assert order.paused_at == after(**DUE)
    assert statuses(order) == ("active", [state, "planned"])


def test_both_sides_are_told_that_the_clock_opened_a_dispute(in_progress: Order) -> None:
    with clock.at(after(**DUE)):
        services.open_owed_disputes()
    told = Notice.objects.filter(kind="case_opened").order_by("pk")
    assert [(notice.recipient, notice.title) for notice in told] == [
        (in_progress.buyer, "The clock opened a case to cancel “Logo”"),
        (in_progress.seller, "The clock opened a case to cancel “Logo”"),
    ]
    event = Event.objects.get(kind="case_opened")
    assert (event.actor, event.at) == (None, after(**DUE))


def test_a_message_is_an_act_and_the_30_days_begin_anew(in_progress: Order) -> None:
    with clock.at(after(days=20)):
        orders.send_message(in_progress, by=in_progress.seller, text="I am ill.")
    with clock.at(after(days=50) - timedelta(seconds=1)):
        assert services.open_owed_disputes() == 0
    with clock.at(after(days=50)):
        assert services.open_owed_disputes() == 1
    assert Case.objects.get().opened_at == after(days=50)


def test_a_message_before_the_delivery_date_changes_nothing(in_progress: Order) -> None:
    with clock.at(after(days=2)):
        orders.send_message(in_progress, by=in_progress.buyer, text="How is it going?")
    with clock.at(after(**DUE)):
        assert services.open_owed_disputes() == 1


def test_what_was_delivered_is_not_abandoned(delivered: Order) -> None:
    with clock.at(after(days=60)):
        orders.settle_due()
        assert services.open_owed_disputes() == 0


def test_a_frozen_order_is_not_abandoned(in_progress: Order, agent: User) -> None:
    with clock.at(after(days=5)):
        services.open_case_by_support(
            in_progress, by=agent, kind="cancel_order", reason=reason(), statement="We look into it."
        )
    with clock.at(after(days=60)):
        assert services.open_owed_disputes() == 0


def test_after_a_dismissal_the_30_days_begin_anew(in_progress: Order, agent: User) -> None:
    with clock.at(after(**DUE)):
        services.open_owed_disputes()
    with clock.at(after(days=35)):
        services.dismiss_case(Case.objects.get(), by=agent, reason=reason(), note="They talk on the phone.")
    with clock.at(after(days=65) - timedelta(seconds=1)):
        assert services.open_owed_disputes() == 0
    with clock.at(after(days=65)):
        assert services.open_owed_disputes() == 1


def test_nothing_is_owed_to_an_order_between_milestones(between: Order) -> None:
    with clock.at(after(days=7)):
        assert services.open_owed_disputes() == 0


# Deactivated sellers


@pytest.mark.parametrize("state", ["in_progress", "delivered", "in_revision"])
def test_a_deactivated_sellers_open_milestone_becomes_a_dispute_at_once(order_in: OrderIn, state: str) -> None:
    order, other = order_in(state), order_in(state)
    deactivate(order.seller)
    with clock.at(after(hours=3)):
        assert services.open_owed_disputes(user=order.seller) == 1

    case = Case.objects.get()
    assert (case.order, case.side, case.status, case.reason.code) == (order, "clock", "escalated", "cannot_deliver")
    assert (case.opened_at, case.statement) == (
        after(hours=3),
        "The seller's account was deactivated while “Logo” was open.",
    )
    assert (fresh(order).paused_at, fresh(other).paused_at) == (after(hours=3), None)


def test_the_sweep_finds_deactivated_sellers_too_and_opens_one_dispute_per_milestone(
    in_progress: Order, agent: User
) -> None:
    deactivate(in_progress.seller)
    assert services.open_owed_disputes() == 1
    assert services.open_owed_disputes() == 0
    services.dismiss_case(Case.objects.get(), by=agent, reason=reason(), note="The account comes back.")
    assert services.open_owed_disputes() == 0


def test_a_seller_who_is_deactivated_again_gets_another_dispute(in_progress: Order, agent: User) -> None:
    deactivate(in_progress.seller)
    services.open_owed_disputes(user=in_progress.seller)
    services.dismiss_case(Case.objects.get(), by=agent, reason=reason(), note="The account comes back.")
    assert services.open_owed_disputes(user=in_progress.seller) == 1


def test_a_case_that_is_open_already_goes_first(in_progress: Order) -> None:
    case = opened(in_progress)
    deactivate(in_progress.seller)
    assert services.open_owed_disputes(user=in_progress.seller) == 0
    services.withdraw_case(case, by=in_progress.buyer)
    assert services.open_owed_disputes() == 1


def test_an_active_seller_owes_nothing(in_progress: Order) -> None:
    assert services.open_owed_disputes(user=in_progress.seller) == 0


def test_a_deactivated_buyers_clocks_run_on(delivered: Order) -> None:
    deactivate(delivered.buyer)
    with clock.at(after(days=8)):
        assert services.open_owed_disputes() == 0
        assert orders.settle_due() == 1
    assert statuses(delivered) == ("completed", ["completed", "not_started"])


def test_what_lapsed_before_is_settled_first(delivered: Order) -> None:
    deactivate(delivered.seller)
    with clock.at(after(days=9)):
        assert services.open_owed_disputes() == 0
    assert (fresh(delivered).closed_because, fresh(delivered).ended_at) == ("lapsed", after(days=8))


def test_an_order_that_fails_is_set_aside_and_the_rest_is_done(
    order_in: OrderIn, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = order_in("in_progress"), order_in("in_progress")
    # What a bug would leave behind: a pause that nobody ended.
    Pause.objects.create(order=bad, case_number="RC-0000-0000", started_at=after())
    with clock.at(after(**DUE)):
        assert services.open_owed_disputes() == 1
        assert services.open_owed_disputes() == 0
    assert (fresh(bad).stuck_at, fresh(good).stuck_at) == (after(**DUE), None)
    assert [record.getMessage() for record in caplog.records] == [
        f"ALARM: no dispute could be opened for order {bad.pk}, which is set aside"
    ]
    Pause.objects.filter(order=bad).update(ended_at=after())


def test_the_sweep_goes_on_until_nothing_is_owed(order_in: OrderIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owed, "BATCH", 2)
    for _ in range(3):
        order_in("in_progress")
    with clock.at(after(**DUE)):
        assert services.open_owed_disputes() == 3


def test_a_delivery_after_the_dispute_is_refused(in_progress: Order) -> None:
    with clock.at(after(**DUE)):
        services.open_owed_disputes()
        with pytest.raises(Refused) as refused:
            deliver(in_progress)
    assert str(refused.value) == "A case is open: the order is frozen until it ends."
