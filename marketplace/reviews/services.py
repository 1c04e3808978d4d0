"""The verbs of reviews: write, publish what is due, hide."""

import logging
from datetime import datetime

from django.db import transaction
from django.db.models import Count, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from marketplace import clock
from marketplace.accounts.instants import deadline
from marketplace.accounts.models import User
from marketplace.accounts.reader import reading_as
from marketplace.afterwards import afterwards
from marketplace.catalog.models import Gig
from marketplace.notifications.services import tell
from marketplace.reviews.models import Review, ReviewQuerySet
from marketplace.reviews.rules import reviews_end, why_not_review
from orders.guards import Refusal, Refused
from orders.locking import lock
from orders.models import Order
from orders.operating import refuse_party
from orders.services import verb

log = logging.getLogger(__name__)

BATCH = 200


@verb
def write_review(order: Order, *, by: User, rating: int, text: str = "", version: int | None = None) -> Review:
    """Review the other side, from 1 to 5 stars (O18). The order and its version stay as they are.

    The first review waits; the second makes both visible at once. A review that stays alone is visible when the time
    of the order's own terms is over. The same review once more is the second half of a double click, and the one that
    was written is returned. Raises `Refused` for strangers and deactivated people, before the order has ended, without
    a completed milestone, for a second review, and when the time is over; `Stale`.
    """
    order, now = lock(order.pk, version=version)
    by = User.objects.get(pk=by.pk)
    written = list(order.reviews.all())
    again = next((review for review in written if review.author_id == by.pk), None)
    if again and (again.rating, again.text) == (rating, text):
        return again
    refusal = why_not_review(order, by, now)
    if refusal:
        raise Refused(refusal)
    ends = reviews_end(order)
    assert ends
    is_buyer = by.pk == order.buyer_id
    review = Review.objects.create(
        order=order,
        author=by,
        subject=order.seller if is_buyer else order.buyer,
        about=Review.Side.SELLER if is_buyer else Review.Side.BUYER,
        rating=rating,
        text=text,
        written_at=now,
        visible_from=now if written else ends,
    )
    if written:
        order.reviews.update(visible_from=now)
        afterwards(_publish_both, order.pk)
    else:
        _tell_written(review, ends, now)
    return review


def publish_due_reviews() -> int:
    """Count what has become visible, and tell both sides; returns how many reviews. Any number of workers may run."""
    now, done, last = clock.now(), 0, 0
    while True:
        due = Review.objects.to_publish(now).filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)
        batch = list(due[:BATCH])
        for pk in batch:
            try:
                done += _publish(pk)
            except Exception:
                # It is found again the next time; meanwhile it keeps no other from being published.
                log.exception("ALARM: review %s could not be published", pk)
        if len(batch) < BATCH:
            return done
        last = batch[-1]


@transaction.atomic
def hide_review(review: Review, *, by: User, reason: str) -> Review:
    """Take a review out of sight and out of the ratings; both sides are told why. Nobody edits one.

    Raises `Refused` for an agent who is a party of the order (R6), without a reason, and when it is hidden already.
    """
    now = clock.now()
    review = Review.objects.select_for_update(no_key=True).get(pk=review.pk)
    order = Order.objects.select_related("buyer", "seller").get(pk=review.order_id)
    refuse_party(order, by)
    reason = " ".join(reason.split())
    if not reason:
        raise Refused(Refusal(_("Say why: both sides read it.")))
    if review.hidden_at:
        raise Refused(Refusal(_("This review is hidden already.")))
    review.hidden_at, review.hidden_by, review.hidden_because = now, by, reason
    review.save(update_fields=["hidden_at", "hidden_by", "hidden_because"])
    if review.counted_at:
        _recount(review, order)
    for person in (order.buyer, order.seller):
        with reading_as(person):
            tell(
                [person],
                kind="review_hidden",
                title=_("Customer Support has hidden a review of “{order}”").format(order=order.title),
                text=reason,
                url=_url(order),
                key=f"review:{review.pk}:hidden",
                at=now,
            )
    return review


def _publish_both(order_id: int) -> None:
    for pk in Review.objects.filter(order=order_id).order_by("pk").values_list("pk", flat=True):
        _publish(pk)


@transaction.atomic
def _publish(pk: int) -> bool:
    """Put one visible review into the ratings and tell of it, unless another worker did.

    The order is not locked: its lock comes before a person's row, which counting needs; and nothing else changes a
    review that is visible but this and support's hiding, both under the review's own lock.
    """
    now = clock.now()
    due = Review.objects.to_publish(now).filter(pk=pk)
    review = due.select_for_update(no_key=True, skip_locked=True, of=("self",)).first()
    if review is None:
        return False
    review.counted_at = now
    review.save(update_fields=["counted_at"])
    if review.hidden_at:
        return True
    order = Order.objects.select_related("buyer", "seller").get(pk=review.order_id)
    _recount(review, order)
    _tell_published(review, order, now)
    return True


def _recount(review: Review, order: Order) -> None:
    """Set the counters of the gig and the seller to what their reviews say now.

    Each row is locked first, and counted by the statement after that, which sees what others have committed.
    """
    if review.about != Review.Side.SELLER:
        return
    if order.gig_id:
        gigs = Gig.objects.filter(pk=order.gig_id)
        gigs.select_for_update(no_key=True).values_list("pk").get()
        gigs.update(**_sums(Review.objects.filter(order__gig=order.gig_id).counted()))
    sellers = User.objects.filter(pk=review.subject_id)
    sellers.select_for_update(no_key=True).values_list("pk").get()
    sellers.update(**_sums(Review.objects.filter(subject=review.subject_id).counted()))


def _sums(reviews: ReviewQuerySet) -> dict[str, int]:
    return reviews.aggregate(rating_sum=Coalesce(Sum("rating"), 0), rating_count=Count("pk"))


def _tell_written(review: Review, ends: datetime, now: datetime) -> None:
    person = review.subject
    with reading_as(person):
        tell(
            [person],
            kind="review_written",
            title=_("{name} has reviewed your order “{order}”").format(
                name=review.author.name, order=review.order.title
            ),
            text=_(
                "It appears when you write yours, or on {instant}. Until then neither of you reads the other’s."
            ).format(instant=deadline(ends)),
            url=_url(review.order),
            key=f"review:{review.pk}:written",
            at=now,
        )


def _tell_published(review: Review, order: Order, now: datetime) -> None:
    buyer, seller = order.buyer, order.seller
    author, subject = (buyer, seller) if review.author_id == buyer.pk else (seller, buyer)
    with reading_as(subject):
        tell(
            [subject],
            kind="reviews_published",
            title=_("{name} gave you {rating} of 5 for “{order}”").format(
                name=author.name, rating=review.rating, order=order.title
            ),
            text=review.text,
            url=_url(order),
            key=f"review:{review.pk}:published",
            at=now,
        )
    if order.reviews.count() > 1:
        return
    with reading_as(author):
        tell(
            [author],
            kind="reviews_published",
            title=_("Your review of {name} is public now: “{order}”").format(name=subject.name, order=order.title),
            text=_("{name} did not write one in time.").format(name=subject.name),
            url=_url(order),
            key=f"review:{review.pk}:published",
            at=now,
        )


def _url(order: Order) -> str:
    return f"{order.get_absolute_url()}#reviews"
