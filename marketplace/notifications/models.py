"""What is told to whom (P4). A notice is one row per event and recipient; its e-mail follows after the commit."""

import secrets
from datetime import datetime
from functools import cached_property
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from marketplace.notifications import wording
from marketplace.notifications.topics import Topic, kinds_of
from marketplace.notifications.wording import TITLE_LENGTH, Words


class Mail(models.Model):
    """Something that is mailed once: how far that is."""

    emailed_at = models.DateTimeField(_("e-mailed at"), null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(
        _("attempts"), default=0, help_text=_("How often its e-mail was tried.")
    )
    next_attempt_at = models.DateTimeField(
        _("next attempt at"), null=True, blank=True, help_text=_("Empty: sent, or not to be tried again.")
    )

    class Meta:
        abstract = True


class DigestQuerySet(models.QuerySet["Digest"]):
    def to_mail(self, now: datetime) -> Self:
        """Digests without an e-mail whose next attempt is due."""
        return self.filter(emailed_at=None, next_attempt_at__lte=now)


class Digest(Mail):
    """A day's notices in one e-mail, for who does not want one for each."""

    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="digests", verbose_name=_("recipient")
    )
    created_at = models.DateTimeField(_("created at"))

    objects = DigestQuerySet.as_manager()

    class Meta:
        verbose_name = _("digest")
        verbose_name_plural = _("digests")
        indexes = [
            # The sweep: to_mail().
            models.Index(fields=["next_attempt_at"], condition=Q(emailed_at=None), name="digest_to_mail"),
        ]

    def __str__(self) -> str:
        return gettext("Digest of {day} for {person}").format(day=self.created_at.date(), person=self.recipient)


class NoticeQuerySet(models.QuerySet["Notice"]):
    def to_mail(self, now: datetime) -> Self:
        """Notices without an e-mail whose next attempt is due."""
        return self.filter(emailed_at=None, next_attempt_at__lte=now)

    def unread(self) -> Self:
        return self.filter(read_at=None)

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-pk")

    def about(self, topic: Topic) -> Self:
        return self.filter(kind__in=kinds_of(topic))

    def for_digest(self, now: datetime) -> Self:
        """Those that wait for a daily digest which is due."""
        return self.filter(digest_due_at__lte=now)

    def not_seen(self) -> Self:
        """Those that nobody has read; a quiet one arrives as read and was seen by nobody either."""
        return self.filter(Q(read_at=None) | Q(read_at=F("created_at")))


class Notice(Mail):
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="notices", verbose_name=_("recipient")
    )
    kind = models.SlugField(_("kind"), max_length=50)
    own_title = models.CharField(
        _("title"),
        max_length=TITLE_LENGTH,
        blank=True,
        help_text=_("Empty: the notice tells what its key names, in words that are found when it is read."),
    )
    own_text = models.TextField(_("text"), blank=True)
    until = models.DateTimeField(
        _("until"), null=True, blank=True, help_text=_("The deadline, as it was then, of which such words speak.")
    )
    url = models.CharField(_("address"), max_length=500, help_text=_("A path on this site."))
    key = models.CharField(_("key"), max_length=200, help_text=_("The event; one notice per event and recipient."))
    created_at = models.DateTimeField(_("created at"))
    read_at = models.DateTimeField(_("read at"), null=True, blank=True)
    digest_due_at = models.DateTimeField(
        _("digest due at"),
        null=True,
        blank=True,
        help_text=_("When the daily digest that is to hold it is due; empty afterwards."),
    )
    digest = models.ForeignKey(
        Digest, models.SET_NULL, null=True, blank=True, related_name="notices", verbose_name=_("digest")
    )

    objects = NoticeQuerySet.as_manager()

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        constraints = [
            models.UniqueConstraint(fields=["recipient", "key"], name="one_notice_per_event_and_recipient"),
            models.CheckConstraint(condition=Q(url__startswith="/"), name="notice_url_is_a_path_of_this_site"),
        ]
        indexes = [
            # The unread count in the navigation of every page, and the list of the unread.
            models.Index(fields=["recipient", "-created_at", "-id"], condition=Q(read_at=None), name="notice_unread"),
            # The list: one person's notices, newest first.
            models.Index(fields=["recipient", "-created_at", "-id"], name="notice_by_recipient"),
            # The sweep: to_mail().
            models.Index(fields=["next_attempt_at"], condition=Q(emailed_at=None), name="notice_to_mail"),
            # The sweep of the digests: for_digest().
            models.Index(fields=["digest_due_at"], condition=Q(digest_due_at__isnull=False), name="notice_for_digest"),
        ]

    def __str__(self) -> str:
        return self.title

    @cached_property
    def words(self) -> Words:
        """In the recipient's language, whoever reads. Of many notices `wording.word` finds them at once."""
        return wording.words_of([self])[self.pk]

    @property
    def title(self) -> str:
        return self.words.title

    @property
    def text(self) -> str:
        return self.words.text


class Preference(models.Model):
    """How a person wants to be told of a topic. Without a row: by e-mail at once, and counted as unread."""

    class ByMail(models.TextChoices):
        AT_ONCE = "at_once", _("At once")
        DAILY = "daily", _("Once a day")
        NEVER = "never", _("Never")

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="notice_preferences", verbose_name=_("person")
    )
    topic = models.CharField(_("topic"), max_length=20, choices=Topic.choices)
    by_mail = models.CharField(_("by e-mail"), max_length=10, choices=ByMail.choices, default=ByMail.AT_ONCE)
    quiet = models.BooleanField(
        _("quiet"), default=False, help_text=_("New notices are listed, but not counted as unread.")
    )

    class Meta:
        verbose_name = _("preference")
        verbose_name_plural = _("preferences")
        constraints = [models.UniqueConstraint(fields=["person", "topic"], name="one_preference_per_person_and_topic")]

    def __str__(self) -> str:
        return f"{self.get_topic_display()}: {self.get_by_mail_display()}"


def new_token() -> str:
    """256 random bits: whoever has the address has the calendar."""
    return secrets.token_urlsafe(32)


class CalendarFeed(models.Model):
    """The private address under which calendars fetch a person's deadlines (P5)."""

    owner = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="calendar_feed")
    token = models.CharField(max_length=60, unique=True, default=new_token)

    def __str__(self) -> str:
        return gettext("Calendar of {person}").format(person=self.owner)
