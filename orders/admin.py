"""Orders in admin: lists that can be searched and never edited, by anyone.

The page of one order reads across storeys (cases, ledger), so it is drawn at the top, by `marketplace.backoffice`.
"""

from datetime import datetime, time, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import BigIntegerField, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from marketplace import clock
from marketplace.accounts.instants import day
from orders.models import OfferRequest, Order
from payments.admin.base import ReadOnlyAdmin, YesNoFilter
from payments.models import HeldFunds
from payments.money import display


class FrozenFilter(YesNoFilter):
    title = _("frozen by a case")
    parameter_name = "frozen"

    @classmethod
    def condition(cls) -> Q:
        return Q(paused_at__isnull=False)


class StuckFilter(YesNoFilter):
    title = _("stuck")
    parameter_name = "stuck"

    @classmethod
    def condition(cls) -> Q:
        return Q(stuck_at__isnull=False)


class EndedTodayFilter(YesNoFilter):
    """By the day of whoever looks."""

    title = _("ended today")
    parameter_name = "ended_today"

    @classmethod
    def condition(cls) -> Q:
        return Q(ended_at__gte=midnight(clock.now()))


def midnight(now: datetime, *, days: int = 0) -> datetime:
    """When the viewer's day began; so many days later, also over a change of the clocks."""
    date = timezone.localtime(now).date() + timedelta(days=days)
    return timezone.make_aware(datetime.combine(date, time()))


def held_now(order: str) -> Coalesce:
    """What an order holds, in minor units; `order` is the path to it from the row at hand."""
    left = Sum(F("amount") - F("refunded") - F("released") - F("charged_back"), output_field=BigIntegerField())
    funds = HeldFunds.objects.filter(milestone__order=OuterRef(order)).order_by().values("milestone__order")
    return Coalesce(Subquery(funds.values(left=left)), 0, output_field=BigIntegerField())


def badge(text: str, look: str = "") -> SafeString:
    return format_html('<span class="bo-badge bo-badge--{}">{}</span>', look or "plain", text)


def short(instant: datetime) -> str:
    """For the narrow columns of lists, in the viewer's time zone: "23 Nov, 06:14"."""
    return f"{day(instant)}, {timezone.localtime(instant):%H:%M}"


@admin.display(description=_("Held"), ordering="held_now")
def held(row: Any) -> str:
    """The column of `held_now`, of an order or of something about one."""
    order = row if isinstance(row, Order) else row.order
    return display(row.held_now, order.currency) if row.held_now else "–"


class OrderList(ReadOnlyAdmin):
    """Every order, found by its number, its title, and the people in it."""

    class Media:
        css = {"all": ["admin-backoffice.css"]}

    list_display = ["named", "buyer", "seller", "standing", held, "deadline"]
    list_display_links = ["named"]
    list_filter = ["status", "closed_because", EndedTodayFilter, FrozenFilter, StuckFilter]
    list_select_related = ["buyer", "seller"]
    list_per_page = 50
    search_fields = ["number", "title", "buyer__email", "buyer__name", "seller__email", "seller__name"]
    search_help_text = _("Order number, title, or a person's name or e-mail address")
    ordering = ["-id"]
    view_on_site = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        return Order.objects.annotate(held_now=held_now("pk")).order_by("-pk")

    @admin.display(description=_("Order"), ordering="id")
    def named(self, order: Order) -> SafeString:
        return format_html('<span class="bo-code">{}</span><br>{}', order.number, order.title)

    @admin.display(description=_("Status"), ordering="status")
    def standing(self, order: Order) -> SafeString:
        because = order.get_closed_because_display() if order.closed_because else ""
        badges = [(badge(order.get_status_display(), order.status),)]
        if order.paused_at:
            badges.append((badge(gettext("Frozen"), "frozen"),))
        if order.stuck_at:
            badges.append((badge(gettext("Stuck"), "stuck"),))
        return format_html("{} {}", format_html_join(" ", "{}", badges), because)

    @admin.display(description=_("Deadline"), ordering="decide_by")
    def deadline(self, order: Order) -> str:
        return "–" if order.decide_by is None else short(order.decide_by)


@admin.register(OfferRequest)
class OfferRequestAdmin(ReadOnlyAdmin):
    """What buyers asked sellers for, before there was an offer (G2)."""

    list_display = ["asked_at", "buyer", "seller", "text", "answered_at", "offer"]
    list_select_related = ["buyer", "seller", "offer"]
    search_fields = ["text", "buyer__email", "buyer__name", "seller__email", "seller__name", "offer__number"]
    fields = ["buyer", "seller", "gig", "again", "text", "asked_at", "answered_at", "offer"]
