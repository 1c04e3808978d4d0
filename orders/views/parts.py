"""Parts of an order's page that it asks for by itself, and that are no pages of their own."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from marketplace import clock
from marketplace.accounts.requests import SignedInRequest
from orders.actions import check_side, why_not_now
from orders.guards import Refused
from orders.rehearsal import REHEARSED, Outcome, outcome_of_button
from orders.views.acting import order_of


def part_of_order(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A part of the order's page, for the script that asks for it; anybody else is led to the page itself.

    Who is not signed in any more gets 403: a page that is open must not turn into the one for signing in.
    """

    @require_safe
    @wraps(view)
    def answer(request: HttpRequest, number: str, **kwargs: Any) -> HttpResponse:
        asks = "HX-Request" in request.headers
        if not request.user.is_authenticated:
            return HttpResponse(status=403) if asks else redirect_to_login(request.get_full_path())
        return view(request, number, **kwargs) if asks else redirect(order_of(request, number))  # type: ignore[arg-type]

    return answer


@part_of_order
def would(request: SignedInRequest, number: str, name: str) -> HttpResponse:
    """What a button of the viewer's side would do now, found out with the real code and rolled back (R7).

    403 to the other side, 404 to strangers and for buttons that are not rehearsed.
    """
    order = order_of(request, number)
    if name not in REHEARSED:
        raise Http404
    try:
        check_side(order, order.side_of(request.user), name)
    except Refused:
        return HttpResponse(status=403)
    refusal = why_not_now(order, name, clock.now())
    outcome = Outcome(refusal=refusal) if refusal else outcome_of_button(order, name, by=request.user)
    return render(request, "orders/_rehearsal.html", {"outcome": outcome})
