"""What a sweep has set aside, because it failed there, can be handed back to it."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import ModelAdmin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from marketplace.backoffice.access import RULE


class Unsticking(ModelAdmin):  # type: ignore[type-arg]
    """The action *Let the clock try again*, for whatever has `stuck_at`."""

    actions = ["let_the_clock_try_again"]

    def has_rule_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(RULE)

    @admin.action(description=_("Let the clock try again"), permissions=["rule"])
    def let_the_clock_try_again(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """The next sweep takes it up; it sets it aside again if it fails again."""
        for row in queryset:
            released = queryset.model.objects.filter(pk=row.pk, stuck_at__isnull=False).update(stuck_at=None)
            if not released:
                self.message_user(request, gettext("{row} is not stuck.").format(row=row), messages.WARNING)
                continue
            said = gettext("Released: stuck since {instant} UTC.").format(instant=f"{row.stuck_at:%Y-%m-%d %H:%M}")
            self.log_change(request, row, said)
            self.message_user(request, gettext("{row}: the next sweep tries again.").format(row=row), messages.SUCCESS)
