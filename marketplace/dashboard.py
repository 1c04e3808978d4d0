"""The seller's first page: what to do next, in time order; what comes by itself; what was earned (P2).

Assembled here, because cases, orders, reviews and the ledger each know a part of it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.contrib.auth.decorators import login_required
from django.db.models import DateTimeField, Exists, ExpressionWrapper, OuterRef, Subquery, Value
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.accounts.requests import SignedInRequest
from marketplace.catalog.models import Gig, Terms
from marketplace.earnings import Expected, Purse, expected_by, purses_of
from marketplace.income import chart_of_income, currencies_of, earned_by
from marketplace.order_lists import Line, line
from marketplace.reviews.models import Review
from marketplace.reviews.rules import reviews_end
from marketplace.sorted_orders import OrdersOf
from orders.models import Milestone, OfferRequest, Order
from payments import services

SHOWN = 20
MONTHS = 6
FAR = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class ToDo:
    """One thing that waits for the seller, and until when; None where no clock runs."""

    what: str
    about: str
    url: str
    until: datetime | None = None
    late: bool = False


@login_required
@require_safe
def dashboard(request: SignedInRequest) -> HttpResponse:
    seller, now = request.user, clock.now()
    under_way = OrdersOf(seller, "seller", now).first_under_way(SHOWN)
    lines = [line(order, "seller", now) for order in under_way]
    account = services.payout_account_of(seller)
    purses = purses_of(seller, account)
    expected = expected_by(seller, now)
    earned = earned_by(seller, now, past=MONTHS)
    currencies = currencies_of(earned, [(one.currency, one.amount) for one in expected])
    currency = currencies[0] if currencies else ""
    coming = [(one.by, one.amount) for one in expected if one.by and one.currency == currency]
    context = {
        "todo": [*_in_time_order(_steps(lines) + _to_review(seller, now)), *_whenever(seller, purses, expected)],
        "by_itself": _by_itself(lines),
        "purses": purses,
        "chart": chart_of_income(currency, earned, coming, now, past=MONTHS) if currency else None,
        "gigs": Gig.objects.filter(seller=seller, status=Gig.Status.PUBLISHED).count(),
        "has_sold": bool(lines or currency or purses),
    }
    return render(request, "selling/dashboard.html", context)


def _steps(lines: list[Line]) -> list[ToDo]:
    return [
        ToDo(
            what=_what(one),
            about=_("{order}, for {buyer}").format(order=one.order.title, buyer=one.other),
            url=one.order.get_absolute_url(),
            until=one.standing.until,
            late=one.standing.look == "late",
        )
        for one in lines
        if one.standing.mine
    ]


def _what(one: Line) -> str:
    milestone = one.milestone
    if milestone is None or one.order.paused_at or one.standing.until != milestone.deliver_by:
        return one.standing.text  # a case or a proposal to answer
    if milestone.status == Milestone.Status.IN_REVISION:
        return _("Deliver the revision of “{milestone}”").format(milestone=milestone.title)
    return _("Deliver “{milestone}”").format(milestone=milestone.title)


def _to_review(seller: User, now: datetime) -> list[ToDo]:
    """Buyers who can still be reviewed (O18)."""
    # No terms leave more time than this, so an index ends the search where nothing can be reviewed any more.
    since = ExpressionWrapper(
        Value(now) - Subquery(Terms.objects.order_by("-reviews").values("reviews")[:1]), output_field=DateTimeField()
    )
    ended = Order.objects.sold_by(seller).filter(status=Order.Status.COMPLETED, ended_at__gt=since)
    unwritten = ended.filter(~Exists(Review.objects.filter(author=seller, order=OuterRef("pk"))))
    recent = unwritten.select_related("buyer", "terms").order_by("-ended_at")[:SHOWN]
    return [
        ToDo(
            what=_("Review {buyer}").format(buyer=order.buyer.name),
            about=order.title,
            url=reverse("reviews:review", args=[order.number]),
            until=ends,
        )
        for order in recent
        if (ends := reviews_end(order)) and ends > now
    ]


def _in_time_order(todo: list[ToDo]) -> list[ToDo]:
    return sorted(todo, key=lambda one: one.until or FAR)


def _whenever(seller: User, purses: list[Purse], expected: list[Expected]) -> list[ToDo]:
    """What no clock runs for: wishes of buyers, and what keeps the money from going out."""
    asked = OfferRequest.objects.filter(seller=seller, offer=None).select_related("buyer").order_by("pk")
    todo = [
        ToDo(
            what=_("Answer {buyer}, who asks for an offer").format(buyer=request.buyer.name),
            about=request.text[:200],
            url=f"{reverse('orders:send_offer')}?request={request.pk}",
        )
        for request in asked[:SHOWN]
    ]
    earnings = reverse("earnings")
    if any(purse.owes for purse in purses):
        todo.append(ToDo(_("Pay what you owe"), _("Nothing can be withdrawn until it is paid."), earnings))
    unconnected = all(purse.account is None or not purse.account.is_ready for purse in purses)
    if unconnected and (expected or any(purse.balance.available for purse in purses)):
        todo.append(ToDo(_("Connect your bank"), _("Your earnings can be withdrawn as soon as it is there."), earnings))
    return todo


def _by_itself(lines: list[Line]) -> list[Line]:
    """What waits for somebody else, the next deadline first."""
    waiting = [one for one in lines if not one.standing.mine]
    return sorted(waiting, key=lambda one: one.standing.until or FAR)
