"""The files of an order: downloaded, or shown where that is safe. For the people of the order, and for support."""

import re
from typing import IO

from django.contrib.auth.decorators import login_required
from django.db.models.fields.files import FieldFile
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from marketplace.accounts import second_factor
from marketplace.accounts.requests import SignedInRequest
from orders.models import Attachment, Order

RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")
# Nothing that was uploaded may run, load or be framed, whatever it turns out to be.
LOCKED = "sandbox; default-src 'none'"
# A browser's PDF viewer does not start in a sandbox; it lets no script of a PDF reach the page.
FRAMED = "default-src 'none'; object-src 'self'; frame-ancestors 'self'"
HEADERS = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": LOCKED,
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def is_support(request: SignedInRequest) -> bool:
    """Whether the viewer may look at every order: with the right, and a second factor as for the administration."""
    user = request.user
    return user.is_staff and user.has_perm("orders.view_order") and second_factor.was_used(request)


def order_to_see(request: SignedInRequest, number: str) -> Order:
    """An order of the viewer, or any for support; to strangers it does not exist (404)."""
    orders = Order.objects.all() if is_support(request) else Order.objects.of(request.user)
    return get_object_or_404(orders.select_related("buyer", "seller"), number=number)


def file_to_see(request: SignedInRequest, number: str, pk: int) -> Attachment:
    """A file of such an order. A withheld one is gone (404)."""
    attachment = get_object_or_404(order_to_see(request, number).attachments, pk=pk)
    if attachment.withheld_at:
        raise Http404("This file was withheld.")
    return attachment


@login_required
@require_safe
def file(request: SignedInRequest, number: str, pk: int) -> HttpResponseBase:
    """Download a file, never shown on our origin."""
    return _original(request, file_to_see(request, number, pk), as_attachment=True)


@login_required
@require_safe
def inline(request: SignedInRequest, number: str, pk: int) -> HttpResponseBase:
    """A PDF, a film or a sound for the browser's own viewer, in our page only; everything else is not found."""
    attachment = file_to_see(request, number, pk)
    if not attachment.inline_url:
        raise Http404("This kind of file is only downloaded.")
    response = _original(request, attachment, as_attachment=False)
    if attachment.kind == "pdf":
        response["Content-Security-Policy"] = FRAMED
        response["X-Frame-Options"] = "SAMEORIGIN"
    return response


@login_required
@require_safe
def thumbnail(request: SignedInRequest, number: str, pk: int) -> HttpResponseBase:
    return _drawn(file_to_see(request, number, pk).thumbnail)


@login_required
@require_safe
def preview(request: SignedInRequest, number: str, pk: int) -> HttpResponseBase:
    return _drawn(file_to_see(request, number, pk).preview)


class _Part:
    """A part of a file, as a response streams it: it is closed with the response."""

    def __init__(self, content: IO[bytes], start: int, length: int) -> None:
        content.seek(start)
        self._content, self._left = content, length
        self.close = content.close

    def read(self, size: int) -> bytes:
        piece = self._content.read(min(size, self._left))
        self._left -= len(piece)
        return piece


def _drawn(picture: FieldFile) -> HttpResponseBase:
    if not picture:
        raise Http404("There is no preview of this file.")
    content, size = _opened(picture)
    headers = HEADERS | {"Content-Length": str(size)}
    return FileResponse(_Part(content, 0, size), content_type="image/webp", headers=headers)


def _original(request: HttpRequest, attachment: Attachment, *, as_attachment: bool) -> HttpResponseBase:
    """The file, or the one part of it that was asked for: players skip by asking for parts."""
    etag = f'"{attachment.sha256}"'
    headers = HEADERS | {
        "Content-Disposition": str(content_disposition_header(as_attachment, attachment.name)),
        "Accept-Ranges": "bytes",
        "ETag": etag,
    }
    content, size = _opened(attachment.file)
    asked = request.headers.get("Range", "") if request.headers.get("If-Range", etag) == etag else ""
    part = _part(asked, size)
    start, end = part or (0, size)
    if part and start >= end:
        content.close()
        return HttpResponse(status=416, headers=HEADERS | {"Content-Range": f"bytes */{size}"})
    headers["Content-Length"] = str(end - start)
    if part:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    streamed = _Part(content, start, end - start)
    kind = attachment.content_type
    return FileResponse(streamed, content_type=kind, status=206 if part else 200, headers=headers)


def _part(asked: str, size: int) -> tuple[int, int] | None:
    """The part `[start, end)` that a Range header asks for, empty if it is outside; None for the whole file."""
    found = RANGE.fullmatch(asked.replace(" ", ""))
    if not found or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:
        return max(0, size - int(last)), size if int(last) else 0
    if last and int(last) < int(first):
        return None
    return int(first), min(size, int(last) + 1) if last else size


def _opened(file: FieldFile) -> tuple[IO[bytes], int]:
    try:
        return file.open(), file.size
    except FileNotFoundError as missing:
        raise Http404("This file is not stored any more.") from missing
