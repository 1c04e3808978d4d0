"""Sign-up, sign-in and password reset through the pages, and what they do not tell strangers."""

import re
import socket

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from marketplace.accounts import services
from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import PASSWORD, StaffFactory, UserFactory

pytestmark = pytest.mark.django_db

SIGNUP = {
    "name": "Ana Ruiz",
    "email": "Ana@Example.org",
    "password1": PASSWORD,
    "password2": PASSWORD,
    "time_zone": "Europe/Madrid",
}


def sign_in(client: Client, email: str, password: str = PASSWORD, **extra: str) -> HttpResponse:
    return client.post("/accounts/login/", {"login": email, "password": password} | extra)


def the_link_of(message: mail.EmailMessage) -> str:
    return re.findall(r"http://testserver(/accounts/\S+)", str(message.body))[0]


def known(person: User) -> User:
    services.confirm_email(person)
    return person


def test_sign_up_makes_a_person_with_a_name_a_handle_and_a_zone(client: Client) -> None:
    answer = client.post("/accounts/signup/", SIGNUP)
    assert (answer.status_code, answer["Location"]) == (302, "/orders/")
    person = User.objects.get()
    assert (person.email, person.name, person.handle, person.time_zone) == (
        "ana@example.org",
        "Ana Ruiz",
        "ana-ruiz",
        "Europe/Madrid",
    )
    assert client.session["_auth_user_id"] == str(person.pk)
    assert [(message.to, message.subject) for message in mail.outbox] == [
        (["ana@example.org"], "Confirm your e-mail address")
    ]


def test_a_bad_sign_up_keeps_what_was_typed(client: Client) -> None:
    answer = client.post("/accounts/signup/", SIGNUP | {"name": "", "password2": "something else"})
    assert answer.context["form"].errors == {
        "name": ["This field is required."],
        "password2": ["You must type the same password each time."],
    }
    assert 'value="Ana@Example.org"' in answer.text
    assert User.objects.count() == 0


def test_sign_up_lets_the_browser_guess_the_time_zone(client: Client) -> None:
    page = client.get("/accounts/signup/").text
    assert '<select name="time_zone" data-guess-zone' in page
    assert '<script src="/static/zone.js" defer></script>' in page


def test_a_sign_up_without_a_zone_is_in_utc(client: Client) -> None:
    client.post("/accounts/signup/", {name: value for name, value in SIGNUP.items() if name != "time_zone"})
    assert User.objects.get().time_zone == "UTC"


def test_powers_cannot_be_posted_with_a_sign_up(client: Client) -> None:
    client.post("/accounts/signup/", SIGNUP | {"is_staff": "on", "is_superuser": "on", "handle": "root"})
    person = User.objects.get()
    assert (person.is_staff, person.is_superuser, person.handle) == (False, False, "ana-ruiz")


def test_signing_in_takes_the_address_in_any_case(client: Client) -> None:
    person = known(UserFactory(email="ana@example.org", password=PASSWORD))
    answer = sign_in(client, "ANA@example.org")
    assert (answer.status_code, answer["Location"]) == (302, "/orders/")
    assert client.session["_auth_user_id"] == str(person.pk)


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_next_stays_on_the_site(client: Client, target: str) -> None:
    known(UserFactory(email="ana@example.org", password=PASSWORD))
    assert sign_in(client, "ana@example.org", next=target)["Location"] == "/orders/"


def test_next_leads_back_to_the_page_that_asked(client: Client) -> None:
    known(UserFactory(email="ana@example.org", password=PASSWORD))
    assert sign_in(client, "ana@example.org", next="/profile/")["Location"] == "/profile/"


def test_signing_in_does_not_tell_who_has_an_account(client: Client) -> None:
    known(UserFactory(email="ana@example.org", password=PASSWORD))
    errors = [sign_in(client, email, "wrong").context["form"].errors for email in ("ana@example.org", "no@example.org")]
    assert errors[0] == errors[1] == {"__all__": ["The email address and/or password you specified are not correct."]}


def test_a_deactivated_person_cannot_sign_in(client: Client) -> None:
    person = known(UserFactory(email="ana@example.org", password=PASSWORD))
    services.deactivate(person, by=StaffFactory())
    sign_in(client, "ana@example.org")
    assert "_auth_user_id" not in client.session


def test_a_password_is_reset_through_the_mails_link(client: Client) -> None:
    known(UserFactory(email="ana@example.org", password="the old one"))
    answer = client.post("/accounts/password/reset/", {"email": "Ana@example.org"})
    assert answer["Location"] == "/accounts/password/reset/done/"
    form = client.get(the_link_of(mail.outbox[0]), follow=True)
    changed = client.post(form.request["PATH_INFO"], {"password1": PASSWORD, "password2": PASSWORD})
    assert changed["Location"] == "/accounts/password/reset/key/done/"
    assert sign_in(client, "ana@example.org")["Location"] == "/orders/"


def test_the_reset_link_works_once(client: Client) -> None:
    known(UserFactory(email="ana@example.org", password="the old one"))
    client.post("/accounts/password/reset/", {"email": "ana@example.org"})
    link = the_link_of(mail.outbox[0])
    form = client.get(link, follow=True)
    client.post(form.request["PATH_INFO"], {"password1": PASSWORD, "password2": PASSWORD})
    assert Client().get(link, follow=True).context["token_fail"] is True


def test_a_reset_answers_strangers_as_it_answers_members(client: Client) -> None:
    known(UserFactory(email="ana@example.org", password=PASSWORD))
    answers = [
        client.post("/accounts/password/reset/", {"email": email}) for email in ("ana@example.org", "no@example.org")
    ]
    assert [(answer.status_code, answer["Location"]) for answer in answers] == [
        (302, "/accounts/password/reset/done/")
    ] * 2
    assert [message.to for message in mail.outbox] == [["ana@example.org"], ["no@example.org"]]


def test_a_sign_up_does_not_tell_who_has_an_account(client: Client, settings: Settings) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    known(UserFactory(email="ana@example.org", password=PASSWORD))
    answers = [client.post("/accounts/signup/", SIGNUP | {"email": email}) for email in ("ana@example.org", "b@c.org")]
    assert [(answer.status_code, answer["Location"]) for answer in answers] == [(302, "/accounts/confirm-email/")] * 2
    assert User.objects.count() == 2
    assert [message.to for message in mail.outbox] == [["ana@example.org"], ["b@c.org"]]


def test_a_mandatory_address_is_confirmed_through_the_mails_link(client: Client, settings: Settings) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    client.post("/accounts/signup/", SIGNUP)
    assert "_auth_user_id" not in client.session
    link = the_link_of(mail.outbox[0])
    client.post(link)
    assert EmailAddress.objects.get().verified is True
    assert sign_in(client, "ana@example.org")["Location"] == "/orders/"


@pytest.fixture
def own_cache(settings: Settings) -> None:
    """Attempts are counted in a database of Redis that no other test empties meanwhile."""
    default = settings.CACHES["default"]
    settings.CACHES = {"default": default | {"LOCATION": f"{default['LOCATION']}?db=9"}}
    cache.clear()


@pytest.mark.usefixtures("own_cache")
def test_guessing_passwords_is_limited(client: Client) -> None:
    known(UserFactory(email="ana@example.org", password=PASSWORD))
    for _ in range(10):
        sign_in(client, "ana@example.org", "wrong")
    answer = sign_in(client, "ana@example.org")
    assert answer.context["form"].errors == {"__all__": ["Too many failed login attempts. Try again later."]}
    assert "_auth_user_id" not in client.session


@pytest.mark.usefixtures("own_cache")
def test_asking_for_resets_is_limited(client: Client) -> None:
    known(UserFactory(email="ana@example.org", password=PASSWORD))
    codes = [client.post("/accounts/password/reset/", {"email": "ana@example.org"}).status_code for _ in range(6)]
    assert codes == [302, 302, 302, 302, 302, 429]


def test_a_dead_mail_server_is_told_and_breaks_neither_sign_up_nor_reset(client: Client, settings: Settings) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = reserved.getsockname()
        client.post("/accounts/signup/", SIGNUP)
        signed_up = client.get("/profile/")
        client.logout()
        reset = client.post("/accounts/password/reset/", {"email": "ana@example.org"}, follow=True)
    assert User.objects.count() == 1
    told = "We can’t send e-mail right now. Please try again in a few minutes."
    assert next(str(message) for message in signed_up.context["messages"]) == told
    assert [str(message) for message in reset.context["messages"]] == [told]


def test_people_can_sign_in_while_redis_is_down(client: Client, settings: Settings) -> None:
    known(UserFactory(email="ana@example.org", password=PASSWORD))
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "unix:///nowhere/redis.sock"}}
    assert sign_in(client, "ana@example.org")["Location"] == "/orders/"


def test_signing_out_needs_a_post(client: Client) -> None:
    client.force_login(UserFactory())
    client.get("/accounts/logout/")
    assert "_auth_user_id" in client.session
    client.post("/accounts/logout/")
    assert "_auth_user_id" not in client.session
