"""What Celery beat calls."""

import pytest
from django.conf import settings

from marketplace import clock
from orders.models import Order
from resolution import tasks
from resolution.tests.conftest import after
from resolution.tests.factories import fresh_case, opened

pytestmark = pytest.mark.django_db


def test_beat_calls_each_task_of_the_clock() -> None:
    scheduled = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert {task for task in scheduled if task.startswith("resolution.")} == {
        "resolution.tasks.settle_due_cases",
        "resolution.tasks.open_owed_disputes",
        "resolution.tasks.alarm_late_support",
        "resolution.tasks.tell_decided_rests",
    }


def test_the_sweep_settles_what_is_due(in_progress: Order) -> None:
    case = opened(in_progress)
    with clock.at(after(hours=48)):
        assert tasks.settle_due_cases() == 1
    assert fresh_case(case).status == "accepted"


def test_the_sweep_opens_what_is_owed(in_progress: Order) -> None:
    with clock.at(after(days=33)):
        assert tasks.open_owed_disputes() == 1


def test_supports_own_silence_is_alarmed(delivered: Order, caplog: pytest.LogCaptureFixture) -> None:
    case = opened(delivered)
    with clock.at(after(days=2)):
        tasks.settle_due_cases()
    with clock.at(after(days=4)):
        assert tasks.alarm_late_support() == 0
    with clock.at(after(days=5)):
        assert tasks.alarm_late_support() == 1
    assert [record.getMessage() for record in caplog.records] == [
        f"ALARM: case {case.number} waits for Customer Support since it was due at {after(days=5)}"
    ]
