"""The site of Django's admin: it lets in staff who used their second factor, and leads the others there."""

from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
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

    def _wanted(self, request: HttpRequest) -> str:
        wanted = request.GET.get(REDIRECT_FIELD_NAME) or request.session.pop(WANTED, "")
        if wanted and url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure()):
            return str(wanted)
        return reverse("admin:index")
