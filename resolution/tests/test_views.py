"""The page of a case: who sees what, what is typed is kept, and what is refused says why."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils.html import escape

from marketplace import clock
from marketplace.accounts.models import User
from orders import services as orders
from orders.models import Order
from orders.tests.factories import current, fresh
from resolution import services
from resolution.actions import OPENING
from resolution.models import Case
from resolution.tests.conftest import OrderIn, after
from resolution.tests.factories import declined, fresh_case, opened, reason
from resolution.tests.reading import signed_in, text_of

pytestmark = pytest.mark.django_db


# The case's page


def test_both_sides_see_the_same_facts(in_progress: Order) -> None:
    case = opened(in_progress, statement="We changed our plans.")
    for user in (in_progress.buyer, in_progress.seller):
        text = text_of(signed_in(user).get(f"/cases/{case.number}/"))
        assert "We changed our plans." in text
        assert "Reason Both sides agree" in text
        assert (
            "If nobody acts If the seller does not answer, it counts as agreed: "
            "“Logo” is canceled and $105.50 goes back to the buyer." in text
        )
        assert "Until Wed 4 Nov, 12:00 (UTC)" in text
        assert "This was decided when the case was opened." in text


def test_each_side_sees_its_own_buttons(in_progress: Order) -> None:
    case = opened(in_progress)
    buyer = signed_in(in_progress.buyer).get(f"/cases/{case.number}/").content.decode()
    seller = signed_in(in_progress.seller).get(f"/cases/{case.number}/").content.decode()
    for name, who in (("accept", seller), ("decline", seller), ("withdraw", buyer)):
        assert f'action="/cases/{case.number}/{name}/"' in who
    assert f'action="/cases/{case.number}/accept/"' not in buyer
    assert f'action="/cases/{case.number}/withdraw/"' not in seller
    assert "Waiting for Theo Lindqvist to answer" in buyer
    assert "Answer: cancel “Logo”?" in seller


def test_accept_shows_the_same_outcome_that_opening_showed(in_progress: Order) -> None:
    case = opened(in_progress)
    text = text_of(signed_in(in_progress.seller).get(f"/cases/{case.number}/"))
    assert (
        "State “Logo”: In progress → Canceled The clocks: frozen → running Money $105.50 goes back to the buyer "
        "Clocks Your time to deliver “Logo” ends "
        "The buyer's time to start “Business cards” or stop: until Tue 10 Nov, 12:00 (UTC) "
        f"Told Ana Ruiz: Case {case.number} was accepted: “Logo” is canceled and $105.50 goes back to the buyer; "
        "“Logo” was canceled" in text
    )
    assert fresh_case(case).status == "open"


def test_a_case_that_waits_for_support_says_until_when_and_when_support_is_late(delivered: Order) -> None:
    case = opened(delivered)
    with clock.at(after(days=2)):
        services.settle_due_cases()
        text = text_of(signed_in(delivered.buyer).get(f"/cases/{case.number}/"))
    assert "Waiting for Customer Support Until Sat 7 Nov, 12:00 (UTC) 3 days left" in text
    with clock.at(after(days=5)):
        text = text_of(signed_in(delivered.seller).get(f"/cases/{case.number}/"))
    assert "Customer Support is late: their decision was due, and they are reminded every day." in text


def test_an_overdue_case_says_what_the_clock_is_about_to_do_and_settles_nothing(in_progress: Order) -> None:
    case = opened(in_progress)
    with clock.at(after(days=3)):
        text = text_of(signed_in(in_progress.seller).get(f"/cases/{case.number}/"))
    assert "The time to answer is over The clock is about to do what silence means: it counts as agreed" in text
    assert "Accept The time to answer is over: what silence means is about to happen." in text
    assert fresh_case(case).status == "open"


def test_the_activity_of_a_case_is_told_to_its_reader(delivered: Order) -> None:
    case = declined(delivered)
    services.escalate_case(case, by=delivered.buyer, text="Please look.")
    text = text_of(signed_in(delivered.buyer).get(f"/cases/{case.number}/"))
    position = -1
    for line in (
        f"You opened case {case.number} to cancel “Logo”: Both sides agree",
        f"The order is frozen while case {case.number} is open",
        f"Theo Lindqvist declined case {case.number}",
        f"Case {case.number} ended: the clocks run again",
        f"You took case {case.number} to Customer Support",
    ):
        assert text.index(line) > position
        position = text.index(line)


def test_support_s_note_is_read_by_both(delivered: Order, agent: User) -> None:
    case = opened(delivered)
    services.dismiss_case(case, by=agent, reason=reason("scope_disagreement"), note="It is what was ordered.")
    for user in (delivered.buyer, delivered.seller):
        text = text_of(signed_in(user).get(f"/cases/{case.number}/"))
        assert (
            "Customer Support's decision Dismissed by Customer Support. "
            "Support's reason We disagree about the scope Note to both It is what was ordered." in text
        )
        assert "Customer Support dismissed the case · Mon 2 Nov, 12:00 It is what was ordered." in text
        assert "Sam Support" not in text


def test_what_people_wrote_is_inert(in_progress: Order) -> None:
    evil = "<script>alert(1)</script>"
    case = opened(in_progress, statement=evil)
    page = signed_in(in_progress.seller).get(f"/cases/{case.number}/").content.decode()
    assert escape(evil) in page
    assert evil not in page


# Acting


ACTS: list[tuple[str, str, Callable[[Order], Case], str]] = [
    ("accept", "seller", opened, "accepted"),
    ("decline", "seller", opened, "declined"),
    ("withdraw", "buyer", opened, "withdrawn"),
    ("escalate", "buyer", declined, "escalated"),
]


@pytest.mark.parametrize(("name", "side", "make", "status"), ACTS)
def test_each_button_does_its_work(delivered: Order, name: str, side: str, make: Any, status: str) -> None:
    case = make(delivered)
    values = {"version": fresh(delivered).version, "text": "Because."}
    response = signed_in(getattr(delivered, side)).post(f"/cases/{case.number}/{name}/", values)
    assert (response.status_code, response["Location"]) == (302, f"/cases/{case.number}/")
    assert fresh_case(case).status == status


@pytest.mark.parametrize(("name", "side", "make", "status"), ACTS)
def test_the_other_side_gets_the_reason_and_changes_nothing(
    delivered: Order, name: str, side: str, make: Any, status: str
) -> None:
    case = make(delivered)
    other = delivered.seller if side == "buyer" else delivered.buyer
    values = {"version": fresh(delivered).version, "text": "Because."}
    response = signed_in(other).post(f"/cases/{case.number}/{name}/", values)
    assert response.status_code == 403
    assert f"Only the {side} can do this" in text_of(response)
    assert fresh_case(case).status == case.status


@pytest.mark.parametrize(("name", "side", "make", "status"), ACTS)
def test_a_stale_button_does_nothing_and_keeps_what_was_typed(
    delivered: Order, name: str, side: str, make: Any, status: str
) -> None:
    case = make(delivered)
    values = {"version": fresh(delivered).version - 1, "text": "Because of the blue."}
    response = signed_in(getattr(delivered, side)).post(f"/cases/{case.number}/{name}/", values)
    assert response.status_code == 409
    assert "This order has changed since you opened the page." in text_of(response)
    assert name == "withdraw" or "Because of the blue." in text_of(response)
    assert fresh_case(case).status == case.status


@pytest.mark.parametrize("name", ["decline", "escalate"])
def test_an_answer_without_words_is_refused_at_its_field(delivered: Order, name: str) -> None:
    case = opened(delivered) if name == "decline" else declined(delivered)
    user = delivered.seller if name == "decline" else delivered.buyer
    values = {"version": fresh(delivered).version, "text": " "}
    response = signed_in(user).post(f"/cases/{case.number}/{name}/", values)
    assert response.status_code == 422
    assert "This field is required." in text_of(response)
    assert '<details class="panel" open>' in response.content.decode()
    assert fresh_case(case).status == case.status


def test_an_answer_that_comes_too_late_is_refused_with_what_happened(in_progress: Order) -> None:
    case = opened(in_progress)
    values = {"version": fresh(in_progress).version, "text": "No."}
    with clock.at(after(hours=48)):
        response = signed_in(in_progress.seller).post(f"/cases/{case.number}/decline/", values)
    assert response.status_code == 409
    assert f"Nobody answered case {case.number} in time" in text_of(response)
    assert fresh_case(case).status == "accepted"


def test_what_was_typed_into_a_panel_that_is_gone_is_shown(in_progress: Order) -> None:
    case = opened(in_progress)
    version = fresh(in_progress).version
    services.withdraw_case(case, by=in_progress.buyer)
    response = signed_in(in_progress.seller).post(
        f"/cases/{case.number}/decline/", {"version": version, "text": "A long answer that took an hour."}
    )
    assert response.status_code == 409
    assert "A long answer that took an hour." in text_of(response)


# Who


OPENINGS = [f"/orders/{{order}}/cases/{kind.replace('_', '-')}/" for kind in OPENING]
PAGES = ["/orders/{order}/cases/", *OPENINGS, "/cases/{case}/"]
POSTS = [*OPENINGS, *(f"/cases/{{case}}/{name}/" for name, *_ in ACTS), "/cases/{case}/messages/"]


def test_to_strangers_neither_the_order_nor_the_case_exists(in_progress: Order, stranger: User, agent: User) -> None:
    case = opened(in_progress)
    for user in (stranger, agent):
        client = signed_in(user)
        for url in PAGES:
            assert client.get(url.format(order=in_progress.number, case=case.number)).status_code == 404
        for url in POSTS:
            assert client.post(url.format(order=in_progress.number, case=case.number)).status_code == 404
    assert fresh_case(case).status == "open"


def test_without_signing_in_there_is_only_the_sign_in_page(in_progress: Order) -> None:
    case = opened(in_progress)
    for url in PAGES:
        path = url.format(order=in_progress.number, case=case.number)
        response = Client().get(path)
        assert (response.status_code, response["Location"]) == (302, f"/accounts/login/?next={path}")


def test_a_get_changes_nothing(in_progress: Order) -> None:
    case = opened(in_progress)
    for user in (in_progress.buyer, in_progress.seller):
        for name, *_ in ACTS:
            assert signed_in(user).get(f"/cases/{case.number}/{name}/").status_code == 405
    assert fresh_case(case).status == "open"


def test_the_pages_are_kept_out_of_caches(in_progress: Order) -> None:
    case = opened(in_progress)
    response = signed_in(in_progress.buyer).get(f"/cases/{case.number}/")
    assert response["Cache-Control"] == "no-store, private"


def test_a_declined_case_says_until_when_it_can_go_to_support_and_no_longer(delivered: Order) -> None:
    case = declined(delivered)
    client = signed_in(delivered.buyer)
    ahead = "If it is not taken to Customer Support, the case stays declined and the order goes on."
    text = text_of(client.get(f"/cases/{case.number}/"))
    assert "The case was declined Until Mon 9 Nov, 12:00 (UTC)" in text
    assert ahead in text
    with clock.at(after(days=7)):
        text = text_of(client.get(f"/cases/{case.number}/"))
    assert ahead not in text
    assert "The time to take this case to Customer Support is over." in text


def test_a_declined_case_of_a_completed_milestone_says_that_it_is_over(delivered: Order) -> None:
    case = declined(delivered)
    orders.accept(current(delivered), by=delivered.buyer)
    text = text_of(signed_in(delivered.buyer).get(f"/cases/{case.number}/"))
    assert "If nobody acts" not in text
    assert "Take it to Customer Support “Logo” is completed." in text


# Queries


@pytest.mark.parametrize("others", [0, 3])
def test_the_page_of_a_case_takes_the_same_queries_however_many_cases_there_are(
    order_in: OrderIn, django_assert_num_queries: Any, others: int
) -> None:
    order = order_in("delivered")
    for _ in range(others):
        opened(order_in("delivered"))
    case = opened(order)
    client = signed_in(order.buyer)
    with django_assert_num_queries(QUERIES):
        client.get(f"/cases/{case.number}/")


QUERIES = 15


def test_times_are_shown_in_the_viewers_zone(in_progress: Order) -> None:
    User.objects.filter(pk=in_progress.buyer_id).update(time_zone="Asia/Tokyo")
    case = opened(in_progress)
    text = text_of(signed_in(User.objects.get(pk=in_progress.buyer_id)).get(f"/cases/{case.number}/"))
    assert "Until Wed 4 Nov, 21:00 (Tokyo)" in text
    assert after(hours=48) - case.opened_at == timedelta(hours=48)
