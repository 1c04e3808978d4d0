"""The pages that read across storeys."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from marketplace import clock
from marketplace.accounts.requests import SignedInRequest
from marketplace.catalog.costs import worked_example
from marketplace.catalog.models import Category, Gig, Terms
from marketplace.order_lists import grouped, line
from marketplace.sorted_orders import STATES, OrdersOf
from orders.models import OfferRequest

PAGE = 20


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What the place is, in one screen."""
    terms = Terms.objects.in_force()
    context = {
        "categories": Category.objects.all(),
        "gigs": Gig.objects.for_sale().as_cards().order_by("-published_at", "-pk")[:6],
        "terms": terms,
        "example": worked_example(terms),
    }
    return render(request, "pages/home.html", context)


@require_safe
def help_milestones(request: HttpRequest) -> HttpResponse:
    """The questions of the FAQ, answered with the numbers of the terms in force."""
    terms = Terms.objects.in_force()
    return render(request, "pages/help.html", {"terms": terms, "example": worked_example(terms)})


@login_required
@require_safe
def bought(request: SignedInRequest) -> HttpResponse:
    """The orders in which the viewer buys, those that wait for them first."""
    return _list(request, "buyer")


@login_required
@require_safe
def sold(request: SignedInRequest) -> HttpResponse:
    """The orders in which the viewer sells, and what buyers asked them for."""
    wishes = OfferRequest.objects.filter(seller=request.user, offer=None)
    asked = wishes.select_related("buyer").only("text", "asked_at", "buyer__name")
    return _list(request, "seller", asked=list(asked[:20]))


def _list(request: SignedInRequest, side: str, **context: Any) -> HttpResponse:
    now, text = clock.now(), request.GET.get("q", "")[:100].replace("\x00", "")
    orders = OrdersOf(request.user, side, now, text)
    state = request.GET.get("state", "")
    state = state if state in STATES else ""
    page = orders.page(request.GET, state=state, most=PAGE)
    counts = orders.counted_by_state()
    context |= {
        "page": page,
        "groups": grouped([line(order, side, now) for order in page]),
        "side": side,
        "text": text,
        "state": state,
        "counts": counts,
        "any": counts["all"] != "0",
    }
    return render(request, "orders/list.html", context)
