"""A request that names another encoding than UTF-8, in which all pages are written, is refused with 400.

Django reads the address in the encoding that the body is said to have, already while it makes the request: a name of
Python's that is no encoding of text (`hex`) breaks it before any middleware, and a form in another encoding breaks it
once more on the page that refuses it. So the name is taken away before that, and the request refused after.
"""

import codecs
from collections.abc import Callable, Iterable
from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.http import parse_header_parameters

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]

REFUSED = "marketplace.refused_encoding"


def told_encodings(application: Application) -> Application:
    """`application`, to which no request names an encoding but UTF-8."""

    def checked(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if _is_another(str(environ.get("CONTENT_TYPE") or "")):
            environ |= {"CONTENT_TYPE": "", REFUSED: True}
        return application(environ, start_response)

    return checked


def utf8_only(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """The middleware that refuses what `told_encodings` has found, with the page and the headers of any refusal."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if REFUSED in request.META:
            raise BadRequest("Requests must be encoded in UTF-8")
        return get_response(request)

    return middleware


def _is_another(content_type: str) -> bool:
    """Whether Django would read it in another encoding; what Python does not know, it reads as UTF-8."""
    try:
        name = parse_header_parameters(content_type)[1].get("charset", "utf-8")
        codecs.lookup(name)
    except (LookupError, ValueError):
        return False
    return name.lower() != "utf-8"
