"""The site of Django's admin: it lets in staff who used their second factor, and leads the others there."""

from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import redirect_to_login
from django.contrib.contenttypes.models import ContentType
from django.contrib.contenttypes.views import shortcut
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from marketplace.accounts import second_factor
from marketplace.accounts.models import User

WANTED = "wanted_in_the_back_office"


class BackOffice(AdminSite):
    def has_permission(self, request: HttpRequest) -> bool:
        """Every page of admin asks here, Django's own and those of `admin_view`."""
        return super().has_permission(request) and second_factor.was_used(request)

    @method_decorator(never_cache)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Takes no password. Leads whoever was not let in to the page that they lack, and then on to what they wanted.

        A stranger signs in as everybody does, so that the same limits hold. Raises PermissionDenied for people who
        are not staff.
        """
        wanted = self._wanted(request)
        user = request.user
        if not isinstance(user, User):
            return redirect_to_login(wanted, reverse(settings.LOGIN_URL))
        if self.has_permission(request):
            return redirect(wanted)
        if not super().has_permission(request):
            raise PermissionDenied(
                _("The administration is for staff. Sign out first if you have an account as staff.")
            )
        if second_factor.is_set_up(user):
            return redirect_to_login(wanted, reverse("mfa_reauthenticate"))
        request.session[WANTED] = wanted  # several pages further on
        return redirect("mfa_index")

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Django's own, with one that is narrower: where a row stands on the site."""
        urls = [one for one in super().get_urls() if getattr(one, "name", "") != "view_on_site"]
        narrower = self.admin_view(self.row_on_site)
        return [path("r/<int:content_type_id>/<path:object_id>/", narrower, name="view_on_site"), *urls]

    def row_on_site(self, request: HttpRequest, content_type_id: int, object_id: str) -> HttpResponse:
        """Leads to a row's page on the site, whose address alone may tell something: only who may see the row here.

        Django's own leads all staff to every row.
        """
        kind = ContentType.objects.filter(pk=content_type_id).first()
        model = kind and kind.model_class()
        admin = self._registry.get(model) if model else None
        if admin is None:
            raise Http404
        if not admin.has_view_permission(request):
            raise PermissionDenied
        found: HttpResponse = shortcut(request, content_type_id, object_id)
        return found

    def _wanted(self, request: HttpRequest) -> str:
        wanted = request.GET.get(REDIRECT_FIELD_NAME) or request.session.pop(WANTED, "")
        # Anything else than a path would be looked up as the name of a view.
        is_path = str(wanted).startswith("/")
        if is_path and url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure()):
            return str(wanted)
        return reverse("admin:index")
