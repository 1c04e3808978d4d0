"""The e-mails of notices and digests: claimed, sent with no transaction open, recorded (I17).

A claim moves `next_attempt_at` on before the server is asked. So two workers never send the same mail, and a crash
between sending and recording repeats it later with the same Message-ID.
"""

import logging
import smtplib
import time
from datetime import datetime, timedelta
from enum import Enum, auto

from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction

from marketplace import clock
from marketplace.notifications.letters import letter
from marketplace.notifications.models import Digest, Notice

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 12  # less than the beat's period: a flood of mail occupies one or two workers, not all of them
FIRST_WAIT = timedelta(minutes=1)
SERVER_WAIT = timedelta(minutes=4)  # I15: sent within five minutes after the mail server is back
REFUSED_WAIT = timedelta(hours=12)
MAX_ATTEMPTS = 12


class Sent(Enum):
    YES = auto()
    NOTHING_TO_SEND = auto()
    REFUSED = auto()
    SERVER_DOWN = auto()


def send_unsent(kind: type[Notice] | type[Digest] = Notice) -> int:
    """Mail what is due, for `SWEEP_SECONDS` at most; returns how many were sent.

    Raises nothing for a refused message. Stops at the first sign of a dead server, so the rest stays due and goes out
    as soon as the server is back.
    """
    sent = 0
    started = time.monotonic()
    with _closing(get_connection()) as connection:
        while time.monotonic() - started <= SWEEP_SECONDS:
            outcome = _send_next(kind, connection)
            sent += outcome is Sent.YES
            if outcome in (Sent.NOTHING_TO_SEND, Sent.SERVER_DOWN):
                break
    return sent


def _send_next(kind: type[Notice] | type[Digest], connection: BaseEmailBackend) -> Sent:
    mail = _claim(kind, clock.now())
    if mail is None:
        return Sent.NOTHING_TO_SEND
    try:
        email = letter(mail)
        email.connection = connection
        email.send()
    except Exception as problem:
        connection.close()
        return _put_off(mail, problem)
    _record(mail, clock.now())
    return Sent.YES


@transaction.atomic
def _claim(kind: type[Notice] | type[Digest], now: datetime) -> Notice | Digest | None:
    due = kind.objects.to_mail(now).order_by("next_attempt_at", "pk")
    mail = due.select_related("recipient").select_for_update(skip_locked=True, of=("self",)).first()
    if mail is None:
        return None
    mail.attempts += 1
    mail.next_attempt_at = now + _wait(mail.attempts, SERVER_WAIT)
    mail.save(update_fields=["attempts", "next_attempt_at"])
    return mail


def _record(mail: Notice | Digest, now: datetime) -> None:
    if isinstance(mail, Digest):
        mail.notices.update(emailed_at=now)
    type(mail).objects.filter(pk=mail.pk).update(emailed_at=now, next_attempt_at=None)


def _put_off(mail: Notice | Digest, problem: Exception) -> Sent:
    """A server that does not answer is asked again soon; a message it refuses, less and less often and not for ever."""
    name = f"{type(mail).__name__.lower()} {mail.pk}"
    server_down = isinstance(problem, OSError) and not isinstance(
        problem, smtplib.SMTPResponseException | smtplib.SMTPRecipientsRefused | smtplib.SMTPNotSupportedError
    )
    if server_down:
        logger.warning("The mail server does not answer: %s waits (%s)", name, problem)
        return Sent.SERVER_DOWN
    given_up = mail.attempts >= MAX_ATTEMPTS
    mail.next_attempt_at = None if given_up else clock.now() + _wait(mail.attempts, REFUSED_WAIT)
    # Whoever stopped these mails meanwhile is not asked to have this one after all.
    type(mail).objects.filter(pk=mail.pk, next_attempt_at__isnull=False).update(next_attempt_at=mail.next_attempt_at)
    log = logger.error if given_up else logger.warning
    log("The e-mail of %s was refused, attempt %s (%s)", name, mail.attempts, problem)
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
