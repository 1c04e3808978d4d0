"""What is told to whom (P4). A notice is one row per event and recipient; its e-mail follows after the commit."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class NoticeQuerySet(models.QuerySet["Notice"]):
    def unread(self) -> "NoticeQuerySet":
        return self.filter(read_at=None)

    def unread_first(self) -> "NoticeQuerySet":
        return self.order_by(F("read_at").asc(nulls_first=True), "-created_at", "-pk")

    def to_mail(self, now: datetime) -> "NoticeQuerySet":
        """Notices without an e-mail whose next attempt is due."""
        return self.filter(emailed_at=None, next_attempt_at__lte=now)


class Notice(models.Model):
    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notices")
    kind = models.SlugField(max_length=50)
    title = models.CharField(max_length=200)
    text = models.TextField(blank=True)
    url = models.CharField("address", max_length=500, help_text="A path on this site.")
    key = models.CharField(max_length=200, help_text="The event; one notice per event and recipient.")
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)
    emailed_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="How often its e-mail was tried.")
    next_attempt_at = models.DateTimeField(null=True, blank=True, help_text="Empty: sent, or not to be tried again.")

    objects = NoticeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["recipient", "key"], name="one_notice_per_event_and_recipient"),
            models.CheckConstraint(condition=Q(url__startswith="/"), name="notice_url_is_a_path_of_this_site"),
        ]
        indexes = [
            # The unread count in the navigation of every page.
            models.Index(fields=["recipient"], condition=Q(read_at=None), name="notice_unread"),
            # The list: one person's notices, newest first.
            models.Index(fields=["recipient", "-created_at"], name="notice_by_recipient"),
            # The sweep: to_mail().
            models.Index(fields=["next_attempt_at"], condition=Q(emailed_at=None), name="notice_to_mail"),
        ]

    def __str__(self) -> str:
        return self.title
