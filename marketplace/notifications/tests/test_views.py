from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import UserFactory
from marketplace.notifications.models import Notice
from marketplace.notifications.tests.factories import NoticeFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana(client: Client) -> User:
    person = UserFactory(name="Ana Ruiz")
    client.force_login(person)
    return person


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("path", ["/notifications/", "/notifications/read/", "/notifications/1/read/"])
def test_strangers_see_and_do_nothing(client: Client, method: str, path: str) -> None:
    answer = getattr(client, method)(path)
    assert (answer.status_code, "Location" in answer) in {(302, True), (405, False)}
    assert answer.get("Location", "/accounts/login/").startswith("/accounts/login/")


def test_unread_notices_come_first_then_the_newest(client: Client, ana: User) -> None:
    now = clock.now()
    ages = {"old unread": (9, None), "new read": (1, now), "new unread": (2, None), "old read": (8, now)}
    for title, (days, read_at) in ages.items():
        NoticeFactory(recipient=ana, title=title, created_at=now - timedelta(days=days), read_at=read_at)
    NoticeFactory(title="somebody else's")
    shown = [notice.title for notice in client.get("/notifications/").context["page"]]
    assert shown == ["new unread", "old unread", "new read", "old read"]


def test_the_list_is_paged_and_bad_page_numbers_are_harmless(client: Client, ana: User) -> None:
    NoticeFactory.create_batch(30, recipient=ana)
    lengths = [len(client.get("/notifications/", {"page": page}).context["page"]) for page in ("1", "2", "x", "99")]
    assert lengths == [25, 5, 25, 5]


def test_a_page_says_how_many_are_unread(client: Client, ana: User) -> None:
    NoticeFactory.create_batch(3, recipient=ana)
    NoticeFactory(recipient=ana, read_at=clock.now())
    assert '<span class="count">3<span class="visually-hidden"> unread</span></span>' in client.get("/profile/").text


def test_looking_marks_nothing_as_read(client: Client, ana: User) -> None:
    NoticeFactory(recipient=ana)
    client.get("/notifications/")
    assert client.get("/notifications/read/").status_code == 405
    assert Notice.objects.unread().count() == 1


def test_all_that_the_page_showed_are_marked_as_read(client: Client, ana: User) -> None:
    NoticeFactory.create_batch(2, recipient=ana)
    newest = client.get("/notifications/").context["newest"]
    came_meanwhile = NoticeFactory(recipient=ana)
    answer = client.post("/notifications/read/", {"newest": newest})
    assert answer["Location"] == "/notifications/"
    assert list(Notice.objects.unread()) == [came_meanwhile]


@pytest.mark.parametrize("newest", ["", "x", "-1", "9" * 40, "²", "\0"])
def test_a_forged_mark_changes_nothing(client: Client, ana: User, newest: str) -> None:
    NoticeFactory(recipient=ana)
    assert client.post("/notifications/read/", {"newest": newest}).status_code == 302
    assert Notice.objects.unread().count() == 1


def test_a_notice_is_read_and_opened(client: Client, ana: User) -> None:
    notice = NoticeFactory(recipient=ana, url="/orders/MP-1/")
    assert client.post(f"/notifications/{notice.pk}/read/")["Location"] == "/orders/MP-1/"
    assert Notice.objects.unread().count() == 0


def test_other_peoples_notices_do_not_exist(client: Client, ana: User) -> None:
    notice = NoticeFactory()
    assert client.post(f"/notifications/{notice.pk}/read/").status_code == 404
    assert Notice.objects.unread().count() == 1


def test_what_people_wrote_is_inert(client: Client, ana: User) -> None:
    NoticeFactory(recipient=ana, title="<script>alert(1)</script>", text="<img src=x onerror=alert(1)>")
    page = client.get("/notifications/").text
    assert "<script>alert" not in page
    assert "<img" not in page


@pytest.mark.parametrize("count", [1, 25])
def test_the_list_takes_six_queries(
    client: Client, ana: User, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    NoticeFactory.create_batch(count, recipient=ana)
    with django_assert_num_queries(6):  # session, person, count, page, newest, unread
        client.get("/notifications/")
