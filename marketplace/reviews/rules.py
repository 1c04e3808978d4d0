"""Who may review whom, and until when (O18)."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.db.models import Prefetch, prefetch_related_objects
from django.urls import reverse
from django.utils.translation import gettext as _

from marketplace.accounts.models import User
from marketplace.catalog.durations import in_words
from marketplace.reviews.models import Review
from orders.actions import Action
from orders.guards import Refusal
from orders.models import Order


def reviews_of(order: Order) -> list[Review]:
    """The reviews of an order, with their authors; kept on it, so that what asks again asks no database."""
    prefetch_related_objects([order], Prefetch("reviews", Review.objects.select_related("author")))
    return list(order.reviews.all())


def reviews_end(order: Order) -> datetime | None:
    """When the time for reviews is over: the end of the order and the days of its own terms; None before it ended."""
    return order.ended_at + order.terms.reviews if order.ended_at else None


@dataclass(frozen=True)
class Standing:
    """The reviews of one order as one of its sides may know them at `now`.

    What the other side wrote is `theirs` only when it is visible; before that it is known that it was written.
    """

    order: Order
    viewer: User
    now: datetime

    @cached_property
    def _written(self) -> list[Review]:
        return reviews_of(self.order)

    @property
    def other(self) -> User:
        return self.order.seller if self.order.side_of(self.viewer) == "buyer" else self.order.buyer

    @property
    def mine(self) -> Review | None:
        return next((review for review in self._written if review.author_id == self.viewer.pk), None)

    @property
    def theirs(self) -> Review | None:
        return next((review for review in self._of_other if review.visible_from <= self.now), None)

    @property
    def other_has_written(self) -> bool:
        return bool(self._of_other)

    @property
    def _of_other(self) -> list[Review]:
        return [review for review in self._written if review.author_id != self.viewer.pk]

    @property
    def mine_is_out(self) -> bool:
        return self.mine is not None and self.mine.visible_from <= self.now

    @property
    def ends(self) -> datetime | None:
        return reviews_end(self.order)

    @property
    def is_over(self) -> bool:
        return self.ends is not None and self.ends <= self.now

    @property
    def url(self) -> str:
        return reverse("reviews:review", args=[self.order.number])

    @cached_property
    def refusal(self) -> Refusal | None:
        return why_not_review(self.order, self.viewer, self.now)


def review_action(order: Order, viewer: User, now: datetime) -> Action:
    """The button for the lists of what an order offers (P1): available, or greyed with the reason."""
    standing = Standing(order, viewer, now)
    refusal = standing.refusal
    return Action(
        name="review",
        label=_("Review {name}").format(name=standing.other.name),
        url=standing.url,
        allowed=refusal is None,
        reason=refusal.reason if refusal else "",
        who=refusal.who if refusal else "",
        when=refusal.when if refusal else None,
    )


def why_not_review(order: Order, person: User, now: datetime) -> Refusal | None:
    """Why `person` cannot review the other side at `now`; None when they can. Windows are [start, end) (O7)."""
    if not order.side_of(person):
        return Refusal(_("Only the buyer and the seller of an order review each other."))
    if not person.is_active:
        return Refusal(_("Your account is deactivated."), who="support")
    if order.is_overdue(now):
        return Refusal(
            _("The time for this has run out; the clock is about to settle the order."), when=order.decide_by
        )
    ends = reviews_end(order)
    if ends is None:
        return Refusal(_("You can review each other when the order has ended."))
    if order.status != Order.Status.COMPLETED:
        return Refusal(_("No milestone was completed, so there is nothing to review."))
    if any(review.author_id == person.pk for review in reviews_of(order)):
        return Refusal(_("You have written your review."))
    if ends <= now:
        return Refusal(_("The {length} for reviews are over.").format(length=in_words(order.terms.reviews)))
    return None
