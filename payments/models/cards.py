"""Who a payer is at a provider, and the cards they let it keep. No card number is ever here."""

from datetime import date
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from marketplace.accounts.models import User


class ProviderCustomer(models.Model):
    """The number under which a provider knows a payer; saved cards hang on it there."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="provider_customers")
    provider = models.CharField(max_length=20)
    provider_id = models.CharField(max_length=200)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "provider"], name="one_customer_per_provider")]

    def __str__(self) -> str:
        return f"{self.provider} {self.provider_id}"


class SavedCardQuerySet(models.QuerySet["SavedCard"]):
    def usable(self, owner: User, provider: str, today: date) -> Self:
        """The cards that `owner` can choose at this provider, the latest first."""
        kept = self.filter(owner=owner, provider=provider, removed_at=None)
        return kept.filter(Q(expires_on=None) | Q(expires_on__gte=today)).order_by("-pk")


class SavedCard(models.Model):
    """A card that its owner let the provider keep. Only the owner, present, ever pays with it (O3)."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="saved_cards")
    provider = models.CharField(max_length=20)
    provider_id = models.CharField(max_length=200)
    label = models.CharField(max_length=60)
    expires_on = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)

    objects = SavedCardQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "provider", "provider_id"],
                condition=Q(removed_at=None),
                name="card_saved_once",
            )
        ]

    def __str__(self) -> str:
        return self.label
