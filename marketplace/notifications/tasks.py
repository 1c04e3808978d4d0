"""Celery entry points of notifications. All are safe to repeat, on any number of workers."""

from celery import shared_task

from marketplace.notifications import mail
from marketplace.notifications.digests import collect_digests
from marketplace.notifications.models import Digest


@shared_task
def send_unsent() -> None:
    """The sweep of the notices: no notice asks for its e-mail, so that a flood of them floods no queue."""
    mail.send_unsent()


@shared_task
def send_digests() -> None:
    """The sweep of the digests: collects those that are due and mails them, and what an earlier one could not mail."""
    collect_digests()
    mail.send_unsent(Digest)
