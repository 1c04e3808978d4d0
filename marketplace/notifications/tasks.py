"""Celery entry points of notifications. All are safe to repeat, on any number of workers."""

import logging

from celery import shared_task

from marketplace.notifications import mail
from marketplace.notifications.digests import collect_digests
from marketplace.notifications.models import Digest

logger = logging.getLogger(__name__)


@shared_task
def send_notice(notice_id: int) -> None:
    mail.send(notice_id)


@shared_task
def send_unsent() -> None:
    """The sweep: mails what a dead Redis, a dead mail server or a crash left."""
    mail.send_unsent()


@shared_task
def send_digests() -> None:
    """The sweep of the digests: collects those that are due and mails them, and what an earlier one could not mail."""
    collect_digests()
    mail.send_unsent(Digest)


def ask_for_mail(notice_id: int) -> bool:
    """Ask a worker to mail a notice. A dead Redis is logged and answered with False: the sweep does it later."""
    try:
        send_notice.apply_async((notice_id,), retry=False)
    except Exception as problem:
        logger.warning("Could not ask for the e-mail of notice %s, the sweep will send it (%s)", notice_id, problem)
        return False
    return True
