"""Sessions: where one is signed in, signing out there, how long it lasts, and what is left behind."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth import SESSION_KEY
from django.db import connection
from django.test import Client
from django.utils import timezone

from marketplace.accounts import services
from marketplace.accounts.devices import devices_of, name_of
from marketplace.accounts.models import Session, User
from marketplace.accounts.sessions import BEGAN, SessionStore
from marketplace.accounts.tests.factories import PASSWORD, StaffFactory, UserFactory
from marketplace.accounts.tests.signing_in import sign_in_by_password_alone

pytestmark = pytest.mark.django_db

BACKEND = "django.contrib.auth.backends.ModelBackend"
PAGE, PROFILE, LOGIN, LOGOUT = "/profile/devices/", "/profile/", "/accounts/login/", "/accounts/logout/"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Mobile/15E148 Safari/604.1"
LAPTOP = "Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0"


def person_of(email: str = "ana@example.org") -> User:
    person: User = UserFactory(email=email, password=PASSWORD)
    services.confirm_email(person)
    return person


def signed_in(person: User, agent: str) -> Client:
    client = Client(headers={"user-agent": agent})
    assert client.post(LOGIN, {"login": person.email, "password": PASSWORD}).status_code == 302
    assert is_in(client)
    return client


def is_in(client: Client) -> bool:
    return client.get(PROFILE).status_code == 200


def age(client: Client, *, began: timedelta = timedelta(0), seen: timedelta = timedelta(0)) -> None:
    """As if the session had begun, and been used last, so long ago."""
    session = client.session
    session[BEGAN] -= int(began.total_seconds())
    session.save()
    Session.objects.filter(pk=session.session_key).update(seen_at=timezone.now() - seen)


def test_one_sees_where_one_is_signed_in_and_signs_out_there() -> None:
    ana = person_of()
    laptop, phone = signed_in(ana, LAPTOP), signed_in(ana, PHONE)
    others = signed_in(person_of("ben@example.org"), LAPTOP)
    page = laptop.get(PAGE)
    here, there = page.context["devices"]
    assert [(one.name, one.is_here) for one in (here, there)] == [
        ("Firefox on Linux", True),
        ("Safari on iPhone", False),
    ]
    assert page.content.decode().count(">Sign out there<") == 1
    assert [key for key in Session.objects.values_list("session_key", flat=True) if key in page.content.decode()] == []
    answer = laptop.post(PAGE, {"session": there.public_id}, follow=True)
    assert [str(message) for message in answer.context["messages"]] == ["That device is signed out."]
    assert [one.name for one in answer.context["devices"]] == ["Firefox on Linux"]
    assert "You are signed in nowhere else." in answer.content.decode()
    assert [is_in(client) for client in (laptop, phone, others)] == [True, False, True]


def test_nobody_ends_the_session_of_another_or_one_that_is_not_there() -> None:
    ana, ben = person_of(), person_of("ben@example.org")
    hers, his = signed_in(ana, LAPTOP), signed_in(ben, PHONE)
    (of_ben,) = devices_of(ben, None)
    (of_ana,) = devices_of(ana, None)
    for posted in (of_ben.public_id, of_ana.public_id, "\0", "x" * 5_000, his.session.session_key or "", ""):
        answer = hers.post(PAGE, {"session": posted}, follow=True)
        assert [str(message) for message in answer.context["messages"]] == ["That device was signed out already."]
    assert is_in(hers)
    assert is_in(his)


def test_what_ended_otherwise_is_not_listed() -> None:
    ana = person_of()
    mine, old, unused = (signed_in(ana, LAPTOP) for _ in range(3))
    age(old, began=timedelta(days=31))
    age(unused, seen=timedelta(days=15))
    assert len(devices_of(ana, None)) == 1
    signed_in(ana, PHONE)
    assert len(devices_of(ana, None)) == 2
    mine.post("/profile/sign-out-everywhere/")
    ana.refresh_from_db()
    assert [one.is_here for one in devices_of(ana, mine.session.session_key)] == [True]


@pytest.mark.parametrize(
    ("began", "seen", "lasts"),
    [
        (timedelta(days=29, hours=23), timedelta(days=13, hours=23), True),
        (timedelta(days=30, minutes=1), timedelta(0), False),
        (timedelta(days=14, minutes=1), timedelta(days=14, minutes=1), False),
    ],
)
def test_a_session_lasts_thirty_days_and_two_weeks_without_use(began: timedelta, seen: timedelta, lasts: bool) -> None:
    client = signed_in(person_of(), LAPTOP)
    age(client, began=began, seen=seen)
    assert is_in(client) is lasts


def test_that_of_staff_lasts_twelve_hours_also_if_they_became_staff_since() -> None:
    staff = StaffFactory()
    client = Client()
    sign_in_by_password_alone(client, staff, BACKEND)
    age(client, began=timedelta(hours=11, minutes=59))
    assert is_in(client)
    age(client, began=timedelta(minutes=2))
    assert not is_in(client)
    promoted = person_of()
    client = signed_in(promoted, LAPTOP)
    age(client, began=timedelta(hours=13))
    assert is_in(client)
    User.objects.filter(pk=promoted.pk).update(is_staff=True)
    assert not is_in(client)


def test_proving_again_who_one_is_does_not_make_a_session_younger() -> None:
    client = signed_in(person_of(), LAPTOP)
    age(client, began=timedelta(days=20))
    key, began = client.session.session_key, client.session[BEGAN]
    assert client.post("/accounts/reauthenticate/", {"password": PASSWORD}).status_code == 302
    assert client.session.session_key != key
    assert client.session[BEGAN] == began
    row = Session.objects.get(pk=client.session.session_key)
    assert (row.started_at, row.device) == (datetime.fromtimestamp(began, UTC), LAPTOP)


def test_use_is_noted_once_an_hour() -> None:
    ana = person_of()
    client = signed_in(ana, LAPTOP)
    age(client, seen=timedelta(hours=2))
    row = Session.objects.filter(person=ana)
    is_in(client)
    noted = row.get().seen_at
    assert noted
    assert timezone.now() - noted < timedelta(minutes=1)
    is_in(client)
    assert row.get().seen_at == noted


def test_sessions_from_before_this_was_noted_go_on_and_begin_now() -> None:
    client = signed_in(person_of(), LAPTOP)
    session = client.session
    del session[BEGAN]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE django_session SET session_data = %s, person_id = NULL, started_at = NULL, seen_at = NULL",
            [Session.objects.encode(dict(session.items()))],
        )
    assert is_in(client)
    row = Session.objects.get()
    assert (row.person, row.started_at is None) == (User.objects.get(), False)


def test_signing_out_leaves_nothing_in_the_browser() -> None:
    client = signed_in(person_of(), LAPTOP)
    client.post("/language/", {"language": "es"})
    assert "Clear-Site-Data" not in client.get(PROFILE).headers
    answer = client.post(LOGOUT)
    assert answer["Clear-Site-Data"] == '"cache", "storage"'
    assert answer.cookies["sessionid"]["max-age"] == 0
    assert client.cookies["django_language"].value == "es", "that is the browser's, and no secret"
    assert Session.objects.filter(person__isnull=False).count() == 0
    assert "Clear-Site-Data" not in Client().get("/").headers
    ended = signed_in(person_of("ben@example.org"), PHONE)
    age(ended, began=timedelta(days=31))
    assert ended.get("/")["Clear-Site-Data"] == '"cache", "storage"'
    assert SESSION_KEY not in ended.session


def test_sessions_that_ran_out_are_forgotten_at_night() -> None:
    signed_in(person_of(), LAPTOP)
    signed_in(User.objects.get(), PHONE)
    Session.objects.filter(device=PHONE).update(expire_date=timezone.now() - timedelta(minutes=1))
    SessionStore.clear_expired()
    assert [row.device for row in Session.objects.all()] == [LAPTOP]


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (Linux; Android 15; Pixel 9) Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.5 Safari/605.1.15", "Safari on macOS"),
        ("curl/8.5.0", "Unknown device"),
        ("<script>Firefox</script>", "Firefox"),
        ("", "Unknown device"),
    ],
)
def test_a_device_is_named_as_people_call_it(agent: str, name: str) -> None:
    assert name_of(agent) == name
