"""How a case is opened, as in a browser: the list of every kind, and what their pages have in common (P1, R7, O15)."""

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from marketplace import clock
from orders.models import Order
from orders.tests.factories import deliver, fresh, statuses
from resolution.models import Asked, Case
from resolution.tests.conftest import OrderIn, after
from resolution.tests.factories import opened, reason
from resolution.tests.reading import open_url, posted, signed_in, text_of

pytestmark = pytest.mark.django_db

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


def test_a_reason_that_staff_withdrew_is_not_offered(in_progress: Order) -> None:
    row = reason("scope_disagreement")
    row.is_active = False
    row.save()
    page = signed_in(in_progress.buyer).get(open_url(in_progress)).content.decode()
    assert row.text not in page


def test_a_proposal_that_nobody_answered_is_not_in_the_way_of_the_next_one(in_progress: Order) -> None:
    """The clock's work comes first (O7), also where the page asks what is possible before it acts."""
    first = opened(in_progress, side="seller", kind="extend")
    values = posted(in_progress, "more_time_needed", days="3")
    with clock.at(after(hours=48)):
        response = signed_in(in_progress.seller).post(open_url(in_progress, "extend"), values)
    assert (response.status_code, Case.objects.get(pk=first.pk).status) == (302, "withdrawn")
    assert Case.objects.latest("pk").asked_days == 3
