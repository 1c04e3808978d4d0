import re
from datetime import UTC, datetime, timedelta

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
@pytest.mark.parametrize(
    "path", [f"/notifications/{end}" for end in ("", "read/", "1/read/", "preferences/", "preferences/calendar/")]
)
def test_strangers_see_and_do_nothing(client: Client, method: str, path: str) -> None:
    answer = getattr(client, method)(path)
    assert (answer.status_code, "Location" in answer) in {(302, True), (405, False)}
    assert answer.get("Location", "/accounts/login/").startswith("/accounts/login/")


def test_the_newest_notices_come_first_under_the_days_of_the_readers_zone(client: Client, ana: User) -> None:
    User.objects.filter(pk=ana.pk).update(time_zone="Asia/Tokyo")
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    for title, hours in {"of Friday": 2, "of Saturday": 3.5, "of today": 30}.items():
        NoticeFactory(recipient=ana, own_title=title, created_at=noon + timedelta(hours=hours))
    NoticeFactory(own_title="somebody else's")
    with clock.at(noon + timedelta(hours=40)):
        page = client.get("/notifications/")
    days = [(f"{day}", [notice.title for notice in notices]) for day, notices in page.context["days"]]
    assert days == [("2026-11-22", ["of today"]), ("2026-11-21", ["of Saturday"]), ("2026-11-20", ["of Friday"])]
    assert re.findall(r'<h2 id="day-\d+">(.*)</h2>', page.text) == ["Today", "21 Nov", "20 Nov"]


def test_the_list_is_narrowed_to_the_unread_and_to_a_topic(client: Client, ana: User) -> None:
    for kind, read_at in (("delivered", None), ("delivered", clock.now()), ("message", None), ("finance", None)):
        NoticeFactory(recipient=ana, kind=kind, own_title=f"{kind} {bool(read_at)}", read_at=read_at)

    def shown(**query: str) -> list[str]:
        return [notice.title for notice in client.get("/notifications/", query).context["page"]]

    assert shown(unread="1") == ["finance False", "message False", "delivered False"]
    assert shown(topic="to-do") == ["delivered True", "delivered False"]
    assert shown(topic="to-do", unread="1") == ["delivered False"]
    assert shown(topic="orders") == []
    assert len(shown(topic="nonsense", unread="x")) == 4
    assert "Finance alarms" not in client.get("/notifications/").text


def test_the_list_is_paged_and_bad_places_are_harmless(client: Client, ana: User) -> None:
    NoticeFactory.create_batch(30, recipient=ana)
    after = client.get("/notifications/").context["page"].after
    lengths = [len(client.get("/notifications/", {"after": key}).context["page"]) for key in (after, "x", "x~1", "~")]
    assert lengths == [5, 25, 25, 25]


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


def test_a_notice_is_marked_as_read_without_leaving_the_list(client: Client, ana: User) -> None:
    notice = NoticeFactory(recipient=ana)
    page = client.get("/notifications/?unread=1&topic=to-do&after=x~1&next=//evil.example").text
    address = f"/notifications/{notice.pk}/read/?topic=to-do&amp;unread=1&amp;after=x~1"
    assert f'action="{address}"' in page
    answer = client.post(address.replace("&amp;", "&") + "&next=//evil.example", {"stay": "1"})
    assert answer["Location"] == "/notifications/?topic=to-do&unread=1&after=x~1"
    assert Notice.objects.unread().count() == 0


def test_other_peoples_notices_do_not_exist(client: Client, ana: User) -> None:
    notice = NoticeFactory()
    assert client.post(f"/notifications/{notice.pk}/read/").status_code == 404
    assert Notice.objects.unread().count() == 1


def test_what_people_wrote_is_inert(client: Client, ana: User) -> None:
    NoticeFactory(recipient=ana, own_title="<script>alert(1)</script>", own_text="<img src=x onerror=alert(1)>")
    page = client.get("/notifications/").text
    assert "<script>alert" not in page
    assert "<img" not in page


@pytest.mark.parametrize("count", [1, 25])
def test_the_list_takes_five_queries(
    client: Client, ana: User, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    NoticeFactory.create_batch(count, recipient=ana)
    with django_assert_num_queries(5):  # session, person, page, newest, unread
        client.get("/notifications/")
