from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from pytest_django import DjangoAssertNumQueries

from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import UserFactory
from marketplace.notifications import services
from marketplace.notifications.models import Notice
from marketplace.notifications.tests.factories import NoticeFactory

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)


def tell(*people: User, key: str = "delivery:7", title: str = "Theo delivered “Storyboard”") -> None:
    services.tell(people, kind="delivered", title=title, text="Have a look.", url="/orders/MP-1/", key=key, at=AT)


def test_each_recipient_gets_one_notice() -> None:
    ana, theo = UserFactory(), UserFactory()
    tell(ana, theo)
    rows = Notice.objects.order_by("recipient").values_list(
        *("recipient", "kind", "own_title", "own_text", "url", "key"),
        *("created_at", "next_attempt_at", "read_at", "emailed_at", "attempts"),
    )
    rest = (
        "delivered",
        "Theo delivered “Storyboard”",
        "Have a look.",
        "/orders/MP-1/",
        "delivery:7",
        AT,
        AT,  # mailed at once
        None,
        None,
        0,
    )
    assert list(rows) == [(ana.pk, *rest), (theo.pk, *rest)]


def test_an_event_is_told_once_per_recipient() -> None:
    ana, theo = UserFactory(), UserFactory()
    tell(ana)
    tell(ana, theo, ana, title="again")
    assert sorted(Notice.objects.values_list("recipient", "own_title")) == [
        (ana.pk, "Theo delivered “Storyboard”"),
        (theo.pk, "again"),
    ]


def test_different_events_are_told_apart() -> None:
    ana = UserFactory()
    tell(ana, key="delivery:7")
    tell(ana, key="delivery:8")
    assert Notice.objects.count() == 2


def test_a_title_is_one_line_of_bounded_length() -> None:
    tell(UserFactory(), title="one\r\nBcc: two " + "x" * 300)
    assert Notice.objects.get().title == ("one Bcc: two " + "x" * 300)[:200]


def test_a_notice_of_a_rolled_back_act_is_not_there() -> None:
    with transaction.atomic():
        tell(UserFactory())
        transaction.set_rollback(True)
    assert Notice.objects.count() == 0


@pytest.mark.parametrize("url", ["https://evil.example/", "orders/"])
def test_the_database_refuses_an_address_that_is_not_a_path(url: str) -> None:
    with pytest.raises(IntegrityError, match="notice_url_is_a_path"), transaction.atomic():
        NoticeFactory(url=url)


def test_telling_nobody_does_nothing(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        tell()


def test_telling_two_people_takes_two_queries(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    people = UserFactory(), UserFactory()
    with transaction.atomic(), django_assert_num_queries(2):  # how they want to be told; the notices
        tell(*people)


def test_the_first_reading_counts() -> None:
    notice = NoticeFactory()
    services.mark_read(notice, at=AT)
    services.mark_read(notice, at=AT + timedelta(hours=1))
    notice.refresh_from_db()
    assert notice.read_at == AT


def test_marking_all_spares_what_came_meanwhile_and_what_is_not_mine() -> None:
    ana = UserFactory()
    first, others, later = NoticeFactory(recipient=ana), NoticeFactory(), NoticeFactory(recipient=ana)
    assert services.mark_all_read(ana, newest=others.pk, at=AT) == 1
    assert list(Notice.objects.filter(read_at=AT)) == [first]
    assert list(Notice.objects.unread().order_by("pk")) == [others, later]
