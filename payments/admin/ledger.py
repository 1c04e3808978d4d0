"""Accounts, transfers and held funds."""

from django.contrib import admin, messages
from django.db import models, transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from marketplace import clock
from payments import services
from payments.models import Account, HeldFunds, Transfer
from payments.money import display

from .base import CurrencyFilter, ReadOnlyAdmin, YesNoFilter, shown


class HoldingFilter(YesNoFilter):
    title = _("holding money")
    parameter_name = "holding"

    @classmethod
    def condition(cls) -> models.Q:
        """As the partial index `held_now` has it."""
        left = models.Q(amount__gt=models.F("refunded") + models.F("charged_back"))
        return models.Q(funded_at__isnull=False, released_at=None) & left


class OfAccount(admin.SimpleListFilter):
    """The journal of one account: `?account=7`, linked from its page; not offered as a choice of thousands."""

    title = _("account")
    parameter_name = "account"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        chosen = request.GET.get("account", "")
        account = Account.objects.select_related("owner").filter(pk=chosen).first() if chosen.isdecimal() else None
        return [(chosen, str(account))] if account else []

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Transfer]) -> models.QuerySet[Transfer]:
        if self.value() is None:
            return queryset
        return queryset.filter(models.Q(source=self.value()) | models.Q(destination=self.value()))


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    list_display = ["code", "currency", "owner", "provider", shown("balance")]
    list_filter = ["code", CurrencyFilter]
    list_select_related = ["owner"]
    search_fields = ["owner__name", "owner__email"]
    fields = ["code", "currency", "owner", "provider", shown("balance"), "journal"]
    actions = ["forgive"]

    def has_forgive_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("payments.decide_chargeback_rest")

    @admin.action(description=_("The platform bears this debt"), permissions=["forgive"])
    def forgive(self, request: HttpRequest, accounts: models.QuerySet[Account]) -> None:
        for account in accounts.select_related("owner").filter(code=Account.Code.DEBT):
            try:
                with transaction.atomic():
                    amount = services.forgive_debt(
                        account.owner, currency=account.currency, by=request.user, at=clock.now()
                    )
                    said = gettext("The platform bears {amount}.")
                    self.log_change(request, account, said.format(amount=display(amount, account.currency)))
            except services.WithdrawalRefused as refusal:
                self.message_user(request, gettext("{row}: {what}").format(row=account, what=refusal), messages.WARNING)
            else:
                forgiven = gettext("{account}: {amount} is forgiven.")
                self.message_user(request, forgiven.format(account=account, amount=display(amount, account.currency)))

    @admin.display(description=_("Journal"))
    def journal(self, account: Account) -> SafeString:
        url = reverse("admin:payments_transfer_changelist")
        return format_html(
            '<a href="{}?account={}">{}</a>', url, account.pk, gettext("Every transfer into and out of it")
        )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Account]:
        return Account.objects.with_balance().order_by("code", "currency", "pk")


@admin.register(Transfer)
class TransferAdmin(ReadOnlyAdmin):
    list_display = ["id", "created_at", "kind", shown("amount"), "source", "destination", "held"]
    list_filter = [OfAccount, "kind", CurrencyFilter]
    list_select_related = ["source__owner", "destination__owner", "held"]
    search_fields = ["held__reference"]
    fields = [
        ("created_at", "kind"),
        shown("amount"),
        ("source", "destination"),
        ("held", "charge", "refund"),
        ("withdrawal", "chargeback"),
    ]
    ordering = ["-pk"]


@admin.register(HeldFunds)
class HeldFundsAdmin(ReadOnlyAdmin):
    list_display = [
        "reference",
        "description",
        "payer",
        "payee",
        shown("amount"),
        shown("left", ordering=False),
        "funded_at",
        "released_at",
    ]
    list_filter = [HoldingFilter, CurrencyFilter]
    list_select_related = ["payer", "payee"]
    search_fields = ["reference", "description", "payer__email", "payee__email"]
    fields = [
        "reference",
        "description",
        ("payer", "payee"),
        (shown("price"), shown("buyer_fee")),
        ("buyer_fee_rate", "commission_rate"),
        (shown("amount"), shown("left", ordering=False)),
        (shown("refunded"), shown("released"), shown("charged_back")),
        ("funded_at", "released_at"),
    ]
    ordering = ["-pk"]
