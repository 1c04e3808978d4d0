from allauth.mfa.base.internal.flows import post_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.views import ActivateTOTPView
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.forms import BaseForm
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from marketplace.accounts import services
from marketplace.accounts.devices import devices_of, sign_out_there
from marketplace.accounts.forms import ProfileForm
from marketplace.accounts.languages import language_of, remember
from marketplace.accounts.models import User
from marketplace.accounts.requests import SignedInRequest


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def profile(request: SignedInRequest) -> HttpResponse:
    """One's own profile. An own copy is edited, so that an error leaves the page's header alone."""
    person = get_object_or_404(User, pk=request.user.pk)
    form = ProfileForm(request.POST if request.method == "POST" else None, instance=person)
    if form.is_bound and form.is_valid():
        # Nothing else of the row: the counters of ratings may be rising meanwhile.
        form.save(commit=False).save(update_fields=form.Meta.fields)
        with translation.override(language_of(request, person)):
            messages.success(request, _("Your profile is saved."))
        response = redirect("accounts:profile")
        remember(response, person.language)
        return response
    return render(request, "accounts/profile.html", {"form": form, "person": request.user})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def devices(request: SignedInRequest) -> HttpResponse:
    """Where one is signed in; POST ends one of these sessions."""
    here = request.session.session_key
    if request.method == "POST":
        if sign_out_there(request.user, request.POST.get("session", ""), here=here):
            messages.success(request, _("That device is signed out."))
        else:
            messages.info(request, _("That device was signed out already."))
        return redirect("accounts:devices")
    return render(request, "accounts/devices.html", {"devices": devices_of(request.user, here)})


@require_POST
@login_required
def sign_out_everywhere(request: SignedInRequest) -> HttpResponse:
    """End every other session of oneself: of a device that was lost, or of whoever should not be in."""
    services.sign_out_everywhere(request.user)
    update_session_auth_hash(request, request.user)
    messages.success(request, _("Every other device is signed out."))
    return redirect("accounts:devices")


class SetUpSecondFactor(ActivateTOTPView):  # type: ignore[misc]
    """allauth's page, after which the second factor also counts as used: its code was typed just now.

    The session gets a new key, so that a cookie stolen earlier is not let in with it.
    """

    def form_valid(self, form: BaseForm) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        factor = Authenticator.objects.get(user=self.request.user, type=Authenticator.Type.TOTP)
        post_authentication(self.request, factor, reauthenticated=True)
        self.request.session.cycle_key()
        return response


set_up_second_factor = SetUpSecondFactor.as_view()
