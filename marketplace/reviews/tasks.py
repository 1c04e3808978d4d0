"""Celery's entry point: what has become visible goes into the ratings."""

from celery import shared_task

from marketplace.reviews import services


@shared_task
def publish_due_reviews() -> int:
    return services.publish_due_reviews()
