"""Placing, starting and paying: money in three steps (O2–O4, M7)."""

import logging
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, Sum
from django.utils.translation import gettext as _

import payments.services as payments
from marketplace import clock
from marketplace.accounts.models import User
from marketplace.afterwards import afterwards
from marketplace.catalog.models import Gig, Terms
from marketplace.catalog.plans import PlannedMilestone
from orders.activity import move, record
from orders.guards import Refusal, Refused, require
from orders.locking import lock, locked_milestone, touch
from orders.models import Event, Milestone, Order
from orders.operating import refuse_operator
from orders.services.endings import given_back
from orders.services.offers import hold_to_terms, new_order
from orders.services.verbs import verb
from payments.gateways import Outcome, ParsedEvent, State
from payments.models import Charge

log = logging.getLogger(__name__)

# An attempt that was left behind by a crash is taken up again after this long …
LEFT_BEHIND = timedelta(seconds=30)
# … and one that waits for the buyer or the bank, whose answer comes as an event, after this long (I15).
WAITING = timedelta(minutes=3)


@dataclass(frozen=True)
class HowToPay:
    """What the buyer chose: one of the gateway's methods or a saved card (O3), and whether credit is used first."""

    method: str
    keep_card: bool = False
    use_credit: bool = False


@transaction.atomic
def order_gig(
    gig: Gig,
    *,
    by: User,
    brief: str,
    method: str,
    gig_version: int,
    terms_id: int,
    number: str,
    keep_card: bool = False,
    use_credit: bool = False,
) -> Order:
    """Order a published gig's plan as it stands, and pay for its first milestone (G2, O2).

    `number` was given to the checkout page: the same checkout posted twice makes one order.
    The order, its milestones, its events and the intent to charge appear together; the charge follows the commit.
    Raises `Refused` when the gig cannot be ordered by this person, or plan or terms are not those that were shown.
    """
    gig = Gig.objects.select_for_update(of=("self",)).select_related("seller").get(pk=gig.pk)
    again = Order.objects.filter(number=number).first()
    if again and (again.buyer_id, again.gig_id) == (by.pk, gig.pk):
        return again
    if again:
        raise Refused(Refusal(_("This page has expired. Please open the gig once more.")))
    if gig.status != Gig.Status.PUBLISHED:
        raise Refused(Refusal(_("This gig cannot be ordered at the moment."), who="seller"))
    if gig.seller == by:
        raise Refused(Refusal(_("Nobody buys from themselves.")))
    terms = Terms.objects.in_force()
    if gig.version != gig_version or terms.pk != terms_id:
        raise Refused(Refusal(_("The gig or the terms have changed since you opened the page. Please look again.")))
    plan = [PlannedMilestone.of(step) for step in gig.plan.all()]
    hold_to_terms(plan, gig.currency, terms)  # it may have been published under others
    now = clock.now()
    order = new_order(
        seller=gig.seller,
        buyer=by,
        title=gig.title,
        brief=brief,
        currency=gig.currency,
        plan=plan,
        gig=gig,
        terms=terms,
        now=now,
        number=number,
    )
    record(Event.Kind.DRAWN_UP, order, by=None, at=now, moved=("", order.status))
    return place(order, by=by, method=method, keep_card=keep_card, use_credit=use_credit)


@verb
def place(
    order: Order,
    *,
    by: User,
    method: str,
    keep_card: bool = False,
    use_credit: bool = False,
    version: int | None = None,
) -> Order:
    """Accept the offer and pay for its first milestone, and only for it (O2).

    Order, milestone and the intent to charge change together; the provider is asked after the commit.
    `method` is one of the gateway's payment methods or a saved card, `keep_card` the buyer's consent to save the one
    they enter (O3); with `use_credit` their credit pays first. Raises `Refused`, `Stale`.
    """
    order, now = lock(order.pk, version=version)
    touch(order, by=by, now=now)
    move(order.place, now, kind=Event.Kind.PLACED, by=by, at=now)
    _start(order, order.plan[0], HowToPay(method, keep_card, use_credit), by=by, now=now)
    return order


@verb
def start(
    milestone: Milestone,
    *,
    by: User,
    method: str,
    keep_card: bool = False,
    use_credit: bool = False,
    version: int | None = None,
) -> Milestone:
    """Start the next milestone and pay for it (O1, O3). Changes together as in `place`. Raises `Refused`, `Stale`."""
    order, now = lock(milestone.order_id, version=version)
    milestone = locked_milestone(order, milestone.pk)
    touch(order, by=by, now=now)
    _start(order, milestone, HowToPay(method, keep_card, use_credit), by=by, now=now)
    return milestone


@verb
def pay(
    milestone: Milestone,
    *,
    by: User,
    method: str,
    keep_card: bool = False,
    use_credit: bool = False,
    version: int | None = None,
) -> Milestone:
    """Try again after a declined attempt, perhaps with another card; the deadline stays (O4).

    Raises `Refused` while an attempt is undecided or when nothing is to be paid, `Stale`.
    """
    order, now = lock(milestone.order_id, version=version)
    milestone = locked_milestone(order, milestone.pk)
    require(milestone.pay)
    touch(order, by=by, now=now)
    order.save()
    _charge(milestone, HowToPay(method, keep_card, use_credit), now=now)
    return milestone


@verb
def abandon(milestone: Milestone, *, by: User, version: int | None = None) -> Milestone:
    """Give up an attempt that the buyer did not confirm, so that another card can be used (O4).

    The provider is asked to cancel it after the commit; should it have succeeded meanwhile, it funds. Raises
    `Refused`, `Stale`.
    """
    order, now = lock(milestone.order_id, version=version)
    milestone = locked_milestone(order, milestone.pk)
    require(milestone.abandon)
    assert milestone.held
    assert milestone.undecided_charge
    touch(order, by=by, now=now)
    order.save()
    payments.cancel_attempts(milestone.held, at=now)
    record(Event.Kind.PAYMENT_ABANDONED, order, by=by, at=now, milestone=milestone)
    afterwards(collect, milestone.undecided_charge.pk)
    return milestone


def collect(charge_id: int) -> None:
    """Steps two and three: ask the provider, with no lock and no transaction open, and record what it says."""
    record_charge(charge_id, payments.ask_charge(charge_id))


@verb
def record_charge(charge_id: int, outcome: Outcome, event: ParsedEvent | None = None) -> None:
    """The one door for a charge's outcome, for the synchronous path, the webhook and the settlement alike (M7, M8).

    The outcome, the money's transfers, the milestone, the order and the provider's event, if one brought it,
    are recorded together; an outcome that was recorded before changes nothing.
    A success that can no longer fund its milestone goes back to the buyer in full.
    """
    charge = Charge.objects.select_related("held").get(pk=charge_id)
    milestone = Milestone.objects.get(held=charge.held_id)
    order, now = lock(milestone.order_id)
    milestone = locked_milestone(order, milestone.pk)
    if event and not _recorded_once(event, now=now):
        return
    charge.refresh_from_db()
    if not payments.record_outcome(charge, outcome, at=now):
        return
    if outcome.state not in (State.SUCCEEDED, State.FAILED, State.PROCESSING):
        return  # the attempt itself remembers that the buyer must confirm, or that it was canceled
    touch(order, by=None, now=now)
    if outcome.state == State.SUCCEEDED:
        _succeeded(order, milestone, charge, now=now)
    elif milestone.status == Milestone.Status.AWAITING_PAYMENT and outcome.state == State.FAILED:
        _failed(order, milestone, outcome, now=now)
    elif milestone.status == Milestone.Status.AWAITING_PAYMENT:
        _processing(order, milestone, now=now)
    order.save()


def settle_charges() -> int:
    """Take up the attempts that a crash or a silent provider left undecided; returns how many were asked about."""
    now = clock.now()
    undecided = payments.undecided_charges(before=now - LEFT_BEHIND)
    waiting = Q(status__in=(Charge.Status.ACTION_NEEDED, Charge.Status.PROCESSING), cancel_asked_at=None)
    left = list(undecided.exclude(waiting, asked_at__gt=now - WAITING).values_list("pk", flat=True)[:200])
    for charge_id in left:
        try:
            collect(charge_id)
        except Exception:
            log.exception("ALARM: charge %s could not be settled", charge_id)
    return len(left)


def _start(order: Order, milestone: Milestone, how: HowToPay, *, by: User, now: datetime) -> None:
    """Start a milestone of the locked order: the deadline is at least a payment window away (O4)."""
    move(milestone.start, now, kind=Event.Kind.STARTED, by=by, at=now)
    pay_by = max(order.decide_by or now, now + order.terms.payment)
    order.set_deadline(now, pay_by)
    order.save()
    milestone.pay_by = pay_by
    milestone.held = payments.hold(
        reference=f"{order.number}/{milestone.pk}",
        description=f"{order.title} – {milestone.title}",
        payer=order.buyer,
        payee=order.seller,
        price=milestone.price,
        currency=order.currency,
        buyer_fee_rate=order.terms.buyer_fee,
        commission_rate=order.terms.commission,
        clearing=order.terms.clearing,
    )
    milestone.save()
    _charge(milestone, how, now=now)


def _charge(milestone: Milestone, how: HowToPay, *, now: datetime) -> None:
    """Step one: commit the intent, and let the provider be asked after the commit, in the same process."""
    refuse_operator()
    assert milestone.held
    charge = payments.begin_charge(milestone.held, at=now, return_url=milestone.order.get_absolute_url(), **asdict(how))
    afterwards(collect, charge.pk)


def _recorded_once(event: ParsedEvent, *, now: datetime) -> bool:
    """Whether the provider's event is new and speaks of what we asked for."""
    stored = payments.record_event(event, at=now)
    if stored is None or payments.match_event(event) is None:
        return False
    payments.mark_applied(stored, outcome=f"told the order: {event.outcome.state}", at=now)
    return True


def _succeeded(order: Order, milestone: Milestone, charge: Charge, *, now: datetime) -> None:
    if milestone.status != Milestone.Status.AWAITING_PAYMENT or not _funds(charge, now=now):
        refund = payments.send_back(charge, at=now)
        record(Event.Kind.PAYMENT_RETURNED, order, by=None, at=now, milestone=milestone, **given_back(refund))
        return
    # A success after a failure may find a later attempt waiting: its money would only come and go back.
    payments.cancel_attempts(charge.held, at=now)
    move(milestone.fund, now, kind=Event.Kind.FUNDED, by=None, at=now, charged=charge.amount)
    if order.status == Order.Status.AWAITING_PAYMENT:
        move(order.activate, kind=Event.Kind.ACTIVATED, by=None, at=now)
    order.clear_deadline()


def _funds(charge: Charge, *, now: datetime) -> bool:
    """Fund, unless it comes after a failure whose credit has been spent since: a part of the price funds nothing."""
    try:
        payments.fund(charge, at=now)
    except payments.CreditGone:
        return False
    return True


def _failed(order: Order, milestone: Milestone, outcome: Outcome, *, now: datetime) -> None:
    assert milestone.pay_by
    assert milestone.started_at
    if order.decide_by != milestone.pay_by:
        # The bank was deciding, and the payment window counts again. Where it has run out meanwhile the buyer
        # gets it once more, within the time that a decision may take at all.
        began = milestone.started_at
        if milestone.pay_by <= now:
            began, milestone.pay_by = now, min(now + order.terms.payment, _decided_by(order, milestone))
            milestone.save()
        order.set_deadline(began, milestone.pay_by)
    # Last, because the notices name the deadline.
    record(Event.Kind.PAYMENT_FAILED, order, by=None, at=now, milestone=milestone, reason=outcome.reason)


def _processing(order: Order, milestone: Milestone, *, now: datetime) -> None:
    assert milestone.started_at
    order.set_deadline(milestone.started_at, _decided_by(order, milestone))
    record(Event.Kind.PAYMENT_PROCESSING, order, by=None, at=now, milestone=milestone)


def _decided_by(order: Order, milestone: Milestone) -> datetime:
    """How long the bank may decide: the time of the terms since the start, and the pauses since then (O4, R4)."""
    assert milestone.started_at
    since = order.pauses.filter(started_at__gte=milestone.started_at)
    paused = since.aggregate(total=Sum("added_to_decide_by"))["total"] or timedelta()
    return milestone.started_at + order.terms.processing + paused
