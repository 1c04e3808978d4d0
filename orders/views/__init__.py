"""The lists of orders. Views answer *who*: what is not the viewer's does not exist for them."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from marketplace import clock
from marketplace.accounts.requests import SignedInRequest
from orders.lists import grouped, line, waiting_first
from orders.models import OfferRequest, Order
from orders.models.order import OrderQuerySet

PAGE = 20


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
    now = clock.now()
    pages = Paginator(waiting_first(orders, side).whole(), PAGE)
    page = pages.get_page(request.GET.get("page"))
    lines = [line(order, side, now) for order in page]
    return render(request, "orders/list.html", {"page": page, "groups": grouped(lines), "side": side, **context})
