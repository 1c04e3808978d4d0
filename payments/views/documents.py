"""Receipts and credit notes: only their recipient sees them here; staff look in admin."""

import re
from datetime import datetime

from django.contrib.auth.decorators import login_required
from django.db.models import Min, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.pages_by_key import NEWEST, Column, instant, page_of
from payments import services
from payments.csv_export import Amount, csv_response
from payments.models import Document
from payments.pdf_document import document_pdf

PER_PAGE = 50
COLUMNS = (Column("issued_at", instant, descending=True), NEWEST)
_NUMBER = re.compile(r"(?P<prefix>[RC])-(?P<number>[0-9]{6,9})")
_KINDS = {prefix: kind for kind, prefix in Document.PREFIXES.items()}


@require_safe
@login_required
def documents(request: HttpRequest) -> HttpResponse:
    """The signed-in person's receipts and credit notes, newest first, of every year or one."""
    recipient = _viewer(request)
    year = _year(request)
    found = _documents_of(recipient, year)
    context = {
        "documents": page_of(found, COLUMNS, request.GET, most=PER_PAGE),
        "years": _years(recipient),
        "year": year,
    }
    return render(request, "payments/documents.html", context)


@require_safe
@login_required
def documents_csv(request: HttpRequest) -> HttpResponseBase:
    """The same list as a table."""
    zone, year = timezone.get_current_timezone(), _year(request)
    header = [
        _("Number"),
        _("Kind"),
        _("Issued ({zone})").format(zone=zone),
        _("Order"),
        _("Description"),
        _("Seller"),
        _("Currency"),
        _("Amount"),
        _("For receipt"),
    ]
    rows = (
        [
            str(document),
            document.get_kind_display(),
            document.issued_at,
            document.content["reference"],
            document.content["description"],
            document.content["seller"],
            document.content["currency"],
            # What was given back counts against what was paid, so that the column adds up.
            Amount(_signed(document), document.content["currency"]),
            document.content.get("receipt", ""),
        ]
        for document in _documents_of(_viewer(request), year).iterator(chunk_size=500)
    )
    return csv_response(f"documents-{year}" if year else "documents", header, rows, zone)


@require_safe
@login_required
def document(request: HttpRequest, number: str) -> HttpResponse:
    """A receipt or credit note, to read or print."""
    found = _document(request, number)
    context = {
        "document": found,
        "content": found.content,
        "happened_at": datetime.fromisoformat(found.content["happened_at"]),
        "notes": services.notes_on(found),
    }
    return render(request, "payments/document.html", context)


@require_safe
@login_required
def document_as_pdf(request: HttpRequest, number: str) -> HttpResponse:
    """The same as PDF."""
    found = _document(request, number)
    response = HttpResponse(document_pdf(found, services.notes_on(found)), content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{found}.pdf"'
    return response


def _viewer(request: HttpRequest) -> User:
    assert request.user.is_authenticated  # narrows the type; `login_required` sent everybody else away
    return request.user


def _document(request: HttpRequest, number: str) -> Document:
    parts = _NUMBER.fullmatch(number)
    if not parts:
        raise Http404
    own = Document.objects.filter(recipient=_viewer(request)).select_related("refund")
    found = get_object_or_404(own, kind=_KINDS[parts["prefix"]], number=int(parts["number"]))
    if str(found) != number:  # one address per document: not R-0000001
        raise Http404
    return found


def _documents_of(recipient: User, year: int | None) -> QuerySet[Document]:
    found = Document.objects.filter(recipient=recipient).order_by("-issued_at", "-pk")
    if year is None:
        return found
    begins, ends = services.year_in(timezone.get_current_timezone(), year)
    return found.filter(issued_at__gte=begins, issued_at__lt=ends)


def _years(recipient: User) -> list[int]:
    """The years that have documents, newest first."""
    first = Document.objects.filter(recipient=recipient).aggregate(first=Min("issued_at"))["first"]
    if first is None:
        return []
    return list(range(timezone.localtime(clock.now()).year, timezone.localtime(first).year - 1, -1))


def _year(request: HttpRequest) -> int | None:
    asked = request.GET.get("year", "")
    if not asked:
        return None
    if not re.fullmatch(r"[12][0-9]{3}", asked, flags=re.ASCII):
        raise Http404
    return int(asked)


def _signed(document: Document) -> int:
    total: int = document.content["total"]
    return total if document.kind == Document.Kind.RECEIPT else -total
