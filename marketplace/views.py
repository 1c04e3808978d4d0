"""The pages that read across storeys."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from marketplace import clock
from marketplace.accounts.requests import SignedInRequest
from marketplace.catalog.costs import worked_example
from marketplace.catalog.models import Category, Gig, Terms
from marketplace.order_lists import STATES, counted_by_state, found, grouped, line, waiting_first, with_unread
from orders.models import OfferRequest, Order
from orders.models.order import OrderQuerySet

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
    return _list(request, Order.objects.bought_by(request.user), "buyer")


@login_required
@require_safe
def sold(request: SignedInRequest) -> HttpResponse:
    """The orders in which the viewer sells, and what buyers asked them for."""
    asked = OfferRequest.objects.filter(seller=request.user, offer=None).select_related("buyer", "gig", "again")
    return _list(request, Order.objects.sold_by(request.user), "seller", asked=list(asked[:20]))


def _list(request: SignedInRequest, orders: OrderQuerySet, side: str, **context: Any) -> HttpResponse:
    now, text = clock.now(), request.GET.get("q", "")[:100].replace("\x00", "")
    ranked = waiting_first(found(orders, side, text), side)
    counts = counted_by_state(ranked)
    state = request.GET.get("state", "")
    if state in STATES:
        ranked = ranked.filter(rank=STATES[state])
    page = Paginator(with_unread(ranked, request.user), PAGE).get_page(request.GET.get("page"))
    context |= {
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number),
        "groups": grouped([line(order, side, now) for order in page]),
        "side": side,
        "text": text,
        "state": state if state in STATES else "",
        "counts": counts,
        "number": sum(counts.values()),
    }
    return render(request, "orders/list.html", context)
