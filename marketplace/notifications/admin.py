from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from marketplace.accounts.lean_admin import LeanAdmin
from marketplace.notifications.models import Digest, Notice, Preference
from marketplace.notifications.topics import Topic, kinds_of, topic_of
from marketplace.notifications.wording import word


class ReadOnly(LeanAdmin):
    """Nothing can be changed here."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class TopicFilter(admin.SimpleListFilter):
    title = _("topic")
    parameter_name = "topic"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Topic.choices)

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        topic = self.value()
        return queryset.filter(kind__in=kinds_of(Topic(topic))) if topic in Topic.values else queryset


class WordedList(ChangeList):
    """Finds the words of a page of notices at once."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        word(self.result_list)


@admin.register(Notice)
class NoticeAdmin(ReadOnly):
    """What was told to whom, and whether its e-mail went out."""

    list_display = ["title", "recipient", "topic", "created_at", "read_at", "emailed_at", "attempts"]
    fields = [
        *("recipient", "kind", "title", "text", "url", "key", "created_at", "read_at"),
        *("emailed_at", "attempts", "next_attempt_at", "digest_due_at", "digest"),
    ]
    list_filter = [
        TopicFilter,
        ("emailed_at", admin.EmptyFieldListFilter),
        ("next_attempt_at", admin.EmptyFieldListFilter),
        "created_at",
    ]
    search_fields = ["own_title", "url", "key", "recipient__email", "recipient__name"]
    list_select_related = ["recipient"]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return WordedList

    @admin.display(description=_("title"))
    def title(self, notice: Notice) -> str:
        return notice.title

    @admin.display(description=_("text"))
    def text(self, notice: Notice) -> str:
        return notice.text

    @admin.display(description=_("topic"), ordering="kind")
    def topic(self, notice: Notice) -> str:
        return str(topic_of(notice.kind).label)


@admin.register(Digest)
class DigestAdmin(ReadOnly):
    """Which daily digests went out."""

    list_display = ["recipient", "created_at", "emailed_at", "attempts", "next_attempt_at"]
    list_filter = [("emailed_at", admin.EmptyFieldListFilter), "created_at"]
    search_fields = ["recipient__email", "recipient__name"]
    list_select_related = ["recipient"]


@admin.register(Preference)
class PreferenceAdmin(ReadOnly):
    """Why somebody got no e-mail: what they chose."""

    list_display = ["person", "topic", "by_mail", "quiet"]
    list_filter = ["topic", "by_mail"]
    search_fields = ["person__email", "person__name"]
    list_select_related = ["person"]
