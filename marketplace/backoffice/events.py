"""What providers told us, and the button that takes one event once more."""

import logging
from typing import Any

from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from marketplace import webhooks
from payments.admin.base import ReadOnlyAdmin, RecentValuesFilter
from payments.errors import PaymentsError
from payments.gateways import BadEvent
from payments.models import ProviderEvent

logger = logging.getLogger(__name__)

APPLIED, WAITS, REFUSED, IGNORED = "applied", "waits", "refused", "ignored"


class ProviderFilter(RecentValuesFilter):
    title = _("provider")
    parameter_name = "provider"


class KindFilter(RecentValuesFilter):
    title = _("kind")
    parameter_name = "kind"


class OutcomeFilter(admin.SimpleListFilter):
    title = _("what became of it")
    parameter_name = "became"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, Any]]:
        return [(APPLIED, _("Applied")), (WAITS, _("Waits")), (REFUSED, _("Refused")), (IGNORED, _("Ignored"))]

    def queryset(
        self, request: HttpRequest, queryset: models.QuerySet[ProviderEvent]
    ) -> models.QuerySet[ProviderEvent]:
        match self.value():
            case "applied":
                return queryset.filter(applied_at__isnull=False)
            case "waits" | "refused" | "ignored":
                return queryset.filter(applied_at=None, outcome__startswith=self.value())
            case _:
                return queryset


@admin.register(ProviderEvent)
class ProviderEventAdmin(ReadOnlyAdmin):
    list_display = ["received_at", "provider", "kind", "event_id", "applied_at", "outcome"]
    list_filter = [OutcomeFilter, ProviderFilter, KindFilter]
    search_fields = ["event_id"]
    fields = [("provider", "kind"), "event_id", ("received_at", "applied_at"), "outcome", "said"]
    readonly_fields = ["said"]
    ordering = ["-pk"]
    actions = ["replay"]

    @admin.display(description=_("What it said"))
    def said(self, event: ProviderEvent) -> SafeString:
        return format_html("<pre>{}</pre>", event.pretty)

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("payments.replay_event")

    @admin.action(description=_("Take it once more"), permissions=["replay"])
    def replay(self, request: HttpRequest, events: models.QuerySet[ProviderEvent]) -> None:
        """Safe at any time: what an event did once, it does not do again (M7)."""
        for event in events:
            if event.applied_at:
                said = gettext("{event} was applied already and changes nothing.").format(event=event.event_id)
                self.message_user(request, said, messages.INFO)
                continue
            try:
                webhooks.replay(event)
            except (BadEvent, PaymentsError) as refusal:
                self.message_user(
                    request, gettext("{row}: {what}").format(row=event.event_id, what=refusal), messages.ERROR
                )
                continue
            except Exception:
                # Whatever is wrong with one, the others go on.
                logger.exception("Event %s of %s could not be applied.", event.event_id, event.provider)
                said = gettext("{event} could not be applied; see the log.").format(event=event.event_id)
                self.message_user(request, said, messages.ERROR)
                continue
            self.log_change(request, event, gettext("Replayed: {outcome}").format(outcome=event.outcome))
            level = messages.SUCCESS if event.applied_at else messages.WARNING
            self.message_user(request, gettext("{row}: {what}").format(row=event.event_id, what=event.outcome), level)
