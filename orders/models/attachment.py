"""A file of an order, and the previews that were drawn of it."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from orders.models.conversation import Delivery, Message
from orders.models.order import Order

# How the page of a file shows it. What is in none of these is only downloaded.
PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
VIDEOS = frozenset({"video/mp4", "video/quicktime", "video/webm"})
SOUNDS = frozenset({"audio/mpeg", "audio/wav", "audio/mp4"})
TEXTS = frozenset({"text/plain", "text/csv"})
PDF = "application/pdf"

DRAWN_AT_MOST = 3  # times that drawing previews is tried: a picture that kills its worker is left alone then


def kind_of(content_type: str) -> str:
    """How a file of this type can be shown, as `Attachment.kind` says."""
    kinds = (("image", PICTURES), ("pdf", {PDF}), ("video", VIDEOS), ("audio", SOUNDS), ("text", TEXTS))
    return next((kind for kind, types in kinds if content_type in types), "other")


def stored_name(attachment: "Attachment", name: str) -> str:
    """A generated name: what the uploader called the file never reaches the storage."""
    return f"orders/{attachment.order_id}/{uuid.uuid4().hex}"


class Attachment(models.Model):
    """A file of an order, for its people only. Withheld: the row and the hash stay, the bytes go (O5).

    The previews are pictures that we have drawn ourselves, after the commit: until then, and if the picture is
    broken, their names are empty and the file is only downloaded. `preview_tries` says how many more times drawing
    them is tried; 0 is done, one way or the other.
    """

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
    thumbnail = models.FileField(upload_to=stored_name, blank=True)
    preview = models.FileField(upload_to=stored_name, blank=True)
    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)
    preview_tries = models.PositiveSmallIntegerField(default=0)
    withheld_at = models.DateTimeField(null=True, blank=True)
    withheld_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    withheld_because = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["id"], condition=Q(preview_tries__gt=0), name="attachments_to_draw")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Where the file is downloaded."""
        return self._url("file")

    @property
    def kind(self) -> str:
        """How it can be shown: "image", "pdf", "video", "audio", "text", or "other" that is only downloaded."""
        return kind_of(self.content_type)

    @property
    def view_url(self) -> str:
        """The page that shows the file; empty when it is withheld."""
        return "" if self.withheld_at else self._url("view_file")

    @property
    def thumbnail_url(self) -> str:
        """A WebP of at most 320 × 320 pixels; empty while there is none. Shown with alt=""."""
        return self._url("thumbnail") if self.thumbnail else ""

    @property
    def preview_url(self) -> str:
        """A WebP of at most 1600 × 1600 pixels; empty while there is none."""
        return self._url("preview") if self.preview else ""

    @property
    def inline_url(self) -> str:
        """The file itself for a player or the browser's PDF viewer; empty for everything else."""
        return self._url("inline") if self.kind in ("pdf", "video", "audio") and not self.withheld_at else ""

    def _url(self, name: str) -> str:
        return reverse(f"orders:{name}", args=[self.order.number, self.pk])
