"""A form whose sending broke off does nothing, however much of it had arrived."""

import io
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.http import UnreadablePostError
from django.test import RequestFactory
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from marketplace.whole_bodies import whole_bodies

FORM = encode_multipart(BOUNDARY, {"message": "Here it is.", "files": io.BytesIO(b"x" * 200_000)})


def posted(arrived: bytes) -> WSGIRequest:
    """The request as Django makes it, of which only `arrived` came before the connection broke."""
    seen: list[WSGIRequest] = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append(WSGIRequest(environ))
        return []

    environ = RequestFactory().generic("POST", "/", FORM, content_type=MULTIPART_CONTENT).environ
    environ["wsgi.input"] = io.BytesIO(arrived)
    whole_bodies(application)(environ, None)
    return seen[0]


def test_a_whole_form_is_read_as_ever() -> None:
    request = posted(FORM)
    assert (request.POST["message"], request.FILES["files"].size) == ("Here it is.", 200_000)
    assert posted(FORM).body == FORM


@pytest.mark.parametrize("share", [0, 200, 150_000, len(FORM) - 1])
def test_a_form_that_broke_off_cannot_be_read(share: int) -> None:
    with pytest.raises(UnreadablePostError):
        posted(FORM[:share]).POST  # noqa: B018
    with pytest.raises(UnreadablePostError):
        posted(FORM[:share]).body  # noqa: B018
