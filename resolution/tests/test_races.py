"""Exactly one winner of any race, with real threads and real commits (O7, R4)."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection

from marketplace import clock
from marketplace.accounts.models import User
from orders import services as orders
from orders.guards import Refused
from orders.models import Event, Order
from orders.tests.factories import current, fresh, make_delivered, make_placed, statuses
from payments.models import Refund
from resolution import services
from resolution.models import Case
from resolution.tests.conftest import after
from resolution.tests.factories import fresh_case, opened, reason, rule_cancel_order

pytestmark = pytest.mark.django_db(transaction=True)


def race(*acts: Callable[[], object], at: object = None) -> list[str]:
    """Run the acts at the same moment, each in a thread of its own; returns «done» or the refusal of each."""
    ready = threading.Barrier(len(acts))
    results = ["never ran"] * len(acts)

    def run(place: int, act: Callable[[], object]) -> None:
        try:
            with clock.at(at or after(hours=1)):
                ready.wait(timeout=20)
                act()
            results[place] = "done"
        except Refused as refused:
            results[place] = str(refused)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place, act)) for place, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return results


@pytest.mark.parametrize("attempt", range(3))
def test_accept_against_withdraw(attempt: int) -> None:
    order = make_placed()
    case = opened(order)
    results = race(
        lambda: services.accept_case(case, by=order.seller),
        lambda: services.withdraw_case(case, by=order.buyer),
    )
    status = fresh_case(case).status
    assert (status, results) in [
        ("accepted", ["done", "The case was accepted."]),
        ("withdrawn", ["The case was withdrawn.", "done"]),
    ]
    canceled = ["canceled", "planned", "planned"]
    assert statuses(order) == ("active", canceled if status == "accepted" else ["in_progress", "planned", "planned"])
    assert Refund.objects.count() == (1 if status == "accepted" else 0)
    assert fresh(order).paused_at is None


@pytest.mark.parametrize("attempt", range(3))
def test_silence_against_a_decline_that_comes_too_late(attempt: int) -> None:
    order = make_placed()
    case = opened(order)
    results = race(
        lambda: services.decline_case(case, by=order.seller, text="No."),
        services.settle_due_cases,
        lambda: services.settle_case(case.pk),
        at=after(hours=48),
    )
    assert results == ["The case was accepted.", "done", "done"]
    assert (fresh_case(case).status, fresh_case(case).ended_at) == ("accepted", after(hours=48))
    assert Refund.objects.count() == 1
    assert Event.objects.filter(kind="case_unanswered").count() == 1


def test_a_double_click_opens_one_case() -> None:
    order = make_placed()
    results = race(*[lambda: opened(order)] * 3)
    assert sorted(results) == ["A case is open on this order already: one at a time."] * 2 + ["done"]
    assert Case.objects.count() == 1


def test_both_sides_open_a_case_at_the_same_moment() -> None:
    order = make_placed()
    results = race(lambda: opened(order), lambda: opened(order, side="seller", kind="cancel_order"))
    assert sorted(results) == ["A case is open on this order already: one at a time.", "done"]


@pytest.mark.parametrize("attempt", range(3))
def test_opening_a_case_against_accepting_the_delivery(attempt: int) -> None:
    order = make_delivered()
    milestone = current(order)
    results = race(lambda: opened(order), lambda: orders.accept(milestone, by=order.buyer))
    assert results in [
        ["done", "A case is open: the order is frozen until it ends."],
        ["No milestone is open, so there is none to cancel.", "done"],
    ]
    if results[0] == "done":
        assert statuses(order) == ("active", ["delivered", "planned", "planned"])
    else:
        assert statuses(order) == ("active", ["completed", "planned", "planned"])


def test_two_agents_rule_at_the_same_moment(agent: User) -> None:
    order = make_delivered()
    case = opened(order)
    why = {"by": agent, "reason": reason("not_as_described"), "note": "We looked."}
    results = race(
        lambda: rule_cancel_order(case, **why),
        lambda: services.dismiss_case(case, **why),
    )
    assert results in [
        ["done", "Customer Support has decided this case."],
        ["Customer Support has dismissed this case.", "done"],
    ]
    assert Refund.objects.count() == (1 if results[0] == "done" else 0)


def test_two_workers_settle_the_same_cases_once() -> None:
    found = [make_placed() for _ in range(4)]
    cases: list[Case] = [opened(order) for order in found]
    counts: list[int] = []
    sweep = [lambda: counts.append(services.settle_due_cases())] * 3
    assert race(*sweep, at=after(hours=48)) == ["done"] * 3
    # What one worker holds the others skip; whoever comes last finds nothing.
    assert sum(counts) == 4
    assert {fresh_case(case).status for case in cases} == {"accepted"}
    assert Event.objects.filter(kind="case_unanswered").count() == 4
    assert Refund.objects.count() == 4


def test_two_workers_open_the_same_owed_disputes_once() -> None:
    found: list[Order] = [make_placed() for _ in range(3)]
    counts: list[int] = []
    sweep = [lambda: counts.append(services.open_owed_disputes())] * 3
    assert race(*sweep, at=after(days=40)) == ["done"] * 3
    assert sum(counts) == 3
    assert sorted(Case.objects.values_list("order", flat=True)) == sorted(order.pk for order in found)
