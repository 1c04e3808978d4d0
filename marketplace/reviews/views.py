"""The page on which one side of an order reviews the other."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from marketplace import clock
from marketplace.accounts.requests import SignedInRequest
from marketplace.reviews.forms import ReviewForm
from marketplace.reviews.rules import Standing
from marketplace.reviews.services import write_review
from orders.guards import Refusal, Refused
from orders.models import Order
from orders.views.acting import get_or_post, order_of


@login_required
@get_or_post
def review(request: SignedInRequest, number: str) -> HttpResponse:
    """GET shows the form, or why there is none; POST writes the review and goes back to the order.

    409 when it is refused or the order has changed, 422 for wrong input, both with what was typed; 404 to strangers.
    """
    order = order_of(request, number)
    if request.method != "POST":
        return _page(request, order, ReviewForm(initial={"version": order.version}))
    form = ReviewForm(request.POST)
    if not form.is_valid():
        return _page(request, order, form, status=422)
    try:
        written = write_review(order, by=request.user, **form.cleaned_data)
    except Refused as refused:
        order = order_of(request, number)
        # What was typed is kept; the version becomes the one that is shown now.
        typed = request.POST.copy()
        typed["version"] = str(order.version)
        return _page(request, order, ReviewForm(typed), refused.refusal, status=409)
    if written.visible_from <= clock.now():
        messages.success(request, _("Both reviews are public now."))
    else:
        messages.success(request, _("Thank you. Your review appears when the other side has written theirs."))
    return redirect(f"{order.get_absolute_url()}#reviews")


def _page(
    request: SignedInRequest, order: Order, form: ReviewForm, refused: Refusal | None = None, *, status: int = 200
) -> HttpResponse:
    standing = Standing(order, request.user, clock.now())
    refusal = standing.refusal or refused
    context = {
        "order": order,
        "side": order.side_of(request.user),
        "section": "/orders/" if order.side_of(request.user) == "buyer" else "/sales/",
        "standing": standing,
        "refusal": refusal,
        # What was typed is not taken away from anybody.
        "form": form if form.is_bound or not standing.refusal else None,
    }
    return render(request, "reviews/review.html", context, status=status)
