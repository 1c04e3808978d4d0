"""Browsing: the filters of the page as one query."""

from typing import Any

from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db.models import F

from marketplace.catalog.forms import BrowseForm
from marketplace.catalog.models import GigQuerySet


def found(gigs: GigQuerySet, wanted: dict[str, Any]) -> GigQuerySet:
    """The gigs that match the valid filters, in the wanted order.

    Words are read as by a search engine: "two words", -not, or.
    """
    order = BrowseForm.ORDERS[wanted.get("order") or ""]
    if words := wanted.get("q"):
        query = SearchQuery(words, search_type="websearch", config="english")
        gigs = gigs.filter(search=query)
        if not wanted.get("order"):
            gigs, order = gigs.annotate(rank=SearchRank(F("search"), query)), ["-rank", *order]
    filters = {
        "category": wanted.get("category"),
        "currency": wanted.get("currency") or None,
        "price__gte": wanted.get("least"),
        "price__lte": wanted.get("greatest"),
        "delivery_days__lte": wanted.get("days"),
    }
    return gigs.filter(**{name: value for name, value in filters.items() if value is not None}).order_by(*order)
