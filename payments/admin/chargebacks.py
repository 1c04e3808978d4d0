"""Chargebacks, who bears what a lost one leaves (M10); and the sandbox's banks, so that one can be played through."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from marketplace import clock
from payments import services
from payments.errors import PaymentsError
from payments.gateways import sandbox_disputes, sandbox_events
from payments.models import Chargeback, SandboxCharge, SandboxDispute
from payments.money import display

from .base import ReadOnlyAdmin, YesNoFilter, shown

Status, Rest = Chargeback.Status, Chargeback.Rest
DECIDE = "payments.decide_chargeback_rest"


class RestWaitsFilter(YesNoFilter):
    """`Chargeback.waiting_for_staff` as a condition."""

    title = _("a rest that nobody has decided about")
    parameter_name = "rest_waits"

    @classmethod
    def condition(cls) -> Q:
        return Q(status=Status.LOST, rest__gt=0, rest_decided_at=None)


@admin.register(Chargeback)
class ChargebackAdmin(ReadOnlyAdmin):
    """First those that a bank is deciding about, then the lost ones with a rest that nobody has decided about."""

    list_display = [
        "reference",
        "taken_at",
        shown("amount"),
        "status",
        shown("frozen"),
        shown("rest"),
        "who_bears_it",
    ]
    list_filter = ["status", RestWaitsFilter, "rest_as"]
    list_select_related = ["charge__held__payee"]
    search_fields = ["provider_id", "charge__held__reference", "charge__held__payee__email"]
    fields = [
        ("about", "seller"),
        ("charge", shown("amount")),
        ("status", "reason"),
        (shown("frozen"), shown("rest"), "can_be_owed"),
        ("who_bears_it", "rest_decided_at"),
        ("provider", "provider_id"),
        ("taken_at", "settled_at"),
        "ledger",
    ]
    readonly_fields = ["about", "seller", "can_be_owed", "who_bears_it", "ledger"]
    actions = ["seller_owes_it", "platform_bears_it"]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Chargeback]:
        undecided_rest = RestWaitsFilter.condition()
        rank = Case(When(status=Status.OPEN, then=Value(0)), When(undecided_rest, then=Value(1)), default=Value(2))
        rows = Chargeback.objects.select_related("charge__held__payee")
        # By what has waited longest, as long as it waits.
        waiting = Case(When(Q(status=Status.OPEN) | undecided_rest, then=F("taken_at")))
        return rows.alias(rank=rank, waiting=waiting).order_by("rank", F("waiting").asc(nulls_last=True), "-pk")

    @admin.display(description=_("For"), ordering="charge__held__reference")
    def reference(self, chargeback: Chargeback) -> str:
        return chargeback.charge.held.reference

    @admin.display(description=_("For"))
    def about(self, chargeback: Chargeback) -> SafeString:
        held = chargeback.charge.held
        address = reverse("admin:payments_heldfunds_change", args=[held.pk])
        return format_html('<a href="{}">{}</a> {}', address, held.reference, held.description)

    @admin.display(description=_("Seller"))
    def seller(self, chargeback: Chargeback) -> str:
        return str(chargeback.charge.held.payee)

    @admin.display(description=_("The seller could owe"))
    def can_be_owed(self, chargeback: Chargeback) -> str:
        """At most what the milestone paid them and no chargeback has taken back."""
        return display(services.owable(chargeback), chargeback.currency)

    @admin.display(description=_("Who bears the rest"), ordering="rest_as")
    def who_bears_it(self, chargeback: Chargeback) -> str:
        if chargeback.rest_as:
            return str(chargeback.get_rest_as_display())
        return gettext("To be decided") if chargeback.status == Status.LOST and chargeback.rest else "–"

    @admin.display(description=_("Ledger of the milestone"))
    def ledger(self, chargeback: Chargeback) -> SafeString:
        transfers = chargeback.charge.held.transfers.select_related("source__owner", "destination__owner")
        rows = format_html_join(
            "",
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            (
                (
                    row.created_at.strftime("%Y-%m-%d %H:%M:%S"),
                    row.get_kind_display(),
                    row.source,
                    row.destination,
                    display(row.amount, row.currency),
                )
                for row in transfers
            ),
        )
        columns = (gettext("At (UTC)"), gettext("What"), gettext("From"), gettext("To"), gettext("Amount"))
        heads = format_html_join("", '<th scope="col">{}</th>', ((column,) for column in columns))
        return format_html("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>", heads, rows)

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(DECIDE)

    @admin.action(description=_("The seller owes the rest"), permissions=["decide"])
    def seller_owes_it(self, request: HttpRequest, chargebacks: models.QuerySet[Chargeback]) -> None:
        self._decide(request, chargebacks, Rest.DEBT)

    @admin.action(description=_("The platform bears the rest"), permissions=["decide"])
    def platform_bears_it(self, request: HttpRequest, chargebacks: models.QuerySet[Chargeback]) -> None:
        self._decide(request, chargebacks, Rest.LOSS)

    def _decide(self, request: HttpRequest, chargebacks: models.QuerySet[Chargeback], rest_as: Rest) -> None:
        staff = request.user
        assert staff.is_authenticated  # narrows the type; admin sent everybody else away
        for chargeback in chargebacks:
            try:
                decided = services.decide_rest(chargeback, rest_as=rest_as, by=staff, at=clock.now())
            except PaymentsError as refusal:
                self.message_user(
                    request, gettext("{row}: {what}").format(row=chargeback, what=refusal), messages.WARNING
                )
                continue
            said = _borne(decided)
            self.log_change(request, decided, said)
            self.message_user(request, gettext("{row}: {what}").format(row=decided, what=said), messages.SUCCESS)


def _borne(decided: Chargeback) -> str:
    """Who bears how much of a decided rest: what is beyond the seller's pay is the platform's in any case."""
    owed = services.owed_for(decided)
    shares = [(Rest.DEBT, owed), (Rest.LOSS, decided.rest - owed)]
    said = (f"{share.label}: {display(amount, decided.currency)}" for share, amount in shares if amount)
    # A refused refund may have been settled from it just now.
    return ". ".join(said) or gettext("Nothing was left to bear")


class SandboxAdmin(ReadOnlyAdmin):
    """The sandbox's own book: there to be seen as long as the sandbox is in use."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return settings.PAYMENT_GATEWAY == "sandbox" and super().has_view_permission(request, obj)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return settings.PAYMENT_GATEWAY == "sandbox" and super().has_module_permission(request)

    def has_play_permission(self, request: HttpRequest) -> bool:
        """To be the bank: who may decide about real chargebacks may play one through."""
        return settings.PAYMENT_GATEWAY == "sandbox" and request.user.has_perm(DECIDE)

    def _play(self, request: HttpRequest, key: str, play: Callable[[], SandboxDispute]) -> None:
        try:
            dispute = play()
        except sandbox_disputes.NothingToDispute as refusal:
            self.message_user(request, gettext("{row}: {what}").format(row=key, what=refusal), messages.WARNING)
            return
        self.log_change(request, dispute, gettext("The bank: {status}").format(status=dispute.status))
        # At once, so that whoever plays sees what follows; else the next round of beat delivers it.
        sandbox_events.deliver_due(clock.now(), about=key)
        self.message_user(request, f"{key}: {dispute.status}.", messages.SUCCESS)


@admin.register(SandboxCharge)
class SandboxChargeAdmin(SandboxAdmin):
    list_display = ["key", shown("amount"), "method", "status", "created_at"]
    list_filter = ["status", "method"]
    search_fields = ["key", "reference"]
    ordering = ["-created_at"]
    actions = ["take_back"]

    @admin.action(description=_("The payer's bank takes the money back"), permissions=["play"])
    def take_back(self, request: HttpRequest, charges: models.QuerySet[SandboxCharge]) -> None:
        for charge in charges:
            self._play(request, charge.key, partial(sandbox_disputes.take_back, charge.pk, at=clock.now()))


@admin.register(SandboxDispute)
class SandboxDisputeAdmin(SandboxAdmin):
    list_display = ["created_at", "charge", "taken", "status", "reason"]
    list_filter = ["status"]
    list_select_related = ["charge"]
    search_fields = ["charge__key", "charge__reference"]
    fields = ["charge", "taken", "status", "reason", "created_at"]
    readonly_fields = ["taken"]
    ordering = ["-created_at"]
    actions = ["seller_wins", "buyer_wins"]

    @admin.display(description=_("Amount"))
    def taken(self, dispute: SandboxDispute) -> str:
        return display(dispute.amount, dispute.charge.currency)

    @admin.action(description=_("The bank decides for the seller"), permissions=["play"])
    def seller_wins(self, request: HttpRequest, disputes: models.QuerySet[SandboxDispute]) -> None:
        self._decide(request, disputes, won=True)

    @admin.action(description=_("The bank decides for the buyer"), permissions=["play"])
    def buyer_wins(self, request: HttpRequest, disputes: models.QuerySet[SandboxDispute]) -> None:
        self._decide(request, disputes, won=False)

    def _decide(self, request: HttpRequest, disputes: models.QuerySet[SandboxDispute], *, won: bool) -> None:
        for dispute in disputes.select_related("charge"):
            decide = partial(sandbox_disputes.decide, dispute.pk, won=won, at=clock.now())
            self._play(request, dispute.charge.key, decide)
