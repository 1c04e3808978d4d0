import threading
from datetime import timedelta

import pytest
from django.core import mail as mailbox
from django.db import connection, connections
from pytest_django import DjangoAssertNumQueries, Settings

from marketplace import clock
from marketplace.accounts.tests.factories import UserFactory
from marketplace.notifications import mail, tasks
from marketplace.notifications.models import Notice
from marketplace.notifications.tests.conftest import MailServer
from marketplace.notifications.tests.factories import NoticeFactory

pytestmark = pytest.mark.django_db


def waits(notice: Notice) -> tuple[int, timedelta]:
    """How often its e-mail was tried, and how long after its creation it is tried again."""
    notice.refresh_from_db()
    assert (notice.emailed_at, notice.next_attempt_at is None) == (None, False)
    return notice.attempts, notice.next_attempt_at - notice.created_at


def test_a_notice_is_mailed_with_its_link(settings: Settings) -> None:
    settings.SITE_URL = "https://milepost.example/"
    notice = NoticeFactory(recipient__email="ana@example.org")
    tasks.send_unsent()
    message = mailbox.outbox[0]
    assert (message.to, message.subject) == (["ana@example.org"], "Theo delivered “Storyboard”")
    assert message.body.startswith(
        "Theo delivered “Storyboard”\n\nYou have 8 days to accept it or to ask for a revision.\n\n"
        "See what to do: https://milepost.example/orders/MP-7K3X-9Q2D/\n\n-- \nMilepost\n"
    )
    notice.refresh_from_db()
    assert (notice.attempts, notice.next_attempt_at) == (1, None)
    assert notice.emailed_at is not None


def test_a_mailed_notice_is_not_mailed_again() -> None:
    NoticeFactory()
    assert [mail.send_unsent(), mail.send_unsent()] == [1, 0]
    assert len(mailbox.outbox) == 1


def test_a_repeat_after_a_crash_has_the_same_message_id() -> None:
    notice = NoticeFactory()
    mail.send_unsent()
    # As a crash between sending and recording leaves it: claimed, not recorded.
    Notice.objects.update(emailed_at=None, next_attempt_at=notice.created_at + timedelta(minutes=1))
    assert mail.send_unsent() == 0
    with clock.at(notice.created_at + timedelta(minutes=2)):
        assert mail.send_unsent() == 1
    ids = [message.extra_headers["Message-ID"] for message in mailbox.outbox]
    assert len(ids) == 2
    assert len(set(ids)) == 1


def test_every_notice_has_its_own_message_id() -> None:
    for key in ("a", "b"):
        for _ in range(2):
            NoticeFactory(key=key)
    assert mail.send_unsent() == 4
    assert len({message.extra_headers["Message-ID"] for message in mailbox.outbox}) == 4


def test_a_dead_mail_server_breaks_nothing_and_the_notice_waits(dead_mail_server: None) -> None:
    notice = NoticeFactory()
    with clock.at(notice.created_at):
        assert mail.send_unsent() == 0
    assert waits(notice) == (1, timedelta(minutes=1))


def test_a_dead_mail_server_is_asked_at_least_every_four_minutes(dead_mail_server: None) -> None:
    notice = NoticeFactory(attempts=9)
    with clock.at(notice.created_at):
        mail.send_unsent()
    assert waits(notice) == (10, timedelta(minutes=4))


def test_the_sweep_asks_a_dead_server_once_and_sends_all_when_it_is_back(
    dead_mail_server: None, settings: Settings
) -> None:
    notices = NoticeFactory.create_batch(3)
    assert mail.send_unsent() == 0
    assert list(Notice.objects.order_by("pk").values_list("attempts", flat=True)) == [1, 0, 0]
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    with clock.at(notices[-1].created_at + timedelta(minutes=5)):
        tasks.send_unsent()
    assert Notice.objects.filter(emailed_at=None).count() == 0
    assert sorted(message.to[0] for message in mailbox.outbox) == sorted(n.recipient.email for n in notices)


def test_the_sweep_goes_on_after_a_message_that_is_refused(mail_server: MailServer) -> None:
    bad = NoticeFactory(recipient__email="gone@example.org")
    good = NoticeFactory(recipient__email="ana@example.org")
    mail_server.refuses = {"gone@example.org"}
    assert mail.send_unsent() == 1
    assert len(mail_server.received) == 1
    assert "To: ana@example.org" in mail_server.received[0]
    assert waits(bad)[0] == 1
    good.refresh_from_db()
    assert good.emailed_at is not None


def test_a_message_that_is_refused_is_tried_less_and_less_often(mail_server: MailServer) -> None:
    mail_server.refuses = {"gone@example.org"}
    notice = NoticeFactory(recipient__email="gone@example.org", attempts=7)
    with clock.at(notice.created_at):
        assert mail.send_unsent() == 0
    assert waits(notice) == (8, timedelta(minutes=128))


def test_a_message_that_is_always_refused_is_set_aside(mail_server: MailServer) -> None:
    mail_server.refuses = {"gone@example.org"}
    notice = NoticeFactory(recipient__email="gone@example.org", attempts=11)
    assert mail.send_unsent() == 0
    notice.refresh_from_db()
    assert (notice.attempts, notice.emailed_at, notice.next_attempt_at) == (12, None, None)
    assert mail.send_unsent() == 0


def test_a_message_that_cannot_be_written_does_not_stop_the_others() -> None:
    NoticeFactory(recipient__email="a\nb@example.org")
    NoticeFactory(recipient__email="ana@example.org")
    assert mail.send_unsent() == 1
    assert [message.to for message in mailbox.outbox] == [["ana@example.org"]]


def test_one_sweep_ends_before_the_next_begins_and_leaves_the_rest_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    NoticeFactory.create_batch(3, recipient=UserFactory())
    monkeypatch.setattr(mail, "SWEEP_SECONDS", -1)  # as if the first letter had taken that long
    assert mail.send_unsent() == 0
    monkeypatch.undo()
    assert mail.send_unsent() == 3


def test_a_letter_that_cannot_be_drawn_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    bad, good = NoticeFactory(recipient__time_zone="Nowhere/At-all"), NoticeFactory()
    assert mail.send_unsent() == 1
    assert [message.to for message in mailbox.outbox] == [[good.recipient.email]]
    assert waits(bad)[0] == 1
    assert [record.getMessage().partition(" (")[0] for record in caplog.records] == [
        f"The e-mail of notice {bad.pk} was refused, attempt 1"
    ]


def test_a_notice_takes_five_queries(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    NoticeFactory()
    with django_assert_num_queries(5 + 3):  # savepoint, claim, its record, release; sent; and nothing more is found
        mail.send_unsent()


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_mail_every_notice_once() -> None:
    NoticeFactory.create_batch(20, recipient=UserFactory())
    start = threading.Barrier(2)

    def sweep() -> None:
        start.wait()
        mail.send_unsent()
        connections.close_all()

    workers = [threading.Thread(target=sweep) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(mailbox.outbox) == 20
    assert len({message.extra_headers["Message-ID"] for message in mailbox.outbox}) == 20
    assert set(Notice.objects.values_list("attempts", flat=True)) == {1}


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_the_server_is_asked(mail_server: MailServer) -> None:
    NoticeFactory()
    assert mail.send_unsent() == 1
    assert connection.in_atomic_block is False
