"""What a seller earned month by month, and what is to come: the rows behind the charts of selling."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from django.db.models import Sum
from django.db.models.functions import TruncMonth
from django.utils import timezone
from django.utils.translation import gettext as _

from marketplace.accounts import instants
from marketplace.accounts.models import User
from marketplace.templatetags.charts import Chart, Series
from payments.models import Transfer

PAST_MONTHS = 10  # with those to come a year, so that no month stands there twice
COMING_MONTHS = 2
Month = tuple[int, int]
Earned = dict[str, dict[Month, int]]  # per currency


def earned_by(seller: User, now: datetime, *, past: int = PAST_MONTHS) -> Earned:
    """What the ledger says that a seller earned in the last `past` months, in the reader's time zone; one query."""
    earnings = Transfer.objects.filter(
        kind=Transfer.Kind.EARNING, held__payee=seller, held__released_at__gte=_begin(_months(now, past)[0])
    )
    months = earnings.annotate(month=TruncMonth("held__released_at")).values_list("currency", "month")
    earned: Earned = {}
    for currency, month, amount in months.annotate(Sum("amount")).order_by():
        earned.setdefault(currency, {})[month.year, month.month] = amount
    return earned


def currencies_of(earned: Earned, to_come: Iterable[tuple[str, int]]) -> list[str]:
    """The currencies in which something was earned lately or is `to_come`, the most used one first."""
    used = Counter({currency: sum(months.values()) for currency, months in earned.items()})
    for currency, amount in to_come:
        used[currency] += amount
    return sorted(used, key=lambda currency: (-used[currency], currency))


def chart_of_income(
    currency: str, earned: Earned, to_come: Iterable[tuple[datetime, int]], now: datetime, *, past: int = PAST_MONTHS
) -> Chart:
    """The last `past` months and the next ones, in the reader's time zone: what was `earned_by` a seller, and on
    top of it what is `to_come` (an instant and an amount each), where a clock says when at the latest.
    """
    months = _months(now, past)
    done = earned.get(currency, {})
    coming: dict[Month, int] = {}
    for instant, amount in to_come:
        # What should have come already comes now: the clock is about to complete it.
        month = _month_of(max(instant, now))
        coming[month] = coming.get(month, 0) + amount
    return Chart(
        title=_("Earned per month"),
        labels=[instants.month(_begin(month)) for month in months],
        series=[
            Series(_("Earned"), [done.get(month, 0) for month in months], "brand"),
            Series(_("To come at the latest"), [coming.get(month, 0) for month in months], "held"),
        ],
        currency=currency,
        stacked=True,
    )


def _months(now: datetime, past: int) -> list[Month]:
    """The present month, those before it and those to come, in order."""
    year, month = _month_of(now)
    numbers = range(year * 12 + month - past, year * 12 + month + COMING_MONTHS)
    return [(number // 12, number % 12 + 1) for number in numbers]


def _month_of(instant: datetime) -> Month:
    local = timezone.localtime(instant)
    return local.year, local.month


def _begin(month: Month) -> datetime:
    return datetime(*month, 1, tzinfo=timezone.get_current_timezone())
