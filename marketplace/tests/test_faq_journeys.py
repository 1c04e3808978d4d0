"""One journey per answer of the FAQ, through the pages, to the cent and in the words that people read."""

from collections.abc import Generator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Group

from marketplace import clock
from marketplace.accounts.tests.factories import StaffFactory, UserFactory
from marketplace.catalog.models import Category, Gig
from marketplace.catalog.plans import PlannedMilestone
from marketplace.catalog.tests.factories import GigFactory
from marketplace.tests import invariants
from marketplace.tests.visitor import Page, Visitor
from orders.models import Order
from orders.tasks import settle_due
from resolution.tasks import settle_due_cases

pytestmark = pytest.mark.django_db(transaction=True)

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
PLAN = [
    PlannedMilestone("Script", "200 words.", 12_000, 3, 1),
    PlannedMilestone("Storyboard", "12 frames.", 15_000, 5, 2),
    PlannedMilestone("Animation", "In 1080p.", 20_000, 9, None),
]


@pytest.fixture(autouse=True)
def _proven() -> Generator[None, None, None]:
    """After each journey, every promise holds."""
    yield
    assert invariants.check() == []
    assert invariants.at_rest() == []


@pytest.fixture(autouse=True)
def _monday_morning() -> Generator[None, None, None]:
    with clock.at(START):
        yield


@pytest.fixture
def theo() -> Visitor:
    return Visitor(UserFactory.create(name="Theo Lindqvist"))


@pytest.fixture
def ana() -> Visitor:
    return Visitor(UserFactory.create(name="Ana Ruiz"))


@pytest.fixture
def gig(theo: Visitor) -> Gig:
    return GigFactory.create(seller=theo.user, title="Explainer video", plan=PLAN)


def days(number: float) -> AbstractContextManager[None]:
    """So many days after the start."""
    return clock.at(START + timedelta(days=number))


def order(buyer: Visitor, gig: Gig, method: str = "card_ok") -> str:
    """Order the gig's plan through its page; returns the order's address."""
    buyer.open(gig.get_absolute_url())
    page = buyer.follow("Order")
    assert page.title == "Order “Explainer video”"
    page = buyer.press("Place the order · pay $126.60", brief="Sixty seconds about bees.", method=method)
    return page.path


def deliver(seller: Visitor, address: str, message: str = "Here it is.") -> Page:
    label = "Deliver again" if "Deliver again" in seller.open(address).buttons else "Deliver"
    page = seller.press(label, message=message)
    assert page.told == ["Delivered. The buyer's review window begins now."]
    return page


def accept(buyer: Visitor, address: str) -> Page:
    buyer.open(address)
    page = buyer.press("Accept")
    assert page.told == ["You accepted the delivery; the seller is paid."]
    return page


def go_on(buyer: Visitor, address: str, amount: str, method: str = "card_ok") -> Page:
    """Accept and continue, on the page that says what is charged."""
    buyer.open(address)
    buyer.follow(f"Accept and continue · pay {amount}")
    return buyer.press(f"Accept and continue · pay {amount}", method=method)


def sweep() -> None:
    """What beat does every fifteen seconds."""
    settle_due()
    settle_due_cases()


def ending(page: Page) -> str:
    """Why the order has ended, as its page says."""
    return page.words("p", inside=page.parents[page.by_id("next")])[0]


def available(seller: Visitor) -> str:
    return seller.open("/earnings/").rows["Available"]


def test_1_the_seller_is_paid_for_each_milestone_when_it_is_completed(ana: Visitor, theo: Visitor, gig: Gig) -> None:
    address = order(ana, gig)
    assert available(theo) == "$0.00"

    deliver(theo, address)
    assert available(theo) == "$0.00"
    page = accept(ana, address)
    assert page.track == [
        ("Script", "$120.00", "Paid to seller"),
        ("Storyboard", "$150.00", "Not charged"),
        ("Animation", "$200.00", "Not charged"),
    ]
    assert available(theo) == "$96.00"
    assert theo.open(address).words(cls="badge")[0] == "Waiting for the buyer"

    ana.open(address)
    ana.follow("Start “Storyboard” · pay $158.25")
    ana.press("Start the next milestone · pay $158.25")
    deliver(theo, address)
    page = go_on(ana, address, "$211.00")
    assert page.told == ["You accepted the delivery, and the next milestone is funded."]
    assert page.cents == {
        "Paid to Theo Lindqvist": "$216.00",
        "Held for “Animation”, with fee": "$211.00",
        "Fees of completed milestones": "$68.85",
        "Refunded to you": "$0.00",
        "You were charged": "$495.85",
    }
    assert available(theo) == "$216.00"

    deliver(theo, address)
    assert ana.open(address).buttons == ["Accept", "Request revision"]
    page = accept(ana, address)
    assert page.next == "This order is completed"
    assert page.cents == {
        "Paid to Theo Lindqvist": "$376.00",
        "Fees of completed milestones": "$119.85",
        "Refunded to you": "$0.00",
        "You were charged": "$495.85",
    }
    page = theo.open("/earnings/")
    assert page.rows["Available"] == "$376.00"
    assert page.words("td", cls="strong") == ["$160.00", "$120.00", "$96.00"]


def test_2_and_3_a_seller_builds_a_gig_from_a_worked_example(theo: Visitor, ana: Visitor) -> None:
    theo.open("/selling/gigs/")
    page = theo.follow("Make your first gig")
    assert page.words("strong")[-4:] == [
        "Bigger work.",
        "Smaller steps.",
        "Less risk for the buyer.",
        "An incentive per step for you.",
    ]
    examples = page.by_id("examples")
    assert page.words("a", inside=page.parents[examples])[:2] == ["Logo design", "Whiteboard & explainer video"]

    page = theo.follow("Whiteboard & explainer video")
    page = theo.press("Add milestone")
    assert page.form("Save and publish")[2]["plan-TOTAL_FORMS"] == "5"
    page = theo.press("Remove milestone 5")
    page = theo.press("Save and publish", **{"title": "Bees explained", "plan-3-price": "95.5"})
    assert page.told == ["Published. Buyers can order it now."]

    visitor = Visitor.nobody()
    visitor.open("/gigs/?q=bees")
    page = visitor.follow("Bees explained")
    assert [(title, price) for title, price, _ in gig_track(page)] == [
        ("Script", "$120.00"),
        ("Storyboard", "$150.00"),
        ("Drawing and animation", "$200.00"),
        ("Voice-over and sound", "$95.50"),
    ]
    assert page.rows == {
        "Price of all milestones": "$565.50",
        "Buyer’s fee, 5.5 % of each": "$31.10",
        "All together": "$596.60",
    }

    page = visitor.open("/help/milestones/")
    assert page.words("h3") == ["Logo design", "Whiteboard & explainer video"]
    ana.open("/selling/gigs/new/")
    page = ana.follow("Logo design")
    page = ana.press("Save and publish")
    assert [title for title, _, _ in gig_track(page)] == ["Sketches", "Refined logo", "Final files and guide"]
    assert Category.objects.get(gigs__seller=ana.user).slug == "logo-and-brand"


def gig_track(page: Page) -> list[tuple[str, str, str]]:
    return [
        (
            page.words(cls="track__title", inside=step)[0],
            page.words(cls="track__amount", inside=step)[0],
            page.words(cls="small", inside=step)[-1],
        )
        for step in page.all("li", cls="track__step")
    ]


def test_4_the_first_milestone_is_charged_with_the_order_and_the_next_when_it_is_started(
    ana: Visitor, theo: Visitor, gig: Gig
) -> None:
    address = order(ana, gig, "card_declined")
    assert ana.page.told == ["The payment failed: Your card was declined. Nothing was charged; you can try again."]
    assert ana.page.next == "Pay for “Script”"
    assert ana.page.cents == {"Refunded to you": "$0.00", "You were charged": "$0.00"}
    assert theo.open(address).next == "“Script” is not funded yet"
    assert theo.page.buttons == []

    ana.follow("Pay $126.60")
    page = ana.press("Pay $126.60", method="card_ok")
    assert page.told == ["The milestone is funded; the seller can begin."]
    charged_once = {
        "Held for “Script”, with fee": "$126.60",
        "Refunded to you": "$0.00",
        "You were charged": "$126.60",
    }
    assert page.cents == charged_once
    assert page.track[1:] == [("Storyboard", "$150.00", "Not charged"), ("Animation", "$200.00", "Not charged")]
    deliver(theo, address)
    assert ana.open(address).cents == charged_once

    page = go_on(ana, address, "$158.25", "card_declined")
    assert page.told == ["The payment failed: Your card was declined. Nothing was charged; you can try again."]
    assert page.track[:2] == [("Script", "$120.00", "Paid to seller"), ("Storyboard", "$150.00", "Not charged")]
    assert page.next == "Pay for “Storyboard”"
    assert page.cents["You were charged"] == "$126.60"
    assert available(theo) == "$96.00"

    ana.follow("Pay $158.25")
    page = ana.press("Pay $158.25", method="card_ok")
    assert page.track[1] == ("Storyboard", "$150.00", "Held")
    assert page.cents["You were charged"] == "$284.85"


def test_4_a_bank_that_asks_for_a_confirmation_is_answered_on_its_own_page(
    ana: Visitor, theo: Visitor, gig: Gig
) -> None:
    order(ana, gig, "card_authentication")
    assert ana.page.title == "Confirm your payment"
    address = Order.objects.get().get_absolute_url()
    page = ana.open(address)
    assert page.next == "Confirm the payment for “Script”"
    assert page.buttons == ["Confirm the payment of $126.60", "Use another card"]

    ana.follow("Confirm the payment of $126.60")
    page = ana.press("Approve the payment", answer="approve")
    assert page.path == address
    assert page.next == "Theo Lindqvist works on “Script”"
    assert page.cents["You were charged"] == "$126.60"


def test_5_a_delivery_without_an_answer_is_completed_and_paid_after_eight_days(
    ana: Visitor, theo: Visitor, gig: Gig
) -> None:
    address = order(ana, gig)
    with days(2):
        deliver(theo, address)
        page = ana.open(address)
        assert page.words(cls="deadline") == ["Decide by Thu 12 Nov, 09:00 (UTC) 8 days left 1 of 1 revision left"]
        assert page.rows["If nobody acts"] == ("“Script” is completed and paid, and the order stops and is completed.")
    with clock.at(START + timedelta(days=10) - timedelta(microseconds=1)):
        sweep()
        assert ana.open(address).next == "Review “Script” – delivery 1"
    with days(10):
        # A look settles nothing: it says what the clock is about to do.
        assert ana.open(address).next == "The time has run out"
        assert ana.page.buttons == []
        assert available(theo) == "$0.00"
    with days(10.5):
        sweep()
        page = ana.open(address)
        assert (page.next, page.words(cls="badge")[0]) == ("This order is completed", "Completed")
        assert ending(page) == ("The review window ended without an answer.")
        assert page.track == [
            ("Script", "$120.00", "Paid to seller"),
            ("Storyboard", "$150.00", "Not charged"),
            ("Animation", "$200.00", "Not charged"),
        ]
        assert page.words("p", inside=page.all("ol", cls="timeline")[0])[:4] == [
            "The order ended: the review window ended without an answer",
            "Thu 12 Nov, 09:00",
            "Nobody answered in time: “Script” is completed and $96.00 paid to Theo Lindqvist",
            "Thu 12 Nov, 09:00",
        ]
        assert available(theo) == "$96.00"


def test_5_a_milestone_that_is_accepted_but_not_continued_ends_the_order_after_the_same_eight_days(
    ana: Visitor, theo: Visitor, gig: Gig
) -> None:
    address = order(ana, gig)
    with days(1):
        deliver(theo, address)
    with days(5):
        page = accept(ana, address)
        assert page.next == "Start “Storyboard” or stop"
        assert page.words(cls="deadline") == ["Decide by Wed 11 Nov, 09:00 (UTC) 4 days left"]
    with days(9):
        sweep()
        page = ana.open(address)
        assert (page.next, page.words(cls="badge")[0]) == ("This order is completed", "Completed")
        assert ending(page) == ("The next milestone was not started and paid in time.")
        assert page.cents["You were charged"] == "$126.60"
        assert available(theo) == "$96.00"


def test_5_a_revision_ends_the_window_and_its_delivery_starts_eight_full_days(
    ana: Visitor, theo: Visitor, gig: Gig
) -> None:
    address = order(ana, gig)
    deliver(theo, address)
    with days(7.5):
        ana.open(address)
        page = ana.press("Request revision", text="Shorter, please.")
        assert page.words(cls="deadline") == ["Due Thu 12 Nov, 21:00 (UTC) 3 days left 0 of 1 revision left"]
    with days(9):
        sweep()
        deliver(theo, address)
        page = ana.open(address)
        assert page.words(cls="deadline") == ["Decide by Thu 19 Nov, 09:00 (UTC) 8 days left 0 of 1 revision left"]


def test_6_a_buyer_stops_after_a_milestone_is_accepted_and_can_never_resume(
    ana: Visitor, theo: Visitor, gig: Gig
) -> None:
    address = order(ana, gig)
    deliver(theo, address)
    page = ana.open(address)
    assert page.rows["Stop the order"] == (
        "“Script” is open. You can stop after you accept it; to cancel it, open a case."
    )
    accept(ana, address)
    start = ana.page.link("Start “Storyboard” · pay $158.25")
    assert ana.page.buttons == ["Start “Storyboard” · pay $158.25", "Stop the order"]
    page = ana.press("Stop the order")
    assert page.told == ["You stopped the order. What was delivered stays yours."]
    assert page.next == "This order is completed"
    assert ending(page) == "Ana Ruiz stopped it."
    assert page.words(cls="delivery") == [
        "Delivery 1 · Mon 2 Nov, 09:00 Here it is.",
        "The brief · Mon 2 Nov, 09:00 Sixty seconds about bees.",
    ]
    assert available(theo) == "$96.00"

    page = ana.open(start)
    assert page.refusal == ["The order is completed."]
    assert page.words("button") == ["Sign out", "Español"]
    token = ana.client.cookies["csrftoken"].value if "csrftoken" in ana.client.cookies else ""
    page = ana.post(start, {"csrfmiddlewaretoken": token, "version": "8", "method": "card_ok"})
    assert (page.status, page.title) == (409, "Start the next milestone")
    assert ana.open(address).cents["You were charged"] == "$126.60"

    assert ana.page.buttons == ["Order again"]
    ana.follow("Order again")
    page = ana.press("Order again", text="The rest, please.")
    assert page.told == ["You asked the seller for a fresh offer with what was not started."]

    page = theo.open("/sales/")
    page = theo.follow("Ana Ruiz asks for an offer")
    filled = page.form("Send an offer")[2]
    assert [filled[f"plan-{row}-title"] for row in range(2)] == ["Storyboard", "Animation"]
    page = theo.press("Send an offer", brief="As before.")
    assert page.told == ["The offer is sent. Ana Ruiz can accept it now."]
    page = ana.open(page.path)
    assert page.track == [("Storyboard", "$150.00", "Not charged"), ("Animation", "$200.00", "Not charged")]
    ana.follow("Accept the offer · pay $158.25")
    page = ana.press("Accept the offer · pay $158.25")
    assert page.next == "Theo Lindqvist works on “Storyboard”"


def test_7_an_order_that_is_canceled_by_agreement_is_completed_if_one_of_its_milestones_was(
    ana: Visitor, theo: Visitor, gig: Gig
) -> None:
    address = order(ana, gig)
    deliver(theo, address)
    page = go_on(ana, address, "$158.25")
    ana.follow("Cancel the order")
    page = ana.press(
        "Open the case",
        reason=ana.page.choice("reason", "Both sides agree"),
        statement="We agreed.",
    )
    assert page.told == ["The case is open."]
    assert ana.open(address).next == "Waiting for Theo Lindqvist to answer the case: cancel the order?"

    theo.open(address)
    theo.follow(case_of(theo.page))
    page = theo.press("Accept")
    assert page.told == ["You accepted the case."]
    page = ana.open(address)
    assert (page.next, page.words(cls="badge")[0]) == ("This order is completed", "Completed")
    assert ending(page) == "Canceled by agreement."
    assert page.track == [
        ("Script", "$120.00", "Paid to seller"),
        ("Storyboard", "$150.00", "Refunded"),
        ("Animation", "$200.00", "Not charged"),
    ]
    assert page.cents == {
        "Paid to Theo Lindqvist": "$96.00",
        "Fees of completed milestones": "$30.60",
        "Refunded to you": "$158.25",
        "You were charged": "$284.85",
    }
    assert available(theo) == "$96.00"


def case_of(page: Page) -> str:
    return next(words for words in page.words("a") if words.startswith("Case RC-"))


def test_8_revisions_are_counted_for_each_milestone(ana: Visitor, theo: Visitor, gig: Gig) -> None:
    address = order(ana, gig)
    deliver(theo, address)
    ana.open(address)
    page = ana.press("Request revision", text="Shorter, please.")
    assert page.told == ["You asked for a revision. The seller has a new delivery date."]
    assert theo.open(address).next == "Deliver the revision of “Script”"
    deliver(theo, address, "Shorter.")
    page = ana.open(address)
    assert page.buttons == ["Accept and continue · pay $158.25", "Accept only"]
    none_left = (
        "No revision is left. You can accept the delivery, ask the seller for an extra revision, or open a case."
    )
    assert page.rows["Request revision"] == none_left

    theo.open(address)
    page = theo.press("Grant extra revisions", count="1")
    assert page.told == ["The extra revisions are granted."]
    ana.open(address)
    assert ana.page.buttons == ["Accept and continue · pay $158.25", "Accept only", "Request revision"]
    ana.press("Request revision", text="One more comma.")
    deliver(theo, address, "With the comma.")
    page = go_on(ana, address, "$158.25")

    deliver(theo, address)
    page = ana.open(address)
    assert page.words(cls="deadline") == ["Decide by Tue 10 Nov, 09:00 (UTC) 8 days left 2 of 2 revisions left"]
    go_on(ana, address, "$211.00")
    deliver(theo, address)
    for wish in ("Louder.", "Softer.", "Louder again."):
        ana.open(address)
        ana.press("Request revision", text=wish)
        deliver(theo, address)
    page = ana.open(address)
    assert page.words(cls="deadline") == ["Decide by Tue 10 Nov, 09:00 (UTC) 8 days left unlimited revisions"]


def test_7_one_milestone_is_canceled_and_the_order_goes_on_with_the_next(ana: Visitor, theo: Visitor, gig: Gig) -> None:
    address = order(ana, gig)
    theo.open(address)
    theo.follow("Cancel the milestone")
    theo.press(
        "Open the case",
        reason=theo.page.choice("reason", "The seller cannot deliver"),
        statement="My hand is in plaster.",
    )
    page = ana.open(address)
    assert (page.next, page.buttons) == ("Answer the case: cancel “Script”?", ["Answer the case"])
    ana.follow(case_of(page))
    ana.press("Accept")
    page = ana.open(address)
    assert page.next == "Start “Storyboard” or stop"
    assert page.track[:2] == [("Script", "$120.00", "Refunded"), ("Storyboard", "$150.00", "Not charged")]
    assert page.cents == {"Refunded to you": "$126.60", "You were charged": "$126.60"}
    assert available(theo) == "$0.00"


def test_7_an_order_that_is_canceled_before_any_milestone_was_completed_is_canceled(
    ana: Visitor, theo: Visitor, gig: Gig
) -> None:
    """Nothing is delivered and the seller says nothing: after 48 hours silence counts as agreed (R2)."""
    address = order(ana, gig)
    with days(1):
        ana.open(address)
        ana.follow("Cancel the order")
        page = ana.press(
            "Open the case",
            reason=ana.page.choice("reason", "It was ordered by mistake"),
            statement="I pressed twice.",
        )
        assert page.rows["If nobody acts"] == (
            "If the seller does not answer, it counts as agreed: "
            "the order is canceled and $126.60 goes back to the buyer."
        )
    with clock.at(START + timedelta(days=3) - timedelta(microseconds=1)):
        sweep()
        assert ana.open(address).next == "Waiting for Theo Lindqvist to answer the case: cancel the order?"
    with days(3):
        sweep()
        page = ana.open(address)
        assert (page.next, page.words(cls="badge")[0]) == ("This order is canceled", "Canceled")
        assert page.cents == {"Refunded to you": "$126.60", "You were charged": "$126.60"}
        assert [badge for _, _, badge in page.track] == ["Refunded", "Not charged", "Not charged"]
        assert available(theo) == "$0.00"


@pytest.fixture
def sam() -> Visitor:
    agent = StaffFactory.create(name="Sam Support")
    agent.groups.add(Group.objects.get(name="Support"))
    return Visitor(agent)


def find_in_admin(agent: Visitor, address: str) -> Page:
    """Support finds the order by the number that a buyer reads out."""
    number = address.strip("/").rpartition("/")[2]
    page = agent.open(f"/admin/orders/order/?q={number}")
    found = page.all("a", inside=page.all("tbody", inside=page.by_id("result_list"))[0])
    assert len(found) == 1
    return agent.open(found[0].get("href", ""))


def test_7_customer_support_cancels_an_order_and_its_completed_milestone_counts(
    ana: Visitor, theo: Visitor, sam: Visitor, gig: Gig
) -> None:
    address = order(ana, gig)
    deliver(theo, address)
    go_on(ana, address, "$158.25")

    find_in_admin(sam, address)
    sam.follow("Cancel the order …")
    page = sam.press(
        "See what will happen",
        reason=sam.page.choice("reason", "It infringes intellectual property"),
        note="The frames are copied from a film.",
    )
    assert page.words("h1")[-1] == "Cancel the order: what will happen"
    assert page.words("li", inside=page.parents[page.by_id("states")]) == [
        "“Storyboard”: In progress → Canceled",
        "“Animation”: Not started → Not started any more",
        "The order: Active → Completed",
    ]
    assert page.words("li", inside=page.parents[page.by_id("money")]) == ["$158.25 goes back to the buyer"]
    assert ana.open(address).next == "Theo Lindqvist works on “Storyboard”"

    sam.press("Cancel the order now")
    for visitor in (ana, theo):
        page = visitor.open(address)
        assert (page.next, page.words(cls="badge")[0]) == ("This order is completed", "Completed")
        assert ending(page) == "Canceled by Customer Support."
    assert page.track == [
        ("Script", "$120.00", "Paid to seller"),
        ("Storyboard", "$150.00", "Refunded"),
        ("Animation", "$200.00", "Not charged"),
    ]
    assert ana.open(address).cents == {
        "Paid to Theo Lindqvist": "$96.00",
        "Fees of completed milestones": "$30.60",
        "Refunded to you": "$158.25",
        "You were charged": "$284.85",
    }
    assert available(theo) == "$96.00"


def test_7_customer_support_cancels_one_milestone_and_the_order_goes_on(
    ana: Visitor, theo: Visitor, sam: Visitor, gig: Gig
) -> None:
    address = order(ana, gig)
    deliver(theo, address)
    find_in_admin(sam, address)
    sam.follow("Cancel “Script” …")
    sam.press(
        "See what will happen",
        reason=sam.page.choice("reason", "Nothing or unusable files were delivered"),
        note="The file cannot be opened.",
    )
    sam.press("Cancel “Script” now")
    page = ana.open(address)
    assert page.next == "Start “Storyboard” or stop"
    assert page.track[:2] == [("Script", "$120.00", "Refunded"), ("Storyboard", "$150.00", "Not charged")]
    assert page.cents == {"Refunded to you": "$126.60", "You were charged": "$126.60"}
    assert available(theo) == "$0.00"
