"""Money in the admin: everything can be looked at, nothing can be edited by anyone."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db import models, transaction
from django.http import HttpRequest

from marketplace import clock
from payments import services
from payments.models import Account, Charge, HeldFunds, ProviderEvent, Refund, Transfer
from payments.money import display


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    fields: ClassVar[Any] = None  # may hold columns made by `shown`, which the stubs don't expect

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def shown(name: str, *, ordering: bool = True) -> Callable[[Any], str]:
    """A column with the amount `name`, which is in minor units, in its row's currency."""

    @admin.display(description=name.replace("_", " ").capitalize(), ordering=name if ordering else None)
    def amount(row: Any) -> str:
        return display(getattr(row, name), row.currency)

    return amount


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


@admin.register(Charge)
class ChargeAdmin(ReadOnlyAdmin):
    list_display = [
        "key",
        shown("amount"),
        "status",
        "method",
        "funded",
        "surplus",
        "created_at",
        "settled_at",
        "reason",
    ]
    list_filter = ["status", "funded", "surplus"]
    list_select_related = ["held"]
    search_fields = ["key", "provider_id"]
    fields = [
        ("key", "attempt"),
        ("held", shown("amount")),
        ("status", "reason"),
        ("funded", "surplus"),
        ("provider", "provider_id", "method"),
        ("created_at", "asked_at", "cancel_asked_at", "settled_at"),
    ]
    ordering = ["-pk"]


@admin.register(Refund)
class RefundAdmin(ReadOnlyAdmin):
    """Those refused and not asked for again wait for staff: filter by status *refused*, retried *no* (M9)."""

    list_display = ["key", shown("amount"), "status", "retried", "created_at", "settled_at", "reason"]
    list_filter = ["status", "retried"]
    list_select_related = ["held"]
    search_fields = ["key", "provider_id", "held__reference"]
    fields = [
        ("key", "attempt", "retried"),
        ("held", "charge", shown("amount")),
        ("status", "reason"),
        ("provider", "provider_id"),
        ("created_at", "asked_at", "settled_at"),
        ("tries", "next_try_at"),
    ]
    ordering = ["-pk"]
    actions = ["ask_provider_again"]

    def has_ask_refund_again_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("payments.ask_refund_again")

    @admin.action(description="Ask the provider again", permissions=["ask_refund_again"])
    def ask_provider_again(self, request: HttpRequest, refunds: models.QuerySet[Refund]) -> None:
        for refund in refunds.select_related("held", "charge__held"):
            try:
                with transaction.atomic():
                    services.ask_again(refund, at=clock.now())
            except services.NotRefused as refusal:
                self.message_user(request, f"{refund.key}: {refusal}", messages.WARNING)
            else:
                self.message_user(request, f"{refund.key}: the provider is being asked again.", messages.SUCCESS)


@admin.register(ProviderEvent)
class ProviderEventAdmin(ReadOnlyAdmin):
    list_display = ["received_at", "provider", "kind", "event_id", "applied_at", "outcome"]
    list_filter = ["kind"]
    search_fields = ["event_id"]
    ordering = ["-pk"]
