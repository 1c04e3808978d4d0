"""People in admin, with what their going means for their orders."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from marketplace.accounts.admin import UserAdmin
from marketplace.accounts.models import User
from resolution.services import open_owed_disputes

admin.site.unregister(User)


@admin.register(User)
class PeopleAdmin(UserAdmin):
    @admin.action(description=_("Deactivate"), permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Close the doors on people; a seller's open milestones become disputes for support at once (O20)."""
        active = list(queryset.filter(is_active=True).values_list("pk", flat=True))
        super().deactivate(request, queryset)
        for person in User.objects.filter(pk__in=active, is_active=False):
            opened = open_owed_disputes(user=person)
            if opened:
                said = ngettext(
                    "{count} case was opened for support about the open milestones of {person}.",
                    "{count} cases were opened for support about the open milestones of {person}.",
                    opened,
                ).format(count=opened, person=person)
                self.log_change(request, person, said)
                self.message_user(request, said, messages.WARNING)
