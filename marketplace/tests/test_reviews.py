"""Reviews on pages: the form, the order, the gig, the seller, admin."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.template import engines
from django.test import Client, RequestFactory
from django.urls import reverse

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import UserFactory
from marketplace.proof import prove, reviews
from marketplace.reviews.models import Review
from marketplace.reviews.services import publish_due_reviews, write_review
from marketplace.reviews.tests.factories import make_ended, make_gig, make_reviewed
from marketplace.templatetags import reviews as tags
from orders.models import Order
from orders.tests.conftest import _noon, invariants_hold
from orders.tests.factories import NOON, fresh, make_offer

__all__ = ["_noon", "invariants_hold"]

pytestmark = pytest.mark.django_db(transaction=True)


def url_of(order: Order) -> str:
    return reverse("reviews:review", args=[order.number])


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def drawn(tag: str, viewer: User, query: str = "", **context: Any) -> str:
    """What a tag of reviews shows the viewer, with the white space of a text."""
    request = RequestFactory().get(f"/{query}")
    request.user = viewer
    page = engines["django"].from_string("{% load reviews %}{% " + tag + " %}")
    return " ".join(page.render(context, request).split())


def test_the_form_writes_a_review_and_says_when_it_appears() -> None:
    order = make_ended()
    client = signed_in(order.buyer)
    shown = client.get(url_of(order))
    assert shown.status_code == 200
    said = shown.content.decode()
    assert "Theo Lindqvist cannot read it before they write one of you." in said
    assert said.count('type="radio"') == 5
    assert Review.objects.count() == 0

    wrong = client.post(url_of(order), {"version": order.version, "text": "x" * 2001})
    assert wrong.status_code == 422
    assert {"Choose from one to five stars.", "Ensure this value has at most 2000 characters (it has 2001)."} == {
        error for errors in wrong.context["form"].errors.values() for error in errors
    }
    values = {"version": order.version, "rating": "5", "text": "Warm & quick."}
    done = client.post(url_of(order), values, follow=True)
    assert done.redirect_chain == [(f"/orders/{order.number}/#reviews", 302)]
    assert [str(message) for message in done.context["messages"]] == [
        "Thank you. Your review appears when the other side has written theirs."
    ]
    again = client.post(url_of(order), values | {"text": "Changed my mind"})
    assert (again.status_code, "You have written your review." in again.content.decode()) == (409, True)
    assert "Changed my mind" in again.content.decode()
    assert Review.objects.get().text == "Warm & quick."

    theirs = signed_in(order.seller)
    assert "Ana Ruiz has written a review of you." in theirs.get(url_of(order)).content.decode()
    done = theirs.post(url_of(order), {"version": order.version, "rating": "4", "text": ""}, follow=True)
    assert [str(message) for message in done.context["messages"]] == ["Both reviews are public now."]


def test_the_form_says_why_not_and_strangers_find_nothing() -> None:
    order, offer = make_ended(), make_offer()
    assert signed_in(UserFactory()).get(url_of(order)).status_code == 404
    assert Client().get(url_of(order)).status_code == 302
    page = signed_in(offer.buyer).get(url_of(offer))
    assert (page.status_code, page.context["form"]) == (200, None)
    assert "You can review each other when the order has ended." in page.content.decode()
    stale = signed_in(order.buyer).post(url_of(order), {"version": order.version - 1, "rating": "5", "text": "Kept"})
    assert (stale.status_code, "Kept" in stale.content.decode(), Review.objects.count()) == (409, True, 0)
    with clock.at(NOON + timedelta(days=14)):
        over = signed_in(order.buyer).get(url_of(order))
    assert (over.context["form"], "The 14 days for reviews are over." in over.content.decode()) == (None, True)


def test_the_order_shows_each_side_only_what_it_may_know() -> None:
    order = make_ended()
    buyer, seller = order.buyer, order.seller
    assert drawn("order_reviews order", buyer, order=make_offer(buyer=buyer)) == ""
    assert "How was it with Theo Lindqvist? You can tell until" in drawn("order_reviews order", buyer, order=order)

    write_review(order, by=buyer, rating=2, text="Not on time.")
    own, others = (drawn("order_reviews order", person, order=fresh(order)) for person in (buyer, seller))
    assert "Not on time." in own
    assert "Only you can read it yet. It appears when Theo Lindqvist has written theirs, or on" in own
    assert "Ana Ruiz has written a review. It appears when you write yours, or on" in others
    assert "Not on time." not in others
    assert "2 of 5" not in others

    write_review(order, by=seller, rating=5, text="Pays at once.")
    for person in (buyer, seller):
        shown = drawn("order_reviews order", person, order=fresh(order))
        assert ("Not on time." in shown, "Pays at once." in shown, "/review/" in shown) == (True, True, False)


def test_when_the_time_is_over_the_order_says_who_was_silent() -> None:
    order = make_ended()
    write_review(order, by=order.buyer, rating=5, text="A joy.")
    with clock.at(NOON + timedelta(days=14)):
        own, others = (drawn("order_reviews order", side, order=order) for side in (order.buyer, order.seller))
    assert ("A joy." in own, "Theo Lindqvist wrote no review." in own) == (True, True)
    assert ("A joy." in others, "You wrote no review; the time for it is over." in others) == (True, True)


def test_gigs_and_sellers_list_reviews_newest_first_with_their_distribution() -> None:
    gig = make_gig()
    assert "Nobody has written a review yet." in drawn("gig_reviews gig", gig.seller, gig=gig)
    for day, rating in enumerate((5, 5, 4, 1)):
        with clock.at(NOON + timedelta(days=day)):
            make_reviewed(gig, rating, f"Review number {day}")
    with clock.at(NOON + timedelta(days=5)):
        gig.refresh_from_db()
        shown = drawn("gig_reviews gig", gig.seller, gig=gig)
        places = [shown.index(f"Review number {day}") for day in (3, 2, 1, 0)]
        assert places == sorted(places)
        assert "3.8 of 5, 4 reviews" in shown  # the mean of the site is that of these four: 15 / 4
        assert [int(part.split('"')[0]) for part in shown.split('max="4" value="')[1:]] == [2, 1, 0, 0, 1]
        gig.seller.refresh_from_db()
        of_seller = drawn("seller_reviews seller", gig.seller, seller=gig.seller)
        assert of_seller.count(gig.get_absolute_url()) == 4
        buyer = Order.objects.latest("pk").buyer
        assert "5.0 of 5 from 1 seller’s review" in drawn("buyer_stars buyer", gig.seller, buyer=buyer)
        assert "Not reviewed by sellers yet" in drawn("buyer_stars buyer", gig.seller, buyer=UserFactory())


def test_a_long_list_has_pages_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tags, "PER_PAGE", 2)
    gig = make_gig()
    for number in range(3):
        make_reviewed(gig, 4, f"Review number {number}")
    first = drawn("gig_reviews gig", gig.seller, "", gig=gig)
    (key,) = re.findall(r'href="\?reviews_after=([^"]+)#reviews"', first)
    second = drawn("gig_reviews gig", gig.seller, f"?after=3&reviews_after={key}", gig=gig)
    assert first.count("Review number") == 2
    assert second.count("Review number 0") == 1
    assert 'href="?after=3&amp;reviews_before=' in second


def test_support_hides_a_review_in_admin_and_edits_none() -> None:
    gig, support, finance = make_gig(), UserFactory(is_staff=True), UserFactory(is_staff=True)
    support.groups.add(Group.objects.get(name="Support"))
    finance.groups.add(Group.objects.get(name="Finance"))
    make_reviewed(gig, 1, "Call me at 555-0100.")
    review = Review.objects.get(about="seller")
    url = reverse("admin:reviews_review_change", args=[review.pk])
    client = signed_in(support)
    assert review.order.number in client.get(reverse("admin:reviews_review_changelist")).content.decode()
    assert client.post(url, {"hidden_because": ""}).status_code == 200
    assert client.post(url, {"hidden_because": "A phone number.", "rating": "5", "text": "Nice"}).status_code == 302
    review.refresh_from_db()
    assert (review.rating, review.hidden_because, review.hidden_by) == (1, "A phone number.", support)
    gig.refresh_from_db()
    assert gig.rating_count == 0
    assert LogEntry.objects.get().change_message == "Hidden: A phone number."
    assert "A phone number." in client.get(url).content.decode()
    assert client.post(url, {"hidden_because": "Once more"}).status_code == 403
    assert signed_in(finance).get(url).status_code == 403
    shown = drawn("order_reviews order", review.author, order=fresh(review.order))
    assert "Hidden by Customer Support: A phone number." in shown
    assert "Call me" in shown
    to_the_other = drawn("order_reviews order", review.subject, order=fresh(review.order))
    assert "Hidden by Customer Support: A phone number." in to_the_other
    assert "Call me" not in to_the_other
    assert "Call me" not in drawn("gig_reviews gig", gig.seller, gig=gig)


def test_the_proof_notices_what_no_sweep_has_published() -> None:
    order = make_ended()
    review = write_review(order, by=order.buyer, rating=5)

    def broken() -> list[str]:
        return [result.says for result in prove(clock.now(), reviews.ALIVE) if not result.holds]

    with clock.at(NOON + timedelta(days=14) + timedelta(minutes=4)):
        assert broken() == []
    with clock.at(NOON + timedelta(days=14) + timedelta(hours=1)):
        assert broken() == ["O18 what is visible is published"]
        publish_due_reviews()
        assert broken() == []
    assert Review.objects.get(pk=review.pk).counted_at == NOON + timedelta(days=14) + timedelta(hours=1)
