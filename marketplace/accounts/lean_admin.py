"""Admin pages that stay light: no scripts that write a slug while a title is typed, no count of a whole table."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.forms import Media
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from marketplace.accounts.counting import BoundedPaginator

SCRIPTS = ("jquery.init.js", "core.js", "admin/RelatedObjectLookups.js", "actions.js")


class LeanAdmin(ModelAdmin):  # type: ignore[type-arg]
    """For every model but those with `prepopulated_fields`."""

    paginator = BoundedPaginator
    show_full_result_count = False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Nothing is done to all rows of a list that was not counted to its end: it names fewer than there are."""
        if request.method == "POST" and request.POST.get("select_across") == "1":
            shown = self.get_changelist_instance(request)
            if getattr(shown.paginator, "has_more", False):
                said = _("This list is longer than was counted. Filter it, then choose all of what is left.")
                self.message_user(request, said, messages.ERROR)
                return HttpResponseRedirect(request.get_full_path())
        return super().changelist_view(request, extra_context)

    @property
    def media(self) -> Media:
        jquery = "vendor/jquery/jquery.js" if settings.DEBUG else "vendor/jquery/jquery.min.js"
        return Media(js=[f"admin/js/{name}" for name in (jquery, *SCRIPTS)])
