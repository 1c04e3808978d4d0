"""What keeps an account with its owner: limits, breached passwords, ended sessions, proofs before what would hurt."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core import mail
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from marketplace.accounts import second_factor, services
from marketplace.accounts.breached import BreachedPasswordValidator
from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import PASSWORD, StaffFactory, UserFactory
from marketplace.accounts.tests.signing_in import SECRET, sign_in_by_password_alone

pytestmark = pytest.mark.django_db

BACKEND = "django.contrib.auth.backends.ModelBackend"
LOGIN, SIGNUP, RESET, AGAIN = (f"/accounts/{page}/" for page in ("login", "signup", "password/reset", "reauthenticate"))
NEW = {"name": "Ana", "password1": PASSWORD, "password2": PASSWORD, "time_zone": "UTC"}
TOO_MANY = {"__all__": ["Too many failed login attempts. Try again later."]}


def member(email: str = "ana@example.org") -> User:
    person: User = UserFactory(email=email, password=PASSWORD)
    services.confirm_email(person)
    return person


def guess(client: Client, email: str = "ana@example.org", password: str = "wrong", **extra: str) -> HttpResponse:
    return client.post(LOGIN, {"login": email, "password": password}, **extra)


@pytest.fixture(params=["Redis counts", "Redis is away"])
def counts(request: pytest.FixtureRequest, settings: Settings) -> None:
    """Attempts are counted where no other test empties them meanwhile."""
    default = settings.CACHES["default"]
    broken = request.param == "Redis is away"
    location = "unix:///nowhere/redis.sock" if broken else f"{default['LOCATION']}?db=9"
    settings.CACHES = {"default": default | {"LOCATION": location}}
    cache.clear()


# Limits, while Redis is there and while it is not


@pytest.mark.usefixtures("counts")
def test_guessing_at_one_account_is_limited_from_however_many_addresses(client: Client) -> None:
    member()
    for number in range(5):
        guess(client, REMOTE_ADDR=f"192.0.2.{number}")
    answer = guess(client, password=PASSWORD, REMOTE_ADDR="192.0.2.99")
    assert answer.context["form"].errors == TOO_MANY
    assert "_auth_user_id" not in client.session


@pytest.mark.usefixtures("counts")
def test_guessing_from_one_address_is_limited_at_however_many_accounts(client: Client) -> None:
    member()
    answers = [guess(client, f"person-{number}@example.org") for number in range(11)]
    assert [answer.context["form"].errors == TOO_MANY for answer in answers] == [False] * 10 + [True]
    assert guess(client, password=PASSWORD, REMOTE_ADDR="192.0.2.1").status_code == 302


@pytest.mark.usefixtures("counts")
def test_sign_ups_and_resets_are_limited(client: Client) -> None:
    signups = [client.post(SIGNUP, NEW | {"email": "no address"}).status_code for _ in range(21)]
    assert signups == [200] * 20 + [429]
    resets = [client.post(RESET, {"email": f"person-{number}@example.org"}).status_code for number in range(21)]
    assert resets == [302] * 20 + [429]


@pytest.mark.usefixtures("counts")
def test_guessing_at_a_proof_is_limited(client: Client) -> None:
    sign_in_by_password_alone(client, member(), BACKEND)
    answers = [client.post(AGAIN, {"password": "wrong"}) for _ in range(6)]
    assert ["Too many" in answer.text for answer in answers] == [False] * 5 + [True]


@pytest.mark.usefixtures("counts")
def test_searches_of_strangers_are_limited_and_told_so(client: Client, settings: Settings) -> None:
    settings.SEARCHES_PER_MINUTE = 3
    answers = [client.get("/gigs/", {"q": "logo"}) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert "There were more attempts in a short time than we allow." in answers[3].text
    assert client.get("/search/suggestions/", {"q": "lo"}).status_code == 429
    assert client.get("/gigs/").status_code == 200
    client.force_login(member(), backend=BACKEND)
    assert client.get("/gigs/", {"q": "logo"}).status_code == 200


@pytest.mark.usefixtures("counts")
@pytest.mark.parametrize(("proxies", "status"), [(0, 200), (1, 302)])
def test_behind_a_proxy_people_are_told_apart_by_what_it_appends(
    client: Client, settings: Settings, proxies: int, status: int
) -> None:
    """And by nothing that the person wrote before it."""
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    member()
    for number in range(10):
        guess(client, f"person-{number}@example.org", HTTP_X_FORWARDED_FOR=f"10.0.0.{number}, 203.0.113.7")
    again = guess(client, "b@example.org", HTTP_X_FORWARDED_FOR="10.9.9.9, 203.0.113.7")
    assert again.context["form"].errors == TOO_MANY
    other = guess(client, password=PASSWORD, HTTP_X_FORWARDED_FOR="203.0.113.8")
    assert other.status_code == status


def test_a_wrongly_signed_event_costs_no_query(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """So it is not limited: a limit by address could shut the provider out."""
    body = b'{"id": "evt_1"}' + b" " * 200_000
    with django_assert_num_queries(0):
        answer = client.post("/webhooks/sandbox/", body, content_type="application/json", HTTP_SANDBOX_SIGNATURE="no")
    assert answer.status_code == 400


# Who has an account


class CountingArgon2(Argon2PasswordHasher):
    time_cost, memory_cost, parallelism = 1, 8, 1
    hashed = 0

    def encode(self, password: str, salt: str) -> str:
        CountingArgon2.hashed += 1
        return str(super().encode(password, salt))

    def verify(self, password: str, encoded: str) -> bool:
        CountingArgon2.hashed += 1
        return bool(super().verify(password, encoded))


def test_signing_in_and_up_cost_the_same_whether_or_not_there_is_an_account(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingArgon2"]
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    member()
    costs = []
    for address, form in (
        (LOGIN, {"login": "ana@example.org", "password": "wrong"}),
        (LOGIN, {"login": "nobody@example.org", "password": "wrong"}),
        (SIGNUP, NEW | {"email": "ana@example.org"}),
        (SIGNUP, NEW | {"email": "new@example.org"}),
    ):
        before = CountingArgon2.hashed
        Client().post(address, form)
        costs.append(CountingArgon2.hashed - before)
    assert costs == [2, 2, 1, 1]  # both ways of signing in are tried
    assert [message.to for message in mail.outbox] == [["ana@example.org"], ["new@example.org"]]


# Passwords


@pytest.mark.parametrize(
    ("password", "problem"),
    [
        ("password1", "This password is too common."),
        ("Password123!", "This password is too common."),
        ("Summer2026!!", "This password is too common."),
        ("Dr4g0n_2026", "This password is too common."),
        ("84738291", "This password is entirely numeric."),
        ("k3v!", "This password is too short. It must contain at least 8 characters."),
        ("Milepost2026!", "This password is made of words that stand all over this site."),
        ("seller-at-MILEPOST", "This password is made of words that stand all over this site."),
    ],
)
def test_weak_passwords_are_refused_at_sign_up(client: Client, password: str, problem: str) -> None:
    form = {"name": "Ana", "email": "a@example.org", "password1": password, "password2": password}
    answer = client.post(SIGNUP, form)
    assert problem in answer.context["form"].errors["password1"]
    assert not User.objects.exists()


@pytest.mark.parametrize("password", ["order of tulips", "dragon83619047", "2026-summer-tulips", "password of tulips!"])
def test_a_password_may_have_a_word_of_the_site_or_a_common_one_among_others(client: Client, password: str) -> None:
    form = {"name": "Ana", "email": "a@example.org", "password1": password, "password2": password}
    client.post(SIGNUP, form)
    assert User.objects.filter(email="a@example.org").exists()


class Range(BaseHTTPRequestHandler):
    """Speaks the range API: endings of hashes that begin as asked, with counts, and padding that counts 0."""

    breached = hashlib.sha1(b"known from a breach").hexdigest().upper()
    asked: list[str] = []
    mode = "answers"

    def do_GET(self) -> None:
        Range.asked.append(f"{self.path} padding={self.headers['Add-Padding']}")
        if Range.mode == "hangs":
            time.sleep(4)
            return
        body = f"{'0' * 35}:0\r\n{hashlib.sha1(b'padded').hexdigest().upper()[5:]}:0\r\n"
        if self.path == f"/range/{self.breached[:5]}":
            body += f"{self.breached[5:]}:1234\r\n"
        content = {"answers": body.encode(), "garbage": b"\xff\xfe not: a number"}.get(Range.mode, b"")
        self.send_response(503 if Range.mode == "is broken" else 200)
        if Range.mode in ("stalls", "breaks off"):
            self.send_header("Content-Length", "9999")
        self.end_headers()
        self.wfile.write(content)
        if Range.mode == "stalls":
            time.sleep(4)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def range_api() -> Iterator[str]:
    Range.asked, Range.mode = [], "answers"
    server = ThreadingHTTPServer(("127.0.0.1", 0), Range)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/range/"
    finally:
        server.shutdown()
        server.server_close()


def test_breached_passwords_are_refused_without_telling_them(client: Client, settings: Settings) -> None:
    with range_api() as address:
        settings.BREACHED_PASSWORDS_URL = address
        settings.AUTH_PASSWORD_VALIDATORS = [{"NAME": "marketplace.accounts.breached.BreachedPasswordValidator"}]
        form = {"name": "Ana", "email": "a@example.org"}
        answer = client.post(SIGNUP, form | dict.fromkeys(("password1", "password2"), "known from a breach"))
        refused = "This password is known from a breach of another site. Choose one that you use nowhere else."
        assert answer.context["form"].errors == {"password1": [refused]}
        for other in ("padded", PASSWORD):
            BreachedPasswordValidator().validate(other)
    sent = [hashlib.sha1(word.encode()).hexdigest()[:5].upper() for word in ("known from a breach", "padded", PASSWORD)]
    assert Range.asked == [f"/range/{beginning} padding=true" for beginning in sent]


@pytest.mark.parametrize("mode", ["hangs", "stalls", "breaks off", "is broken", "garbage", "is away"])
def test_without_an_answer_a_password_passes_soon_and_the_log_says_so(
    settings: Settings, caplog: pytest.LogCaptureFixture, mode: str
) -> None:
    with range_api() as address:
        Range.mode = mode
        settings.BREACHED_PASSWORDS_URL = address if mode != "is away" else "http://127.0.0.1:9/range/"
        began = time.monotonic()
        BreachedPasswordValidator().validate("known from a breach")
        assert time.monotonic() - began < 3.5
    assert [record.getMessage().partition(" (")[0] for record in caplog.records] == [
        "No answer about breached passwords"
    ]
    assert "known" not in caplog.text


def test_a_password_that_is_too_common_is_refused_at_a_change_too(client: Client) -> None:
    client.force_login(member(), backend=BACKEND)
    changed = client.post(
        "/accounts/password/change/", {"oldpassword": PASSWORD, "password1": "password1", "password2": "password1"}
    )
    assert changed.context["form"].errors == {"password1": ["This password is too common."]}


# Sessions


def sessions_of(person: User, count: int = 2) -> list[Client]:
    clients = [Client() for _ in range(count)]
    for client in clients:
        client.force_login(person, backend=BACKEND)
        assert client.get("/profile/").status_code == 200
    return clients


def are_in(clients: list[Client], address: str = "/profile/") -> list[bool]:
    return [client.get(address).status_code == 200 for client in clients]


def test_a_changed_password_ends_every_other_session(client: Client) -> None:
    person = member()
    mine, other, third = sessions_of(person, 3)
    new = "another horse, another staple"
    mine.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert are_in([mine, other, third]) == [True, False, False]
    assert [message.subject for message in mail.outbox] == ["Password Changed"]


def test_a_reset_password_ends_every_session() -> None:
    person = member()
    clients = sessions_of(person)
    person.set_password("another horse, another staple")
    person.save()
    assert are_in(clients) == [False, False]


def test_deactivating_ends_every_session_for_good_also_that_of_staff() -> None:
    """Whoever is reactivated signs in again: a stolen session does not come back to life."""
    root = User.objects.create_superuser("root@example.org", PASSWORD, name="Root")
    for person, address in ((member(), "/profile/"), (StaffFactory(is_superuser=True), "/admin/")):
        clients = sessions_of(person)
        assert are_in(clients, address) == [True, True]
        services.deactivate(person, by=root)
        assert are_in(clients, address) == [False, False]
        services.reactivate(person, by=root)
        assert are_in(clients, address) == [False, False]


def test_signing_out_everywhere_ends_every_other_session() -> None:
    person = member()
    mine, other = sessions_of(person)
    answer = mine.post("/profile/sign-out-everywhere/", follow=True)
    assert [str(message) for message in answer.context["messages"]] == ["Every other device is signed out."]
    assert are_in([mine, other]) == [True, False]


# Proofs


def stale(client: Client) -> None:
    """Let the proof of this session grow old."""
    session = client.session
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [
        record | {"at": record["at"] - 601} for record in session[AUTHENTICATION_METHODS_SESSION_KEY]
    ]
    session.save()


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("get", "/earnings/withdraw/USD/"),
        ("post", "/earnings/withdraw/USD/"),
        ("post", "/earnings/bank/"),
        ("get", "/accounts/2fa/totp/activate/"),
    ],
)
def test_who_signed_in_long_ago_proves_it_first(client: Client, method: str, address: str) -> None:
    person = member()
    client.force_login(person, backend=BACKEND)
    stale(client)
    answer = getattr(client, method)(address)
    assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, AGAIN)
    second_factor.set_up(person, SECRET)
    answer = client.get(client.get(address if method == "get" else "/earnings/withdraw/USD/")["Location"])
    assert (answer.status_code, answer.request["PATH_INFO"]) == (200, "/accounts/2fa/reauthenticate/")


def test_an_address_changes_after_a_proof_only_and_what_was_asked_is_then_done(client: Client) -> None:
    person = member()
    client.force_login(person, backend=BACKEND)
    answer = client.post("/accounts/email/", {"action_add": "", "email": "new@example.org"})
    assert answer["Location"] == f"{AGAIN}?next=%2Faccounts%2Femail%2F"
    assert person.emailaddress_set.count() == 1
    client.post(answer["Location"], {"password": "wrong", "next": "/accounts/email/"})
    assert person.emailaddress_set.count() == 1
    client.post(answer["Location"], {"password": PASSWORD, "next": "/accounts/email/"})
    assert person.emailaddress_set.count() == 2


def test_a_proof_lasts_for_ten_minutes_in_a_session_with_a_new_key(client: Client, settings: Settings) -> None:
    client.force_login(member(), backend=BACKEND)
    assert client.get("/earnings/withdraw/USD/").status_code == 200
    stale(client)
    answer, stolen = client.get("/earnings/withdraw/USD/"), client.session.session_key
    client.post(answer["Location"], {"password": PASSWORD, "next": "/earnings/withdraw/USD/"})
    assert client.get("/earnings/withdraw/USD/").status_code == 200
    thief = Client()
    thief.cookies[settings.SESSION_COOKIE_NAME] = stolen
    assert thief.get("/earnings/withdraw/USD/").status_code == 302
