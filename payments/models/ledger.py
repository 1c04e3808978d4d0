"""The double-entry ledger (M2): accounts, and transfers between them that are never changed or removed."""

from typing import Self

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import BigIntegerField, F, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

PERSONAL = ("earnings_clearing", "earnings_available", "earnings_frozen", "debt", "credit", "credit_reserved")
OVERDRAWABLE = ("clearing", "chargebacks", "debt", "loss")


class AccountQuerySet(models.QuerySet["Account"]):
    def with_balance(self) -> Self:
        """Each account with its `balance`, in minor units: what came in less what went out."""

        def total(end: str) -> Coalesce:
            transfers = Transfer.objects.filter(**{end: OuterRef("pk")}).order_by().values(end)
            moved = transfers.annotate(moved=Sum("amount", output_field=BigIntegerField())).values("moved")
            return Coalesce(Subquery(moved), 0, output_field=BigIntegerField())

        return self.annotate(balance=total("destination") - total("source"))


class Account(models.Model):
    """Where money can be. One row per kind, owner, currency and, for clearing, provider."""

    class Code(models.TextChoices):
        CLEARING = "clearing", _("Clearing")
        HELD = "held", _("Held funds")
        REFUNDS_DUE = "refunds_due", _("Refunds due")
        EARNINGS_CLEARING = "earnings_clearing", _("Seller earnings, clearing")
        EARNINGS_AVAILABLE = "earnings_available", _("Seller earnings, available")
        EARNINGS_FROZEN = "earnings_frozen", _("Seller earnings, frozen")
        DEBT = "debt", _("Seller debt")
        CREDIT = "credit", _("Buyer credit")
        CREDIT_RESERVED = "credit_reserved", _("Buyer credit, reserved")
        FEES = "fees", _("Platform fees")
        WITHDRAWALS = "withdrawals", _("Withdrawals in flight")
        CHARGEBACKS = "chargebacks", _("Chargebacks")
        LOSS = "loss", _("Platform loss")

    code = models.CharField(max_length=20, choices=Code.choices)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="money_accounts"
    )
    currency = models.CharField(max_length=3)
    provider = models.CharField(max_length=20, blank=True)

    balance: int  # of `with_balance`

    objects = AccountQuerySet.as_manager()

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        constraints = [
            models.UniqueConstraint(
                fields=["code", "owner", "currency", "provider"], nulls_distinct=False, name="one_account_of_each_kind"
            ),
            # Target of the ledger's foreign key that ties a transfer's currency to those of its accounts.
            models.UniqueConstraint(fields=["id", "currency"], name="account_currency"),
            models.CheckConstraint(
                condition=Q(code__in=PERSONAL, owner__isnull=False) | (~Q(code__in=PERSONAL) & Q(owner=None)),
                name="personal_accounts_have_owners",
            ),
            models.CheckConstraint(
                condition=(Q(code="clearing") & ~Q(provider="")) | (~Q(code="clearing") & Q(provider="")),
                name="clearing_has_a_provider",
            ),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="account_currency_is_iso"),
        ]

    def __str__(self) -> str:
        of = self.owner or self.provider
        return f"{self.get_code_display()} {self.currency}" + (f" ({of})" if of else "")


class Transfer(models.Model):
    """One positive amount from one account to another. An undo is an opposite transfer."""

    class Kind(models.TextChoices):
        CHARGE = "charge", _("Charged")
        SURPLUS = "surplus", _("Charged, not needed")
        EARNING = "earning", _("Paid to the seller")
        FEE = "fee", _("Platform fee")
        REFUND = "refund", _("Refund due")
        REFUNDED = "refunded", _("Refund confirmed")
        REFUND_RETURNED = "refund_returned", _("Refund came back")
        CREDITED = "credited", _("Given as credit")
        CREDIT_RESERVED = "credit_reserved", _("Credit reserved")
        CREDIT_RETURNED = "credit_returned", _("Credit no longer reserved")
        CREDIT_SPENT = "credit_spent", _("Paid with credit")
        CLEARED = "cleared", _("Earnings available")
        WITHDRAWAL = "withdrawal", _("Withdrawal requested")
        WITHDRAWAL_RETURNED = "withdrawal_returned", _("Withdrawal not paid")
        PAID_OUT = "paid_out", _("Withdrawal paid")
        FROZEN = "frozen", _("Earnings frozen")
        UNFROZEN = "unfrozen", _("Earnings no longer frozen")
        CHARGEBACK = "chargeback", _("Charged back")
        CHARGEBACK_WON = "chargeback_won", _("Chargeback won")
        CHARGEBACK_LOST = "chargeback_lost", _("Chargeback lost")
        DEBT_PAID = "debt_paid", _("Debt paid")
        DEBT_FORGIVEN = "debt_forgiven", _("Debt borne by the platform")

    # The database ties (account, currency) to the account with a foreign key of two columns, see the migration.
    source = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="outgoing", db_constraint=False)
    destination = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="incoming", db_constraint=False)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    held = models.ForeignKey(
        "HeldFunds", on_delete=models.PROTECT, null=True, blank=True, related_name="transfers", db_constraint=False
    )
    charge = models.ForeignKey("Charge", on_delete=models.PROTECT, null=True, blank=True, related_name="transfers")
    refund = models.ForeignKey("Refund", on_delete=models.PROTECT, null=True, blank=True, related_name="transfers")
    withdrawal = models.ForeignKey(
        "Withdrawal", on_delete=models.PROTECT, null=True, blank=True, related_name="transfers"
    )
    chargeback = models.ForeignKey(
        "Chargeback", on_delete=models.PROTECT, null=True, blank=True, related_name="transfers"
    )
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("transfer")
        verbose_name_plural = _("transfers")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="transfer_moves_something"),
            models.CheckConstraint(condition=~Q(source=F("destination")), name="transfer_leaves_its_source"),
        ]
        # Days and months of the whole ledger. Rows come nearly in the order of time, so page ranges do.
        indexes = [BrinIndex(fields=["created_at"], name="transfers_by_time", pages_per_range=32)]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency} {self.kind}"
