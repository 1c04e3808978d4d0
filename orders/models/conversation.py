"""What the two sides hand each other: deliveries, messages and their files."""

import uuid

from django.conf import settings
from django.db import models
from django.urls import reverse

from orders.models.milestone import Milestone
from orders.models.order import Order


class Delivery(models.Model):
    """Numbered, never edited or removed (O5); the database refuses it."""

    milestone = models.ForeignKey(Milestone, models.PROTECT, related_name="deliveries")
    number = models.PositiveSmallIntegerField()
    message = models.TextField(max_length=10_000)
    delivered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    delivered_at = models.DateTimeField()

    class Meta:
        ordering = ["milestone", "number"]
        verbose_name_plural = "deliveries"
        constraints = [models.UniqueConstraint(fields=["milestone", "number"], name="delivery_number")]

    def __str__(self) -> str:
        return f"Delivery {self.number}"


class Message(models.Model):
    order = models.ForeignKey(Order, models.PROTECT, related_name="messages")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    text = models.TextField(max_length=10_000)
    sent_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.text[:60]


def stored_name(attachment: "Attachment", name: str) -> str:
    """A generated name: what the uploader called the file never reaches the file system."""
    return f"orders/{attachment.order_id}/{uuid.uuid4().hex}"


class Attachment(models.Model):
    """A file of an order, for its people only. Withheld: the row and the hash stay, the bytes go (O5)."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="attachments")
    delivery = models.ForeignKey(Delivery, models.PROTECT, null=True, blank=True, related_name="files")
    message = models.ForeignKey(Message, models.PROTECT, null=True, blank=True, related_name="files")
    file = models.FileField(upload_to=stored_name, blank=True)
    name = models.CharField(max_length=200)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    content_type = models.CharField(max_length=100)
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField()
    withheld_at = models.DateTimeField(null=True, blank=True)
    withheld_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    withheld_because = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("orders:file", args=[self.order.number, self.pk])
