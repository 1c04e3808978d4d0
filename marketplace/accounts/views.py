from allauth.mfa.base.internal.flows import post_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.views import ActivateTOTPView
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.forms import BaseForm
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

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
