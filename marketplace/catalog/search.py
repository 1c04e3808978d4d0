"""Browsing: the filters of the page as one query, and what is suggested while a search is typed."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib.postgres.search import SearchQuery, SearchRank, SearchVector
from django.db.models import Exists, F, FloatField, OuterRef, QuerySet
from django.db.models.functions import Cast

from marketplace.accounts.models import User
from marketplace.catalog.models import Category, Gig, GigQuerySet
from marketplace.catalog.ratings import rating_for_sorting, site_mean
from marketplace.pages_by_key import NEWEST, Column, decimal, fraction, instant, number, word

LATEST_FIRST = (Column("published_at", instant, descending=True), NEWEST)
ORDERS = {
    "": LATEST_FIRST,
    "new": LATEST_FIRST,
    "price": (Column("price", number), NEWEST),
    "-price": (Column("price", number, descending=True), NEWEST),
    "fast": (Column("delivery_days", number), NEWEST),
    "rating": (
        Column("score", decimal, descending=True),
        Column("rating_count", number, descending=True),
        *LATEST_FIRST,
    ),
}
# Words of a search that are matched by their beginning, and letters of each.
MAX_WORDS, MAX_LETTERS = 6, 40
TITLED = 100  # of all gigs with such a title, before those of deactivated sellers are left out


@dataclass(frozen=True)
class Suggestions:
    """Where the words so far may lead: each kind best first."""

    gigs: list[Gig]
    categories: list[Category]
    sellers: list[User]

    def __bool__(self) -> bool:
        return bool(self.gigs or self.categories or self.sellers)


def columns_of(wanted: dict[str, Any]) -> tuple[Column, ...]:
    """The wanted order of what is `found`; each but that of words and of ratings is an index.

    Prices of several currencies are not compared: each currency is a list of its own.
    """
    order = wanted.get("order") or ""
    columns = ORDERS.get(order, LATEST_FIRST)
    if order in ("price", "-price") and not wanted.get("currency"):
        return (Column("currency", word), *columns)
    if wanted.get("q") and not order:
        return (Column("rank", fraction, descending=True), *columns)
    return columns


def found(gigs: GigQuerySet, wanted: dict[str, Any]) -> GigQuerySet:
    """The gigs that match the valid filters, in the wanted order.

    Words are read as by a search engine: "two words", -not, or.
    """
    if words := wanted.get("q"):
        query = SearchQuery(words, search_type="websearch", config="english")
        gigs = gigs.filter(search=query)
        if not wanted.get("order"):
            # As wide as Python's numbers, so that it is the same when it comes back in an address.
            gigs = gigs.annotate(rank=Cast(SearchRank(F("search"), query), FloatField()))
    if wanted.get("order") == "rating" or wanted.get("rating"):
        gigs = gigs.annotate(score=rating_for_sorting(site_mean()))
    filters = {
        "category": wanted.get("category"),
        "currency": wanted.get("currency") or None,
        "price__gte": wanted.get("least"),
        "price__lte": wanted.get("greatest"),
        "delivery_days__lte": wanted.get("days"),
        "score__gte": Decimal(wanted["rating"]) if wanted.get("rating") else None,
        "rating_count__gt": 0 if wanted.get("rating") else None,
    }
    chosen = gigs.filter(**{name: value for name, value in filters.items() if value is not None})
    return chosen.order_by(*(column.ordering for column in columns_of(wanted)))


def suggestions(typed: str, *, most: int = 5) -> Suggestions:
    """Gigs, categories and sellers with words that begin like those typed: every word, the best of each kind.

    Three small queries, each by an index or over the few categories.
    """
    query = _beginnings(typed, all_of_them=True)
    if query is None:
        return Suggestions([], [], [])
    return Suggestions(
        list(_titled(query)[:most]) if most else [], list(_categories(query)[:3]), list(_sellers(query)[:3])
    )


def near_misses(typed: str, *, most: int = 3) -> list[Gig]:
    """When nothing matches, as cards: gigs with any of the words in the title, else the newest."""
    query = _beginnings(typed, all_of_them=False)
    near = list(_titled(query).as_cards()[:most]) if query else []
    return near or list(Gig.objects.for_sale().as_cards().order_by("-published_at", "-pk")[:most])


def _titled(query: SearchQuery) -> GigQuerySet:
    words, best = SearchVector("title", config="simple"), ("-rating_count", "-published_at")
    # PostgreSQL expects far more of words that are only begun than there are, and would read all sellers beside them.
    titled = Gig.objects.published().alias(words=words).filter(words=query).order_by(*best)[:TITLED]
    return Gig.objects.for_sale().filter(pk__in=titled.values("pk")).order_by(*best)


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
