"""What is said in a case: by the two sides and support to one another, and by support to support."""

from django.conf import settings
from django.db import models

from orders.models import Attachment, Order
from resolution.models.case import Case


class CaseMessage(models.Model):
    """One line of a case's conversation; both sides and support read it. Never edited or removed."""

    case = models.ForeignKey(Case, models.PROTECT, related_name="messages")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    text = models.TextField(max_length=5_000)
    files = models.ManyToManyField(Attachment, blank=True, related_name="case_messages")
    sent_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.text[:60]


class SupportNote(models.Model):
    """A note about an order that only support reads, written on a case or without one. Never edited or removed."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="support_notes")
    case = models.ForeignKey(Case, models.PROTECT, null=True, blank=True, related_name="support_notes")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    text = models.TextField(max_length=5_000)
    written_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.text[:60]
