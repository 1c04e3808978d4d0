"""Accounts, transfers and held funds."""

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from payments.models import Account, HeldFunds, Transfer

from .base import ReadOnlyAdmin, shown


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    list_display = ["code", "currency", "owner", "provider", shown("balance")]
    list_filter = ["code", "currency"]
    list_select_related = ["owner"]
    search_fields = ["owner__name", "owner__email"]
    fields = ["code", "currency", "owner", "provider", shown("balance")]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Account]:
        return Account.objects.with_balance().order_by("code", "currency", "pk")


@admin.register(Transfer)
class TransferAdmin(ReadOnlyAdmin):
    list_display = ["id", "created_at", "kind", shown("amount"), "source", "destination", "held"]
    list_filter = ["kind"]
    list_select_related = ["source__owner", "destination__owner", "held"]
    search_fields = ["held__reference"]
    fields = ["created_at", "kind", shown("amount"), "source", "destination", "held", "charge", "refund"]
    ordering = ["-pk"]
    show_full_result_count = False


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
    list_filter = ["currency"]
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
