"""Admin pages without the scripts that write a slug while a title is typed, which weigh more than all the rest."""

from django.conf import settings
from django.contrib.admin import ModelAdmin
from django.forms import Media

SCRIPTS = ("jquery.init.js", "core.js", "admin/RelatedObjectLookups.js", "actions.js")


class LeanAdmin(ModelAdmin):  # type: ignore[type-arg]
    """For every model but those with `prepopulated_fields`."""

    @property
    def media(self) -> Media:
        jquery = "vendor/jquery/jquery.js" if settings.DEBUG else "vendor/jquery/jquery.min.js"
        return Media(js=[f"admin/js/{name}" for name in (jquery, *SCRIPTS)])
