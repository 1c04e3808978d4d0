"""The order's page keeps itself up to date, says who has read what, and narrows what it tells."""

import re
from collections.abc import Generator
from datetime import UTC, datetime, timedelta

import pytest
from django.http import HttpResponse
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from marketplace import clock
from marketplace.accounts.tests.factories import UserFactory
from marketplace.order_activity import PAGE
from marketplace.tests import invariants
from marketplace.tests.visitor import Page, Visitor, words_of
from orders import services
from orders.models import Message, Order, ReadMark
from orders.tests.factories import deliver, fresh, make_accepted, make_delivered, make_placed
from orders.tests.rows import rows

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
ASKS = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _proven() -> Generator[None, None, None]:
    with clock.at(NOW):
        yield
    assert invariants.check() == []


@pytest.fixture
def ana() -> Visitor:
    return Visitor(UserFactory.create(name="Ana Ruiz"))


@pytest.fixture
def theo() -> Visitor:
    return Visitor(UserFactory.create(name="Theo Lindqvist"))


@pytest.fixture
def order(ana: Visitor, theo: Visitor) -> Order:
    return make_placed(buyer=ana.user, seller=theo.user)


def changes(visitor: Visitor, order: Order, seen: str) -> HttpResponse:
    address = reverse("order_changes", args=[order.number])
    response: HttpResponse = visitor.client.get(f"{address}?seen={seen}", headers=ASKS)
    return response


def whole(response: HttpResponse) -> Page:
    """A part as a page, to read it by its words."""
    return Page(HttpResponse(b"<!doctype html><title>A part</title>" + response.content), "/")


def news(response: HttpResponse) -> list[str]:
    page = whole(response)
    return page.words("p", inside=page.by_id("news"))


def state(order: Order, visitor: Visitor) -> str:
    """What the page says that it shows."""
    return shown_by(visitor.client.get(order.get_absolute_url()))


def shown_by(response: HttpResponse) -> str:
    found = re.search(r"seen=([0-9.]+)", response.content.decode())
    assert found
    return found[1]


# Live


def test_a_page_that_has_not_changed_costs_three_queries_and_no_answer(
    order: Order, ana: Visitor, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    seen = state(order, ana)
    with django_assert_num_queries(3):
        response = changes(ana, order, seen)
    assert (response.status_code, response.content) == (204, b"")
    assert response["X-Now"] == "2026-11-02T09:00:00Z"


def test_what_the_other_side_did_and_wrote_is_drawn_anew_and_said(order: Order, ana: Visitor, theo: Visitor) -> None:
    seen, theirs = state(order, ana), state(order, theo)
    services.send_message(order, by=order.seller, text="One moment.")
    deliver(order)
    response = changes(ana, order, seen)
    page = whole(response)
    assert response.status_code == 200
    assert news(response) == ["Theo Lindqvist delivered “Script” (Delivery 1)", "Theo Lindqvist wrote to you."]
    assert page.next == "Review “Script” – delivery 1"
    assert "One moment." in page.words(cls="bubble__text")
    swapped = {element.get("id") for element in page.all() if element.get("data-hx-swap-oob")}
    assert swapped == {"news", "standing", "step", "money", "track", "talked", "hint", "timeline", "nextbar", "after"}
    # What oneself did is shown in one's other tabs, but not said.
    assert news(changes(theo, order, theirs)) == []
    # The new part shows the state from which it was drawn: the next question costs nothing.
    assert changes(ana, order, shown_by(response)).status_code == 204
    for nonsense in ("", "x", "1.2.3", "1.1.1.1.1.1.²", "9" * 30):
        assert changes(ana, order, nonsense).status_code == 200


def test_a_deadline_that_passes_changes_the_page_too(ana: Visitor, theo: Visitor) -> None:
    order = make_placed(buyer=ana.user, seller=theo.user)
    seen = state(order, ana)
    with clock.at(NOW + timedelta(days=3)):
        response = changes(ana, order, seen)
        assert news(response) == ["The time has run out."]
        assert "Late" in whole(response).words(cls="badge--late")


def test_the_page_of_an_ended_order_stops_asking(ana: Visitor, theo: Visitor) -> None:
    order = make_accepted(buyer=ana.user, seller=theo.user)
    seen = state(order, theo)
    services.stop(order, by=order.buyer)
    response = changes(theo, order, seen)
    assert response.status_code == 286
    assert news(response)[0] == "The order ended: Ana Ruiz stopped it"
    assert "data-hx-trigger" not in whole(response).by_id("live").attrib
    assert "data-hx-trigger" not in theo.open(order.get_absolute_url()).by_id("live").attrib
    # Ordering again stands right at the end, and so does the review.
    page = ana.open(order.get_absolute_url())
    assert page.link("Order again") == reverse("orders:order_again", args=[order.number])
    assert page.by_id("reviews") is not None


def test_parts_are_for_the_two_sides_and_for_scripts_alone(order: Order, ana: Visitor) -> None:
    nosy, nobody = Visitor(UserFactory.create()), Visitor.nobody()
    part = reverse("orders:would", args=[order.number, "accept"])
    own = [reverse(name, args=[order.number]) for name in ("order_changes", "order_activity")]
    for address in (*own, part):
        assert nosy.client.get(address, headers=ASKS).status_code == 404
        assert nobody.client.get(address, headers=ASKS).status_code == 403
        assert nobody.client.get(address)["Location"] == f"/accounts/login/?next={address}"
        assert ana.client.get(address)["Location"] == order.get_absolute_url()
        assert ana.client.post(address, headers=ASKS).status_code == 405


# Who has read what


def test_a_message_is_read_by_a_post_or_by_an_answer_and_never_by_a_look(
    order: Order, ana: Visitor, theo: Visitor
) -> None:
    services.send_message(order, by=order.seller, text="Is blue fine?")
    services.send_message(order, by=order.seller, text="Or green?")
    assert Message.objects.unread_by(ana.user).count() == 2
    assert Message.objects.unread_by(theo.user).count() == 0
    assert Message.objects.unread_by(UserFactory.create()).count() == 0
    page = ana.open(order.get_absolute_url())
    assert (page.words(cls="talk__new"), ReadMark.objects.count()) == (["2 new messages"], 0)
    assert theo.open(order.get_absolute_url()).words(cls="talk__read") == []
    version = fresh(order).version
    with clock.at(NOW + timedelta(hours=1)):
        page = ana.press("Mark as read")
        assert (page.words(cls="talk__new"), page.words(cls="talk__mark")) == ([], [])
    with clock.at(NOW + timedelta(hours=2)):
        # Reading again moves nothing, and neither does a mark from an older page.
        first = Message.objects.earliest("pk").pk
        read = reverse("orders:mark_read", args=[order.number])
        assert ana.client.post(read, {"until": first}, headers=ASKS).status_code == 200
        for nonsense in ("", "x", "9" * 30):
            assert ana.client.post(read, {"until": nonsense}, headers=ASKS).status_code == 200
        page = theo.open(order.get_absolute_url())
        assert page.words(cls="talk__read") == ["✓ Read by Ana Ruiz · Mon 2 Nov, 10:00"]
        services.send_message(order, by=order.buyer, text="Blue.")
        services.send_message(order, by=order.seller, text="Thanks.")
        assert Message.objects.unread_by(theo.user).count() == 0
        # Answering is reading: what Ana had read stays read when it was.
        for visitor, mark in ((theo, "Ana Ruiz · Mon 2 Nov, 10:00"), (ana, "Theo Lindqvist · Mon 2 Nov, 11:00")):
            assert visitor.open(order.get_absolute_url()).words(cls="talk__read") == [f"✓ Read by {mark}"]
    assert fresh(order).version == version


def test_a_long_conversation_shows_its_end_and_the_rest_on_asking(order: Order, ana: Visitor) -> None:
    for number in range(33):
        services.send_message(order, by=order.buyer, text=f"Message {number}")
    page = ana.open(order.get_absolute_url())
    assert page.words(cls="bubble__text")[0] == "Message 3"
    assert len(ana.follow("Show 3 earlier messages").words(cls="bubble__text")) == 33
    # A double click on a long page is still one message.
    ana.press("Send message", text="Once.")
    ana.again()
    assert order.messages.filter(text="Once.").count() == 1


# The activity


def lines(page: Page) -> list[str]:
    return page.words("p", inside=page.by_id("timeline"))[::2]


def chosen(page: Page) -> list[str | None]:
    return [link.get("id") for link in page.all("a") if link.get("id") and link.get("aria-current") == "true"]


def test_the_activity_is_narrowed_by_links(ana: Visitor, theo: Visitor) -> None:
    order = make_delivered(buyer=ana.user, seller=theo.user)
    page = ana.open(order.get_absolute_url())
    assert chosen(page) == ["show-all"]
    money = ["$126.60 charged; “Script” is funded and in progress"]
    delivered = ["Theo Lindqvist delivered “Script” (Delivery 1): Here it is."]
    for show, told in (("money", money), ("deliveries", delivered)):
        page = ana.open(f"{order.get_absolute_url()}?show={show}")
        assert lines(page) == told
        assert chosen(page) == [f"show-{show}"]
        part = ana.client.get(f"{reverse('order_activity', args=[order.number])}?show={show}", headers=ASKS)
        assert lines(whole(part)) == lines(page)
    page = ana.open(f"{order.get_absolute_url()}?show=cases")
    assert "Nothing of this kind has happened." in page.words("p", inside=page.by_id("timeline"))
    assert len(lines(ana.open(f"{order.get_absolute_url()}?show=nonsense&before=x"))) == 5


def test_older_events_follow_by_key(order: Order, ana: Visitor) -> None:
    for _ in range(PAGE):
        deliver(order)
    page = ana.open(order.get_absolute_url())
    first = lines(page)
    older = ana.client.get(
        next(link.get("data-hx-get", "") for link in page.all("a") if words_of(link) == "Show older"), headers=ASKS
    )
    rest = whole(older).words("p", inside=whole(older).all("ol")[0])[::2]
    assert (len(first), rest[-1], set(first) & set(rest)) == (PAGE, "Theo Lindqvist sent an offer", set())
    assert lines(ana.follow("Show older")) == rest
    assert lines(ana.follow("Back to the newest")) == first
    # What was shown stays while something is added at the top.
    oldest = next(one.get("value") for one in page.all("input") if one.get("name") == "oldest")
    deliver(order)
    address = reverse("order_changes", args=[order.number])
    response = ana.client.get(f"{address}?seen=&show=all&oldest={oldest}", headers=ASKS)
    assert lines(whole(response))[1:] == first


def test_a_look_at_the_parts_changes_nothing(ana: Visitor, theo: Visitor) -> None:
    order = make_delivered(buyer=ana.user, seller=theo.user)
    services.send_message(order, by=order.seller, text="Well?")
    before = rows()
    for visitor in (ana, theo):
        visitor.open(order.get_absolute_url())
        for name in ("order_changes", "order_activity"):
            assert visitor.client.get(reverse(name, args=[order.number]), headers=ASKS).status_code == 200
    assert ana.client.get(reverse("orders:would", args=[order.number, "accept"]), headers=ASKS).status_code == 200
    assert rows() == before
