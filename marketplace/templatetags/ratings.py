"""How pages show ratings. `{% load ratings %}`."""

from decimal import Decimal
from typing import Any, Protocol

from django import template
from django.template.context import Context

from marketplace.catalog.ratings import BEST, rating, site_mean

register = template.Library()

WIDTH = 100  # of the picture, in its own units: five stars of 20


class Rated(Protocol):
    rating_sum: int
    rating_count: int


@register.inclusion_tag("reviews/_stars.html", takes_context=True)
def stars(context: Context, thing: Rated, short: bool = False) -> dict[str, Any]:
    """The rating of a gig or a seller in stars and in words, or "New"; `short` draws one star, for cards."""
    if not thing.rating_count:
        return {"count": 0}
    value = rating(thing.rating_sum, thing.rating_count, _mean(context))
    return {"value": value, "count": thing.rating_count, "short": short, "filled": int(value * WIDTH / BEST)}


@register.inclusion_tag("reviews/_given.html")
def given(number: int) -> dict[str, Any]:
    """The stars of one review."""
    return {"value": number, "filled": number * WIDTH // BEST}


def _mean(context: Context) -> Decimal:
    """The site's mean, asked once per page: the cache may be slow to say that it is down."""
    request = context.get("request")
    if request is None:
        return site_mean()
    if not hasattr(request, "site_mean"):
        request.site_mean = site_mean()
    return request.site_mean  # type: ignore[no-any-return]
