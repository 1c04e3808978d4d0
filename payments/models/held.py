"""What is held for one milestone, from its charge to its release or refund."""

from datetime import timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from marketplace.accounts.models import User
from payments.money import display, fee

from .ledger import Transfer


class HeldFundsQuerySet(models.QuerySet["HeldFunds"]):
    def released_to(self, payee: User) -> Self:
        """What `payee` was paid for, newest first, each with the `earned` amount that the ledger has for it."""
        return self._with_earned().filter(payee=payee, released_at__isnull=False).order_by("-released_at", "-pk")

    def to_come_for(self, payee: User) -> Self:
        """What is held for `payee`, and what they `earned` and cannot withdraw yet, with that amount (M6)."""
        held, clearing = Q(funded_at__isnull=False, released_at=None), Q(available_at__isnull=False, cleared_at=None)
        return self._with_earned().filter(held | clearing, payee=payee)

    def _with_earned(self) -> Self:
        # One release, so one such transfer. A subquery, because it is worked out only for the rows of the page shown.
        earning = Transfer.objects.filter(held=OuterRef("pk"), kind="earning")
        return self.annotate(earned=Coalesce(Subquery(earning.values("amount")), 0))


class HeldFunds(models.Model):
    """Money of one payer for one payee under an opaque reference; the counters obey M5, in the database as well."""

    reference = models.CharField(max_length=100, unique=True)
    description = models.CharField(max_length=300)
    payer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="paid_funds")
    payee = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="earned_funds")
    currency = models.CharField(max_length=3)
    price = models.BigIntegerField()
    buyer_fee = models.BigIntegerField()
    buyer_fee_rate = models.PositiveIntegerField()
    commission_rate = models.PositiveIntegerField()
    # What the gateway could charge when the price was agreed: every amount to and fro is a multiple of it.
    step = models.PositiveIntegerField(default=1)
    amount = models.BigIntegerField(default=0)
    refunded = models.BigIntegerField(default=0)
    refunded_price = models.BigIntegerField(default=0)
    released = models.BigIntegerField(default=0)
    charged_back = models.BigIntegerField(default=0)
    funded_at = models.DateTimeField(null=True, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)
    # How long the payee's earnings wait before they can be withdrawn, and until when they do (M6).
    clearing = models.DurationField(default=timedelta)
    available_at = models.DateTimeField(null=True, blank=True)
    cleared_at = models.DateTimeField(null=True, blank=True)

    earned: int  # of `released_to` and `to_come_for`

    objects = HeldFundsQuerySet.as_manager()

    class Meta:
        verbose_name = _("held funds")
        verbose_name_plural = _("held funds")
        constraints = [
            models.UniqueConstraint(fields=["id", "currency"], name="held_currency"),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="held_currency_is_iso"),
            models.CheckConstraint(condition=~Q(payer=F("payee")), name="held_for_somebody_else"),
            models.CheckConstraint(condition=Q(price__gt=0, buyer_fee__gte=0, step__gt=0), name="held_has_a_price"),
            models.CheckConstraint(
                condition=Q(buyer_fee_rate__lt=10_000, commission_rate__lt=10_000), name="held_rates_below_all"
            ),
            models.CheckConstraint(
                condition=Q(amount=0, funded_at=None) | Q(amount=F("price") + F("buyer_fee"), funded_at__isnull=False),
                name="held_funded_in_full_or_not_at_all",
            ),
            models.CheckConstraint(
                condition=Q(refunded__gte=0, released__gte=0, charged_back__gte=0)
                & Q(amount__gte=F("refunded") + F("released") + F("charged_back")),
                name="held_never_overspent",
            ),
            models.CheckConstraint(
                condition=Q(released=0, released_at=None)
                | Q(released_at__isnull=False, amount=F("refunded") + F("released") + F("charged_back")),
                name="held_released_once_and_in_full",
            ),
            models.CheckConstraint(
                condition=Q(refunded_price__gte=0, refunded_price__lte=F("price")), name="held_refunded_price_in_price"
            ),
        ]
        indexes = [
            # The seller's earnings, newest first.
            models.Index(
                fields=["payee", "-released_at", "-id"],
                condition=Q(released_at__isnull=False),
                name="held_released_by_payee",
            ),
            # What is in progress for a seller.
            models.Index(
                fields=["payee"], condition=Q(funded_at__isnull=False, released_at=None), name="held_open_by_payee"
            ),
            # What a seller has earned and cannot withdraw yet.
            models.Index(
                fields=["payee"],
                condition=Q(available_at__isnull=False, cleared_at=None),
                name="held_clearing_by_payee",
            ),
            # What is held at all, for the home of admin.
            models.Index(
                fields=["currency"],
                condition=Q(funded_at__isnull=False, released_at=None, amount__gt=F("refunded") + F("charged_back")),
                name="held_now",
            ),
            # The sweep over earnings that have waited long enough.
            models.Index(
                fields=["available_at"],
                condition=Q(available_at__isnull=False, cleared_at=None),
                name="held_clearing",
            ),
        ]

    def __str__(self) -> str:
        return gettext("{reference}: {amount} held").format(
            reference=self.reference, amount=display(self.left, self.currency)
        )

    @property
    def total(self) -> int:
        """What the payer is charged: price and buyer fee."""
        return self.price + self.buyer_fee

    @property
    def left(self) -> int:
        """What is held now, price and buyer fee together."""
        return self.amount - self.refunded - self.released - self.charged_back

    @property
    def left_price(self) -> int:
        """What the milestone finally costs: its price less the parts refunded."""
        return self.price - self.refunded_price

    @property
    def commission(self) -> int:
        return fee(self.left_price, self.commission_rate)

    @property
    def payout(self) -> int:
        """What the payee gets of what the milestone finally costs: the exact remainder (M3)."""
        return self.left_price - self.commission

    def refund_of(self, price: int) -> int:
        """What a partial refund of `price` gives back: the part and the fee on it (M3)."""
        fee_before = fee(self.left_price, self.buyer_fee_rate, self.step)
        fee_after = fee(self.left_price - price, self.buyer_fee_rate, self.step)
        return price + fee_before - fee_after
