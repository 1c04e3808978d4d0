"""How earnings leave: a seller's account at the provider, and withdrawals to it (M6)."""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from payments.money import display
from payments.said import said


class PayoutAccount(models.Model):
    """A seller's account at a provider, to which withdrawals are paid. No bank details are ever here."""

    class Status(models.TextChoices):
        INCOMPLETE = "incomplete", _("Waits for details")
        READY = "ready", _("Ready")
        RESTRICTED = "restricted", _("Restricted by the provider")

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="payout_accounts")
    provider = models.CharField(max_length=20)
    provider_id = models.CharField(max_length=200)
    label = models.CharField(max_length=100, blank=True)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.INCOMPLETE)
    created_at = models.DateTimeField()
    checked_at = models.DateTimeField()

    class Meta:
        verbose_name = _("payout account")
        verbose_name_plural = _("payout accounts")
        constraints = [
            models.UniqueConstraint(fields=["owner", "provider"], name="one_payout_account_per_provider"),
            models.UniqueConstraint(fields=["provider", "provider_id"], name="payout_account_of_one_person"),
        ]

    def __str__(self) -> str:
        return said(self.label) or self.get_status_display()

    @property
    def is_ready(self) -> bool:
        return self.status == self.Status.READY


class WithdrawalLimit(models.Model):
    """How much may leave a purse in one withdrawal, per currency, in minor units. Finance keeps these rows."""

    currency = models.CharField(max_length=3, unique=True, verbose_name=_("currency"))
    least = models.BigIntegerField()
    greatest = models.BigIntegerField()

    class Meta:
        verbose_name = _("withdrawal limit")
        verbose_name_plural = _("withdrawal limits")
        constraints = [
            models.CheckConstraint(
                condition=Q(least__gt=0, greatest__gte=F("least")), name="withdrawal_limits_in_order"
            )
        ]

    def __str__(self) -> str:
        return gettext("{least} to {greatest}").format(
            least=display(self.least, self.currency), greatest=display(self.greatest, self.currency)
        )


class WithdrawalQuerySet(models.QuerySet["Withdrawal"]):
    def waiting_for_finance(self) -> Self:
        return self.filter(status=Withdrawal.Status.REQUESTED).order_by("requested_at", "pk")

    def unsettled(self) -> Self:
        return self.filter(status__in=Withdrawal.UNSETTLED)

    def in_flight(self) -> Self:
        return self.filter(status__in=Withdrawal.IN_FLIGHT)

    def to_settle(self, at: datetime) -> Self:
        """Those approved and not settled, and those settled about which the provider has contradicted itself."""
        return self.filter(next_try_at__lte=at).order_by("next_try_at", "pk")

    def to_tell(self) -> Self:
        """Those of whose present state their owner was not told."""
        silent = (Withdrawal.Status.REQUESTED, Withdrawal.Status.CANCELED)
        return self.exclude(status__in=silent).exclude(told=F("status")).order_by("pk")


class Withdrawal(models.Model):
    """Available earnings on their way to the seller's account. Until paid they lie in *withdrawals in flight*."""

    class Status(models.TextChoices):
        REQUESTED = "requested", _("Waits for approval")
        APPROVED = "approved", _("Approved")
        SENDING = "sending", _("Asking the provider")
        SENT = "sent", _("On its way")
        PAID = "paid", _("Paid")
        FAILED = "failed", _("Failed")
        REJECTED = "rejected", _("Rejected")
        CANCELED = "canceled", _("Canceled")

    UNSETTLED = (Status.APPROVED, Status.SENDING, Status.SENT)
    IN_FLIGHT = (Status.REQUESTED, *UNSETTLED)

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="withdrawals", verbose_name=_("owner")
    )
    account = models.ForeignKey(
        PayoutAccount, on_delete=models.PROTECT, related_name="withdrawals", verbose_name=_("account")
    )
    # What the account was called when this was asked for, then when it was sent: its owner may change it afterwards.
    paid_to = models.CharField(max_length=100, blank=True)
    currency = models.CharField(max_length=3, verbose_name=_("currency"))
    amount = models.BigIntegerField()
    key = models.CharField(max_length=200, unique=True, verbose_name=_("key"))
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.REQUESTED, verbose_name=_("status"))
    provider = models.CharField(max_length=20, verbose_name=_("provider"))
    provider_id = models.CharField(max_length=200, blank=True, verbose_name=_("provider id"))
    reason = models.CharField(max_length=300, blank=True, verbose_name=_("reason"))
    requested_at = models.DateTimeField(verbose_name=_("requested at"))
    decided_at = models.DateTimeField(null=True, blank=True, verbose_name=_("decided at"))
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="decided_withdrawals",
        verbose_name=_("decided by"),
    )
    asked_at = models.DateTimeField(null=True, blank=True, verbose_name=_("asked at"))
    settled_at = models.DateTimeField(null=True, blank=True, verbose_name=_("settled at"))
    tries = models.PositiveIntegerField(default=0, verbose_name=_("tries"))
    next_try_at = models.DateTimeField(null=True, blank=True, verbose_name=_("next try at"))
    # The last status of which the owner was told.
    told = models.CharField(max_length=20, blank=True)

    objects = WithdrawalQuerySet.as_manager()

    class Meta:
        verbose_name = _("withdrawal")
        verbose_name_plural = _("withdrawals")
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="withdrawal_has_an_amount"),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="withdrawal_currency_is_iso"),
            models.CheckConstraint(
                condition=~Q(status__in=["approved", "sending", "sent"]) | Q(next_try_at__isnull=False),
                name="withdrawal_unsettled_is_tried",
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("owner")), name="withdrawal_decided_by_another"
            ),
            models.UniqueConstraint(
                fields=["owner", "currency"],
                condition=Q(status__in=["requested", "approved", "sending", "sent"]),
                name="one_withdrawal_in_flight",
            ),
        ]
        indexes = [
            # The queue of finance.
            models.Index(fields=["requested_at"], condition=Q(status="requested"), name="withdrawal_requested"),
            # The sweep over what is approved and not settled, or settled and in doubt.
            models.Index(fields=["next_try_at"], condition=Q(next_try_at__isnull=False), name="withdrawal_to_settle"),
            # The task that tells owners.
            models.Index(
                fields=["id"],
                condition=~Q(status__in=["requested", "canceled"]) & ~Q(told=F("status")),
                name="withdrawal_to_tell",
            ),
        ]
        permissions = [("decide_withdrawal", "Can approve and reject withdrawals")]

    def __str__(self) -> str:
        return gettext("{amount} to {owner} ({status})").format(
            amount=display(self.amount, self.currency), owner=self.owner, status=self.get_status_display()
        )
