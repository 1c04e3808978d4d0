"""PostgreSQL away: every page says so by 503 with Retry-After, and is there again with it. A bug of ours is a 500."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.db import DatabaseError, OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path

from marketplace.accounts.tests.factories import UserFactory
from marketplace.tests.failing_urls import urlpatterns as failing
from marketplace.unavailable import is_away

pytestmark = pytest.mark.django_db(transaction=True)


def ends_in_the_middle(request: HttpRequest) -> HttpResponse:
    """Its connection is ended while it works."""
    connection.ensure_connection()
    dsn, password = connection.connection.info.dsn, connection.connection.info.password
    with connection.cursor() as cursor, psycopg.connect(dsn, password=password, autocommit=True) as other:
        cursor.execute("SELECT pg_backend_pid()")
        other.execute("SELECT pg_terminate_backend(%s, 5000)", cursor.fetchone())
        cursor.execute("SELECT 1")
    return HttpResponse("never")


def is_refused(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT no_such_column")
    return HttpResponse("never")


urlpatterns = [path("tests/ends", ends_in_the_middle), path("tests/refused", is_refused), *failing]
handler500 = "marketplace.unavailable.broken"


@contextmanager
def database_away() -> Iterator[None]:
    """No server where we look for it."""
    connection.close()
    host = connection.settings_dict["HOST"]
    connection.settings_dict["HOST"] = "/nowhere"
    try:
        yield
    finally:
        connection.settings_dict["HOST"] = host


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, logger="django.request")


def browser() -> Client:
    return Client(raise_request_exception=False)


def test_without_postgresql_every_page_answers_503_and_says_when_to_come_back() -> None:
    somebody = browser()
    somebody.force_login(UserFactory(), backend="django.contrib.auth.backends.ModelBackend")
    with database_away():
        asked = [somebody.get(page) for page in ("/", "/orders/", "/gigs/", "/earnings/", "/no-such-page/")]
        asked.append(browser().post("/accounts/login/", {"login": "a@example.org", "password": "something"}))
        alive = browser().get("/healthz")
    assert [(answer.status_code, answer.headers.get("Retry-After")) for answer in asked] == [(503, "10")] * 6
    assert b"Our database does not answer." in asked[0].content
    assert asked[0].headers["Cache-Control"] == "no-store, private"
    assert alive.status_code == 200
    assert somebody.get("/orders/").status_code == 200, "the session is there again, too"


@override_settings(ROOT_URLCONF=__name__)
def test_a_connection_that_ends_in_the_middle_is_503_and_what_we_did_wrong_is_500() -> None:
    answers = {"ends": browser().get("/tests/ends")}
    connection.close()  # as a server does before its next request, and the test client does not
    answers |= {page: browser().get(f"/tests/{page}") for page in ("refused", "500")}
    assert {page: answer.status_code for page, answer in answers.items()} == {"ends": 503, "refused": 500, "500": 500}
    assert "Retry-After" not in answers["500"].headers
    assert browser().get("/").status_code == 200


def test_only_the_end_of_a_connection_counts_as_away() -> None:
    def because(cause: psycopg.Error, error: type[DatabaseError] = OperationalError) -> DatabaseError:
        told = error("…")
        told.__cause__ = cause
        return told

    away = [psycopg.OperationalError("no server"), psycopg.errors.AdminShutdown(), psycopg.errors.TooManyConnections()]
    assert [is_away(because(cause)) for cause in away] == [True, True, True]
    refused = [psycopg.errors.DeadlockDetected(), psycopg.errors.LockNotAvailable(), psycopg.errors.DiskFull()]
    assert [is_away(because(cause)) for cause in refused] == [False, False, False]
    assert not is_away(because(psycopg.errors.UndefinedColumn(), DatabaseError))
