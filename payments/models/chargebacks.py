"""Charges that the payer's bank has taken back (M10)."""

from collections.abc import Collection
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from payments.money import display

from .operations import Charge


class ChargebackQuerySet(models.QuerySet["Chargeback"]):
    def undecided(self) -> Self:
        """The bank has not said who is right."""
        return self.filter(status=Chargeback.Status.OPEN)

    def holding_up(self, held_ids: Collection[int]) -> Self:
        """Undecided, about the charge that funded one of these: their money stays where it is."""
        return self.undecided().filter(charge__held__in=held_ids, charge__funded=True)

    def lost(self) -> Self:
        """The payer has this money for good."""
        return self.filter(status=Chargeback.Status.LOST)

    def waiting_for_staff(self) -> Self:
        """Lost, with a rest that nobody has decided about: the seller's debt or the platform's loss?"""
        return self.lost().filter(rest__gt=0, rest_decided_at=None).order_by("settled_at")


class Chargeback(models.Model):
    """Money that a provider took back for the payer's bank. Booked as it is taken; won it comes back, lost it stays.

    `frozen` is what was set aside of the payee's earnings meanwhile, `rest` what neither held funds nor frozen
    earnings covered when it was lost. Amounts are minor units of the charge's currency.
    """

    class Status(models.TextChoices):
        OPEN = "open", _("The bank is deciding")
        WON = "won", _("Won")
        LOST = "lost", _("Lost")

    class Rest(models.TextChoices):
        DEBT = "debt", _("The seller owes it")
        LOSS = "loss", _("The platform bears it")

    charge = models.ForeignKey(Charge, on_delete=models.PROTECT, related_name="chargebacks")
    provider = models.CharField(max_length=20)
    provider_id = models.CharField(max_length=200)
    amount = models.BigIntegerField()
    reason = models.CharField(max_length=300, blank=True)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.OPEN)
    taken_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)
    frozen = models.BigIntegerField(default=0)
    rest = models.BigIntegerField(default=0)
    rest_as = models.CharField(max_length=10, choices=Rest.choices, blank=True)
    rest_decided_at = models.DateTimeField(null=True, blank=True)

    objects = ChargebackQuerySet.as_manager()

    class Meta:
        verbose_name = _("chargeback")
        verbose_name_plural = _("chargebacks")
        constraints = [
            models.UniqueConstraint(fields=["provider", "provider_id"], name="chargeback_once"),
            models.UniqueConstraint(
                fields=["charge"], condition=Q(status="open"), name="one_undecided_chargeback_per_charge"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0, frozen__gte=0, rest__gte=0), name="chargeback_amounts"),
            models.CheckConstraint(
                condition=Q(status="open", settled_at=None) | (~Q(status="open") & Q(settled_at__isnull=False)),
                name="chargeback_settled_when_decided",
            ),
        ]
        permissions = [("decide_chargeback_rest", "Can decide who bears a lost chargeback")]

    def __str__(self) -> str:
        return gettext("{amount} of {reference} ({status})").format(
            amount=display(self.amount, self.currency),
            reference=self.charge.held.reference,
            status=self.get_status_display(),
        )

    @property
    def currency(self) -> str:
        return self.charge.held.currency
