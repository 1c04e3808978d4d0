"""Celery entry points of the catalog."""

from celery import shared_task

from marketplace.catalog import services


@shared_task
def forget_unused_covers() -> None:
    services.forget_unused_covers()
