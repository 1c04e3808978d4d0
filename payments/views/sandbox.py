"""The sandbox's stand-in for the page of the payer's bank."""

import uuid

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from marketplace import clock
from payments.gateways import State, sandbox, sandbox_events
from payments.models import SandboxCharge

_SAID = {
    State.SUCCEEDED: _("There is nothing to confirm any more: this payment was approved."),
    State.FAILED: _("There is nothing to confirm any more: this payment was declined."),
    State.CANCELED: _("There is nothing to confirm any more: this payment was canceled."),
}
_UNDECIDED = _("There is nothing to confirm any more: this payment is still being decided.")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def sandbox_authenticate(request: HttpRequest, charge_id: uuid.UUID) -> HttpResponse:
    """Stands for the page of the payer's bank, so it knows no session of ours, only the unguessable address.

    The answer changes the provider's book, not ours; we learn of it by the event, like from any provider.
    """
    if settings.PAYMENT_GATEWAY != "sandbox":
        raise Http404
    charge = get_object_or_404(SandboxCharge, pk=charge_id)
    if request.method != "POST":
        context = {
            "charge": charge,
            "waits": charge.status == State.ACTION_NEEDED,
            "said": _SAID.get(State(charge.status), _UNDECIDED),
            "back": safe_way_back(charge.return_url, request),
        }
        return render(request, "payments/sandbox_authenticate.html", context)
    answer = request.POST.get("answer")
    if answer not in ("approve", "decline"):
        return HttpResponseBadRequest(_("Approve or decline the payment."))
    at = clock.now()
    sandbox.confirm(charge.pk, approved=answer == "approve", at=at)
    # At once, so that the payer finds the news where they go back to; if it fails, beat delivers it.
    sandbox_events.deliver_due(at, about=charge.key)
    return HttpResponseRedirect(safe_way_back(charge.return_url, request))


def safe_way_back(url: str, request: HttpRequest) -> str:
    """The address to go back to, if it is on this site."""
    here = url_has_allowed_host_and_scheme(url, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return url if here else "/"
