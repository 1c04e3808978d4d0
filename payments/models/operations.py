"""Operations with a provider. Each row is committed before the provider is asked (M7)."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from payments.money import display

from .cards import SavedCard
from .held import HeldFunds


class ChargeQuerySet(models.QuerySet["Charge"]):
    def undecided(self) -> Self:
        return self.filter(status__in=Charge.UNDECIDED)

    def last_asked_before(self, instant: datetime) -> Self:
        """Those not looked at since, the longest neglected first: one that always fails does not go first for ever."""
        looked_at = Coalesce("asked_at", "created_at")
        return self.annotate(looked_at=looked_at).filter(looked_at__lt=instant).order_by("looked_at", "pk")


class Charge(models.Model):
    """One attempt to collect price and fee from the payer's payment method."""

    class Status(models.TextChoices):
        CREATED = "created", _("Created")
        ASKING = "asking", _("Asking the provider")
        ACTION_NEEDED = "action_needed", _("Waiting for the payer's confirmation")
        PROCESSING = "processing", _("The bank is deciding")
        SUCCEEDED = "succeeded", _("Succeeded")
        FAILED = "failed", _("Failed")
        CANCELED = "canceled", _("Canceled")

    UNDECIDED = (Status.CREATED, Status.ASKING, Status.ACTION_NEEDED, Status.PROCESSING)

    held = models.ForeignKey(HeldFunds, on_delete=models.PROTECT, related_name="charges")
    attempt = models.PositiveIntegerField()
    amount = models.BigIntegerField()
    method = models.CharField(max_length=100)
    # How much of the amount is paid with the payer's credit, reserved until this is decided; the rest is the card's.
    credit = models.BigIntegerField(default=0)
    # The saved card that was chosen, or whether the payer lets the provider keep the one they enter (O3).
    card = models.ForeignKey(SavedCard, on_delete=models.PROTECT, null=True, blank=True, related_name="charges")
    keep_card = models.BooleanField(default=False)
    method_label = models.CharField(max_length=60, blank=True)
    key = models.CharField(max_length=200, unique=True)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.CREATED)
    provider = models.CharField(max_length=20)
    provider_id = models.CharField(max_length=200, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    action_url = models.CharField(max_length=500, blank=True)
    return_url = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField()
    asked_at = models.DateTimeField(null=True, blank=True)
    cancel_asked_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    # A success is booked once: as what funds the milestone, or as surplus that goes back (M7, M8).
    funded = models.BooleanField(default=False)
    surplus = models.BooleanField(default=False)
    documented = models.BooleanField(default=False)

    objects = ChargeQuerySet.as_manager()

    class Meta:
        verbose_name = _("charge")
        verbose_name_plural = _("charges")
        constraints = [
            models.UniqueConstraint(fields=["held", "attempt"], name="charge_attempts_are_counted"),
            models.UniqueConstraint(
                fields=["held"],
                condition=Q(status__in=["created", "asking", "action_needed", "processing"]),
                name="one_undecided_charge",
            ),
            models.UniqueConstraint(fields=["held"], condition=Q(funded=True), name="one_charge_funds"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="charge_has_an_amount"),
            models.CheckConstraint(condition=Q(credit__gte=0, credit__lte=F("amount")), name="charge_credit_in_amount"),
            models.CheckConstraint(
                condition=Q(funded=False, surplus=False)
                | (Q(status="succeeded") & (Q(funded=True, surplus=False) | Q(funded=False, surplus=True))),
                name="charge_booked_once_and_after_success",
            ),
        ]
        indexes = [
            # The sweep over what is still undecided.
            models.Index(
                Coalesce("asked_at", "created_at"),
                condition=Q(status__in=["created", "asking", "action_needed", "processing"]),
                name="charge_undecided",
            ),
            # The task that gives receipts their numbers.
            models.Index(
                fields=["settled_at"],
                condition=Q(status="succeeded", documented=False),
                name="charge_undocumented",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key} ({self.status})"

    @property
    def currency(self) -> str:
        return self.held.currency

    @property
    def card_amount(self) -> int:
        """What the provider collects: all but the part paid with credit."""
        return self.amount - self.credit

    @property
    def decided(self) -> bool:
        return self.status not in self.UNDECIDED


# Refunds that are over and have given something back: all of it, or, where the card's part was refused and is the next
# attempt's, what was given as credit. While staff can still act a refused one may yet turn out to have succeeded.
GIVEN_BACK = Q(status="succeeded") | Q(status="refused", retried=True, credit__gt=0)


class RefundQuerySet(models.QuerySet["Refund"]):
    def unsettled(self) -> Self:
        return self.filter(status__in=Refund.UNSETTLED)

    def to_settle(self, at: datetime) -> Self:
        due = self.filter(Q(status__in=Refund.UNSETTLED) | Q(doubted=True), next_try_at__lte=at)
        return due.order_by("next_try_at", "pk")

    def turned_into_credit(self) -> Self:
        """Refused by the provider, and given as credit by staff instead (M9)."""
        return self.filter(attempt__gt=1, amount=F("credit"))

    def under_way(self) -> Self:
        """Those whose end is open, also because the provider contradicts itself and is being asked."""
        return self.filter(Q(status__in=Refund.UNSETTLED) | Q(doubted=True), retried=False)

    def undocumented(self) -> Self:
        return self.filter(GIVEN_BACK, documented=False)

    def waiting_for_staff(self) -> Self:
        """Refused for good by the provider: the money stays in refunds due until staff act (M9)."""
        return self.filter(status=Refund.Status.REFUSED, retried=False)


class Refund(models.Model):
    """Money on its way back to the payer, the way it came. While unsettled it lies in *refunds due*."""

    class Status(models.TextChoices):
        CREATED = "created", _("Created")
        ASKING = "asking", _("Asking the provider")
        PENDING = "pending", _("On its way")
        SUCCEEDED = "succeeded", _("Refunded")
        REFUSED = "refused", _("Refused by the provider")

    UNSETTLED = (Status.CREATED, Status.ASKING, Status.PENDING)

    held = models.ForeignKey(HeldFunds, on_delete=models.PROTECT, related_name="refunds")
    charge = models.ForeignKey(Charge, on_delete=models.PROTECT, related_name="refunds")
    amount = models.BigIntegerField()
    # How much of the amount is given as credit, at once; the rest goes back through the provider (M9).
    credit = models.BigIntegerField(default=0)
    key = models.CharField(max_length=250, unique=True)
    attempt = models.PositiveIntegerField(default=1)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.CREATED)
    provider = models.CharField(max_length=20)
    provider_id = models.CharField(max_length=200, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    asked_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField()
    # Refused, and asked for again by staff: the next attempt is a row of its own and carries the money.
    retried = models.BooleanField(default=False)
    # Settled, and contradicted by an event since: the provider is asked which of the two holds.
    doubted = models.BooleanField(default=False)
    documented = models.BooleanField(default=False)

    objects = RefundQuerySet.as_manager()

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="refund_has_an_amount"),
            models.CheckConstraint(condition=Q(credit__gte=0, credit__lte=F("amount")), name="refund_credit_in_amount"),
            models.CheckConstraint(
                condition=Q(retried=False) | Q(status="refused"), name="refund_retried_when_refused"
            ),
        ]
        indexes = [
            # The sweep over what a crash left behind.
            models.Index(
                fields=["next_try_at"],
                condition=Q(status__in=["created", "asking", "pending"]) | Q(doubted=True),
                name="refund_to_settle",
            ),
            # What waits for staff: waiting_for_staff().
            models.Index(fields=["settled_at"], condition=Q(status="refused", retried=False), name="refund_waiting"),
            # What staff turned into credit, for those who tell of it.
            models.Index(
                fields=["id"], condition=Q(attempt__gt=1, amount=F("credit")), name="refund_turned_into_credit"
            ),
            # The task that gives credit notes their numbers.
            models.Index(
                fields=["settled_at"],
                condition=GIVEN_BACK & Q(documented=False),
                name="refund_undocumented",
            ),
        ]
        permissions = [
            ("ask_refund_again", "Can ask the provider again for a refused refund"),
            ("turn_refund_into_credit", "Can turn a refused refund into buyer credit"),
        ]

    def __str__(self) -> str:
        return gettext("{amount} back for {reference} ({status})").format(
            amount=display(self.amount, self.currency), reference=self.held.reference, status=self.status
        )

    @property
    def currency(self) -> str:
        return self.held.currency

    @property
    def card_amount(self) -> int:
        """What goes back through the provider: all but the part given as credit."""
        return self.amount - self.credit
