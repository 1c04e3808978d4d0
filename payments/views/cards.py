"""A buyer's saved cards and credit."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from marketplace import clock
from marketplace.pages_by_key import NEWEST, page_of
from payments import services
from payments.said import said

PER_PAGE = 50


@require_safe
@login_required
def cards(request: HttpRequest) -> HttpResponse:
    """The saved cards of the signed-in person, and their credit per currency with all that changed it."""
    owner = request.user
    assert owner.is_authenticated  # narrows the type; `login_required` sent everybody else away
    context = {
        "cards": services.kept_cards(owner),
        "today": clock.now().date(),
        "usable": set(services.usable_cards(owner)),
        "credits": [purse for purse in services.purse(owner) if purse.credit or purse.credit_reserved],
        "history": page_of(services.credit_history(owner), [NEWEST], request.GET, most=PER_PAGE),
    }
    return render(request, "payments/cards.html", context)


@require_POST
@login_required
def forget_card(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove a saved card of the signed-in person's; of anybody else's there is none here (404)."""
    owner = request.user
    assert owner.is_authenticated
    card = get_object_or_404(services.kept_cards(owner), pk=pk)
    services.forget_card(card, at=clock.now())
    messages.success(request, _("{card} was removed. It can no longer be charged.").format(card=said(card.label)))
    return redirect("payments:cards")
