"""The page of a case for both sides: proposals, what is asked in numbers, the conversation, the pauses (R1–R4, P2)."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.catalog.plans import PlannedMilestone
from orders.files import check
from orders.models import Order
from orders.tests.factories import deliver, fresh
from resolution import services
from resolution.models import Asked, Case
from resolution.tests.conftest import OrderIn, after
from resolution.tests.factories import declined, fresh_case, opened, reason, rule
from resolution.tests.reading import signed_in, text_of

pytestmark = pytest.mark.django_db

NO_CHANGE = "If the buyer does not answer, it counts as withdrawn, and nothing changes."
GOES_ON = "The order goes on meanwhile: its clocks run."
CARDS = PlannedMilestone("Letterhead", "", 6_000, 5, 1)
POSTER = PlannedMilestone("Poster", "A2, one side.", 8_000, 3, None)


def read(case: Case, side: str) -> str:
    return text_of(signed_in(getattr(case.order, side)).get(f"/cases/{case.number}/"))


def more_days(order: Order) -> Case:
    return opened(order, side="seller", kind="extend", asked=Asked(days=3), code="more_time_needed")


# What is asked, in numbers


def test_an_extension_says_both_dates_what_silence_means_and_that_the_order_goes_on(in_progress: Order) -> None:
    case = more_days(in_progress)
    for side in ("buyer", "seller"):
        text = read(case, side)
        assert "Delivery date: Thu 5 Nov, 12:00 → Sun 8 Nov, 12:00 (UTC)" in text
        assert f"If nobody acts {NO_CHANGE} The order goes on meanwhile: its clocks run." in text
        assert "Until Wed 4 Nov, 12:00 (UTC)" in text
        assert "Silence It counts as withdrawn, and nothing changes. This was decided when the case was opened." in text
        assert "frozen" not in text
    assert "Answer: extend “Logo” by 3 days?" in read(case, "buyer")
    assert "Waiting for Ana Ruiz to answer" in read(case, "seller")


def test_accepting_a_proposal_is_rehearsed_and_then_happens(in_progress: Order) -> None:
    case = more_days(in_progress)
    text = read(case, "buyer")
    assert (
        "Accept Money No money moves. Clocks The seller's time to deliver “Logo”: "
        "Thu 5 Nov, 12:00 → Sun 8 Nov, 12:00 (UTC)" in text
    )
    assert "Decline The proposal ends and nothing changes. The order goes on as it was." in text
    values = {"version": fresh(in_progress).version, "text": ""}
    done = signed_in(in_progress.buyer).post(f"/cases/{case.number}/accept/", values, follow=True)
    assert "You accepted the proposal." in text_of(done)
    assert "The proposal was accepted" in text_of(done)
    assert fresh(in_progress).plan[0].deliver_by == after(days=6)


def test_a_declined_proposal_cannot_be_taken_to_support(in_progress: Order) -> None:
    case = more_days(in_progress)
    values = {"version": fresh(in_progress).version, "text": "No, it is needed on Thursday."}
    done = signed_in(in_progress.buyer).post(f"/cases/{case.number}/decline/", values, follow=True)
    assert "You declined the proposal. The order goes on." in text_of(done)
    text = read(case, "seller")
    assert "The proposal was declined" in text
    assert "Take it to Customer Support Customer Support decides disputes" in text
    values = {"version": fresh(in_progress).version, "text": "Please look."}
    refused = signed_in(in_progress.seller).post(f"/cases/{case.number}/escalate/", values)
    assert refused.status_code == 409
    assert fresh_case(case).status == "declined"


def test_a_partial_refund_says_every_cent_to_both_sides(order_in: OrderIn) -> None:
    order = order_in("delivered")
    case = opened(order, side="seller", kind="partial_refund", asked=Asked(amount=3_000))
    assert (
        "$30.00 of the price and the fee on it: $31.65 goes back to you. "
        "Theo Lindqvist is paid $56.00 for “Logo” when it is completed, instead of $80.00." in read(case, "buyer")
    )
    assert (
        "$30.00 of the price and the fee on it: $31.65 goes back to Ana Ruiz. "
        "You are paid $56.00 for “Logo” when it is completed, instead of $80.00." in read(case, "seller")
    )
    assert "If the buyer does not answer, it counts as agreed: $31.65 of “Logo” goes back to the buyer" in read(
        case, "buyer"
    )
    assert "The clocks: frozen → running" in read(case, "buyer")


def test_a_change_of_the_plan_is_a_table_with_words_for_each_row(in_progress: Order) -> None:
    case = opened(in_progress, kind="change_upcoming", asked=Asked(upcoming=[CARDS, POSTER]), code="plan_has_changed")
    text = read(case, "seller")
    assert (
        "Upcoming milestones, now → then Milestone Change Price Delivery Revisions "
        "2. Business cards → Letterhead Changed $50.00 → $60.00 5 days 1 "
        "3. Poster A2, one side. Added $80.00 3 days unlimited" in text
    )
    services.decline_case(case, by=in_progress.seller, text="No.")
    text = read(case, "seller")
    assert "Upcoming milestones, as proposed Milestone Price Delivery Revisions 2. Letterhead $60.00" in text


def test_extra_revisions_say_how_many_are_left_now_and_then(in_revision: Order) -> None:
    case = opened(in_revision, kind="extra_revisions", asked=Asked(revisions=1), code="more_changes_wanted")
    assert "1 revision left now, 2 revisions left then." in read(case, "seller")
    assert "“Logo”: 2 revisions → 3 revisions" in read(case, "seller")


def test_a_void_proposal_says_why_and_has_no_buttons_before_and_after_the_clock_records_it(in_progress: Order) -> None:
    case = more_days(in_progress)
    deliver(in_progress)
    for _ in range(2):
        page = signed_in(in_progress.buyer).get(f"/cases/{case.number}/")
        text = text_of(page)
        assert "The proposal is void It means nothing any more, because “Logo” was delivered." in text
        assert f"/cases/{case.number}/accept/" not in page.content.decode()
        assert "If nobody acts" not in text
        services.settle_due_cases()
    values = {"version": fresh(in_progress).version, "text": ""}
    refused = signed_in(in_progress.buyer).post(f"/cases/{case.number}/accept/", values)
    assert refused.status_code == 409
    assert "The proposal is void: what it speaks of has ended." in text_of(refused)
    assert fresh_case(case).status == "void"


def test_a_proposal_while_a_dispute_freezes_the_order_says_so(in_progress: Order) -> None:
    case = more_days(in_progress)
    opened(in_progress)
    text = read(case, "buyer")
    assert "The order is frozen by another case; nothing changes before that has ended." in text
    assert GOES_ON not in text


# What was said


def test_the_conversation_has_statements_messages_and_files_in_the_order_of_time(delivered: Order, agent: User) -> None:
    case = opened(delivered, statement="It is not blue.", files=[check(SimpleUploadedFile("blue.txt", b"#00f"))])
    client = signed_in(delivered.seller)
    with clock.at(after(hours=1)):
        files = [SimpleUploadedFile("brief.txt", b"Green.")]
        client.post(f"/cases/{case.number}/messages/", {"seen": 0, "text": "You ordered green.", "files": files})
    with clock.at(after(hours=2)):
        services.write_in_case(case, by=agent, text="Please look at the brief.")
    with clock.at(after(hours=3)):
        values = {
            "version": fresh(delivered).version,
            "text": "It is what was ordered.",
            "files": [SimpleUploadedFile("order.txt", b"Green, please.")],
        }
        assert client.post(f"/cases/{case.number}/decline/", values).status_code == 302
    with clock.at(after(hours=4)):
        values = {
            "version": fresh(delivered).version,
            "text": "Blue was promised.",
            "files": [SimpleUploadedFile("chat.txt", b"Blue!")],
        }
        assert signed_in(delivered.buyer).post(f"/cases/{case.number}/escalate/", values).status_code == 302
        text = read(case, "seller")
    position = -1
    for line in (
        "Ana Ruiz opened the case · Mon 2 Nov, 12:00 It is not blue. blue.txt",
        "You · Mon 2 Nov, 13:00 You ordered green. brief.txt",
        "Customer Support · Mon 2 Nov, 14:00 Please look at the brief.",
        "You declined · Mon 2 Nov, 15:00 It is what was ordered. order.txt",
        "Ana Ruiz took it to Customer Support · Mon 2 Nov, 16:00 Blue was promised. chat.txt",
    ):
        assert text.index(line) > position, line
        position = text.index(line)
    assert "Sam Support" not in text


def test_files_of_a_case_are_for_its_people_only(delivered: Order, stranger: User) -> None:
    case = opened(delivered, files=[check(SimpleUploadedFile("blue.txt", b"#00f"))])
    url = f"/orders/{delivered.number}/files/{case.files.get().pk}/"
    for user in (delivered.buyer, delivered.seller):
        assert b"".join(signed_in(user).get(url).streaming_content) == b"#00f"  # type: ignore[attr-defined]
    assert signed_in(stranger).get(url).status_code == 404


def test_a_message_sent_by_a_double_click_is_sent_once(delivered: Order) -> None:
    case = opened(delivered)
    client = signed_in(delivered.buyer)
    assert b'name="seen" value="0"' in client.get(f"/cases/{case.number}/").content
    for _ in range(2):
        response = client.post(f"/cases/{case.number}/messages/", {"seen": 0, "text": "Blue was promised."})
        assert (response.status_code, response["Location"]) == (302, f"/cases/{case.number}/#said")
    assert [message.text for message in case.messages.all()] == ["Blue was promised."]
    assert b'name="seen" value="1"' in client.get(f"/cases/{case.number}/").content


def test_a_message_is_refused_with_what_was_typed(delivered: Order) -> None:
    case = opened(delivered)
    client, url = signed_in(delivered.buyer), f"/cases/{case.number}/messages/"
    empty = client.post(url, {"seen": 0, "text": " "})
    assert empty.status_code == 422
    assert "This field is required." in text_of(empty)
    long = client.post(url, {"seen": 0, "text": "x" * 5_001})
    assert "Ensure this value has at most 5000 characters (it has 5001)." in text_of(long)
    services.withdraw_case(case, by=delivered.buyer)
    late = client.post(url, {"seen": 0, "text": "One more thing."})
    assert late.status_code == 409
    text = text_of(late)
    assert "You had written: One more thing." in text
    assert "Nothing more can be written here. The case was withdrawn." in text
    assert case.messages.count() == 0


def test_a_declined_dispute_is_talked_about_while_it_can_go_to_support(delivered: Order) -> None:
    case = declined(delivered)
    client = signed_in(delivered.seller)
    assert b"Send message" in client.get(f"/cases/{case.number}/").content
    with clock.at(after(days=7)):
        assert b"Send message" not in client.get(f"/cases/{case.number}/").content


def test_what_is_asked_stays_in_words_when_support_decides(delivered: Order) -> None:
    case = opened(delivered)
    assert "If it is agreed, “Logo” is canceled and $105.50 goes back to you." in read(case, "buyer")
    services.decline_case(case, by=delivered.seller, text="No.")
    services.escalate_case(case, by=delivered.buyer, text="Please look.")
    assert "That would mean: “Logo” is canceled and $105.50 goes back to the buyer." in read(case, "seller")


# Pauses


def test_each_pause_is_shown_to_the_second_with_what_each_clock_got(delivered: Order) -> None:
    case = opened(delivered)
    with clock.at(after(days=1, seconds=5)):
        assert (
            "When the order stood still From Mon 2 Nov, 12:00:00 (UTC), until the case ends: 1 day 5 seconds so far."
            in read(case, "buyer")
        )
        services.decline_case(case, by=delivered.seller, text="No.")
    with clock.at(after(days=2)):
        services.escalate_case(case, by=delivered.buyer, text="Please look.")
    with clock.at(after(days=2, hours=3)):
        text = read(case, "buyer")
    assert (
        "From Mon 2 Nov, 12:00:00 until Tue 3 Nov, 12:00:05 (UTC): 1 day 5 seconds. You got 1 day 5 seconds more. "
        "From Wed 4 Nov, 12:00:00 (UTC), until the case ends: 3 hours so far." in text
    )


def test_a_proposal_shows_no_pause(in_progress: Order) -> None:
    assert "When the order stood still" not in read(more_days(in_progress), "buyer")


def test_supports_decision_is_shown_with_reason_and_note(delivered: Order, agent: User) -> None:
    case = opened(delivered)
    rule(case, "split", price=3_000, by=agent, reason=reason("not_as_described"), note="One of three was missing.")
    for side in ("buyer", "seller"):
        text = read(case, side)
        assert f"Customer Support's decision {fresh_case(case).decision[:1].upper()}" in text
        assert "$31.65" in text
        assert "Note to both One of three was missing." in text


# On the order's page and in the lists


def test_the_orders_page_asks_for_an_answer_to_a_proposal_without_freezing(in_progress: Order) -> None:
    case = more_days(in_progress)
    mine = signed_in(in_progress.buyer).get(f"/orders/{in_progress.number}/")
    text = text_of(mine)
    assert (
        "Theo Lindqvist proposes to extend “Logo” by 3 days. Answer by Wed 4 Nov, 12:00 (UTC); if you do not, "
        "it counts as withdrawn, and nothing changes. The order goes on meanwhile. Answer the proposal" in text
    )
    assert "Theo Lindqvist works on “Logo”" in text
    assert "rozen" not in text
    theirs = text_of(signed_in(in_progress.seller).get(f"/orders/{in_progress.number}/"))
    assert (
        "You proposed to extend “Logo” by 3 days : Ana Ruiz has until Wed 4 Nov, 12:00 (UTC) to answer; "
        "otherwise it counts as withdrawn, and nothing changes. The order goes on meanwhile." in theirs
    )
    services.withdraw_case(case, by=in_progress.seller)
    text = text_of(signed_in(in_progress.buyer).get(f"/orders/{in_progress.number}/"))
    assert f"Case {case.number} : extend the delivery date – withdrawn" in text


def test_the_orders_page_lists_every_kind_of_case_possible_or_with_the_reason(in_progress: Order) -> None:
    page = signed_in(in_progress.buyer).get(f"/orders/{in_progress.number}/")
    for kind in ("cancel-milestone", "cancel-order", "partial-refund", "change-upcoming"):
        assert f'href="/orders/{in_progress.number}/cases/{kind}/"' in page.content.decode()
    text = text_of(page)
    assert "Extend the delivery date Only the seller can ask for this." in text
    assert "Extra revisions Nothing has been delivered for “Logo” yet." in text


def test_a_proposal_to_answer_waits_for_you_in_the_list_until_it_is_void(order_in: OrderIn) -> None:
    later, first = order_in("in_progress"), order_in("in_progress")
    order = Order.objects.get(pk=later.pk)
    Order.objects.filter(pk=first.pk).update(buyer=order.buyer, title="Another order")
    more_days(order)
    client = signed_in(order.buyer)
    text = text_of(client.get("/orders/"))
    assert text.rindex("Waiting for you") < text.index("Answer the proposal") < text.rindex("Under way")
    assert "“Logo”: In progress until Wed 4 Nov, 12:00" in text
    deliver(order)
    text = text_of(client.get("/orders/"))
    assert "Answer the proposal" not in text
    assert "“Logo”: Delivered until Tue 10 Nov, 12:00" in text


def test_what_the_buyer_has_to_do_sooner_is_named_before_the_proposal(order_in: OrderIn) -> None:
    order = order_in("delivered")
    with clock.at(after(days=7)):
        opened(order, side="seller", kind="change_upcoming", asked=Asked(upcoming=[CARDS]), code="plan_has_changed")
        text = text_of(signed_in(order.buyer).get("/orders/"))
        assert "“Logo”: Delivered until Tue 10 Nov, 12:00" in text
        assert "Answer the proposal" not in text
