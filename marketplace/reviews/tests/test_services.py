"""Who may review whom and when, when it is read, and what it counts (O18)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from marketplace import clock
from marketplace.accounts import services as accounts
from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import UserFactory
from marketplace.catalog.models import Gig, Terms
from marketplace.catalog.services import publish_terms
from marketplace.notifications.models import Notice
from marketplace.reviews.models import Review
from marketplace.reviews.services import hide_review, publish_due_reviews, write_review
from marketplace.reviews.tests.factories import make_ended, make_gig, make_reviewed
from marketplace.tests.test_races import meet
from orders import services
from orders.guards import Refused
from orders.locking import Stale
from orders.models import Order
from orders.tests.factories import NOON, at, cancel_order, fresh, make_accepted, make_delivered, make_offer, make_placed

pytestmark = pytest.mark.django_db(transaction=True)

DAYS = timedelta(days=14)
SECOND = timedelta(seconds=1)


def rated(thing: Gig | User) -> tuple[int, int]:
    """The sum and the number of the published reviews, as the counters have them."""
    row = type(thing)._default_manager.get(pk=thing.pk)
    return row.rating_sum, row.rating_count


def told(person: User) -> list[tuple[str, str]]:
    notices = Notice.objects.filter(recipient=person, kind__startswith="review").order_by("pk")
    return [(notice.kind, notice.title) for notice in notices]


def stopped_after_one() -> Order:
    order = make_accepted()
    services.stop(order, by=order.buyer)
    return fresh(order)


WHEN: dict[str, tuple[Callable[[], Order], str]] = {
    "an offer": (make_offer, "You can review each other when the order has ended."),
    "in progress": (make_placed, "You can review each other when the order has ended."),
    "delivered": (make_delivered, "You can review each other when the order has ended."),
    "one of three accepted": (make_accepted, "You can review each other when the order has ended."),
    "canceled": (lambda: cancel_order(make_placed()), "No milestone was completed, so there is nothing to review."),
    "declined": (lambda: _declined(), "No milestone was completed, so there is nothing to review."),
    "completed": (make_ended, ""),
    "stopped after one": (stopped_after_one, ""),
    "a milestone completed, then canceled": (lambda: cancel_order(_second_started()), ""),
}


def _declined() -> Order:
    order = make_offer()
    services.decline_offer(order, by=order.buyer)
    return fresh(order)


def _second_started() -> Order:
    order = make_accepted()
    following = order.next_milestone
    assert following
    services.start(following, by=order.buyer, method="card_ok")
    return fresh(order)


@pytest.mark.parametrize("side", ["buyer", "seller"])
@pytest.mark.parametrize("state", WHEN)
def test_both_sides_review_an_ended_order_with_a_completed_milestone(state: str, side: str) -> None:
    make, reason = WHEN[state]
    order = make()
    person = getattr(order, side)
    if reason:
        with pytest.raises(Refused, match=reason):
            write_review(order, by=person, rating=4)
        assert not Review.objects.exists()
        return
    review = write_review(order, by=person, rating=4, text="Good.", version=order.version)
    assert (review.author, review.subject) == (person, order.seller if side == "buyer" else order.buyer)
    assert (review.about, review.rating, review.text) == ({"buyer": "seller", "seller": "buyer"}[side], 4, "Good.")
    assert fresh(order).version == order.version


def test_strangers_staff_and_deactivated_people_review_nobody() -> None:
    order, admin = make_ended(), UserFactory(is_staff=True, is_superuser=True)
    for stranger in (UserFactory(), admin):
        with pytest.raises(Refused, match=r"Only the buyer and the seller of an order review each other\."):
            write_review(order, by=stranger, rating=1)
    accounts.deactivate(order.buyer, by=admin)
    with pytest.raises(Refused, match=r"Your account is deactivated\."):
        write_review(order, by=order.buyer, rating=1)
    assert write_review(order, by=order.seller, rating=5).subject == order.buyer


def test_one_review_each_and_a_double_click_is_one() -> None:
    order = make_ended()
    first = write_review(order, by=order.buyer, rating=5, text="Lovely.")
    assert write_review(order, by=order.buyer, rating=5, text="Lovely.") == first
    with pytest.raises(Refused, match=r"You have written your review\."):
        write_review(order, by=order.buyer, rating=1, text="No: bad.")
    with pytest.raises(Stale):
        write_review(order, by=order.seller, rating=5, version=order.version - 1)
    assert Review.objects.count() == 1


def test_both_appear_when_both_are_written_and_only_the_buyers_counts() -> None:
    gig = make_gig()
    order = make_ended(gig)
    with at(days=1):
        write_review(order, by=order.buyer, rating=4, text="On time.")
        assert not Review.objects.visible(clock.now()).exists()
        assert told(order.seller) == [("review_written", f"Ana Ruiz has reviewed your order “{order.title}”")]
        text = Notice.objects.get(kind="review_written").text
        assert text.startswith("It appears when you write yours, or on Tue 3 Nov 2026, 12:00 (UTC).")
        assert rated(gig) == rated(gig.seller) == (0, 0)
    with at(days=2):
        write_review(order, by=order.seller, rating=1, text="Slow to answer.")
        assert set(Review.objects.visible(clock.now()).values_list("rating", "visible_from")) == {
            (4, clock.now()),
            (1, clock.now()),
        }
        assert rated(gig) == rated(gig.seller) == (4, 1)
        assert rated(order.buyer) == (0, 0)
        assert publish_due_reviews() == 0
    assert told(order.seller)[1:] == [("reviews_published", f"Ana Ruiz gave you 4 of 5 for “{order.title}”")]
    assert told(order.buyer) == [("reviews_published", f"Theo Lindqvist gave you 1 of 5 for “{order.title}”")]


def test_a_lonely_review_appears_at_the_end_of_the_orders_own_14_days_to_the_second() -> None:
    gig = make_gig()
    order = make_ended(gig)
    usual = Terms.objects.in_force()
    publish_terms(by=None, price_limits=usual.price_limits, reviews=timedelta(days=3), note="Shorter from now on")
    with at(days=13):
        review = write_review(order, by=order.buyer, rating=5)
    assert review.visible_from == NOON + DAYS
    with clock.at(NOON + DAYS - SECOND):
        assert not Review.objects.visible(clock.now()).exists()
        assert publish_due_reviews() == 0
    with clock.at(NOON + DAYS):
        # At once, even though nobody has swept yet …
        assert Review.objects.visible(clock.now()).get() == review
        assert rated(gig.seller) == (0, 0)
        with pytest.raises(Refused, match="The 14 days for reviews are over"):
            write_review(order, by=order.seller, rating=5)
        # … and in the ratings exactly once.
        assert [publish_due_reviews(), publish_due_reviews()] == [1, 0]
        assert rated(gig) == rated(gig.seller) == (5, 1)
    assert told(order.buyer) == [("reviews_published", f"Your review of Theo Lindqvist is public now: “{order.title}”")]
    assert told(order.seller)[1:] == [("reviews_published", f"Ana Ruiz gave you 5 of 5 for “{order.title}”")]


def test_the_second_side_may_write_until_the_last_second() -> None:
    order = make_ended()
    write_review(order, by=order.seller, rating=3)
    with clock.at(NOON + DAYS - SECOND):
        write_review(order, by=order.buyer, rating=2)
        assert Review.objects.visible(clock.now()).count() == 2
        assert rated(order.seller) == (2, 1)


def test_a_sellers_rating_sums_up_all_their_orders_and_a_gigs_only_its_own() -> None:
    gig = make_gig()
    other = make_gig(seller=gig.seller)
    for thing, rating in ((gig, 5), (gig, 2), (other, 4)):
        make_reviewed(thing, rating)
    custom = make_accepted(seller=gig.seller)
    services.stop(custom, by=custom.buyer)
    write_review(custom, by=custom.buyer, rating=1)
    write_review(custom, by=custom.seller, rating=1)
    assert (rated(gig), rated(other), rated(gig.seller)) == ((7, 2), (4, 1), (12, 4))


def test_support_hides_a_review_with_a_reason_and_the_ratings_forget_it() -> None:
    gig, agent = make_gig(), UserFactory(is_staff=True)
    order = make_reviewed(gig, 1, "An insult.")
    make_reviewed(gig, 5)
    review = Review.objects.get(order=order, about="seller")
    assert rated(gig) == rated(gig.seller) == (6, 2)
    for by, reason, refusal in (
        (agent, "  ", "Say why: both sides read it."),
        (order.seller, "I do not like it", "You are a party in this order; another agent has to decide."),
    ):
        with pytest.raises(Refused, match=refusal):
            hide_review(review, by=by, reason=reason)
    hidden = hide_review(review, by=agent, reason="It insults the seller.")
    assert (hidden.hidden_by, hidden.hidden_because) == (agent, "It insults the seller.")
    assert rated(gig) == rated(gig.seller) == (5, 1)
    assert not Review.objects.visible(clock.now()).filter(pk=review.pk).exists()
    with pytest.raises(Refused, match="This review is hidden already"):
        hide_review(review, by=agent, reason="Again")
    title = f"Customer Support has hidden a review of “{order.title}”"
    assert told(order.buyer)[-1] == told(order.seller)[-1] == ("review_hidden", title)


def test_what_is_hidden_before_it_appears_never_counts() -> None:
    order = make_ended()
    hide_review(write_review(order, by=order.buyer, rating=1), by=UserFactory(is_staff=True), reason="A phone number.")
    with clock.at(NOON + DAYS):
        assert [publish_due_reviews(), publish_due_reviews()] == [1, 0]
        assert rated(order.seller) == (0, 0)
        assert not Review.objects.visible(clock.now()).exists()
    assert "reviews_published" not in [kind for kind, _ in told(order.seller)]


def test_two_who_write_at_the_same_instant_are_both_read_and_counted_once() -> None:
    order = make_ended()
    written = meet(
        order,
        (lambda: write_review(order, by=order.buyer, rating=5), NOON + SECOND),
        (lambda: write_review(order, by=order.seller, rating=4), NOON + SECOND),
        (lambda: write_review(order, by=order.buyer, rating=1), NOON + SECOND),
    )
    assert [type(result) for result in written] == [Review, Review, Refused]
    assert Review.objects.visible(NOON + SECOND).count() == 2
    assert rated(order.seller) == (5, 1)


def test_many_workers_count_each_review_once() -> None:
    gig = make_gig()
    orders = [make_ended(gig) for _ in range(3)]
    for order in orders:
        write_review(order, by=order.buyer, rating=3)
    sweeps: list[tuple[Callable[[], Any], Any]] = [(publish_due_reviews, NOON + DAYS)] * 2
    # They meet at the seller's row: each holds one review, and passes over the other's.
    assert sum(meet(gig.seller, *sweeps)) == 3
    assert rated(gig) == rated(gig.seller) == (9, 3)


@pytest.mark.parametrize(
    "wrong",
    [
        {"rating": 0},
        {"rating": 6},
        {"subject": "author"},
        {"written_at": NOON + DAYS * 2},
        {"hidden_at": NOON},
        {"counted_at": NOON},
    ],
)
def test_the_database_refuses_what_no_review_is(wrong: dict[str, Any]) -> None:
    order = make_ended()
    write_review(order, by=order.buyer, rating=5)
    values = wrong | ({"subject": order.buyer} if "subject" in wrong else {})
    with pytest.raises(IntegrityError), transaction.atomic():
        Review.objects.update(**values)
