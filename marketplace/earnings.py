"""A seller's earnings: what is theirs, what is on its way, and what is to come and when (M6, P2).

Assembled here, because what is to come is known to the orders, and what is there to the ledger.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import OuterRef, Q, Subquery
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.accounts.requests import SignedInRequest
from marketplace.income import chart_of_income, currencies_of, earned_by
from marketplace.pages_by_key import NEWEST, Column, instant, page_of
from orders.models import Milestone
from payments import services
from payments.models import Account, HeldFunds, PayoutAccount, Withdrawal, WithdrawalLimit
from payments.services import Balance

PER_PAGE = 20
EXPECTED_SHOWN = 20
COLUMNS = (Column("released_at", instant, descending=True), NEWEST)
WITHDRAWALS_SHOWN = 20
Status = Withdrawal.Status
# Django's own way to a choice's words makes them anew for each row.
_STATES = dict(Milestone.Status.choices)
_OF_FUNDS = ("currency", "price", "refunded_price", "commission_rate", "clearing", "available_at")
_OF_MILESTONE = (
    *(f"milestone__{name}" for name in ("title", "status", "deliver_by", "held")),
    *(f"milestone__order__{name}" for name in ("number", "paused_at", "decide_by", "terms__review")),
)
_OPEN = Q(milestone__status__in=Milestone.OPEN)


@dataclass(frozen=True)
class Purse:
    """What a seller has in one currency, and why they can withdraw nothing of it now."""

    balance: Balance
    in_flight: int
    least: int | None  # that can be withdrawn; None while nothing can be
    account: PayoutAccount | None
    owes: bool

    @property
    def owed(self) -> int:
        return -self.balance.debt

    @cached_property
    def why_not(self) -> str:
        """The first thing in the way; empty when the button is there. The service itself has the last word."""
        if self.owes:
            return _("What you owe has to be paid before anything is withdrawn.")
        if self.in_flight:
            return _("A withdrawal is under way; the next one can follow it.")
        if self.least is None:
            return _("Nothing can be withdrawn in this currency at the moment.")
        if self.account is None or not self.account.is_ready:
            return _("Connect your bank first.")
        return ""

    @property
    def is_too_little(self) -> bool:
        return self.least is not None and self.balance.available < self.least


@dataclass(frozen=True)
class Expected:
    """What is to come for one milestone: the amount, and until when it is available at the latest."""

    title: str
    url: str
    currency: str
    price: int
    commission: int
    amount: int
    state: str
    by: datetime | None
    note: str = ""


@login_required
@require_safe
def earnings(request: SignedInRequest) -> HttpResponse:
    """What the signed-in person has earned and what will be theirs, per currency and per milestone."""
    seller, now = request.user, clock.now()
    account = services.payout_account_of(seller)
    withdrawals = Withdrawal.objects.filter(owner=seller).select_related("account").order_by("-pk")
    expected, purses = expected_by(seller, now), purses_of(seller, account)
    earned = earned_by(seller, now)
    currencies = currencies_of(earned, [(one.currency, one.amount) for one in expected])
    asked = request.GET.get("currency", "")
    currency = asked if asked in currencies else currencies[0] if currencies else ""
    coming = [(one.by, one.amount) for one in expected if one.by and one.currency == currency]
    context = {
        "purses": purses,
        "account": account,
        "expected": expected[:EXPECTED_SHOWN],
        "expected_later": len(expected[EXPECTED_SHOWN:]),
        "currencies": currencies,
        "currency": currency,
        "chart": chart_of_income(currency, earned, coming, now) if currency else None,
        "withdrawals": withdrawals[:WITHDRAWALS_SHOWN],
        "released": page_of(HeldFunds.objects.released_to(seller), COLUMNS, request.GET, most=PER_PAGE),
    }
    return render(request, "payments/earnings.html", context)


def purses_of(seller: User, account: PayoutAccount | None) -> list[Purse]:
    """What a seller has, per currency; `account` is theirs. One query."""
    # At most one withdrawal per currency is in flight; the database refuses a second one.
    flying = Withdrawal.objects.in_flight().filter(owner=seller, currency=OuterRef("currency"))
    limit = WithdrawalLimit.objects.filter(currency=OuterRef("currency"))
    found = Account.objects.with_balance().filter(owner=seller).order_by("currency")
    accounts = found.annotate(flying=Subquery(flying.values("amount")), least=Subquery(limit.values("least")))
    balances = services.balances_of(accounts)
    of: dict[str, Any] = {one.currency: one for one in accounts}
    owes = any(balance.debt < 0 for balance in balances)
    return [
        Purse(
            balance=balance,
            in_flight=of[balance.currency].flying or 0,
            least=of[balance.currency].least,
            account=account,
            owes=owes,
        )
        for balance in balances
    ]


def expected_by(seller: User, now: datetime) -> list[Expected]:
    """Open milestones and earnings that are clearing, what comes first at the top, then what has no date. One query."""
    found = HeldFunds.objects.to_come_for(seller).filter(Q(available_at__isnull=False) | _OPEN)
    funds = found.select_related("milestone__order__terms").order_by("-milestone__order_id", "milestone__position")
    # A big seller has hundreds of them: only what is shown here, and what it follows from, is read.
    funds = funds.only(*_OF_FUNDS, *_OF_MILESTONE)
    coming = [_of_clearing(held) if held.available_at else _of_milestone(held.milestone, now) for held in funds]
    far = datetime.max.replace(tzinfo=now.tzinfo)
    return sorted(coming, key=lambda expected: (expected.by or far, expected.title))


def _of_clearing(held: HeldFunds) -> Expected:
    milestone = held.milestone
    return Expected(
        title=milestone.title,
        url=milestone.order.get_absolute_url(),
        currency=held.currency,
        price=held.left_price,
        commission=held.commission,
        amount=held.earned,
        state=_("Clearing"),
        by=held.available_at,
    )


def _of_milestone(milestone: Milestone, now: datetime) -> Expected:
    held, order = milestone.held, milestone.order
    assert held  # the database refuses an open milestone without held funds
    by, note = _date_of(milestone, now)
    return Expected(
        title=milestone.title,
        url=order.get_absolute_url(),
        currency=held.currency,
        price=held.left_price,
        commission=held.commission,
        amount=held.payout,
        state=_("Frozen") if order.paused_at else str(_STATES[milestone.status]),
        by=by,
        note=note,
    )


def _date_of(milestone: Milestone, now: datetime) -> tuple[datetime | None, str]:
    """Until when it is available at the latest, and under which condition; no date where no clock runs."""
    order, terms, clearing = milestone.order, milestone.order.terms, milestone.held.clearing if milestone.held else None
    assert clearing is not None
    if order.paused_at:
        return None, _("A case is open: the order is frozen, and its clocks stand still.")
    if milestone.status == Milestone.Status.DELIVERED:
        return (order.decide_by + clearing, "") if order.decide_by else (None, "")
    if milestone.deliver_by is None or milestone.deliver_by <= now:
        return None, _("Late: the date follows from your delivery.")
    return milestone.deliver_by + terms.review + clearing, _("Forecast, if you deliver in time.")
