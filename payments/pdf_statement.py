"""A seller's yearly statement as PDF."""

from collections.abc import Sequence
from datetime import datetime, tzinfo

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments.money import display
from payments.pdf import Column, Sheet
from payments.services.statements import Line, Standing, Statement

_MILESTONES = [
    Column(gettext_lazy("Date"), 14),
    Column(gettext_lazy("Milestone"), 32),
    Column(gettext_lazy("Order"), 26),
    Column(gettext_lazy("Paid by buyer"), 17, right=True),
    Column(gettext_lazy("Commission"), 15, right=True),
    Column(gettext_lazy("Earned"), 17, right=True),
]
_OTHERS = [
    Column(gettext_lazy("Date"), 14),
    Column(gettext_lazy("What"), 28),
    Column(gettext_lazy("About"), 40),
    Column(gettext_lazy("Amount"), 17, right=True),
    Column(gettext_lazy("Change of balance"), 18, right=True),
]


def statement_pdf(
    *,
    seller: str,
    year: int,
    zone: tzinfo,
    made_at: datetime,
    so_far: bool,
    sums: Sequence[Statement],
    lines: Sequence[Line],
    cut: bool,
) -> bytes:
    """`lines` are of all currencies in the order of the ledger; `cut` says that there are more than these."""
    title = (_("Statement of earnings {year}, so far") if so_far else _("Statement of earnings {year}")).format(
        year=year
    )
    sheet = Sheet(title, made_at)
    sheet.paragraph(settings.OPERATOR_NAME, size=11)
    for text in (
        settings.OPERATOR_ADDRESS,
        settings.OPERATOR_TAX_ID and _("Tax number {number}").format(number=settings.OPERATOR_TAX_ID),
    ):
        if text:
            sheet.paragraph(text, soft=True)
    sheet.space(8)
    sheet.heading(title)
    sheet.facts([(_("For"), seller), (_("Made on"), _date(made_at, zone)), (_("Days are those of"), str(zone))])
    if cut:
        sheet.space(3)
        sheet.paragraph(
            _("This lists the first {most} movements. The sums are of all of them, and the CSV file has each.").format(
                most=len(lines)
            )
        )
    if not sums:
        sheet.space(5)
        sheet.paragraph(_("Nothing was earned by the end of this year."))
    for each in sums:
        _currency(sheet, each, [line for line in lines if line.currency == each.currency], zone)
    return sheet.bytes()


def _currency(sheet: Sheet, sums: Statement, lines: Sequence[Line], zone: tzinfo) -> None:
    def money(amount: int | None) -> str:
        return "" if amount is None else display(amount, sums.currency)

    sheet.space(7)
    sheet.heading(sums.currency, size=14)
    sheet.grid(
        [Column(_("Balance"), 75), Column(sums.currency, 25, right=True)],
        [
            [_("Opening balance") + _parts(sums.opening, sums.currency), money(sums.opening.total)],
            [_("Earned with milestones: {number}").format(number=sums.milestones), money(sums.earned)],
            *([other.label, money(other.added)] for other in sums.others),
        ],
        [[_("Closing balance") + _parts(sums.closing, sums.currency), money(sums.closing.total)]],
    )
    milestones = [line for line in lines if line.is_milestone]
    if milestones:
        sheet.space(5)
        sheet.heading(_("Completed milestones, {currency}").format(currency=sums.currency), size=11)
        sheet.grid(
            _MILESTONES,
            (
                [
                    _date(line.at, zone),
                    line.description,
                    line.reference,
                    money(line.price),
                    money(line.commission),
                    money(line.amount),
                ]
                for line in milestones
            ),
            [[_("Total"), "", "", money(sums.price), money(sums.commission), money(sums.earned)]],
            size=8,
        )
    others = [line for line in lines if not line.is_milestone]
    if others:
        sheet.space(5)
        sheet.heading(_("Other movements, {currency}").format(currency=sums.currency), size=11)
        sheet.grid(
            _OTHERS,
            (
                [
                    _date(line.at, zone),
                    line.label,
                    " · ".join(filter(None, (line.reference, line.description))),
                    money(line.amount),
                    money(line.added) if line.added else "–",
                ]
                for line in others
            ),
            size=8,
        )


def _parts(standing: Standing, currency: str) -> str:
    """Where the balance lies, when it is not all available."""
    parts = ", ".join(f"{name} {display(part, currency)}" for name, part in standing.parts)
    return f" ({parts})" if parts else ""


def _date(instant: datetime, zone: tzinfo) -> str:
    return f"{instant.astimezone(zone):%Y-%m-%d}"
