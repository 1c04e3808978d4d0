"""What providers told us."""

from django.contrib import admin

from payments.models import ProviderEvent

from .base import ReadOnlyAdmin


@admin.register(ProviderEvent)
class ProviderEventAdmin(ReadOnlyAdmin):
    list_display = ["received_at", "provider", "kind", "event_id", "applied_at", "outcome"]
    list_filter = ["kind"]
    search_fields = ["event_id"]
    ordering = ["-pk"]
