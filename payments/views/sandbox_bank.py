"""The sandbox's stand-in for the page on which a seller gives the provider their bank account."""

import uuid

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from marketplace import clock
from payments.gateways import sandbox_bank, sandbox_events
from payments.models import SandboxPayoutAccount

from .sandbox import safe_way_back


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def sandbox_bank_page(request: HttpRequest, account_id: uuid.UUID) -> HttpResponse:
    """Stands for the provider's page, so it knows no session of ours, only the unguessable address.

    The answer changes the provider's book, not ours; we learn of it by the event, like from any provider.
    """
    if settings.PAYMENT_GATEWAY != "sandbox":
        raise Http404
    account = get_object_or_404(SandboxPayoutAccount, pk=account_id)
    back = safe_way_back(request.GET.get("return", ""), request)
    if request.method != "POST":
        context = {"account": account, "accounts": sandbox_bank.ACCOUNTS, "back": back}
        return render(request, "payments/sandbox_bank.html", context)
    at = clock.now()
    try:
        sandbox_bank.choose_account(account.pk, request.POST.get("account", ""), at=at)
    except ValueError as error:
        return HttpResponseBadRequest(str(error), content_type="text/plain")
    # At once, so that the seller finds the news where they go back to; if it fails, beat delivers it.
    sandbox_events.deliver_due(at, about=account.key)
    return HttpResponseRedirect(back)
