"""A seller's yearly statement: to read or print, as PDF, and as a table."""

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from marketplace import clock
from marketplace.accounts.models import User
from payments import services
from payments.csv_export import Amount, Cell, csv_response
from payments.pdf_statement import statement_pdf

# More would make a page nobody reads and a PDF that takes minutes; the table has them all, and the sums are of all.
MOST_LINES = 1_000


@require_safe
@login_required
def statements(request: HttpRequest) -> HttpResponse:
    """The years of which the signed-in person has a statement."""
    seller, zone = _seller(request)
    years = services.years_of(seller, zone, clock.now())
    return render(request, "payments/statements.html", {"years": years, "section": "/earnings/"})


@require_safe
@login_required
def statement(request: HttpRequest, year: int) -> HttpResponse:
    seller, zone = _seller(request)
    begins, ends = _year(seller, zone, year)
    lines = list(services.statement_lines(seller, begins, ends, MOST_LINES + 1))
    shown = lines[:MOST_LINES]
    context = {
        "year": year,
        "so_far": ends > clock.now(),
        "cut": len(lines) > MOST_LINES,
        "most": MOST_LINES,
        "section": "/earnings/",
        "statements": [
            {
                "sums": sums,
                "milestones": [line for line in shown if line.currency == sums.currency and line.is_milestone],
                "others": [line for line in shown if line.currency == sums.currency and not line.is_milestone],
            }
            for sums in services.statements(seller, begins, ends)
        ],
    }
    return render(request, "payments/statement.html", context)


@require_safe
@login_required
def statement_as_pdf(request: HttpRequest, year: int) -> HttpResponse:
    seller, zone = _seller(request)
    begins, ends = _year(seller, zone, year)
    lines = list(services.statement_lines(seller, begins, ends, MOST_LINES + 1))
    pdf = statement_pdf(
        seller=seller.name,
        year=year,
        zone=zone,
        made_at=clock.now(),
        so_far=ends > clock.now(),
        sums=services.statements(seller, begins, ends),
        lines=lines[:MOST_LINES],
        cut=len(lines) > MOST_LINES,
    )
    response = HttpResponse(pdf, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="statement-{year}.pdf"'
    return response


@require_safe
@login_required
def statement_csv(request: HttpRequest, year: int) -> HttpResponseBase:
    """Every line, streamed. The sum of *Change of balance* is what the year added, per currency."""
    seller, zone = _seller(request)
    begins, ends = _year(seller, zone, year)
    header = [_("Date ({zone})").format(zone=zone), _("What"), _("Order"), _("Description"), _("Currency")]
    header += [_("Paid by the buyer"), _("Commission"), _("Amount"), _("Change of balance")]
    sums = services.statements(seller, begins, ends)
    opening = [_balance(begins, _("Opening balance"), each.currency, each.opening.total) for each in sums]
    closing = [
        _balance(min(ends, clock.now()), _("Closing balance"), each.currency, each.closing.total) for each in sums
    ]

    def rows() -> Iterator[list[Cell]]:
        yield from opening
        for line in services.statement_lines(seller, begins, ends):
            yield [
                line.at,
                line.label,
                line.reference,
                line.description,
                line.currency,
                None if line.price is None else Amount(line.price, line.currency),
                None if line.commission is None else Amount(line.commission, line.currency),
                Amount(line.amount, line.currency),
                Amount(line.added, line.currency),
            ]
        yield from closing

    return csv_response(f"statement-{year}", header, rows(), zone)


def _balance(at: datetime, what: str, currency: str, amount: int) -> list[Cell]:
    return [at, what, "", "", currency, None, None, Amount(amount, currency), None]


def _seller(request: HttpRequest) -> tuple[User, ZoneInfo]:
    assert request.user.is_authenticated  # narrows the type; `login_required` sent everybody else away
    return request.user, ZoneInfo(request.user.time_zone)


def _year(seller: User, zone: ZoneInfo, year: int) -> tuple[datetime, datetime]:
    if year not in services.years_of(seller, zone, clock.now()):
        raise Http404
    return services.year_in(zone, year)
