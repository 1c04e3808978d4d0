"""What the two sides say when they hand each other something: deliveries and messages."""

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from marketplace.accounts.models import User
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
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = [models.UniqueConstraint(fields=["milestone", "number"], name="delivery_number")]

    def __str__(self) -> str:
        return f"Delivery {self.number}"


class MessageQuerySet(models.QuerySet["Message"]):
    def unread_by(self, user: User) -> "MessageQuerySet":
        """What others wrote to `user`, who is a party of the order, after the last message that `user` has read."""
        read = ReadMark.objects.filter(order=OuterRef("order"), reader=user, message__gte=OuterRef("pk"))
        theirs = self.filter(Q(order__buyer=user) | Q(order__seller=user)).exclude(author=user)
        return theirs.filter(~Exists(read))


class Message(models.Model):
    order = models.ForeignKey(Order, models.PROTECT, related_name="messages")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    text = models.TextField(max_length=10_000)
    sent_at = models.DateTimeField()

    objects = MessageQuerySet.as_manager()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.text[:60]


class ReadMark(models.Model):
    """How far one side has read the other's messages, and since when. It only ever moves forward."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="read_marks")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    message = models.ForeignKey(
        Message, models.PROTECT, related_name="+", help_text=_("The last message of others that was read.")
    )
    read_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["order", "reader"], name="one_read_mark_each")]

    def __str__(self) -> str:
        return f"{self.reader_id} read until {self.message_id}"
