"""What each person wants to be told, and how (P4). Nobody can hide a notice: it always stands in their list."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.core.signing import BadSignature, Signer
from django.db import transaction

from marketplace.accounts.models import User
from marketplace.notifications.models import CalendarFeed, Notice, Preference, new_token
from marketplace.notifications.topics import Topic, kinds_of

ByMail = Preference.ByMail

DIGEST_HOUR = 8
DIGEST = "digest"
_signer = Signer(salt="notices.stop-mail", sep=".")


@dataclass(frozen=True)
class Wish:
    by_mail: str = ByMail.AT_ONCE
    quiet: bool = False
    time_zone: str = "UTC"


def wishes_of(person_ids: Collection[int], topics: Collection[Topic]) -> dict[tuple[int, Topic], Wish]:
    """How people want to be told of topics, by person's id and topic; what was never chosen is not in here."""
    found = Preference.objects.filter(person__in=person_ids, topic__in=topics)
    chosen = found.values_list("person_id", "topic", "by_mail", "quiet", "person__time_zone")
    return {(person_id, Topic(topic)): Wish(mail, quiet, zone) for person_id, topic, mail, quiet, zone in chosen}


def wishes_about(person: User) -> dict[str, Wish]:
    """How a person wants to be told of each topic, those never chosen included."""
    found = {each.topic: Wish(each.by_mail, each.quiet) for each in Preference.objects.filter(person=person)}
    return {topic.value: found.get(topic.value, Wish()) for topic in Topic}


def next_digest(time_zone: str, after: datetime) -> datetime:
    """The next 8:00 in a person's time zone that is later than `after`."""
    zone = ZoneInfo(time_zone)
    local = after.astimezone(zone)
    today = local.replace(hour=DIGEST_HOUR, minute=0, second=0, microsecond=0)
    return today if today > local else (today + timedelta(days=1))


@transaction.atomic
def choose(person: User, wishes: Mapping[str, Wish]) -> None:
    """Keep what a person chose, topic by topic; what was switched off and is not mailed yet, is not mailed any more."""
    Preference.objects.bulk_create(
        [
            Preference(person=person, topic=topic, by_mail=wish.by_mail, quiet=wish.quiet)
            for topic, wish in wishes.items()
        ],
        update_conflicts=True,
        unique_fields=["person", "topic"],
        update_fields=["by_mail", "quiet"],
    )
    _forget_unsent(person, [Topic(topic) for topic, wish in wishes.items() if wish.by_mail == ByMail.NEVER])


@transaction.atomic
def stop_mail(person: User, what: str) -> None:
    """Switch the e-mails of a topic off, or of every topic that comes in the digest; again changes nothing."""
    if what == DIGEST:
        daily = Preference.objects.filter(person=person, by_mail=ByMail.DAILY)
        topics = [Topic(topic) for topic in daily.values_list("topic", flat=True)]
        daily.update(by_mail=ByMail.NEVER)
    else:
        topics = [Topic(what)]
        Preference.objects.update_or_create(person=person, topic=what, defaults={"by_mail": ByMail.NEVER})
    _forget_unsent(person, topics)


def _forget_unsent(person: User, topics: Iterable[Topic]) -> None:
    kinds = [kind for topic in topics for kind in kinds_of(topic)]
    unsent = Notice.objects.filter(recipient=person, kind__in=kinds, emailed_at=None)
    unsent.update(next_attempt_at=None, digest_due_at=None)


def stop_token(person_id: int, what: str) -> str:
    """What the address for stopping ends in: it works for ever, for this person and topic (or `DIGEST`) alone."""
    return _signer.sign(f"{person_id}-{what}")


def read_stop_token(token: str) -> tuple[int, str] | None:
    """The person's id and the topic (or `DIGEST`) of such an address; None if it is not one of ours."""
    try:
        person, _, what = _signer.unsign(token).partition("-")
    except BadSignature:
        return None
    return (int(person), what) if what == DIGEST or what in Topic.values else None


def renew_calendar(person: User) -> CalendarFeed:
    """Give a person's calendar an address, or a new one: the old one finds nothing from now on (P5)."""
    feed, _ = CalendarFeed.objects.update_or_create(owner=person, defaults={"token": new_token()})
    return feed


def remove_calendar(person: User) -> None:
    """Take the address of a person's calendar away."""
    CalendarFeed.objects.filter(owner=person).delete()
