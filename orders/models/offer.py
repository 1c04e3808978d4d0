"""A buyer's wish for a custom offer (G2)."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from marketplace.catalog.models import Gig
from orders.models.order import Order


class OfferRequest(models.Model):
    """Asked by a buyer, from a gig or to order again what was not started; answered by an offer."""

    buyer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="offers_asked")
    seller = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="offers_wanted")
    gig = models.ForeignKey(Gig, models.PROTECT, null=True, blank=True, related_name="+")
    again = models.ForeignKey(Order, models.PROTECT, null=True, blank=True, related_name="asked_again")
    text = models.TextField(max_length=5_000)
    asked_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)
    offer = models.OneToOneField(Order, models.PROTECT, null=True, blank=True, related_name="request")

    class Meta:
        verbose_name = _("offer request")
        verbose_name_plural = _("offer requests")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(buyer=F("seller")), name="request_buyer_is_not_seller"),
        ]

    def __str__(self) -> str:
        return self.text[:60]
