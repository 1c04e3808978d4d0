"""Delivering, accepting and revising a milestone (O5, O6, O8)."""

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext as _

from marketplace.accounts.models import User
from orders.activity import move
from orders.files import CheckedFile
from orders.guards import Refusal, Refused, require
from orders.locking import lock, locked_milestone, touch
from orders.models import Delivery, Event, Milestone, Order
from orders.operating import refuse_operator
from orders.services.agreed import add_revisions
from orders.services.endings import Because, end_if_nothing_is_left, pay_seller
from orders.services.files import attach
from orders.services.paying import start
from orders.services.verbs import verb


@verb
def deliver(
    milestone: Milestone,
    *,
    by: User,
    message: str,
    files: Sequence[CheckedFile] = (),
    version: int | None = None,
) -> Delivery:
    """Deliver, or deliver again before the buyer answers: a full review window begins (O5, O6).

    Delivery, files, milestone and deadline change together. Raises `Refused`, `Stale`.
    """
    order, now = lock(milestone.order_id, version=version)
    milestone = locked_milestone(order, milestone.pk)
    require(milestone.deliver)
    touch(order, by=by, now=now)
    delivery = Delivery.objects.create(
        milestone=milestone,
        number=milestone.deliveries.count() + 1,
        message=message,
        delivered_by=by,
        delivered_at=now,
    )
    attach(order, files, by=by, at=now, delivery=delivery)
    order.set_deadline(now, now + order.terms.review)
    order.save()
    move(milestone.deliver, now, kind=Event.Kind.DELIVERED, by=by, at=now, note=message, delivery=delivery.number)
    return delivery


@verb
def accept(milestone: Milestone, *, by: User, version: int | None = None) -> Milestone:
    """Accept the latest delivery: the milestone is completed and the seller paid (O6, O8, O10).

    Milestone, ledger and deadline change together; the order ends if nothing is left to do.
    Raises `Refused` with nothing delivered, `Stale`.
    """
    order, now = lock(milestone.order_id, version=version)
    milestone = locked_milestone(order, milestone.pk)
    require(milestone.accept)
    _accept(order, milestone, by=by, now=now)
    return milestone


def accept_and_continue(
    milestone: Milestone,
    *,
    by: User,
    method: str,
    keep_card: bool = False,
    use_credit: bool = False,
    version: int | None = None,
) -> Milestone:
    """Accept, then start and pay for the next milestone: two acts in turn (O3).

    Each is a transaction of its own: if the payment fails, the acceptance stands.
    Returns the milestone that was started. Raises `Refused` before anything is accepted unless both acts
    are possible, `Stale`; and after the acceptance, saying so, if somebody else acts in between.
    """
    refuse_operator()
    order = _accept_to_continue(milestone, by=by, version=version)
    following = order.next_milestone
    assert following  # the guard of the first act has seen it
    try:
        return start(following, by=by, method=method, keep_card=keep_card, use_credit=use_credit, version=order.version)
    except Refused as refused:
        # Somebody acted in between: what was accepted stays accepted, and the buyer must not read otherwise.
        stands = _("“{milestone}” is accepted. The next milestone was not started: {reason}")
        reason = refused.refusal.reason
        raise Refused(Refusal(stands.format(milestone=milestone.title, reason=reason))) from refused


@verb
def _accept_to_continue(milestone: Milestone, *, by: User, version: int | None) -> Order:
    order, now = lock(milestone.order_id, version=version)
    milestone = locked_milestone(order, milestone.pk)
    require(milestone.accept_and_continue)
    _accept(order, milestone, by=by, now=now)
    return order


def _accept(order: Order, milestone: Milestone, *, by: User, now: datetime) -> None:
    """Complete and pay a milestone of the locked order, and give the buyer their time to continue."""
    touch(order, by=by, now=now)
    if milestone.status == Milestone.Status.IN_REVISION:
        order.set_deadline(now, now + order.terms.review)  # no deadline of the buyer was running (O13)
    assert order.decide_by
    longer = order.terms.continuing
    if longer is not None and now + longer > order.decide_by:
        order.set_deadline(now, now + longer)
    released = pay_seller(milestone, at=now)
    move(milestone.accept, now, kind=Event.Kind.ACCEPTED, by=by, at=now, released=released)
    end_if_nothing_is_left(order, Because.FINISHED, by=by, at=now)
    order.save()


@verb
def request_revision(milestone: Milestone, *, by: User, text: str, version: int | None = None) -> Milestone:
    """Give the delivery back to the seller with a new delivery date; the review window ends (O8).

    Raises `Refused` when no revision is left, `Stale`.
    """
    order, now = lock(milestone.order_id, version=version)
    milestone = locked_milestone(order, milestone.pk)
    require(milestone.request_revision)
    touch(order, by=by, now=now)
    order.clear_deadline()
    order.save()
    move(milestone.request_revision, now, kind=Event.Kind.REVISION_REQUESTED, by=by, at=now, note=text)
    return milestone


@verb
def grant_revisions(milestone: Milestone, *, by: User, count: int, version: int | None = None) -> Milestone:
    """The seller grants `count` extra revisions (O8). Raises `Refused`, `Stale`."""
    order, now = lock(milestone.order_id, version=version)
    milestone = locked_milestone(order, milestone.pk)
    require(milestone.grant_revisions)
    touch(order, by=by, now=now)
    add_revisions(order, milestone, count=count, by=by, at=now)
    order.save()
    return milestone
