"""Charges and refunds, and what staff can do about a refused refund (M9)."""

from collections.abc import Callable

from django.contrib import admin, messages
from django.db import models, transaction
from django.http import HttpRequest

from marketplace import clock
from payments import services
from payments.models import Charge, Refund

from .base import ReadOnlyAdmin, shown


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
        ("held", shown("amount"), shown("credit")),
        ("status", "reason"),
        ("funded", "surplus"),
        ("provider", "provider_id", "method", "method_label"),
        ("card", "keep_card"),
        ("created_at", "asked_at", "cancel_asked_at", "settled_at"),
    ]
    ordering = ["-pk"]


@admin.register(Refund)
class RefundAdmin(ReadOnlyAdmin):
    """What waits for staff stands first, the longest waiting at its head: refused, and nothing done since (M9)."""

    list_display = ["key", "waits", shown("amount"), "status", "retried", "created_at", "settled_at", "reason"]
    list_filter = ["status", "retried"]
    list_select_related = ["held"]
    search_fields = ["key", "provider_id", "held__reference"]
    fields = [
        ("key", "attempt", "retried", "doubted"),
        ("held", "charge", shown("amount"), shown("credit")),
        ("status", "reason"),
        ("provider", "provider_id"),
        ("created_at", "asked_at", "settled_at"),
        ("tries", "next_try_at"),
    ]
    actions = ["ask_provider_again", "turn_into_credit"]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Refund]:
        waiting = models.Q(pk__in=Refund.objects.waiting_for_staff().values("pk"))
        first = models.Case(models.When(waiting, then="settled_at"))
        return (
            super().get_queryset(request).annotate(first=first).order_by(models.F("first").asc(nulls_last=True), "-pk")
        )

    @admin.display(description="Waits for you", boolean=True)
    def waits(self, refund: Refund) -> bool | None:
        return refund.first is not None or None  # type: ignore[attr-defined]

    def has_ask_refund_again_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("payments.ask_refund_again")

    def has_turn_refund_into_credit_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("payments.turn_refund_into_credit")

    @admin.action(description="Ask the provider again", permissions=["ask_refund_again"])
    def ask_provider_again(self, request: HttpRequest, refunds: models.QuerySet[Refund]) -> None:
        self._each(request, refunds, services.ask_again, "the provider is being asked again.")

    @admin.action(description="Turn into credit", permissions=["turn_refund_into_credit"])
    def turn_into_credit(self, request: HttpRequest, refunds: models.QuerySet[Refund]) -> None:
        self._each(request, refunds, services.turn_into_credit, "given to the buyer as credit. Both sides are told.")

    def _each(
        self, request: HttpRequest, refunds: models.QuerySet[Refund], verb: Callable[..., Refund], done: str
    ) -> None:
        for refund in refunds.select_related("held", "charge__held"):
            try:
                with transaction.atomic():
                    verb(refund, at=clock.now())
                    self.log_change(request, refund, done)
            except (services.NotRefused, services.Disputed) as refusal:
                self.message_user(request, f"{refund.key}: {refusal}", messages.WARNING)
            else:
                self.message_user(request, f"{refund.key}: {done}", messages.SUCCESS)
