"""How a case is opened, as in a browser: every kind on its own page (P1, R1, R2, R7, O15, O17)."""

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.catalog.plans import PlannedMilestone
from orders.models import Order
from orders.tests.factories import deliver, fresh, planned, statuses
from resolution.models import Asked, Case
from resolution.tests.conftest import OrderIn, after
from resolution.tests.factories import opened, reason
from resolution.tests.reading import open_url, posted, signed_in, text_of

pytestmark = pytest.mark.django_db

CARDS = {
    "plan-TOTAL_FORMS": "1",
    "plan-INITIAL_FORMS": "0",
    "plan-0-title": "Business cards",
    "plan-0-description": "What Business cards contains",
    "plan-0-price": "50.00",
    "plan-0-delivery_days": "5",
    "plan-0-revisions": "1",
}


# The list


def test_every_kind_is_listed_with_what_it_does_and_what_silence_means_or_why_not(in_progress: Order) -> None:
    text = text_of(signed_in(in_progress.buyer).get(f"/orders/{in_progress.number}/cases/"))
    frozen = "The order is frozen until the case ends: its clocks stand still."
    silent = "If Theo Lindqvist does not answer within 48 hours, "
    assert (
        "Cancel or refund Cancel the milestone The open milestone ends, and what is held for it goes back to the "
        f"buyer. Completed milestones stay completed and paid. {silent}it counts as agreed. {frozen} Cancel the order"
    ) in text
    assert (
        "Refund a part You ask for a part of the price of the open milestone back. The work goes on, and the rest is "
        f"paid when the milestone is completed. {silent}the case goes to Customer Support, and the order stays frozen "
        f"until they decide. {frozen}"
    ) in text
    assert (
        "Propose a change Extend the delivery date Not possible now. Only the seller can ask for this. "
        "Extra revisions Not possible now. Nothing has been delivered for “Logo” yet. ( Thu 5 Nov, 12:00 ) "
        "Change upcoming milestones Milestones that have not started are changed, added or dropped. Nothing is charged "
        f"for one before the buyer starts it. {silent}it counts as withdrawn, and nothing changes. "
        "The order goes on meanwhile: its clocks run."
    ) in text


def test_an_offered_refund_counts_as_agreed_when_nobody_answers(delivered: Order) -> None:
    text = text_of(signed_in(delivered.seller).get(open_url(delivered, "partial_refund")))
    assert "You offer to give a part of the price of the open milestone back." in text
    assert "Silence If Ana Ruiz does not answer within 48 hours, it counts as agreed." in text


def test_the_list_has_the_cases_so_far(in_progress: Order) -> None:
    case = opened(in_progress, side="seller", kind="extend", asked=Asked(days=3))
    deliver(in_progress)
    text = text_of(signed_in(in_progress.buyer).get(f"/orders/{in_progress.number}/cases/"))
    assert f"Case {case.number} , 2 Nov: extend “Logo” by 3 days – void" in text


# Cancel


def test_the_page_says_what_silence_means_and_what_happens_to_the_money(in_progress: Order) -> None:
    response = signed_in(in_progress.buyer).get(open_url(in_progress))
    assert response.status_code == 200
    text = text_of(response)
    agreed = (
        "If Theo Lindqvist accepts State “Logo”: In progress → Canceled Money $105.50 goes back to you "
        "Clocks The seller's time to deliver “Logo” ends "
        "Your time to start “Business cards” or stop: until Tue 10 Nov, 12:00 (UTC) "
        "Told You: “Logo” was canceled"
    )
    assert agreed in text
    assert "Silence If Theo Lindqvist does not answer within 48 hours, it counts as agreed." in text
    assert "and you can take it to Customer Support within 7 days." in text


def test_the_page_offers_the_reasons_of_this_side_in_this_state_and_kind(in_progress: Order) -> None:
    client = signed_in(in_progress.seller)

    def offered(kind: str) -> list[str]:
        page = client.get(open_url(in_progress, kind)).content.decode()
        return re.findall(r'<option value="\d+">([^<]*)</option>', page.split('name="reason"')[1])

    assert offered("cancel_milestone") == [
        "The buyer does not respond",
        "The buyer has not provided what is needed",
        "We disagree about the scope",
        "The seller cannot deliver",
        "It infringes intellectual property",
        "Fraud or abuse",
        "Both sides agree",
    ]
    assert offered("extend") == [
        "The buyer has not provided what is needed",
        "We disagree about the scope",
        "Both sides agree",
        "The work needs more time",
        "The plan has changed",
    ]


def test_looking_at_the_pages_changes_nothing(in_progress: Order) -> None:
    for user in (in_progress.buyer, in_progress.seller):
        for kind in ("cancel_milestone", "cancel_order", "partial_refund", "extend", "change_upcoming"):
            signed_in(user).get(open_url(in_progress, kind))
    assert (fresh(in_progress).version, Case.objects.count()) == (in_progress.version, 0)


def test_the_page_tells_the_buyer_of_a_very_late_milestone_that_nobody_has_to_agree(in_progress: Order) -> None:
    with clock.at(after(days=4)):
        text = text_of(signed_in(in_progress.buyer).get(open_url(in_progress)))
        other = text_of(signed_in(in_progress.seller).get(open_url(in_progress)))
        listed = text_of(signed_in(in_progress.buyer).get(f"/orders/{in_progress.number}/cases/"))
    sentence = (
        "Nothing was delivered, 24 hours past the delivery date: “Logo” is canceled and $105.50 goes back to you "
        "as soon as you send this, citing that the seller is late. Nobody has to agree."
    )
    assert sentence in text
    assert "As soon as you send it State “Logo”: In progress → Canceled" in text
    assert "Cancel now" in text
    assert sentence not in other
    assert "Accepted as you send it, citing that the seller is late: nobody has to agree." in listed


def test_opening_a_case_by_the_form(in_progress: Order) -> None:
    file = SimpleUploadedFile("call.txt", b"Notes of our call.")
    client = signed_in(in_progress.buyer)
    response = client.post(open_url(in_progress), posted(in_progress, files=[file]), follow=True)
    case = Case.objects.get()
    assert response.redirect_chain == [(f"/cases/{case.number}/", 302)]
    assert "The case is open." in text_of(response)
    assert (case.kind, case.statement, case.side) == ("cancel_milestone", "We agreed on the phone.", "buyer")
    assert [attachment.name for attachment in case.files.all()] == ["call.txt"]


def test_a_very_late_case_is_accepted_on_the_spot(in_progress: Order) -> None:
    with clock.at(after(days=4)):
        client = signed_in(in_progress.buyer)
        response = client.post(open_url(in_progress), posted(in_progress, "seller_late"), follow=True)
    assert "The case was accepted at once." in text_of(response)
    assert statuses(in_progress) == ("active", ["canceled", "planned"])


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"statement": ""}, "This field is required."),
        ({"statement": "x" * 5001}, "Ensure this value has at most 5000 characters (it has 5001)."),
        ({"statement": "a\x00b"}, "The text has a character that cannot be stored."),
        ({"reason": ""}, "This field is required."),
        ({"reason": "999999"}, "This reason cannot be given now. Please choose another."),
        ({"version": ""}, "This field is required."),
        ({"version": "9" * 30}, "Ensure this value is less than or equal to 2147483647."),
    ],
)
def test_wrong_input_is_told_at_its_field_and_keeps_what_was_typed(
    in_progress: Order, wrong: dict[str, Any], error: str
) -> None:
    response = signed_in(in_progress.buyer).post(open_url(in_progress), posted(in_progress) | wrong)
    assert response.status_code == 422
    assert error in text_of(response)
    assert "statement" in wrong or "We agreed on the phone." in text_of(response)
    assert Case.objects.count() == 0


def test_a_reason_of_the_other_side_or_of_another_kind_cannot_be_forged(in_progress: Order) -> None:
    client = signed_in(in_progress.seller)
    for kind, code, more in (("cancel_milestone", "seller_late", {}), ("extend", "cannot_deliver", {"days": "3"})):
        response = client.post(open_url(in_progress, kind), posted(in_progress, code, **more))
        assert response.status_code == 422
        assert "This reason cannot be given now. Please choose another." in text_of(response)


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
    response = signed_in(in_progress.buyer).post(open_url(in_progress), posted(in_progress, "seller_late"))
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
    assert client.post(open_url(in_progress), posted(in_progress)).status_code == 302


def test_an_open_case_leaves_nothing_to_open_and_what_was_typed_is_not_lost(in_progress: Order) -> None:
    values = posted(in_progress, statement="A long story.")
    opened(in_progress)
    client = signed_in(in_progress.buyer)
    page = client.get(open_url(in_progress))
    assert "A case is open on this order already: one at a time." in text_of(page)
    assert b"<textarea" not in page.content
    again = client.post(open_url(in_progress), values)
    assert again.status_code == 409
    assert "You had written: A long story." in text_of(again)
    assert Case.objects.count() == 1


def test_a_posted_form_binds_only_what_it_shows(in_progress: Order) -> None:
    forged = posted(
        in_progress, side="support", status="ruled", on_silence="to_support", answer_by="2020-01-01", asked_amount=1
    )
    signed_in(in_progress.buyer).post(open_url(in_progress), forged | {"opened_by": 1, "amount": "5", "days": "9"})
    case = Case.objects.get()
    assert (case.side, case.status, case.on_silence, case.opened_by) == ("buyer", "open", "agreed", in_progress.buyer)
    assert (case.answer_by, case.asked_amount, case.asked_days) == (after(hours=48), None, None)


@pytest.mark.parametrize("kind", ["chargeback", "refund", "cancel_milestone"])
def test_there_is_no_page_for_what_nobody_opens(in_progress: Order, kind: str) -> None:
    assert signed_in(in_progress.buyer).get(f"/orders/{in_progress.number}/cases/{kind}/").status_code == 404


@pytest.mark.parametrize(
    ("state", "side", "kind", "why"),
    [
        ("between", "buyer", "cancel_milestone", "No milestone is open, so there is none to cancel."),
        ("between", "seller", "partial_refund", "No milestone is open, so nothing is held that could go back."),
        ("between", "seller", "extend", "No milestone is open, so there is no delivery date to extend."),
        ("between", "buyer", "extra_revisions", "No milestone is open, so there is nothing to revise."),
        ("in_progress", "buyer", "extend", "Only the seller can ask for this."),
        ("delivered", "seller", "extra_revisions", "Only the buyer can ask for this."),
        ("in_progress", "buyer", "extra_revisions", "Nothing has been delivered for “Logo” yet."),
        ("delivered", "seller", "extend", "“Logo” is delivered and waits for the buyer's answer."),
    ],
)
def test_what_is_not_possible_says_why_and_cannot_be_forged(
    order_in: OrderIn, state: str, side: str, kind: str, why: str
) -> None:
    order = order_in(state)
    client = signed_in(getattr(order, side))
    asked = {"amount": "5.00", "days": "3", "revisions": "1"}
    for page in (client.get(open_url(order, kind)), client.post(open_url(order, kind), posted(order, **asked))):
        assert why in text_of(page)
        assert b"<textarea" not in page.content
    assert (page.status_code, Case.objects.count()) == (409, 0)


# A part of the price


def test_a_partial_refund_says_what_is_held_and_what_a_part_gives_back(order_in: OrderIn) -> None:
    order = order_in("delivered", plan=[planned("Logo", 4_950, 3, 2)])
    client = signed_in(order.buyer)
    text = text_of(client.get(open_url(order, "partial_refund")))
    assert "Held $49.50 of the price of “Logo”, $52.22 with the buyer's fee." in text
    assert "For example $24.75 of the price and the fee on it: $26.11." in text

    shown = client.post(open_url(order, "partial_refund"), posted(order, amount="16.50", show="1"))
    assert shown.status_code == 200
    assert (
        "If Theo Lindqvist accepts $16.50 of the price and the fee on it: $17.40 goes back to you. "
        "Theo Lindqvist is paid $26.40 for “Logo” when it is completed, instead of $39.60. "
        "Money $17.40 goes back to you" in text_of(shown)
    )
    assert 'name="amount" value="16.50"' in shown.content.decode()
    assert (Case.objects.count(), fresh(order).version) == (0, order.version)

    client.post(open_url(order, "partial_refund"), posted(order, amount="$16.50"))
    case = Case.objects.get()
    assert (case.kind, case.asked_amount, case.on_silence) == ("partial_refund", 1_650, "to_support")
    assert fresh(order).paused_at == after()


@pytest.mark.parametrize(
    ("amount", "error"),
    [
        ("0", "A part is more than nothing and less than the $100.00 that are held of the price."),
        ("100", "A part is more than nothing and less than the $100.00 that are held of the price."),
        ("100.01", "A part is more than nothing and less than the $100.00 that are held of the price."),
        ("1.005", "USD has at most 2 decimals: enter an amount like 123.45."),
        ("a third", "Enter an amount like 123.45, without signs or letters."),
        ("-5", "Enter an amount like 123.45, without signs or letters."),
        ("", "Enter an amount."),
    ],
)
def test_a_part_that_is_none_is_told_at_its_field_and_kept(delivered: Order, amount: str, error: str) -> None:
    for more in ({}, {"show": "1"}):
        url = open_url(delivered, "partial_refund")
        response = signed_in(delivered.buyer).post(url, posted(delivered, amount=amount, **more))
        assert response.status_code == 422
        assert error in text_of(response)
        assert f'name="amount" value="{amount}"' in response.content.decode() or not amount
    assert Case.objects.count() == 0


def test_a_part_in_a_currency_with_steps(order_in: OrderIn) -> None:
    order = order_in("delivered", currency="KWD", plan=[planned("Logo", 12_340, 3, 2)])
    held = order.plan[0].held
    assert held
    url = open_url(order, "partial_refund")
    response = signed_in(order.seller).post(url, posted(order, amount="4.125"))
    if held.step == 1:
        assert response.status_code == 302
    else:
        assert "Amounts in KWD go in steps of KWD 0.010." in text_of(response)


# Proposals


def test_the_seller_proposes_more_days_and_sees_both_dates(in_progress: Order) -> None:
    client, url = signed_in(in_progress.seller), open_url(in_progress, "extend")
    text = text_of(client.get(url))
    assert "Due now Thu 5 Nov, 12:00 (UTC). A day is 24 hours" in text
    assert "Silence If Ana Ruiz does not answer within 48 hours, it counts as withdrawn, and nothing changes." in text
    assert "Meanwhile The order goes on meanwhile: its clocks run." in text
    assert "frozen" not in text

    shown = text_of(client.post(url, posted(in_progress, days="3", show="1")))
    assert "If Ana Ruiz accepts Delivery date: Thu 5 Nov, 12:00 → Sun 8 Nov, 12:00 (UTC)" in shown
    assert "Clocks Your time to deliver “Logo”: Thu 5 Nov, 12:00 → Sun 8 Nov, 12:00 (UTC)" in shown

    done = client.post(url, posted(in_progress, "more_time_needed", days="3"), follow=True)
    assert "The proposal is open." in text_of(done)
    case = Case.objects.get()
    assert (case.kind, case.asked_days, case.on_silence) == ("extend", 3, "withdrawn")
    assert fresh(in_progress).paused_at is None


@pytest.mark.parametrize(
    ("kind", "field", "typed", "error"),
    [
        ("extend", "days", "0", "At least 1 day."),
        ("extend", "days", "366", "At most 365 days."),
        ("extend", "days", "1.5", "Enter a whole number of days."),
        ("extend", "days", "", "Enter a number of days."),
        ("extra_revisions", "revisions", "0", "At least 1 revision."),
        ("extra_revisions", "revisions", "51", "At most 50 revisions."),
        ("extra_revisions", "revisions", "two", "Enter a whole number of revisions."),
    ],
)
def test_wrong_numbers_are_told_at_their_field(
    in_revision: Order, kind: str, field: str, typed: str, error: str
) -> None:
    user = in_revision.seller if kind == "extend" else in_revision.buyer
    response = signed_in(user).post(open_url(in_revision, kind), posted(in_revision, **{field: typed}))
    assert response.status_code == 422
    assert error in text_of(response)
    assert Case.objects.count() == 0


def test_the_buyer_asks_for_extra_revisions_and_sees_how_many_are_left(in_revision: Order) -> None:
    client, url = signed_in(in_revision.buyer), open_url(in_revision, "extra_revisions")
    assert "Left now 1 of 2 for “Logo”." in text_of(client.get(url))
    shown = text_of(client.post(url, posted(in_revision, revisions="2", show="1")))
    assert "1 revision left now, 3 revisions left then. State “Logo”: 2 revisions → 4 revisions" in shown
    client.post(url, posted(in_revision, "more_changes_wanted", revisions="2"))
    assert (Case.objects.get().asked_revisions, fresh(in_revision).paused_at) == (2, None)


def test_upcoming_milestones_are_changed_in_rows_that_need_no_javascript(in_progress: Order) -> None:
    client, url = signed_in(in_progress.seller), open_url(in_progress, "change_upcoming")
    page = client.get(url)
    assert "Not changed “Logo” (in progress)" in text_of(page)
    assert 'name="plan-0-title" value="Business cards"' in page.content.decode()
    assert 'name="plan-0-price" value="50.00"' in page.content.decode()

    values = posted(in_progress, "plan_has_changed") | CARDS
    added = client.post(url, values | {"plan-change": "add"})
    assert added.status_code == 200
    assert 'name="plan-1-title"' in added.content.decode()
    assert "We agreed on the phone." in text_of(added)

    two = values | {
        "plan-TOTAL_FORMS": "2",
        "plan-0-price": "60",
        "plan-1-title": "Poster",
        "plan-1-price": "80",
        "plan-1-delivery_days": "3",
        "plan-1-revisions": "unlimited",
    }
    swapped = client.post(url, two | {"plan-change": "down-0"}).content.decode()
    assert 'name="plan-0-title" value="Poster"' in swapped
    shown = text_of(client.post(url, two | {"show": "1"}))
    assert (
        "Upcoming milestones, now → then Milestone Change Price Delivery Revisions "
        "2. Business cards What Business cards contains Changed $50.00 → $60.00 5 days 1 "
        "3. Poster Added $80.00 3 days unlimited" in shown
    )
    assert Case.objects.count() == 0
    assert client.post(url, two).status_code == 302
    case = Case.objects.get()
    assert case.upcoming == [
        PlannedMilestone("Business cards", "What Business cards contains", 6_000, 5, 1),
        PlannedMilestone("Poster", "", 8_000, 3, None),
    ]
    assert (case.upcoming_from, case.on_silence, fresh(in_progress).paused_at) == (2, "withdrawn", None)


def test_all_upcoming_milestones_may_be_dropped_while_one_is_under_way(in_progress: Order, between: Order) -> None:
    url = open_url(in_progress, "change_upcoming")
    values = posted(in_progress, "plan_has_changed") | CARDS | {"drop_all": "on"}
    shown = text_of(signed_in(in_progress.buyer).post(url, values | {"show": "1"}))
    assert "2. Business cards What Business cards contains Dropped $50.00 5 days 1" in shown
    assert signed_in(in_progress.buyer).post(url, values).status_code == 302
    assert Case.objects.get().asked_upcoming == []
    # Between milestones that would end the order: the buyer can stop it.
    assert b"drop_all" not in signed_in(between.buyer).get(open_url(between, "change_upcoming")).content


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({}, "Nothing would change."),
        ({"plan-0-price": "0.01"}, "The least price of a milestone is"),
        ({"plan-0-title": ""}, "This field is required."),
        ({"plan-0-delivery_days": "0"}, "At least 1 day."),
        ({"plan-TOTAL_FORMS": "x"}, "The plan did not arrive whole. Please send it again."),
    ],
)
def test_a_change_that_is_none_or_wrong_is_told_and_kept(
    in_progress: Order, change: dict[str, str], error: str
) -> None:
    values = posted(in_progress, "plan_has_changed") | CARDS | change
    response = signed_in(in_progress.buyer).post(open_url(in_progress, "change_upcoming"), values)
    assert response.status_code == 422
    assert error in text_of(response)
    assert "We agreed on the phone." in text_of(response)
    assert Case.objects.count() == 0


def test_more_milestones_than_an_order_may_have_are_refused_with_the_ended_ones_counted(in_progress: Order) -> None:
    rows: dict[str, str] = {"plan-TOTAL_FORMS": "20", "plan-INITIAL_FORMS": "0"}
    for index in range(20):
        rows |= {key.replace("-0-", f"-{index}-"): value for key, value in CARDS.items() if "-0-" in key}
    values = posted(in_progress, "plan_has_changed") | rows
    response = signed_in(in_progress.buyer).post(open_url(in_progress, "change_upcoming"), values)
    assert response.status_code == 422
    assert "An order has at most 20 milestones, those that ended included." in text_of(response)


def test_a_stale_change_keeps_its_rows(in_progress: Order) -> None:
    values = posted(in_progress, "plan_has_changed") | CARDS | {"plan-0-title": "Letterhead"}
    deliver(in_progress)
    client = signed_in(in_progress.buyer)
    for more in ({}, {"plan-change": "add"}, {"show": "1"}):
        response = client.post(open_url(in_progress, "change_upcoming"), values | more)
        assert response.status_code == 409
        assert "This order has changed since you opened the page." in text_of(response)
        assert 'name="plan-0-title" value="Letterhead"' in response.content.decode()
    again = values | {"version": fresh(in_progress).version}
    assert client.post(open_url(in_progress, "change_upcoming"), again).status_code == 302


def test_what_people_type_is_inert_in_what_is_shown(in_progress: Order, stranger: User) -> None:
    evil = "<script>alert(1)</script>"
    values = posted(in_progress, "plan_has_changed", show="1") | CARDS | {"plan-0-title": evil}
    page = signed_in(in_progress.buyer).post(open_url(in_progress, "change_upcoming"), values).content.decode()
    assert evil not in page
    assert page.count("&lt;script&gt;") >= 2
    assert signed_in(stranger).post(open_url(in_progress, "change_upcoming"), values).status_code == 404


def test_a_reason_that_staff_withdrew_is_not_offered(in_progress: Order) -> None:
    row = reason("scope_disagreement")
    row.is_active = False
    row.save()
    page = signed_in(in_progress.buyer).get(open_url(in_progress)).content.decode()
    assert row.text not in page
