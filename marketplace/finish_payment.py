"""The page where a payment is finished with the provider's own script: a card is entered, or the bank's question
answered (O4). It is the only page that lets a script of another origin in.
"""

from urllib.parse import urlsplit

from csp.decorators import csp_update
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

import orders.services
from marketplace.accounts.requests import SignedInRequest
from payments.gateways import GatewayError, GatewayUnavailable, StripeGateway
from payments.models import Charge
from payments.said import said

PROVIDER = StripeGateway.name
# Where the provider's frames for the bank's question come from, besides the origin of its script.
BANKS_FRAMES = "https://hooks.stripe.com"


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def finish_payment(request: SignedInRequest, key: str) -> HttpResponse:
    """GET shows what there is to finish; POST, when the script is done, asks the provider what came of it.

    Only the payer's own attempts exist here (404). One that is decided leads back to its order.
    """
    if "\x00" in key:  # which PostgreSQL does not even compare
        raise Http404
    mine = Charge.objects.select_related("held").filter(held__payer=request.user, provider=PROVIDER)
    charge = get_object_or_404(mine, key=key)
    if request.method == "POST" and not charge.decided:
        orders.services.collect(charge.pk)
        charge.refresh_from_db()
    if charge.status == Charge.Status.ACTION_NEEDED:
        return _page(request, charge)
    _say(request, charge)
    return redirect(charge.return_url or "bought")


def _page(request: SignedInRequest, charge: Charge) -> HttpResponse:
    try:
        secret = StripeGateway().client_secret(charge.provider_id)
    except (GatewayUnavailable, GatewayError):
        return render(request, "payments/finish.html", {"charge": charge, "secret": ""}, status=503)
    context = {
        "charge": charge,
        "secret": secret,
        "publishable_key": settings.STRIPE_PUBLISHABLE_KEY,
        "script": settings.STRIPE_JS_URL,
    }
    opened: HttpResponse = csp_update(_policy())(render)(request, "payments/finish.html", context)
    return opened


def _policy() -> dict[str, list[str]]:
    """What this one page may load and ask besides our own origin."""
    script, api = _origin(settings.STRIPE_JS_URL), _origin(settings.STRIPE_API_BASE)
    # Stripe loads parts of its script, and the frames of its card fields, from names below that of the script.
    below = [f"https://*.{urlsplit(script).netloc}"] if script.startswith("https://") else []
    return {
        "script-src": ["'self'", script, *below],
        "frame-src": [script, *below, BANKS_FRAMES],
        "connect-src": ["'self'", *dict.fromkeys((api, script))],
    }


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _say(request: SignedInRequest, charge: Charge) -> None:
    if charge.status == Charge.Status.SUCCEEDED:
        messages.success(request, _("The payment went through."))
    elif charge.status == Charge.Status.FAILED:
        messages.error(
            request,
            _("The payment failed: {reason} Nothing was charged; you can try again.").format(
                reason=said(charge.reason)
            ),
        )
    elif charge.status == Charge.Status.CANCELED:
        messages.warning(request, _("This attempt to pay was given up. Nothing was charged."))
    else:
        messages.warning(
            request, _("Your bank is still deciding. You need not do anything; we tell you when it is done.")
        )
