"""Custom offers: send, edit, withdraw, decline, and a buyer's wish for one (G2, G3)."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.accounts.reader import reading_as
from marketplace.catalog.models import Gig, Terms
from marketplace.catalog.plans import InvalidPlan, PlannedMilestone, check
from marketplace.notifications.services import tell
from orders.activity import record
from orders.guards import Refusal, Refused, require
from orders.locking import lock, touch
from orders.models import Event, Milestone, OfferRequest, Order
from orders.services.endings import Because, end
from orders.services.verbs import verb


@transaction.atomic
def send_offer(
    *,
    by: User,
    buyer: User,
    title: str,
    brief: str,
    currency: str,
    plan: Sequence[PlannedMilestone],
    gig: Gig | None = None,
    request: OfferRequest | None = None,
    number: str | None = None,
) -> Order:
    """Send a custom offer under the terms in force; the buyer has until it expires (G3, G4).

    `number` was given to the page: the same page sent twice makes one offer.
    The offer, its milestones, its event and the answer to the request, if there was one, appear together.
    Raises `Refused` when seller and buyer are one person, either is deactivated, or the request is another buyer's
    or answered, and for a plan that the terms do not allow.
    """
    by = User.objects.select_for_update(no_key=True).get(pk=by.pk)
    _may_deal(by, buyer)
    sent = Order.objects.filter(number=number).first() if number else None
    if sent:
        if (sent.seller, sent.buyer, sent.title) != (by, buyer, title) or _plan_of(sent) != list(plan):
            raise Refused(Refusal(_("An offer was sent from this page already. Check it before you send another one.")))
        return sent
    if request:
        request = OfferRequest.objects.select_for_update().get(pk=request.pk)
        if (request.seller_id, request.buyer_id) != (by.pk, buyer.pk):
            raise Refused(Refusal(_("This request came from somebody else.")))
        if request.offer_id:
            raise Refused(Refusal(_("This request is already answered.")))
    terms = Terms.objects.in_force()
    hold_to_terms(plan, currency, terms)
    now = clock.now()
    order = new_order(
        seller=by,
        buyer=buyer,
        title=title,
        brief=brief,
        currency=currency,
        plan=plan,
        gig=gig,
        terms=terms,
        now=now,
        number=number,
    )
    order.set_deadline(now, now + order.terms.offer)
    order.save()
    if request:
        request.offer, request.answered_at = order, now
        request.save()
    record(Event.Kind.OFFERED, order, by=by, at=now, moved=("", order.status))
    return order


@verb
def edit_offer(
    order: Order,
    *,
    by: User,
    title: str,
    brief: str,
    plan: Sequence[PlannedMilestone],
    version: int,
) -> Order:
    """Replace the offer's text and milestones; it comes under the terms in force and its time begins anew (G3, G4).

    Raises `Refused` once it was accepted, declined, withdrawn or has expired, and for a plan that the terms do not
    allow; `Stale`.
    """
    order, now = lock(order.pk, version=version)
    require(order.edit_offer)
    terms = Terms.objects.in_force()
    hold_to_terms(plan, order.currency, terms)
    touch(order, by=by, now=now)
    order.title, order.brief, order.terms = title, brief, terms
    order.set_deadline(now, now + order.terms.offer)
    order.save()
    order.milestones.all().delete()
    _copy_plan(order, plan)
    record(Event.Kind.OFFER_EDITED, order, by=by, at=now)
    return order


@verb
def withdraw_offer(order: Order, *, by: User, version: int | None = None) -> None:
    """G3. Raises `Refused` unless the offer still waits for its answer; `Stale`."""
    order, now = lock(order.pk, version=version)
    require(order.withdraw)
    touch(order, by=by, now=now)
    end(order, Because.WITHDRAWN, by=by, at=now)


@verb
def decline_offer(order: Order, *, by: User, version: int | None = None) -> None:
    """G3. Raises `Refused` unless the offer still waits for its answer; `Stale`."""
    order, now = lock(order.pk, version=version)
    require(order.decline)
    touch(order, by=by, now=now)
    end(order, Because.DECLINED, by=by, at=now)


@verb
def ask_offer(*, by: User, seller: User, text: str, gig: Gig | None = None, again: Order | None = None) -> OfferRequest:
    """Ask a seller for a custom offer, about a gig, or to order again what was not started (G2, O9).

    Asked twice in the same words, while it is not answered, it is one request.
    Raises `Refused` when buyer and seller are one person or either is deactivated, and for an order that cannot be
    ordered again.
    """
    by = User.objects.select_for_update(no_key=True).get(pk=by.pk)
    _may_deal(seller, by)
    if again:
        again = lock(again.pk)[0]
        require(again.order_again)
    asked = OfferRequest.objects.filter(buyer=by, seller=seller, gig=gig, again=again, text=text, offer=None).first()
    if asked:
        return asked
    now = clock.now()
    request = OfferRequest.objects.create(buyer=by, seller=seller, gig=gig, again=again, text=text, asked_at=now)
    with reading_as(seller):
        title = _("{buyer} asks you for an offer").format(buyer=by.name)
    tell(
        [seller],
        kind="offer_asked",
        title=title,
        text=text,
        url=f"/offers/new/?request={request.pk}",
        key=f"request:{request.pk}",
        at=now,
    )
    return request


def order_again(order: Order, *, by: User, text: str) -> OfferRequest:
    """Ask the seller of an ended order for a fresh offer with what was not started (O9). Raises as `ask_offer`."""
    return ask_offer(by=by, seller=order.seller, text=text, gig=order.gig, again=order)


def new_order(
    *,
    seller: User,
    buyer: User,
    title: str,
    brief: str,
    currency: str,
    plan: Sequence[PlannedMilestone],
    gig: Gig | None,
    terms: Terms,
    now: datetime,
    number: str | None = None,
) -> Order:
    """An order with its own copy of the plan, under the terms that were looked at; not announced to anybody yet."""
    order = Order(
        seller=seller,
        buyer=buyer,
        title=title,
        brief=brief,
        currency=currency,
        gig=gig,
        terms=terms,
        created_at=now,
        acted_at=now,
    )
    if number:
        order.number = number
    order.save()
    _copy_plan(order, plan)
    return order


def _plan_of(order: Order) -> list[PlannedMilestone]:
    return [PlannedMilestone.of(milestone) for milestone in order.plan]


def _copy_plan(order: Order, plan: Sequence[PlannedMilestone]) -> None:
    Milestone.objects.bulk_create(
        Milestone(
            order=order,
            position=position,
            title=step.title,
            description=step.description,
            price=step.price,
            delivery_days=step.delivery_days,
            revisions=step.revisions,
        )
        for position, step in enumerate(plan, start=1)
    )


def hold_to_terms(plan: Sequence[PlannedMilestone], currency: str, terms: Terms) -> None:
    """The rules of the form, for every other caller: prices within the terms, at most so many milestones (G4)."""
    try:
        check(plan, currency=currency, terms=terms)
    except InvalidPlan as problem:
        raise Refused(Refusal(str(problem))) from problem


def _may_deal(seller: User, buyer: User) -> None:
    if seller == buyer:
        raise Refused(Refusal(_("Nobody buys from themselves.")))
    if not (seller.is_active and buyer.is_active):
        raise Refused(Refusal(_("This account is deactivated.")))
