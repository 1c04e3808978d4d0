"""Charges and refunds, and what staff can do about a refused refund (M9)."""

from collections.abc import Callable
from datetime import timedelta

from django.contrib import admin, messages
from django.db import models, transaction
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from marketplace import clock
from payments import services
from payments.models import Charge, Refund

from .base import ReadOnlyAdmin, YesNoFilter, shown

# An attempt that takes longer should be looked at; a bank may take up to the terms' *processing*.
LONG = timedelta(days=1)


class UndecidedForLongFilter(YesNoFilter):
    title = _("undecided for more than a day")
    parameter_name = "undecided_for_long"

    @classmethod
    def condition(cls) -> models.Q:
        return models.Q(status__in=Charge.UNDECIDED, created_at__lt=clock.now() - LONG)


class WaitsFilter(YesNoFilter):
    """`Refund.waiting_for_staff` as a condition."""

    title = _("waits for you")
    parameter_name = "waits"

    @classmethod
    def condition(cls) -> models.Q:
        return models.Q(status=Refund.Status.REFUSED, retried=False)


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
    list_filter = ["status", UndecidedForLongFilter, "funded", "surplus"]
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
    list_filter = [WaitsFilter, "status", "retried"]
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

    @admin.display(description=_("Waits for you"), boolean=True)
    def waits(self, refund: Refund) -> bool | None:
        return refund.first is not None or None  # type: ignore[attr-defined]

    def has_ask_refund_again_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("payments.ask_refund_again")

    def has_turn_refund_into_credit_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("payments.turn_refund_into_credit")

    @admin.action(description=_("Ask the provider again"), permissions=["ask_refund_again"])
    def ask_provider_again(self, request: HttpRequest, refunds: models.QuerySet[Refund]) -> None:
        self._each(request, refunds, services.ask_again, _("the provider is being asked again."))

    @admin.action(description=_("Turn into credit"), permissions=["turn_refund_into_credit"])
    def turn_into_credit(self, request: HttpRequest, refunds: models.QuerySet[Refund]) -> None:
        self._each(request, refunds, services.turn_into_credit, _("given to the buyer as credit. Both sides are told."))

    def _each(
        self, request: HttpRequest, refunds: models.QuerySet[Refund], verb: Callable[..., Refund], done: StrOrPromise
    ) -> None:
        for refund in refunds.select_related("held", "charge__held"):
            try:
                with transaction.atomic():
                    verb(refund, at=clock.now())
                    self.log_change(request, refund, str(done))
            except (services.NotRefused, services.Disputed) as refusal:
                self.message_user(
                    request, gettext("{row}: {what}").format(row=refund.key, what=refusal), messages.WARNING
                )
            else:
                self.message_user(request, gettext("{row}: {what}").format(row=refund.key, what=done), messages.SUCCESS)
