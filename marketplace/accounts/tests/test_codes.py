"""When a code counts: only where it can be counted, in a session of its own, under whatever key it was encrypted."""

from collections.abc import Callable, Iterator
from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from marketplace.accounts import second_factor
from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import PASSWORD, StaffFactory
from marketplace.accounts.tests.signing_in import SECRET
from marketplace.accounts.tests.test_second_factor import (
    AGAIN,
    AT_SIGN_IN,
    SET_UP,
    by_password_alone,
    enter_password,
    present_code,
    recovery_codes_of,
    set_up,
)
from marketplace.tests.visitor import Visitor

pytestmark = pytest.mark.django_db

UNCHECKED = "Codes cannot be checked right now. Try again in a minute."
SetCache = Callable[[], None]


@pytest.fixture(params=["is down", "takes nothing"])
def cache_fails(request: pytest.FixtureRequest, settings: Settings) -> Iterator[SetCache]:
    """Redis is away; or it answers, but lets nothing be written, as when its memory is full."""
    working = settings.CACHES
    client = cache._cache.get_client()
    if request.param == "takes nothing":
        client.acl_setuser("reader", enabled=True, nopass=True, keys=["*"], categories=["+@read", "+@connection"])
        broken = {"OPTIONS": {"username": "reader", "password": "any"}}
    else:
        broken = {"LOCATION": "unix:///nowhere/redis.sock"}
    yield lambda: setattr(settings, "CACHES", {"default": working["default"] | broken})
    client.acl_deluser("reader")


@pytest.fixture
def person() -> User:
    """Staff with an app and recovery codes."""
    person = StaffFactory(password=PASSWORD, is_superuser=True)
    second_factor.set_up(person, SECRET)
    RecoveryCodes.activate(person)
    return person


def test_a_wrong_code_is_in_the_log_without_the_code(person: User, caplog: pytest.LogCaptureFixture) -> None:
    visitor = Visitor()
    enter_password(visitor, person)
    with caplog.at_level("INFO"):
        visitor.press("Sign in", code="000000")
    assert [line for line in caplog.messages if "code" in line] == [f"A code was wrong, for user {person.pk}"]
    assert "000000" not in caplog.text


def test_no_code_signs_in_while_the_cache_fails(cache_fails: SetCache, person: User) -> None:
    """Or else wrong ones would go uncounted, and used ones would do again."""
    code, recovery_code = present_code(), recovery_codes_of(person)[0]
    visitor = Visitor()
    cache_fails()
    assert enter_password(visitor, person).path == AT_SIGN_IN
    for tried in ("000000", code, recovery_code):
        assert visitor.press("Sign in", code=tried).problems == [f"Code: {UNCHECKED}"]
    assert "_auth_user_id" not in visitor.client.session
    assert recovery_code in recovery_codes_of(person)


def test_no_code_proves_a_session_while_the_cache_fails(cache_fails: SetCache, person: User) -> None:
    code, recovery_code = present_code(), recovery_codes_of(person)[0]
    visitor = by_password_alone(person)
    cache_fails()
    visitor.open("/admin/")
    for tried in ("000000", code, recovery_code):
        assert visitor.press("Go on", code=tried).problems == [f"Code: {UNCHECKED}"]
    assert visitor.open("/admin/").path == f"{AGAIN}?next=/admin/"
    assert recovery_code in recovery_codes_of(person)


def test_nobody_sets_it_up_while_the_cache_fails(cache_fails: SetCache) -> None:
    visitor = by_password_alone(StaffFactory(password=PASSWORD))
    visitor.open(SET_UP)
    page = visitor.press("Go on", password=PASSWORD)
    code = present_code("".join(page.by_id("key").itertext()))
    cache_fails()
    assert visitor.press("Set it up", code=code).problems == [f"Authenticator code: {UNCHECKED}"]
    assert not Authenticator.objects.exists()


def with_stolen_cookie(visitor: Visitor) -> Visitor:
    thief = Visitor()
    thief.client.cookies["sessionid"] = visitor.client.cookies["sessionid"].value
    return thief


def test_a_cookie_stolen_before_the_proof_opens_nothing_after_it(person: User) -> None:
    visitor = by_password_alone(person)
    thief = with_stolen_cookie(visitor)
    visitor.open("/admin/")
    assert visitor.press("Go on", code=present_code()).path == "/admin/"
    assert thief.open("/admin/").path == "/accounts/login/?next=/admin/"


def test_a_cookie_stolen_before_it_is_set_up_opens_nothing_after_it() -> None:
    person = StaffFactory(password=PASSWORD)
    visitor = by_password_alone(person)
    thief = with_stolen_cookie(visitor)
    set_up(visitor)
    assert visitor.follow("Go on to the administration").path == "/admin/"
    assert thief.open("/admin/").path == "/accounts/login/?next=/admin/"


def test_secrets_are_encrypted_anew_so_that_a_former_key_can_go(settings: Settings, person: User) -> None:
    lost = second_factor.set_up(StaffFactory(), SECRET)
    lost.data["secret"] = "encrypted with a key that is gone"
    lost.save()
    codes = recovery_codes_of(person)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another one, as long and as random"
    said = StringIO()
    with pytest.raises(CommandError) as told:
        call_command("encrypt_anew", stdout=said)
    assert said.getvalue() == "Encrypted with the present SECRET_KEY: 2 secrets of second factors.\n"
    assert (
        str(told.value)
        == "Not read by any key, so left as they are: 1. Their former key is not in SECRET_KEY_FALLBACKS."
    )
    settings.SECRET_KEY_FALLBACKS = []
    assert second_factor.secret_of(person) == SECRET
    assert recovery_codes_of(person) == codes
    lost.delete()
    call_command("encrypt_anew", stdout=said)  # no error, and as often as one likes


def test_a_page_of_admin_asks_once_whether_it_was_used(client: Client, person: User) -> None:
    client.force_login(person)
    with CaptureQueriesContext(connection) as asked:
        client.get("/admin/")
    assert sum("mfa_authenticator" in query["sql"] for query in asked.captured_queries) == 1
