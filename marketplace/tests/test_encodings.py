"""What a request says of its encoding, as a server hands it over: it breaks nothing and changes nothing."""

import io
from typing import Any

import pytest
from django.test import RequestFactory

from marketplace.wsgi import application

pytestmark = pytest.mark.django_db(transaction=True)

FORM = b"login=%C3%A9%40example.org&password=x"


def answer(method: str, address: str, content_type: str) -> tuple[int, dict[str, str], str]:
    told: list[Any] = []
    environ = RequestFactory().generic(method, "/", FORM, content_type, secure=True).environ
    path, _, query = address.partition("?")
    environ |= {"wsgi.input": io.BytesIO(FORM), "PATH_INFO": path, "QUERY_STRING": query, "HTTP_HOST": "localhost"}
    pieces = application(environ, lambda *said: told.append(said))
    page = b"".join(pieces).decode()
    return int(told[0][0].split()[0]), dict(told[0][1]), page


@pytest.mark.parametrize("name", ["latin-1", "utf8", "utf-16", "utf-7", "hex", "rot13", "idna", "undefined", '"HEX"'])
def test_what_is_not_written_in_utf_8_is_refused_wherever_it_comes(name: str) -> None:
    for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"):
        for method, address in (("POST", "/accounts/login/"), ("GET", "/gigs/?q=%ff"), ("POST", "/webhooks/sandbox/")):
            status, headers, page = answer(method, address, f"{kind}; charset={name}")
            assert (status, "We could not read that" in page) == (400, True), (kind, method, address)
            assert {"Content-Security-Policy", "X-Content-Type-Options", "X-Frame-Options"} <= headers.keys()


@pytest.mark.parametrize("told", ["", "; charset=utf-8", "; charset=UTF-8", '; charset="utf-8"', "; charset=no-such"])
def test_utf_8_is_what_is_read_otherwise(told: str) -> None:
    assert answer("GET", "/gigs/?q=%ff", f"text/plain{told}")[0] == 200
    # A form without the token of the page is refused as ever, and not for its encoding.
    assert answer("POST", "/accounts/login/", f"application/x-www-form-urlencoded{told}")[0] == 403
