from django.contrib import admin
from django.http import HttpRequest

from marketplace.notifications.models import Notice


@admin.register(Notice)
class NoticeAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """What was told to whom, and whether its e-mail went out. Nothing can be changed here."""

    list_display = ["title", "recipient", "kind", "created_at", "read_at", "emailed_at", "attempts"]
    list_filter = ["kind", ("emailed_at", admin.EmptyFieldListFilter), ("next_attempt_at", admin.EmptyFieldListFilter)]
    search_fields = ["title", "key", "recipient__email", "recipient__name"]
    list_select_related = ["recipient"]
    date_hierarchy = "created_at"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Notice | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Notice | None = None) -> bool:
        return False
