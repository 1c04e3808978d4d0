"""What a seller earned month by month, and what is to come: the rows behind the charts of selling."""

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


def currencies_of(seller: User) -> list[str]:
    """The currencies in which the ledger or what is held knows this seller as payee, the most used one first."""
    funds = seller.earned_funds.filter(funded_at__isnull=False)
    counted = funds.order_by().values_list("currency").annotate(funded=Sum("price"))
    return [currency for currency, _price in sorted(counted, key=lambda row: (-row[1], row[0]))]


def chart_of_income(
    seller: User, currency: str, to_come: Iterable[tuple[datetime, int]], now: datetime, *, past: int = PAST_MONTHS
) -> Chart:
    """The last `past` months and the next ones, in the reader's time zone: what was earned, as the ledger has it, and
    on top of it what is `to_come` (an instant and an amount each), where a clock says when at the latest.
    """
    months = _months(now, past)
    earned = _earned_by_month(seller, currency, _begin(months[0]))
    coming: dict[Month, int] = {}
    for instant, amount in to_come:
        # What should have come already comes now: the clock is about to complete it.
        month = _month_of(max(instant, now))
        coming[month] = coming.get(month, 0) + amount
    return Chart(
        title=_("Earned per month"),
        labels=[instants.month(_begin(month)) for month in months],
        series=[
            Series(_("Earned"), [earned.get(month, 0) for month in months], "brand"),
            Series(_("To come at the latest"), [coming.get(month, 0) for month in months], "held"),
        ],
        currency=currency,
        stacked=True,
    )


def _earned_by_month(seller: User, currency: str, since: datetime) -> dict[Month, int]:
    earnings = Transfer.objects.filter(
        kind=Transfer.Kind.EARNING,
        held__payee=seller,
        held__currency=currency,
        held__released_at__gte=since,
    )
    sums = earnings.annotate(month=TruncMonth("held__released_at")).values_list("month").annotate(Sum("amount"))
    return {(month.year, month.month): amount for month, amount in sums.order_by()}


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
