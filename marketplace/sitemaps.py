"""What search engines may read: the public pages, every gig that is for sale, every seller who has one."""

from datetime import datetime

from django.conf import settings
from django.contrib.sitemaps import Sitemap
from django.db.models import Exists, Max, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from marketplace.accounts.models import User
from marketplace.catalog.models import Gig, GigQuerySet

# Nothing that belongs to a person, and no endless combinations of filters.
PRIVATE = ("/accounts/", "/admin/", "/orders/", "/sales/", "/offers/", "/selling/", "/earnings/", "/notifications/")
ENDLESS = ("/gigs/?", "/search/")


class _OfThisSite:
    """Addresses begin with SITE_URL, whatever host the request named."""

    protocol, domain = settings.SITE_URL.rstrip("/").split("://")

    def get_domain(self, site: object = None) -> str:
        return str(self.domain)


class Pages(_OfThisSite, Sitemap):  # type: ignore[type-arg]
    def items(self) -> list[str]:
        return ["home", "catalog:browse", "help"]

    def location(self, item: str) -> str:
        return reverse(item)


class Gigs(_OfThisSite, Sitemap):  # type: ignore[type-arg]
    limit = 5_000

    def items(self) -> GigQuerySet:
        return Gig.objects.for_sale().only("slug", "published_at").order_by("pk")

    def lastmod(self, gig: Gig) -> datetime | None:
        return gig.published_at

    def get_latest_lastmod(self) -> datetime | None:
        newest: datetime | None = Gig.objects.for_sale().aggregate(newest=Max("published_at"))["newest"]
        return newest


class Sellers(_OfThisSite, Sitemap):  # type: ignore[type-arg]
    limit = 5_000

    def items(self) -> QuerySet[User]:
        selling = Exists(Gig.objects.published().filter(seller=OuterRef("pk")))
        return User.objects.filter(selling, is_active=True).only("handle").order_by("pk")


SITEMAPS = {"pages": Pages, "gigs": Gigs, "sellers": Sellers}


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """robots.txt: what not to read, and where the map is."""
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in (*PRIVATE, *ENDLESS))]
    address = settings.SITE_URL.rstrip("/") + reverse("sitemap")
    return HttpResponse("\n".join([*lines, "", f"Sitemap: {address}", ""]), content_type="text/plain; charset=utf-8")
