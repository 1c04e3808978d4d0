"""The e-mail of a notice: claimed, sent with no transaction open, recorded (I17).

A claim moves `next_attempt_at` on before the server is asked. So two workers never send the same notice, and a crash
between sending and recording repeats it later with the same Message-ID.
"""

import hashlib
import logging
import smtplib
import time
from datetime import datetime, timedelta
from enum import Enum, auto
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import Q

from marketplace import clock
from marketplace.notifications.models import Notice

logger = logging.getLogger(__name__)

BATCH = 200
SWEEP_SECONDS = 120
FIRST_WAIT = timedelta(minutes=1)
SERVER_WAIT = timedelta(minutes=4)  # I15: sent within five minutes after the mail server is back
REFUSED_WAIT = timedelta(hours=12)
MAX_ATTEMPTS = 12


class Sent(Enum):
    YES = auto()
    NOTHING_TO_SEND = auto()
    REFUSED = auto()
    SERVER_DOWN = auto()


def send(notice_id: int, connection: BaseEmailBackend | None = None) -> Sent:
    """Mail one notice, unless somebody else does or did. Raises nothing for a dead server or a refused message."""
    return _send_next(Q(pk=notice_id), connection or get_connection())


def send_unsent() -> int:
    """Mail what is due, at most one batch; returns how many were sent.

    Stops at the first sign of a dead server, so the rest stays due and goes out as soon as the server is back.
    """
    sent = 0
    started = time.monotonic()
    with _closing(get_connection()) as connection:
        for _ in range(BATCH):
            outcome = _send_next(Q(), connection)
            sent += outcome is Sent.YES
            if outcome in (Sent.NOTHING_TO_SEND, Sent.SERVER_DOWN) or time.monotonic() - started > SWEEP_SECONDS:
                break
    return sent


def message(notice: Notice) -> EmailMessage:
    """The e-mail of a notice. Its Message-ID is always the same one."""
    site = settings.SITE_URL.rstrip("/")
    digest = hashlib.sha256(f"{notice.pk}:{notice.key}".encode()).hexdigest()[:20]
    return EmailMessage(
        subject=notice.title,
        body="\n\n".join(part for part in (notice.text, f"{site}{notice.url}") if part),
        to=[notice.recipient.email],
        headers={"Message-ID": f"<notice-{notice.pk}-{digest}@{urlsplit(site).hostname}>"},
    )


def _send_next(which: Q, connection: BaseEmailBackend) -> Sent:
    notice = _claim(which, clock.now())
    if notice is None:
        return Sent.NOTHING_TO_SEND
    email = message(notice)
    email.connection = connection
    try:
        email.send()
    except Exception as problem:
        connection.close()
        return _put_off(notice, problem)
    Notice.objects.filter(pk=notice.pk).update(emailed_at=clock.now(), next_attempt_at=None)
    return Sent.YES


@transaction.atomic
def _claim(which: Q, now: datetime) -> Notice | None:
    due = Notice.objects.to_mail(now).filter(which).order_by("next_attempt_at", "pk")
    notice = due.select_related("recipient").select_for_update(skip_locked=True, of=("self",)).first()
    if notice is None:
        return None
    notice.attempts += 1
    notice.next_attempt_at = now + _wait(notice.attempts, SERVER_WAIT)
    notice.save(update_fields=["attempts", "next_attempt_at"])
    return notice


def _put_off(notice: Notice, problem: Exception) -> Sent:
    """A server that does not answer is asked again soon; a message it refuses, less and less often and not for ever."""
    server_down = isinstance(problem, OSError) and not isinstance(
        problem, smtplib.SMTPResponseException | smtplib.SMTPRecipientsRefused | smtplib.SMTPNotSupportedError
    )
    if server_down:
        logger.warning("The mail server does not answer: notice %s waits (%s)", notice.pk, problem)
        return Sent.SERVER_DOWN
    given_up = notice.attempts >= MAX_ATTEMPTS
    notice.next_attempt_at = None if given_up else clock.now() + _wait(notice.attempts, REFUSED_WAIT)
    notice.save(update_fields=["next_attempt_at"])
    log = logger.error if given_up else logger.warning
    log("The e-mail of notice %s was refused, attempt %s (%s)", notice.pk, notice.attempts, problem)
    return Sent.REFUSED


def _wait(attempts: int, longest: timedelta) -> timedelta:
    return min(FIRST_WAIT * (1 << min(attempts - 1, 20)), longest)


class _closing:  # noqa: N801 -- reads like contextlib.closing, which does not open
    """An open connection for many messages; a server that cannot be reached is met by the first message."""

    def __init__(self, connection: BaseEmailBackend) -> None:
        self.connection = connection

    def __enter__(self) -> BaseEmailBackend:
        return self.connection

    def __exit__(self, *exception: object) -> None:
        self.connection.close()
