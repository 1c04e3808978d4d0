"""Asking for pages as a server does: through the WSGI handler and its middleware, without a network."""

from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from io import BytesIO
from time import perf_counter
from typing import Any, cast

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test.utils import override_settings

from marketplace.accounts import second_factor
from marketplace.accounts.models import User
from marketplace.accounts.sessions import SessionStore
from marketplace.bench.measuring import Done
from marketplace.whole_bodies import whole_bodies

SITE = {
    "DEBUG": False,
    "ALLOWED_HOSTS": ["*"],
    "ROOT_URLCONF": "marketplace.bench.limits.page",
    "WHITENOISE_AUTOREFRESH": False,
    "SEARCHES_PER_MINUTE": 0,
    # Names without fingerprints, for the smallest page too: no collected files are asked for.
    "STORAGES": settings.STORAGES
    | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}},
}


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    seconds: float


class Visitor:
    """Somebody who asks for pages, signed in unless `person` is None; staff have proved their second factor."""

    def __init__(self, person: User | None = None, *, middleware: bool = True) -> None:
        with override_settings() if middleware else override_settings(MIDDLEWARE=[]):
            self.handler = whole_bodies(WSGIHandler())
        self.cookie = f"{settings.SESSION_COOKIE_NAME}={_signed_in(person)}" if person else ""

    def get(self, address: str, **headers: str) -> Answer:
        """Ask for a page, with more `headers` as CGI calls them, and read all of it.

        AssertionError unless it is there, or has nothing new (204).
        """
        path, _, query = address.partition("?")
        environ = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SCRIPT_NAME": "",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "127.0.0.1",
            "HTTP_COOKIE": self.cookie,
            "HTTP_ACCEPT_LANGUAGE": "en",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.url_scheme": "https" if settings.SECURE_SSL_REDIRECT else "http",
            "wsgi.input": BytesIO(),
            "wsgi.version": (1, 0),
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            **headers,
        }
        status = ""

        def start_response(said: str, headers: list[tuple[str, str]], error: Any = None) -> None:
            nonlocal status
            status = said

        began = perf_counter()
        with closing(cast("HttpResponse", self.handler(environ, start_response))) as response:
            body = b"".join(response)
        seconds = perf_counter() - began
        assert status[:3] in ("200", "204"), f"{address}: {status}"
        return Answer(int(status[:3]), body, seconds)

    def cost(self, address: str, **headers: str) -> dict[str, float]:
        """How many queries a page makes, and its bytes. Asked for once before, so that caches are as usual."""
        self.get(address, **headers)
        with counted_queries() as queries:
            body = self.get(address, **headers).body
        return {"queries": len(queries), "bytes": len(body)}

    def once(self, address: str, facts: dict[str, float]) -> Done:
        """One request, as a side's work."""
        seconds = self.get(address).seconds
        return Done(latencies=[seconds], facts=facts, seconds=seconds)


def _signed_in(person: User) -> str:
    """The key of a new session of this person."""
    request = HttpRequest()
    request.session = SessionStore()
    request.session[SESSION_KEY] = str(person.pk)
    request.session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    request.session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    if person.is_staff:
        app = Authenticator.objects.filter(user=person, type=second_factor.APP).first()
        app = app or second_factor.set_up(person, "MFRGGZDFMZTWQ2LKNNWG23TPOBYXE43U")
        record_authentication(request, person, "mfa", id=app.pk, type=app.type)
    request.session.save()
    return str(request.session.session_key)


@contextmanager
def site() -> Generator[None, None, None]:
    """The site as it is in production, with the smallest pages added."""
    with override_settings(**SITE):
        yield


@contextmanager
def counted_queries() -> Iterator[list[str]]:
    """The statements that go to the database meanwhile."""
    asked: list[str] = []

    def count(execute: Any, sql: str, *rest: Any) -> Any:
        asked.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(count):
        yield asked
