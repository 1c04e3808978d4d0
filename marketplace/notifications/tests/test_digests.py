"""The daily digest: once a day, once per person, and none without news (P4)."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail as mailbox
from django.db import connections
from pytest_django import Settings

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import UserFactory
from marketplace.notifications import services, tasks
from marketplace.notifications.digests import collect_digests
from marketplace.notifications.models import Digest, Notice
from marketplace.notifications.preferences import Wish, choose
from marketplace.notifications.tests.factories import NoticeFactory
from marketplace.notifications.topics import Topic

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
EIGHT = datetime(2026, 11, 24, 8, tzinfo=UTC)


def person_with_digest(**details: str) -> User:
    person = UserFactory(**details)
    choose(person, {Topic.MESSAGES: Wish("daily"), Topic.ORDERS: Wish("daily", quiet=True)})
    return person


def tell(person: User, kind: str, key: str) -> None:
    with clock.at(AT):
        services.tell([person], kind=kind, title=key, text="", url="/", key=key, at=AT)


def sweep(instant: datetime) -> list[tuple[str, list[str]]]:
    """Who got a digest, and of what."""
    before = len(mailbox.outbox)
    with clock.at(instant):
        tasks.send_digests()
    return [
        (message.to[0], [line[2:].partition(" (")[0] for line in message.body.splitlines() if line[:2] == "* "])
        for message in mailbox.outbox[before:]
    ]


def test_at_eight_in_each_persons_zone_comes_what_was_not_mailed_at_once() -> None:
    ana, ben = person_with_digest(), person_with_digest(time_zone="America/New_York")
    for person in (ana, ben):
        tell(person, "message", "first")
        tell(person, "ended", "second, quiet")
        tell(person, "delivered", "mailed at once")
    assert sweep(EIGHT - timedelta(seconds=1)) == []
    assert sweep(EIGHT) == [(ana.email, ["first", "second, quiet"])]
    assert sweep(EIGHT + timedelta(hours=1)) == []
    assert sweep(EIGHT + timedelta(hours=5)) == [(ben.email, ["first", "second, quiet"])]
    assert sweep(EIGHT + timedelta(days=1)) == []
    assert (
        Notice.objects.filter(emailed_at=None).values_list("own_title", flat=True).distinct().get() == "mailed at once"
    )


def test_what_was_read_meanwhile_is_left_out_and_of_nothing_comes_none() -> None:
    ana = person_with_digest()
    tell(ana, "message", "read")
    tell(ana, "message", "unread")
    services.mark_read(Notice.objects.get(key="read"), at=AT + timedelta(minutes=1))
    assert sweep(EIGHT) == [(ana.email, ["unread"])]
    tell(ana, "message", "read too")
    services.mark_read(Notice.objects.get(key="read too"), at=AT + timedelta(minutes=1))
    assert sweep(EIGHT + timedelta(days=1)) == []
    assert Notice.objects.exclude(digest_due_at=None).count() == 0


def test_a_dead_mail_server_delays_a_digest_and_it_comes_with_the_same_message_id(
    dead_mail_server: None, settings: Settings
) -> None:
    ana = person_with_digest()
    tell(ana, "message", "news")
    assert sweep(EIGHT) == []
    digest = Digest.objects.get()
    assert (digest.attempts, digest.next_attempt_at, digest.emailed_at) == (1, EIGHT + timedelta(minutes=1), None)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert sweep(EIGHT + timedelta(minutes=5)) == [(ana.email, ["news"])]
    # As a crash between sending and recording leaves it.
    Digest.objects.update(emailed_at=None, next_attempt_at=EIGHT)
    assert sweep(EIGHT + timedelta(minutes=9)) == [(ana.email, ["news"])]
    assert len({message.extra_headers["Message-ID"] for message in mailbox.outbox}) == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_make_one_digest_per_person() -> None:
    people = [UserFactory() for _ in range(6)]
    for person in people:
        NoticeFactory.create_batch(4, recipient=person, next_attempt_at=None, digest_due_at=clock.now())
    start = threading.Barrier(2)

    def work() -> None:
        start.wait()
        tasks.send_digests()
        connections.close_all()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    # A worker that met only locked rows leaves them to the other, or to the next sweep.
    collect_digests()
    assert sorted(message.to[0] for message in mailbox.outbox) == sorted(person.email for person in people)
    assert {message.subject for message in mailbox.outbox} == {"Your daily digest: 4 notices"}
    assert Digest.objects.count() == 6
