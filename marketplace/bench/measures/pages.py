"""Pages of typical people and of very big ones, each beside the smallest page, request by request in turns."""

import gc
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from html import unescape

from django.urls import reverse

from marketplace.accounts.models import User
from marketplace.bench.data_set import DataSet
from marketplace.bench.limits.page import SMALLEST, WITHOUT_MIDDLEWARE
from marketplace.bench.measuring import Against, Done, Mark, Measure, Side
from marketplace.catalog.models import Gig
from orders.models import Milestone, Order

from .visiting import Visitor, site

REQUESTS = 100
BY_SCRIPT = {"HTTP_HX_REQUEST": "true"}
SMALLEST_PAGE = "smallest page"
GROWTH = (
    Mark("queries", Against.SMALLEST, at_most=1),
    Mark("time", Against.SMALLEST, at_most=1.2, beside=SMALLEST_PAGE),
)
LIST = (Mark("queries", at_most=8), Mark("time", SMALLEST_PAGE, at_most=6), *GROWTH)
ORDER = (Mark("queries", at_most=10), Mark("time", SMALLEST_PAGE, at_most=6), *GROWTH)
ORDER_IN_ADMIN = (Mark("queries", at_most=20), *GROWTH)


@dataclass(frozen=True)
class Page:
    """A page as one person opens it; None is somebody who has not signed in."""

    name: str
    address: str
    person: int | None
    marks: Sequence[Mark] = GROWTH


def pages(data: DataSet) -> Iterator[Measure]:
    """Queries, bytes, p50 and p99 of each page, and how its p50 compares with the smallest page of the same person."""
    with site():
        for page in _pages(data):
            yield _measure(page, data)
            gc.unfreeze()


def live(data: DataSet) -> Iterator[Measure]:
    """What an open page of an order asks every few seconds, and what that comes to in an hour."""
    order = _open_order()
    buyer = order.buyer
    polls = 5 if data.small else 100
    with site():
        visitor = Visitor(buyer)
        page = visitor.get(order.get_absolute_url()).body.decode()
        asks = re.search(r'id="live"[^>]*data-hx-get="([^"]+)"[^>]*data-hx-trigger="every (\d+)s', page)
        assert asks
        address, every = unescape(asks[1]), int(asks[2])
        assert visitor.get(address, **BY_SCRIPT).status == 204
        facts = visitor.cost(address, **BY_SCRIPT)

        def poll() -> Done:
            latencies = [visitor.get(address, **BY_SCRIPT).seconds for _ in range(polls)]
            an_hour = sum(latencies) / polls * 3600 / every
            return Done(polls, latencies, facts | {"ms per open page and hour": an_hour * 1000})

        def look() -> Done:
            return Done(polls, [visitor.get(SMALLEST).seconds for _ in range(polls)])

        marks = (Mark("queries", Against.SMALLEST, at_most=1), GROWTH[1])
        yield Measure("live poll of an order", [Side("ours", poll), Side(SMALLEST_PAGE, look)], "poll", marks)


def _measure(page: Page, data: DataSet) -> Measure:
    person = User.objects.get(pk=page.person) if page.person else None
    visitor, bare = Visitor(person), Visitor(middleware=False)
    sides = [
        Side("ours", partial(visitor.once, page.address, visitor.cost(page.address))),
        Side(SMALLEST_PAGE, partial(visitor.once, SMALLEST, visitor.cost(SMALLEST))),
        Side("without middleware", partial(bare.once, WITHOUT_MIDDLEWARE, bare.cost(WITHOUT_MIDDLEWARE))),
    ]
    # What was loaded until now is not looked at between two requests.
    gc.collect()
    gc.freeze()
    return Measure(page.name, sides, "request", page.marks, 2 if data.small else REQUESTS)


def _pages(data: DataSet) -> Iterator[Page]:
    order = _open_order()
    gig = Gig.objects.filter(status=Gig.Status.PUBLISHED).order_by("pk")[:1].get()
    word = next(word for word in reversed(re.findall(r"\w+", gig.title)) if len(word) > 3)
    in_admin = reverse("admin:orders_order_change", args=[order.pk])
    yield Page("order, buyer", order.get_absolute_url(), order.buyer_id, ORDER)
    yield Page("order, seller", order.get_absolute_url(), order.seller_id, ORDER)
    for who, buyer, seller in (("", data.buyer, data.seller), (", a big one", data.big_buyer, data.big_seller)):
        yield Page(f"orders of a buyer{who}", reverse("bought"), buyer, LIST)
        yield Page(f"orders of a seller{who}", reverse("sold"), seller, LIST)
        yield Page(f"seller dashboard{who}", reverse("selling"), seller)
        yield Page(f"earnings{who}", reverse("earnings"), seller, LIST)
        yield Page(f"notices{who}", reverse("notifications:list"), seller, LIST)
    yield Page("gigs", reverse("catalog:browse"), None, LIST)
    yield Page("gigs found", f"{reverse('catalog:browse')}?q={word}", None, LIST)
    yield Page("a gig", gig.get_absolute_url(), None)
    yield Page("home of admin", reverse("admin:index"), data.support)
    yield Page("support queue", reverse("admin:resolution_case_changelist"), data.support)
    yield Page("order in admin", in_admin, data.support, ORDER_IN_ADMIN)


def _open_order() -> Order:
    """An order under way, whose second milestone was delivered where there is such a one."""
    delivered = Milestone.objects.filter(status=Milestone.Status.DELIVERED, order__paused_at=None)
    milestone = delivered.filter(position=2).first() or delivered.order_by("pk")[:1].get()
    return milestone.order
