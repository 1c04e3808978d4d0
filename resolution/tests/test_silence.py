"""R2, R4: what silence means, decided when the case opens and dated when it was due."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from marketplace import clock
from marketplace.notifications.models import Notice
from orders import services as orders
from orders.models import Event, Order, Pause
from orders.phrases import read
from orders.tests.factories import fresh, statuses
from resolution import services
from resolution.models import Case
from resolution.services import silence
from resolution.tests.conftest import OrderIn, after
from resolution.tests.factories import fresh_case, opened

pytestmark = pytest.mark.django_db


def test_silence_agrees_to_cancel_a_milestone_of_which_nothing_was_delivered(in_progress: Order) -> None:
    case = opened(in_progress)
    with clock.at(after(hours=48) - timedelta(microseconds=1)):
        assert services.settle_due_cases() == 0
    with clock.at(after(hours=60)):
        assert services.settle_due_cases() == 1

    case, order = fresh_case(case), fresh(in_progress)
    assert (case.status, case.ended_at, case.ended_by) == ("accepted", after(hours=48), None)
    assert statuses(order) == ("active", ["canceled", "planned"])
    assert order.plan[0].ended_at == after(hours=48)
    assert order.plan[0].held.refunded == 10_550
    assert (order.paused_at, order.decide_by) == (None, after(hours=48) + timedelta(days=8))
    assert list(Pause.objects.values_list("started_at", "ended_at")) == [(after(hours=0), after(hours=48))]


def test_silence_is_settled_at_the_very_instant(in_progress: Order) -> None:
    case = opened(in_progress)
    with clock.at(after(hours=48)):
        assert services.settle_due_cases() == 1
    assert fresh_case(case).status == "accepted"


def test_what_the_clock_does_is_recorded_without_an_actor_and_dated_when_it_was_due(in_progress: Order) -> None:
    case = opened(in_progress, kind="cancel_order")
    with clock.at(after(days=5)):
        services.settle_due_cases()
    events = list(Event.objects.filter(version=in_progress.version + 2).order_by("pk"))
    assert [(event.kind, event.actor, event.at, event.recorded_at) for event in events] == [
        (kind, None, after(hours=48), after(days=5))
        for kind in ("case_unanswered", "resumed", "canceled", "left_out", "ended")
    ]
    assert {name: read(value) for name, value in events[0].data.items()} == {
        "case": case.number,
        "what": "cancel the order",
        "case_from": "open",
        "case_to": "accepted",
        "effect": "it counts as agreed: the order is canceled and $105.50 goes back to the buyer",
    }
    with translation.override("es"):
        assert "105,50" in read(events[0].data["effect"])
    order = fresh(in_progress)
    assert (order.closed_because, order.ended_at) == ("canceled_by_agreement", after(hours=48))
    assert order.acted_at == case.opened_at


def test_silence_about_the_order_between_milestones_agrees(between: Order) -> None:
    opened(between, side="seller", kind="cancel_order")
    with clock.at(after(hours=48)):
        services.settle_due_cases()
    assert statuses(between) == ("completed", ["completed", "not_started"])
    assert fresh(between).closed_because == "canceled_by_agreement"


@pytest.mark.parametrize("kind", ["cancel_milestone", "cancel_order"])
@pytest.mark.parametrize("state", ["delivered", "in_revision"])
def test_silence_about_what_was_delivered_goes_to_support_and_stays_frozen(
    order_in: OrderIn, state: str, kind: str
) -> None:
    order = order_in(state)
    case = opened(order, kind=kind)
    with clock.at(after(hours=60)):
        assert services.settle_due_cases() == 1

    case, order = fresh_case(case), fresh(order)
    assert (case.status, case.ended_at, case.support_due) == ("escalated", None, after(hours=48) + timedelta(days=3))
    assert (order.paused_at, statuses(order)) == (after(hours=0), ("active", [state, "planned"]))
    with clock.at(after(days=30)):
        assert services.settle_due_cases() == 0
        assert orders.settle_due() == 0


def test_both_sides_are_told_what_silence_did(delivered: Order) -> None:
    case = opened(delivered)
    with clock.at(after(hours=48)):
        services.settle_due_cases()
    told = Notice.objects.filter(kind="case_unanswered").order_by("pk")
    title = (
        f"Nobody answered case {case.number} in time: "
        "the case goes to Customer Support, and the order stays frozen until they decide"
    )
    assert [(notice.recipient, notice.title) for notice in told] == [
        (delivered.buyer, title),
        (delivered.seller, title),
    ]


def test_a_settled_silence_is_settled_once(in_progress: Order) -> None:
    case = opened(in_progress)
    with clock.at(after(hours=48)):
        assert services.settle_case(case.pk)
        assert not services.settle_case(case.pk)
    assert Event.objects.filter(kind="case_unanswered").count() == 1


def test_a_late_sweep_changes_no_outcome(in_progress: Order) -> None:
    """R4: silence cancels at 48 h; the buyer's window from then ends at 10 days, whenever the sweeps come."""
    opened(in_progress)
    with clock.at(after(days=60)):
        assert services.settle_due_cases() == 1
        assert orders.settle_due() == 1
    order = fresh(in_progress)
    assert (order.closed_because, order.ended_at) == ("not_continued", after(days=10))


def test_a_poisonous_case_is_set_aside_and_the_rest_is_settled(
    order_in: OrderIn, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = opened(order_in("in_progress")), opened(order_in("in_progress"))
    # What a bug would do: the pause has ended although the order is frozen.
    Pause.objects.filter(order=bad.order_id).update(ended_at=after(hours=1))
    with clock.at(after(hours=48)):
        assert services.settle_due_cases() == 1
        assert services.settle_due_cases() == 0
    bad, good = fresh_case(bad), fresh_case(good)
    assert (bad.status, bad.stuck_at) == ("open", after(hours=48))
    assert (good.status, good.stuck_at) == ("accepted", None)
    assert [record.getMessage() for record in caplog.records] == [
        f"ALARM: case {bad.pk} could not be settled and is set aside"
    ]
    Pause.objects.filter(order=bad.order_id).update(ended_at=None)


def test_the_sweep_goes_on_until_nothing_is_due(order_in: OrderIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silence, "BATCH", 2)
    for _ in range(5):
        opened(order_in("in_progress"))
    with clock.at(after(hours=48)):
        assert services.settle_due_cases() == 5
    assert set(Case.objects.values_list("status", flat=True)) == {"accepted"}


def test_an_empty_sweep_is_one_query(db: None) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        services.settle_due_cases()
    assert len([query for query in queries if "SAVEPOINT" not in query["sql"]]) == 1
