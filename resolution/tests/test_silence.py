"""R2, R4: what silence means, decided when the case opens and dated when it was due."""

from datetime import timedelta

import pytest

from marketplace import clock
from orders.models import Order, Pause
from orders.tests.factories import fresh, statuses
from resolution import services
from resolution.tests.conftest import after
from resolution.tests.factories import fresh_case, opened

pytestmark = pytest.mark.django_db


def test_silence_agrees_to_cancel_a_milestone_of_which_nothing_was_delivered(in_progress: Order) -> None:
    case = opened(in_progress)
    assert (case.status, case.on_silence, case.answer_by) == ("open", "agreed", after(hours=48))

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
