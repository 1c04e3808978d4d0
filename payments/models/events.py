"""What providers told us, each once."""

import json

from django.db import models
from django.utils.translation import gettext_lazy as _


class ProviderEvent(models.Model):
    """A verified event of a provider. Its row and its effect are committed together."""

    provider = models.CharField(max_length=20)
    event_id = models.CharField(max_length=200)
    kind = models.CharField(max_length=100)
    body = models.JSONField()
    received_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = _("provider event")
        verbose_name_plural = _("provider events")
        constraints = [models.UniqueConstraint(fields=["provider", "event_id"], name="provider_event_once")]
        # Where the sweep looks for what came too early.
        indexes = [
            models.Index(fields=["received_at"], condition=models.Q(applied_at=None), name="provider_event_not_applied")
        ]
        permissions = [("replay_event", "Can take an event of a provider once more")]

    def __str__(self) -> str:
        return f"{self.provider} {self.kind} {self.event_id}"

    @property
    def pretty(self) -> str:
        return json.dumps(self.body, indent=2, ensure_ascii=False)
