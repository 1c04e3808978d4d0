"""The last 30 days as charts, for the home of admin: orders, milestones, cases, and money per currency.

Summed in the database by the day of whoever looks: one query over the activity, one over the ledger and two over cases,
each a range of an index of time. What is long past is summed once a day and kept: see `CLOSED`.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any

from django.core.cache import cache
from django.db.models import Aggregate, Count, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from marketplace import clock
from marketplace.accounts.instants import day as in_words
from marketplace.accounts.models import User
from marketplace.templatetags.charts import Chart, Series
from orders.admin import midnight
from orders.models import Event
from payments.models import Transfer
from resolution.models import Case

DAYS = 30
Kind = Event.Kind
ENDINGS = (Kind.ACCEPTED, Kind.COMPLETED_BY_SUPPORT, Kind.LAPSED)
# What reaches held funds when a milestone is paid for; a surplus goes back, so it is no volume.
CHARGED = (Transfer.Kind.CHARGE, Transfer.Kind.CREDIT_SPENT)
Daily = Counter[tuple[Any, ...]]
# The clock dates what it does when it was due, so rows still come to a day that is over, late by as long as its sweeps
# were. Days that ended so long ago are summed once and kept for a day, after which whatever came later is in them too.
CLOSED = timedelta(days=2)
KEPT = timedelta(days=1)


def charts(user: User, now: datetime) -> list[Chart]:
    """Only of what the person may see in admin; amounts in a chart of their own for each currency."""
    since = midnight(now, days=1 - DAYS)
    days = [timezone.localtime(since).date() + timedelta(days=count) for count in range(DAYS)]
    drawn = []
    if user.has_perm("payments.view_transfer"):
        drawn += _money(days, since)
    if user.has_perm("orders.view_order"):
        drawn += _orders(days, since)
    if user.has_perm("resolution.view_case"):
        drawn.append(_cases(days, since))
    return drawn


def _orders(days: list[date], since: datetime) -> list[Chart]:
    told = Event.objects.filter(kind__in=[Kind.PLACED, *ENDINGS])
    daily = _daily(told, "at", since, Count("pk"), "kind")
    names = (_("Accepted"), _("Completed by support"), _("Lapsed"))
    tones: tuple[Any, ...] = ("brand", "info", "held")
    every_order, labels = reverse("admin:orders_order_changelist"), _labels(days)
    return [
        Chart(
            title=_("Orders placed"),
            labels=labels,
            series=[Series(_("Placed"), [daily[one, Kind.PLACED] for one in days])],
            href=every_order,
        ),
        Chart(
            title=_("Milestones completed"),
            labels=labels,
            series=[
                Series(name, [daily[one, kind] for one in days], tone)
                for name, kind, tone in zip(names, ENDINGS, tones, strict=True)
            ],
            stacked=True,
        ),
    ]


def _cases(days: list[date], since: datetime) -> Chart:
    opened = _per_day(Case.objects.filter(opened_at__gte=since), "opened_at")
    closed = _per_day(Case.objects.filter(ended_at__gte=since), "ended_at")
    return Chart(
        title=_("Cases"),
        labels=_labels(days),
        series=[
            Series(_("Opened"), [opened[one,] for one in days], "held"),
            Series(_("Closed"), [closed[one,] for one in days], "brand"),
        ],
        href=reverse("admin:resolution_case_changelist"),
    )


def _money(days: list[date], since: datetime) -> list[Chart]:
    kinds = (*CHARGED, Transfer.Kind.FEE)
    moved = Transfer.objects.filter(kind__in=kinds)
    charged, fees = Daily(), Daily()
    for (on, kind, currency), amount in _daily(moved, "created_at", since, Sum("amount"), "kind", "currency").items():
        into = fees if kind == Transfer.Kind.FEE else charged
        into[on, currency] += amount
    labels = _labels(days)
    return [
        Chart(
            title=_("Charged and earned by the platform, {currency}").format(currency=currency),
            labels=labels,
            series=[
                Series(_("Charged"), [charged[one, currency] for one in days]),
                Series(_("Platform fees"), [fees[one, currency] for one in days], "held"),
            ],
            currency=currency,
            href=f"{reverse('admin:payments_transfer_changelist')}?currency={currency}",
        )
        for currency in sorted({currency for _day, currency in (*charged, *fees)})
    ]


def _daily(rows: "QuerySet[Any]", instant: str, since: datetime, figure: Aggregate, *by: str) -> Daily:
    """A `figure` of the rows of each day from `since` on, told apart `by` fields: closed days as they are kept, and
    the days after them as they are now."""
    zone, now = timezone.get_current_timezone_name(), clock.now()
    until = max(since, midnight(now - CLOSED))
    key = f"month:{rows.model.__name__}:{zone}:{since.timestamp():.0f}:{until.timestamp():.0f}"
    closed: Daily | None = cache.get(key)
    if closed is None:
        closed = _summed(rows.filter(**{f"{instant}__gte": since, f"{instant}__lt": until}), instant, figure, *by)
        cache.set(key, closed, KEPT.total_seconds())
    return closed + _summed(rows.filter(**{f"{instant}__gte": until}), instant, figure, *by)


def _per_day(rows: "QuerySet[Any]", instant: str) -> Daily:
    """How many rows on each day."""
    return _summed(rows, instant, Count("pk"))


def _summed(rows: "QuerySet[Any]", instant: str, figure: Aggregate, *by: str) -> Daily:
    summed = rows.order_by().values(*by, on=_day_of(instant)).annotate(figure=figure)
    return Daily({(row["on"], *(row[name] for name in by)): int(row["figure"]) for row in summed})


def _day_of(instant: str) -> TruncDate:
    return TruncDate(instant, tzinfo=timezone.get_current_timezone())


def _labels(days: Iterable[date]) -> list[str]:
    return [in_words(timezone.make_aware(datetime.combine(one, time(12)))) for one in days]
