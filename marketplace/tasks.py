"""The heartbeat of the clock: shows that beat and worker are alive."""

from celery import shared_task

from marketplace.health import note_sweep


@shared_task
def heartbeat() -> None:
    note_sweep()
