"""Browsing: the filters of the page as one query, and what is suggested while a search is typed."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib.postgres.search import SearchQuery, SearchRank, SearchVector
from django.db.models import Exists, F, OuterRef, QuerySet

from marketplace.accounts.models import User
from marketplace.catalog.models import Category, Gig, GigQuerySet
from marketplace.catalog.ratings import rating_for_sorting, site_mean

ORDERS: dict[str, list[str]] = {
    "": ["-published_at", "-pk"],
    "new": ["-published_at", "-pk"],
    "price": ["price", "-pk"],
    "-price": ["-price", "-pk"],
    "fast": ["delivery_days", "-pk"],
}
# Words of a search that are matched by their beginning, and letters of each.
MAX_WORDS, MAX_LETTERS = 6, 40


@dataclass(frozen=True)
class Suggestions:
    """Where the words so far may lead: each kind best first."""

    gigs: list[Gig]
    categories: list[Category]
    sellers: list[User]

    def __bool__(self) -> bool:
        return bool(self.gigs or self.categories or self.sellers)


def found(gigs: GigQuerySet, wanted: dict[str, Any]) -> GigQuerySet:
    """The gigs that match the valid filters, in the wanted order.

    Words are read as by a search engine: "two words", -not, or. Prices of several currencies are not compared: each
    currency is a list of its own.
    """
    order = [*ORDERS.get(wanted.get("order") or "", ORDERS[""])]
    if words := wanted.get("q"):
        query = SearchQuery(words, search_type="websearch", config="english")
        gigs = gigs.filter(search=query)
        if not wanted.get("order"):
            gigs, order = gigs.annotate(rank=SearchRank(F("search"), query)), ["-rank", *order]
    if wanted.get("order") in ("price", "-price") and not wanted.get("currency"):
        order = ["currency", *order]
    if wanted.get("order") == "rating" or wanted.get("rating"):
        gigs = gigs.alias(score=rating_for_sorting(site_mean()))
    if wanted.get("order") == "rating":
        order = ["-score", "-rating_count", *order]
    filters = {
        "category": wanted.get("category"),
        "currency": wanted.get("currency") or None,
        "price__gte": wanted.get("least"),
        "price__lte": wanted.get("greatest"),
        "delivery_days__lte": wanted.get("days"),
        "score__gte": Decimal(wanted["rating"]) if wanted.get("rating") else None,
        "rating_count__gt": 0 if wanted.get("rating") else None,
    }
    return gigs.filter(**{name: value for name, value in filters.items() if value is not None}).order_by(*order)


def suggestions(typed: str, *, most: int = 5) -> Suggestions:
    """Gigs, categories and sellers with words that begin like those typed: every word, the best of each kind.

    Three small queries, each by an index or over the few categories.
    """
    query = _beginnings(typed, all_of_them=True)
    if query is None:
        return Suggestions([], [], [])
    return Suggestions(list(_titled(query)[:most]), list(_categories(query)[:3]), list(_sellers(query)[:3]))


def near_misses(typed: str, *, most: int = 3) -> GigQuerySet:
    """When nothing matches: gigs with any of the words in the title, else the newest."""
    newest = Gig.objects.for_sale().order_by("-published_at", "-pk")[:most]
    query = _beginnings(typed, all_of_them=False)
    if query is None:
        return newest
    near = _titled(query)[:most]
    return near if near.exists() else newest


def _titled(query: SearchQuery) -> GigQuerySet:
    words = SearchVector("title", config="simple")
    return Gig.objects.for_sale().alias(words=words).filter(words=query).order_by("-rating_count", "-published_at")


def _categories(query: SearchQuery) -> QuerySet[Category]:
    return Category.objects.alias(words=SearchVector("name", config="simple")).filter(words=query)


def _sellers(query: SearchQuery) -> QuerySet[User]:
    selling = Exists(Gig.objects.published().filter(seller=OuterRef("pk")))
    words = SearchVector("name", config="simple")
    people = User.objects.filter(selling, is_active=True).alias(words=words).filter(words=query)
    return people.order_by("-rating_count", "name")


def _beginnings(typed: str, *, all_of_them: bool) -> SearchQuery | None:
    """Words that begin like the typed ones; only letters and digits, so that nothing is an operator."""
    words = [word[:MAX_LETTERS] for word in re.findall(r"\w+", typed.replace("_", " "))[:MAX_WORDS]]
    if not words:
        return None
    between = " & " if all_of_them else " | "
    return SearchQuery(between.join(f"{word}:*" for word in words), search_type="raw", config="simple")
