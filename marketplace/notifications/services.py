"""The verbs of notifications: tell people, mark as read. What is told is mailed by a sweep (`mail`)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.notifications.models import Notice, Preference
from marketplace.notifications.preferences import Wish, next_digest, wishes_of
from marketplace.notifications.topics import topic_of
from marketplace.notifications.wording import one_line
from marketplace.rows import Rows

ByMail = Preference.ByMail
_NOTICES = Rows(
    "notifications_notice",
    recipient_id="bigint",
    kind="text",
    own_title="text",
    own_text="text",
    until="timestamptz",
    url="text",
    key="text",
    created_at="timestamptz",
    next_attempt_at="timestamptz",
    digest_due_at="timestamptz",
    read_at="timestamptz",
    attempts="smallint",
)


class News(NamedTuple):
    """What one person is told of. Without a title the words are found when it is read (`wording`)."""

    recipient_id: int
    kind: str
    url: str
    key: str
    at: datetime
    title: str = ""
    text: str = ""
    until: datetime | None = None


def tell(recipients: Iterable[User], *, kind: str, title: str, text: str, url: str, key: str, at: datetime) -> None:
    """Tell each recipient of an event, in the caller's transaction; the e-mail follows after its commit (P4): at once,
    in the next digest or not at all, as they chose for the topic of `kind`.

    `key` names the event: a recipient who was already told of it is not told again (I17). A title is one line;
    `url` is a path on this site. A dead Redis or mail server breaks nothing: a sweep mails what is there.
    Title and text are in the recipient's language: the caller wrote them inside `reading_as`.
    """
    tell_each([News(person.pk, kind, url, key, at, one_line(title), text) for person in recipients])


def tell_each(news: Sequence[News]) -> None:
    """Tell each person their news, in the caller's transaction, with as many statements for many as for one."""
    if not news:
        return
    wishes = wishes_of({each.recipient_id for each in news}, {topic_of(each.kind) for each in news})
    _NOTICES.insert(
        (_row(each, wishes.get((each.recipient_id, topic_of(each.kind)))) for each in news), ignore_conflicts=True
    )


def _row(news: News, wish: Wish | None) -> dict[str, Any]:
    by_mail = wish.by_mail if wish else ByMail.AT_ONCE
    return {
        "recipient_id": news.recipient_id,
        "kind": news.kind,
        "own_title": news.title,
        "own_text": news.text,
        "until": news.until,
        "url": news.url,
        "key": news.key,
        "created_at": news.at,
        "next_attempt_at": news.at if by_mail == ByMail.AT_ONCE else None,
        "digest_due_at": next_digest(wish.time_zone, clock.now()) if wish and by_mail == ByMail.DAILY else None,
        "read_at": news.at if wish and wish.quiet else None,
        "attempts": 0,
    }


def mark_read(notice: Notice, *, at: datetime) -> None:
    """Mark one notice as read; the first reading counts."""
    Notice.objects.filter(pk=notice.pk, read_at=None).update(read_at=at)


def mark_all_read(reader: User, *, newest: int, at: datetime) -> int:
    """Mark a person's notices up to `newest` (an id) as read; returns how many were unread."""
    return Notice.objects.filter(recipient=reader, pk__lte=newest).unread().update(read_at=at)
