"""Reviews on the pages of orders, gigs and sellers. `{% load reviews %}`."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django import template
from django.db.models import Avg, Count
from django.template.context import Context

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.catalog.models import Gig
from marketplace.catalog.ratings import BEST
from marketplace.pages_by_key import NEWEST, Column, instant, page_of
from marketplace.reviews.models import Review, ReviewQuerySet
from marketplace.reviews.rules import Standing
from orders.models import Order

register = template.Library()

PER_PAGE = 10
COLUMNS = (Column("visible_from", instant, descending=True), NEWEST)


@register.inclusion_tag("reviews/_order_reviews.html", takes_context=True)
def order_reviews(context: Context, order: Order) -> dict[str, Any]:
    """What the viewer, a side of the order, may do and read; nothing before a review could be written."""
    viewer = context["request"].user
    standing = Standing(order, viewer, clock.now())
    return {
        "shown": order.status == Order.Status.COMPLETED and bool(order.side_of(viewer)),
        "standing": standing,
        "name": standing.other.name,
        "viewer": viewer,
    }


@register.inclusion_tag("reviews/_list.html", takes_context=True)
def gig_reviews(context: Context, gig: Gig) -> dict[str, Any]:
    """What buyers said of a gig, newest first, a page at a time (`?reviews_after=…`)."""
    return _listed(context, gig, Review.objects.of_gig(gig))


@register.inclusion_tag("reviews/_list.html", takes_context=True)
def seller_reviews(context: Context, seller: User) -> dict[str, Any]:
    """What buyers said of a seller, of all their work, newest first, a page at a time (`?reviews_after=…`)."""
    return _listed(context, seller, Review.objects.of_seller(seller)) | {"of_seller": True}


@register.inclusion_tag("reviews/_buyer_stars.html")
def buyer_stars(buyer: User) -> dict[str, Any]:
    """What sellers gave a buyer, as the plain mean: for sellers' eyes, on offers and orders."""
    given = Review.objects.of_buyer(buyer).visible(clock.now()).aggregate(mean=Avg("rating"), count=Count("pk"))
    mean = Decimal(given["mean"] or 0).quantize(Decimal("0.1"), ROUND_HALF_UP)
    return {"value": mean, "count": given["count"]}


def _listed(context: Context, thing: Gig | User, reviews: ReviewQuerySet) -> dict[str, Any]:
    request = context["request"]
    visible = reviews.visible(clock.now())
    given = dict(visible.order_by().values_list("rating").annotate(Count("pk")))
    listed = visible.select_related("author", "order__gig__seller").defer("order__gig__search")
    return {
        "request": request,
        "thing": thing,
        "count": sum(given.values()),
        "page": page_of(listed, COLUMNS, request.GET, most=PER_PAGE, name="reviews_"),
        "bars": [
            {"stars": stars, "count": given.get(stars, 0), "all": sum(given.values())} for stars in range(BEST, 0, -1)
        ],
    }
