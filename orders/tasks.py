"""Celery's entry points: the clock. Each finds its work in PostgreSQL, so a lost queue loses no deadline."""

from celery import shared_task

from orders import services


@shared_task
def settle_due() -> int:
    return services.settle_due()


@shared_task
def settle_charges() -> int:
    return services.settle_charges()


@shared_task
def tell_refused_refunds() -> int:
    return services.tell_refused_refunds() + services.tell_credited_refunds()


@shared_task
def send_reminders() -> int:
    return services.send_reminders()


@shared_task
def draw_previews(attachment_ids: list[int]) -> None:
    services.draw_previews(attachment_ids)


@shared_task
def draw_owed_previews() -> int:
    return services.draw_owed_previews()


@shared_task
def forget_lost_files() -> int:
    return services.forget_lost_files()
