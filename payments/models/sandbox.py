"""The sandbox provider's own book. It stands for another company's database: no foreign keys to ours."""

import uuid

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class SandboxCharge(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.CharField(max_length=200, unique=True)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3, blank=True)
    method = models.CharField(max_length=100, blank=True)
    description = models.CharField(max_length=300, blank=True)
    reference = models.CharField(max_length=100, blank=True)
    return_url = models.CharField(max_length=500, blank=True)
    status = models.CharField(max_length=20)
    reason = models.CharField(max_length=300, blank=True)
    refunded = models.BigIntegerField(default=0)
    created_at = models.DateTimeField()
    settles_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("sandbox charge")
        verbose_name_plural = _("sandbox charges")
        constraints = [
            models.CheckConstraint(
                condition=Q(refunded__gte=0, refunded__lte=F("amount")), name="sandbox_refunds_at_most_all"
            )
        ]
        indexes = [
            models.Index(fields=["settles_at"], condition=Q(status="processing"), name="sandbox_charge_processing"),
            models.Index(
                fields=["settles_at"],
                condition=Q(method="card_disputed", settles_at__isnull=False),
                name="sandbox_charge_to_dispute",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key} ({self.status})"


class SandboxRefund(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.CharField(max_length=250, unique=True)
    charge = models.ForeignKey(SandboxCharge, on_delete=models.PROTECT, related_name="refunds")
    amount = models.BigIntegerField()
    status = models.CharField(max_length=20)
    reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.key} ({self.status})"


class SandboxEvent(models.Model):
    """An event to deliver, until the receiver has accepted it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=100)
    key = models.CharField(max_length=250)
    body = models.TextField()
    created_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["next_try_at"], condition=Q(delivered_at=None), name="sandbox_event_undelivered")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class SandboxPayoutAccount(models.Model):
    """A bank account at the sandbox's bank; its kind decides what becomes of payouts to it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.CharField(max_length=200, unique=True)
    kind = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.key} ({self.kind or _('no details yet')})"


class SandboxPayout(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.CharField(max_length=200, unique=True)
    account = models.ForeignKey(SandboxPayoutAccount, on_delete=models.PROTECT, related_name="payouts")
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=20)
    reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    settles_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["settles_at"], condition=Q(status="processing"), name="sandbox_payout_processing")
        ]

    def __str__(self) -> str:
        return f"{self.key} ({self.status})"


class SandboxDispute(models.Model):
    """The payer's bank takes a charge back: taken, then won or lost by the merchant."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    charge = models.ForeignKey(SandboxCharge, on_delete=models.PROTECT, related_name="disputes")
    amount = models.BigIntegerField()
    status = models.CharField(max_length=20)
    reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("sandbox dispute")
        verbose_name_plural = _("sandbox disputes")

    def __str__(self) -> str:
        return f"{self.charge_id} ({self.status})"
