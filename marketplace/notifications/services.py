"""The verbs of notifications: tell people, mail what was told, mark as read."""

from collections.abc import Iterable
from datetime import datetime
from functools import partial

from django.db import transaction

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.notifications import tasks
from marketplace.notifications.models import Notice, Preference
from marketplace.notifications.preferences import Wish, next_digest, wishes_of
from marketplace.notifications.topics import topic_of

TITLE_LENGTH = 200
ByMail = Preference.ByMail


def tell(recipients: Iterable[User], *, kind: str, title: str, text: str, url: str, key: str, at: datetime) -> None:
    """Tell each recipient of an event, in the caller's transaction; the e-mail follows after its commit (P4): at once,
    in the next digest or not at all, as they chose for the topic of `kind`.

    `key` names the event: a recipient who was already told of it is not told again (I17). A title is one line;
    `url` is a path on this site. A dead Redis or mail server breaks nothing: the sweep mails what is left.
    Title and text are in the recipient's language: the caller wrote them inside `reading_as`.
    """
    people = list(recipients)
    if not people:
        return
    line = " ".join(title.split())[:TITLE_LENGTH]
    wishes = wishes_of(people, topic_of(kind))
    rows = []
    for person in people:
        wish = wishes.get(person.pk, Wish())
        row = Notice(recipient=person, kind=kind, title=line, text=text, url=url, key=key, created_at=at)
        row.next_attempt_at = at if wish.by_mail == ByMail.AT_ONCE else None
        row.digest_due_at = next_digest(person, clock.now()) if wish.by_mail == ByMail.DAILY else None
        row.read_at = at if wish.quiet else None
        rows.append(row)
    Notice.objects.bulk_create(rows, ignore_conflicts=True)
    to_mail = [row.recipient_id for row in rows if row.next_attempt_at]
    if to_mail:
        transaction.on_commit(partial(_ask_for_mail, key, to_mail), robust=True)


def _ask_for_mail(key: str, recipients: list[int]) -> None:
    unsent = Notice.objects.filter(key=key, recipient__in=recipients, emailed_at=None).values_list("pk", flat=True)
    for notice_id in unsent:
        if not tasks.ask_for_mail(notice_id):
            return


def mark_read(notice: Notice, *, at: datetime) -> None:
    """Mark one notice as read; the first reading counts."""
    Notice.objects.filter(pk=notice.pk, read_at=None).update(read_at=at)


def mark_all_read(reader: User, *, newest: int, at: datetime) -> int:
    """Mark a person's notices up to `newest` (an id) as read; returns how many were unread."""
    return Notice.objects.filter(recipient=reader, pk__lte=newest).unread().update(read_at=at)
