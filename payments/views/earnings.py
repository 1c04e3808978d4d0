"""A seller's earnings."""

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from payments import services
from payments.models import HeldFunds

PER_PAGE = 50


@require_safe
@login_required
def earnings(request: HttpRequest) -> HttpResponse:
    """What the signed-in person has earned and what is held for them, per milestone and per currency."""
    seller = request.user
    assert seller.is_authenticated  # narrows the type; `login_required` sent everybody else away
    released = Paginator(HeldFunds.objects.released_to(seller), PER_PAGE)
    context = {
        "balances": services.purse(seller),
        "released": released.get_page(request.GET.get("page")),
        "in_progress": HeldFunds.objects.in_progress_for(seller),
    }
    return render(request, "payments/earnings.html", context)
