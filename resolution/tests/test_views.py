"""The pages of cases: who sees what, what is typed is kept, and what is refused says why."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.html import escape

from marketplace import clock
from marketplace.accounts.models import User
from orders import services as orders
from orders.models import Order
from orders.tests.factories import current, deliver, fresh, statuses
from resolution import services
from resolution.models import Case
from resolution.tests.conftest import OrderIn, after
from resolution.tests.factories import declined, fresh_case, opened, reason

pytestmark = pytest.mark.django_db


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text_of(response: Any) -> str:
    """The page as it is read, a space for each tag."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", response.content.decode())).split())


def open_url(order: Order) -> str:
    return f"/orders/{order.number}/cases/"


def posted(order: Order, **values: Any) -> dict[str, Any]:
    return {
        "version": order.version,
        "kind": "cancel_milestone",
        "reason": reason().pk,
        "statement": "We agreed on the phone.",
    } | values


# Opening


def test_the_page_says_what_silence_means_and_what_happens_to_the_money(in_progress: Order) -> None:
    response = signed_in(in_progress.buyer).get(open_url(in_progress))
    assert response.status_code == 200
    text = text_of(response)
    silence = "If Theo Lindqvist does not answer within 48 hours, it counts as agreed. If it is agreed:"
    agreed = (
        "State “Logo”: In progress → Canceled Money $105.50 goes back to you "
        "Clocks The seller's time to deliver “Logo” ends "
        "Your time to start “Business cards” or stop: until Tue 10 Nov, 12:00 (UTC) "
        "Told Theo Lindqvist: “Logo” was canceled"
    )
    assert f"Cancel the milestone {silence} {agreed}" in text
    assert "If they decline, you can take it to Customer Support within 7 days." in text


def test_the_page_offers_the_reasons_of_this_side_in_this_state(in_progress: Order) -> None:
    page = signed_in(in_progress.seller).get(open_url(in_progress)).content.decode()
    assert re.findall(r'<option value="\d+">([^<]*)</option>', page) == [
        "The buyer does not respond",
        "The buyer has not provided what is needed",
        "We disagree about the scope",
        "The seller cannot deliver",
        "It infringes intellectual property",
        "Fraud or abuse",
        "Both sides agree",
    ]


def test_the_page_says_why_a_kind_is_not_possible(between: Order) -> None:
    text = text_of(signed_in(between.buyer).get(open_url(between)))
    assert "Not possible now Cancel the milestone No milestone is open, so there is none to cancel." in text


def test_looking_at_the_page_changes_nothing(in_progress: Order) -> None:
    signed_in(in_progress.buyer).get(open_url(in_progress))
    assert (fresh(in_progress).version, Case.objects.count()) == (in_progress.version, 0)


def test_the_page_tells_the_buyer_of_a_very_late_milestone_that_nobody_has_to_agree(in_progress: Order) -> None:
    with clock.at(after(days=4)):
        text = text_of(signed_in(in_progress.buyer).get(open_url(in_progress)))
        other = text_of(signed_in(in_progress.seller).get(open_url(in_progress)))
    sentence = (
        "Nothing was delivered, 24 hours past the delivery date: “Logo” is canceled and $105.50 goes back to you "
        "as soon as you send this, citing that the seller is late. Nobody has to agree."
    )
    assert sentence in text
    assert sentence not in other


def test_opening_a_case_by_the_form(in_progress: Order) -> None:
    file = SimpleUploadedFile("call.txt", b"Notes of our call.")
    response = signed_in(in_progress.buyer).post(open_url(in_progress), posted(in_progress, files=[file]))
    case = Case.objects.get()
    assert (response.status_code, response["Location"]) == (302, f"/cases/{case.number}/")
    assert (case.kind, case.statement, case.side) == ("cancel_milestone", "We agreed on the phone.", "buyer")
    assert [attachment.name for attachment in case.files.all()] == ["call.txt"]


def test_a_very_late_case_is_accepted_on_the_spot(in_progress: Order) -> None:
    with clock.at(after(days=4)):
        response = signed_in(in_progress.buyer).post(
            open_url(in_progress), posted(in_progress, reason=reason("seller_late").pk), follow=True
        )
    assert "The case was accepted at once." in text_of(response)
    assert statuses(in_progress) == ("active", ["canceled", "planned"])


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"statement": ""}, "This field is required."),
        ({"statement": "x" * 5001}, "Ensure this value has at most 5000 characters (it has 5001)."),
        ({"statement": "a\x00b"}, "The text has a character that cannot be stored."),
        ({"kind": ""}, "This field is required."),
        ({"kind": "refund"}, "Select a valid choice. refund is not one of the available choices."),
        ({"reason": ""}, "This field is required."),
        ({"reason": "999999"}, "This reason cannot be given now. Please choose another."),
        ({"version": ""}, "This field is required."),
        ({"version": "9" * 30}, "Ensure this value is less than or equal to 2147483647."),
    ],
)
def test_wrong_input_is_told_at_its_field_and_keeps_what_was_typed(
    in_progress: Order, wrong: dict[str, Any], error: str
) -> None:
    values = posted(in_progress) | {"statement": "We agreed on the phone."} | wrong
    response = signed_in(in_progress.buyer).post(open_url(in_progress), values)
    assert response.status_code == 422
    assert error in text_of(response)
    if "statement" not in wrong:
        assert "We agreed on the phone." in text_of(response)
    assert Case.objects.count() == 0


def test_a_reason_of_the_other_side_cannot_be_forged(in_progress: Order) -> None:
    values = posted(in_progress, reason=reason("seller_late").pk)
    response = signed_in(in_progress.seller).post(open_url(in_progress), values)
    assert response.status_code == 422
    assert "This reason cannot be given now. Please choose another." in text_of(response)


def test_a_kind_that_is_not_possible_cannot_be_forged(between: Order) -> None:
    response = signed_in(between.buyer).post(open_url(between), posted(between))
    assert response.status_code == 422
    assert "No milestone is open, so there is none to cancel." in text_of(response)


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("empty.txt", b"", "The submitted file is empty."),
        ("page.html", b"<script>", "page.html: this kind of file is not accepted. Put it into a ZIP file."),
        ("photo.png", b"not a picture", "photo.png is not what its name says."),
    ],
)
def test_files_that_are_refused(in_progress: Order, name: str, content: bytes, error: str) -> None:
    file = SimpleUploadedFile(name, content)
    response = signed_in(in_progress.buyer).post(open_url(in_progress), posted(in_progress, files=[file]))
    assert response.status_code == 422
    assert error.split(": ")[0] in text_of(response) or "is empty" in text_of(response)
    assert Case.objects.count() == 0


def test_seller_late_too_early_is_refused_with_the_date_and_keeps_what_was_typed(in_progress: Order) -> None:
    values = posted(in_progress, reason=reason("seller_late").pk)
    response = signed_in(in_progress.buyer).post(open_url(in_progress), values)
    assert response.status_code == 409
    text = text_of(response)
    assert "The delivery date has not passed, so the seller is not late. ( Thu 5 Nov, 12:00 )" in text
    assert "We agreed on the phone." in text


def test_a_stale_form_is_shown_again_with_what_changed_and_what_was_typed(in_progress: Order) -> None:
    values = posted(in_progress)
    deliver(in_progress)
    client = signed_in(in_progress.buyer)
    response = client.post(open_url(in_progress), values)
    assert response.status_code == 409
    text = text_of(response)
    assert "This order has changed since you opened the page. Nothing was done; look again." in text
    assert "Theo Lindqvist delivered “Logo” (Delivery 1)" in text
    assert "We agreed on the phone." in text
    assert f'name="version" value="{fresh(in_progress).version}"' in response.content.decode()
    assert Case.objects.count() == 0
    assert client.post(open_url(in_progress), posted(fresh(in_progress))).status_code == 302


def test_an_open_case_leaves_nothing_to_open(in_progress: Order) -> None:
    opened(in_progress)
    response = signed_in(in_progress.buyer).get(open_url(in_progress))
    assert "A case is open on this order already: one at a time." in text_of(response)
    assert b"<textarea" not in response.content


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
        assert "It is what was ordered." in text
        assert "Support's reason We disagree about the scope" in text
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


PAGES = ["/orders/{order}/cases/", "/cases/{case}/"]
POSTS = ["/orders/{order}/cases/", *(f"/cases/{{case}}/{name}/" for name, *_ in ACTS)]


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


def test_a_posted_form_binds_only_what_it_shows(in_progress: Order) -> None:
    forged = posted(
        in_progress, side="support", status="ruled", on_silence="to_support", answer_by="2020-01-01", opened_by=1
    )
    signed_in(in_progress.buyer).post(open_url(in_progress), forged)
    case = Case.objects.get()
    assert (case.side, case.status, case.on_silence, case.opened_by) == ("buyer", "open", "agreed", in_progress.buyer)
    assert case.answer_by == after(hours=48)


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


QUERIES = 12


def test_times_are_shown_in_the_viewers_zone(in_progress: Order) -> None:
    User.objects.filter(pk=in_progress.buyer_id).update(time_zone="Asia/Tokyo")
    case = opened(in_progress)
    text = text_of(signed_in(User.objects.get(pk=in_progress.buyer_id)).get(f"/cases/{case.number}/"))
    assert "Until Wed 4 Nov, 21:00 (Tokyo)" in text
    assert after(hours=48) - case.opened_at == timedelta(hours=48)
