"""Withdrawals and their limits, kept by finance; sellers' payout accounts, to look at (M6)."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.db.models import Case, F, OuterRef, Subquery, Sum, When
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from marketplace import clock
from marketplace.accounts.lean_admin import LeanAdmin
from marketplace.accounts.models import User
from payments import services
from payments.models import Account, Chargeback, PayoutAccount, Withdrawal, WithdrawalLimit
from payments.money import parse, plain

from .base import CurrencyFilter, ReadOnlyAdmin, YesNoFilter, shown

DECIDE = "payments.decide_withdrawal"
Status = Withdrawal.Status


# A provider that says nothing for longer has to be asked by a person.
LONG = timedelta(days=1)


class InDoubtFilter(YesNoFilter):
    """Approved long ago and still not settled, or settled and contradicted by the provider since."""

    title = _("in doubt")
    parameter_name = "in_doubt"

    @classmethod
    def condition(cls) -> models.Q:
        unsettled = models.Q(status__in=Withdrawal.UNSETTLED)
        slow = unsettled & models.Q(decided_at__lt=clock.now() - LONG)
        return models.Q(next_try_at__isnull=False) & (slow | ~unsettled)


class DecisionForm(forms.Form):
    """Why a withdrawal is rejected; approving it needs no words."""

    reason = forms.CharField(
        required=False,
        max_length=300,
        strip=True,
        widget=forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"}),
        label=_("Reason"),
        help_text=_("To reject it, say why: the seller reads it."),
    )


@admin.register(Withdrawal)
class WithdrawalAdmin(ReadOnlyAdmin):
    """The queue of finance: those that wait come first, the oldest of them at the top."""

    list_display = [
        "requested_at",
        "waiting",
        shown("amount"),
        "owner",
        "to_decide",
        shown("available", ordering=False),
        shown("debt", ordering=False),
        "status",
        "account",
        "decided_by",
    ]
    list_filter = ["status", InDoubtFilter, CurrencyFilter]
    list_select_related = ["owner", "account", "decided_by"]
    search_fields = ["key", "provider_id", "owner__name", "owner__email"]
    fields = [
        ("owner", "account", shown("amount")),
        ("status", "to_decide"),
        "reason",
        (shown("available", ordering=False), shown("debt", ordering=False)),
        ("requested_at", "decided_at", "decided_by"),
        ("provider", "provider_id", "key"),
        ("asked_at", "settled_at"),
        ("tries", "next_try_at"),
    ]
    readonly_fields = ["to_decide"]
    actions = ["approve"]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Withdrawal]:
        of_the_owner = Account.objects.with_balance().filter(owner=OuterRef("owner"), currency=OuterRef("currency"))

        def balance(code: str) -> Coalesce:
            of_this_kind = of_the_owner.filter(code=code)
            return Coalesce(Subquery(of_this_kind.values("balance")[:1]), 0)  # type: ignore[misc]

        waiting_since = Case(When(status=Status.REQUESTED, then=F("requested_at")))
        rows = Withdrawal.objects.annotate(
            available=balance(Account.Code.EARNINGS_AVAILABLE), debt=balance(Account.Code.DEBT)
        )
        return rows.alias(waiting_since=waiting_since).order_by(F("waiting_since").asc(nulls_last=True), "-pk")

    @admin.display(description=_("Waits"))
    def waiting(self, withdrawal: Withdrawal) -> str:
        if withdrawal.status != Status.REQUESTED:
            return ""
        hours = (clock.now() - withdrawal.requested_at) // timedelta(hours=1)
        days = hours // 24
        waits = gettext("{days}\u00a0d {hours}\u00a0h") if days else gettext("{hours}\u00a0h")
        return waits.format(days=days, hours=hours % 24)

    @admin.display(description=_("Decide"))
    def to_decide(self, withdrawal: Withdrawal) -> SafeString | str:
        if withdrawal.status != Status.REQUESTED:
            return ""
        address = reverse("admin:payments_withdrawal_decide", args=[withdrawal.pk])
        return format_html('<a href="{}">{}</a>', address, gettext("Decide"))

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(DECIDE)

    @admin.action(description=_("Approve"), permissions=["decide"])
    def approve(self, request: HttpRequest, withdrawals: models.QuerySet[Withdrawal]) -> None:
        for withdrawal in withdrawals.select_related("owner", "account"):
            try:
                self._approve(request, withdrawal)
            except services.WithdrawalRefused as refusal:
                self.message_user(
                    request, gettext("{row}: {what}").format(row=withdrawal, what=refusal), messages.WARNING
                )
            else:
                self.message_user(
                    request, gettext("{row}: the provider is being asked.").format(row=withdrawal), messages.SUCCESS
                )

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.decide)
        return [path("<path:object_id>/decide/", page, name="payments_withdrawal_decide"), *super().get_urls()]

    def decide(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Approve or reject one: refused 409, without a reason 422, and what was typed is kept."""
        if not self.has_decide_permission(request):
            raise PermissionDenied
        if not object_id.isdecimal():
            raise Http404
        withdrawal = get_object_or_404(self.get_queryset(request).select_related("owner", "account"), pk=int(object_id))
        form = DecisionForm(request.POST or None)
        if request.method != "POST":
            return self._page(request, withdrawal, form)
        if not form.is_valid():
            return self._page(request, withdrawal, form, 422)
        try:
            if "approve" in request.POST:
                self._approve(request, withdrawal)
                said = gettext("{row} is approved; the provider is being asked. The seller is told.")
            else:
                self._reject(request, withdrawal, form.cleaned_data["reason"])
                said = gettext("{row} is rejected. The seller is told.")
        except services.WithdrawalRefused as refusal:
            form.add_error(None, str(refusal))
            return self._page(request, withdrawal, form, 409)
        self.message_user(request, said.format(row=withdrawal), messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:payments_withdrawal_changelist"))

    def _page(
        self, request: HttpRequest, withdrawal: Withdrawal, form: DecisionForm, status: int = 200
    ) -> HttpResponse:
        earlier = Withdrawal.objects.filter(owner=withdrawal.owner).exclude(pk=withdrawal.pk).order_by("-pk")[:10]
        of_the_seller = {"charge__held__payee": withdrawal.owner_id, "charge__held__currency": withdrawal.currency}
        disputed = Chargeback.objects.undecided().filter(charge__funded=True, **of_the_seller)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Decide a withdrawal"),
            "disputed": disputed.aggregate(total=Sum("amount", default=0), frozen=Sum("frozen", default=0)),
            "withdrawal": withdrawal,
            "form": form,
            "earlier": earlier,
            "waits": withdrawal.status == Status.REQUESTED,
            "own": withdrawal.owner == request.user,
        }
        return TemplateResponse(request, "admin/payments/decide_withdrawal.html", context, status=status)

    @transaction.atomic
    def _approve(self, request: HttpRequest, withdrawal: Withdrawal) -> None:
        services.approve_withdrawal(withdrawal, by=_staff(request), at=clock.now())
        self.log_change(request, withdrawal, gettext("Approved {row}.").format(row=withdrawal))

    @transaction.atomic
    def _reject(self, request: HttpRequest, withdrawal: Withdrawal, reason: str) -> None:
        services.reject_withdrawal(withdrawal, by=_staff(request), reason=reason, at=clock.now())
        self.log_change(request, withdrawal, gettext("Rejected {row}: {reason}").format(row=withdrawal, reason=reason))


class LimitForm(forms.ModelForm):  # type: ignore[type-arg]
    """Amounts in the currency's own notation: "10.00", not 1000."""

    least = forms.CharField(label=_("Least"), max_length=40)
    greatest = forms.CharField(label=_("Greatest"), max_length=40)

    class Meta:
        model = WithdrawalLimit
        fields = ("least", "greatest")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("least", "greatest"):
            self.initial[name] = plain(getattr(self.instance, name), self.instance.currency)

    def clean_least(self) -> int:
        least = self._amount("least")
        if least < 1:
            raise forms.ValidationError(gettext("The least is more than nothing."))
        return least

    def clean_greatest(self) -> int:
        greatest = self._amount("greatest")
        if greatest < self.cleaned_data.get("least", 0):
            raise forms.ValidationError(gettext("The greatest is not below the least."))
        return greatest

    def _amount(self, name: str) -> int:
        try:
            return parse(self.cleaned_data[name], self.instance.currency)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error


@admin.register(WithdrawalLimit)
class WithdrawalLimitAdmin(LeanAdmin):
    """One row per currency, from the beginning: only the amounts change."""

    form = LimitForm
    list_display = ["currency", shown("least"), shown("greatest")]
    fields = ["currency", "least", "greatest"]
    readonly_fields = ["currency"]
    ordering = ["currency"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(PayoutAccount)
class PayoutAccountAdmin(ReadOnlyAdmin):
    list_display = ["owner", "provider", "label", "status", "checked_at"]
    list_filter = ["status", "provider"]
    list_select_related = ["owner"]
    search_fields = ["owner__name", "owner__email", "provider_id"]
    fields = ["owner", ("provider", "provider_id"), ("label", "status"), ("created_at", "checked_at")]
    ordering = ["-pk"]


def _staff(request: HttpRequest) -> User:
    """The signed-in member of staff; every page of admin has one."""
    assert isinstance(request.user, User)
    return request.user
