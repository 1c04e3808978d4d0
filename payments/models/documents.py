"""Paper: receipts for charges, credit notes for refunds, numbered without gaps (M11)."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .operations import Charge, Refund


class Document(models.Model):
    """A receipt or a credit note. Its number and its content never change; the database refuses it."""

    class Kind(models.TextChoices):
        RECEIPT = "receipt", _("Receipt")
        CREDIT_NOTE = "credit_note", _("Credit note")

    PREFIXES = {Kind.RECEIPT: "R", Kind.CREDIT_NOTE: "C"}

    kind = models.CharField(max_length=20, choices=Kind.choices)
    number = models.PositiveIntegerField()
    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="documents")
    charge = models.OneToOneField(Charge, on_delete=models.PROTECT, null=True, blank=True, related_name="receipt")
    refund = models.OneToOneField(Refund, on_delete=models.PROTECT, null=True, blank=True, related_name="credit_note")
    issued_at = models.DateTimeField()
    # What it said when it was issued: names, lines and amounts in minor units. A later change of a name changes none.
    content = models.JSONField()

    class Meta:
        verbose_name = _("document")
        verbose_name_plural = _("documents")
        constraints = [
            models.UniqueConstraint(fields=["kind", "number"], name="document_numbers_are_unique"),
            models.CheckConstraint(
                condition=Q(kind="receipt", charge__isnull=False, refund=None)
                | Q(kind="credit_note", charge=None, refund__isnull=False),
                name="document_is_about_one_operation",
            ),
        ]
        indexes = [models.Index(fields=["recipient", "-issued_at"], name="documents_of_recipient")]

    def __str__(self) -> str:
        return f"{self.PREFIXES[self.Kind(self.kind)]}-{self.number:06}"
