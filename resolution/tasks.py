"""Celery's entry points: the clock of the cases. Each finds its work in PostgreSQL."""

import logging

from celery import shared_task

from marketplace import clock
from resolution import services
from resolution.models import Case

log = logging.getLogger(__name__)


@shared_task
def settle_due_cases() -> int:
    return services.settle_due_cases()


@shared_task
def open_owed_disputes() -> int:
    return services.open_owed_disputes()


@shared_task
def tell_decided_rests() -> int:
    return services.tell_decided_rests()


@shared_task
def alarm_late_support() -> int:
    """Once a day: the cases that support has not decided in time (R8)."""
    late = list(Case.objects.late_at_support(clock.now()))
    for case in late:
        log.error("ALARM: case %s waits for Customer Support since it was due at %s", case.number, case.support_due)
    return len(late)
