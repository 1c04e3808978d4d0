"""Receipts and credit notes to look at, and the ledger as CSV for finance."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from payments import services
from payments.csv_export import Amount, Cell, csv_response
from payments.models import Document, Transfer, Withdrawal
from payments.money import display

from .base import ReadOnlyAdmin

# Support may look at rows; all of them at once is for those who decide about the money.
EXPORT = "payments.decide_withdrawal"
_AT_ONCE = 1_000
_SENSIBLE = [MinValueValidator(date(2000, 1, 1)), MaxValueValidator(date(2999, 12, 31))]


class ExportForm(forms.Form):
    """Which rows, and of which days: both are included, and days are those of UTC."""

    rows = forms.ChoiceField(
        label=_("Rows"), choices=[("transfers", _("Transfers")), ("withdrawals", _("Withdrawals"))]
    )
    first_day = forms.DateField(
        label=_("First day"), widget=forms.DateInput(attrs={"type": "date"}), validators=_SENSIBLE
    )
    last_day = forms.DateField(
        label=_("Last day"),
        widget=forms.DateInput(attrs={"type": "date"}),
        validators=_SENSIBLE,
        help_text=_("Included. Days are UTC."),
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        first, last = cleaned.get("first_day"), cleaned.get("last_day")
        if first and last and last < first:
            self.add_error("last_day", gettext("The last day is not before the first."))
        return cleaned


@admin.register(Document)
class DocumentAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "kind", "recipient", "issued_at", "total"]
    list_filter = ["kind"]
    list_select_related = ["recipient"]
    search_fields = ["=number", "recipient__name", "recipient__email"]
    fields = ["number", "kind", "recipient", "issued_at", "total", "charge", "refund", "content"]
    readonly_fields = ["total"]
    ordering = ["-pk"]
    change_list_template = "admin/payments/document/list.html"

    @admin.display(description=_("Amount"))
    def total(self, document: Document) -> str:
        return display(document.content["total"], document.content["currency"])

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        missing = {kind.label: services.missing_numbers(kind) for kind in Document.Kind}
        context = {"missing": {kind: count for kind, count in missing.items() if count}, "may_export": _may(request)}
        return super().changelist_view(request, context | (extra_context or {}))

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.export)
        return [path("export/", page, name="payments_export"), *super().get_urls()]

    def export(self, request: HttpRequest) -> HttpResponseBase:
        """Transfers or withdrawals of some days as CSV, streamed; each export is in the admin's log."""
        if not _may(request) or request.user.pk is None:
            raise PermissionDenied
        form = ExportForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            first, last = form.cleaned_data["first_day"], form.cleaned_data["last_day"]
            begins = datetime.combine(first, time(), tzinfo=UTC)
            ends = datetime.combine(last, time(), tzinfo=UTC) + timedelta(days=1)
            model, header, rows = _EXPORTS[form.cleaned_data["rows"]]
            LogEntry.objects.create(
                user_id=request.user.pk,
                content_type=ContentType.objects.get_for_model(model),
                object_repr=f"{form.cleaned_data['rows']} {first} to {last}",
                action_flag=CHANGE,
                change_message=gettext("Exported {rows} from {first} to {last} as CSV.").format(
                    rows=form.cleaned_data["rows"], first=first, last=last
                ),
            )
            return csv_response(
                f"{form.cleaned_data['rows']}-{first}-{last}",
                [str(column) for column in header],
                rows(begins, ends),
                UTC,
            )
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Export as CSV"),
            "form": form,
        }
        status = 422 if request.method == "POST" else 200
        return TemplateResponse(request, "admin/payments/document/export.html", context, status=status)


def _may(request: HttpRequest) -> bool:
    return request.user.has_perm(EXPORT)


_TRANSFERS = [_("ID"), _("Date (UTC)"), _("Kind"), _("Currency"), _("Amount"), _("From"), _("From person"), _("To")]
_TRANSFERS += [_("To person"), _("Order"), _("Charge"), _("Refund"), _("Withdrawal"), _("Chargeback")]


def _transfers(begins: datetime, ends: datetime) -> Iterator[list[Cell]]:
    near = ["source__owner", "destination__owner", "held", "charge", "refund", "withdrawal", "chargeback"]
    transfers = Transfer.objects.filter(created_at__gte=begins, created_at__lt=ends).order_by("pk")
    for transfer in transfers.select_related(*near).iterator(chunk_size=_AT_ONCE):
        source, destination = transfer.source, transfer.destination
        yield [
            transfer.pk,
            transfer.created_at,
            transfer.get_kind_display(),
            transfer.currency,
            Amount(transfer.amount, transfer.currency),
            source.get_code_display(),
            source.owner.email if source.owner else source.provider,
            destination.get_code_display(),
            destination.owner.email if destination.owner else destination.provider,
            transfer.held.reference if transfer.held else "",
            transfer.charge.key if transfer.charge else "",
            transfer.refund.key if transfer.refund else "",
            transfer.withdrawal.key if transfer.withdrawal else "",
            transfer.chargeback.provider_id if transfer.chargeback else "",
        ]


_WITHDRAWALS = [_("Key"), _("Requested (UTC)"), _("Seller"), _("E-mail"), _("Currency"), _("Amount"), _("State")]
_WITHDRAWALS += [_("Account"), _("Provider"), _("Number there"), _("Decided (UTC)"), _("Decided by")]
_WITHDRAWALS += [_("Settled (UTC)"), _("Reason")]


def _withdrawals(begins: datetime, ends: datetime) -> Iterator[list[Cell]]:
    withdrawals = Withdrawal.objects.filter(requested_at__gte=begins, requested_at__lt=ends)
    near = withdrawals.select_related("owner", "account", "decided_by").order_by("requested_at", "pk")
    for withdrawal in near.iterator(chunk_size=_AT_ONCE):
        yield [
            withdrawal.key,
            withdrawal.requested_at,
            withdrawal.owner.name,
            withdrawal.owner.email,
            withdrawal.currency,
            Amount(withdrawal.amount, withdrawal.currency),
            withdrawal.get_status_display(),
            withdrawal.paid_to,
            withdrawal.provider,
            withdrawal.provider_id,
            withdrawal.decided_at,
            withdrawal.decided_by.email if withdrawal.decided_by else "",
            withdrawal.settled_at,
            withdrawal.reason,
        ]


_EXPORTS: dict[str, Any] = {
    "transfers": (Transfer, _TRANSFERS, _transfers),
    "withdrawals": (Withdrawal, _WITHDRAWALS, _withdrawals),
}
