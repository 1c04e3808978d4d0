"""What people type, send twice, send late or forge: a clear message, what was typed is kept, and nothing is lost."""

from collections.abc import Callable, Generator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from marketplace import clock
from marketplace.accounts.tests.factories import UserFactory
from marketplace.catalog.models import Gig
from marketplace.catalog.tests.factories import GigFactory, TermsFactory
from marketplace.tests import invariants
from marketplace.tests.visitor import Visitor
from orders import services
from orders.models import Message, Order
from orders.tests.factories import (
    current,
    deliver,
    fresh,
    make_accepted,
    make_delivered,
    make_offer,
    make_placed,
    planned,
    statuses,
)
from orders.tests.rows import rows
from payments.models import Charge

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
STALE = "This order has changed since you opened the page. Nothing was done; look again."
PNG = b"\x89PNG\r\n\x1a\n and so on"


@pytest.fixture(autouse=True)
def _on_a_monday_and_proven() -> Generator[None, None, None]:
    with clock.at(NOW):
        yield
    assert invariants.check() == []


@pytest.fixture
def ana() -> Visitor:
    return Visitor(UserFactory.create(name="Ana Ruiz"))


@pytest.fixture
def theo() -> Visitor:
    return Visitor(UserFactory.create(name="Theo Lindqvist"))


# Amounts, days and texts in the offer builder


@pytest.mark.parametrize(
    ("field", "typed", "problem"),
    [
        ("plan-0-price", "12.345", "USD has at most 2 decimals: enter an amount like 123.45."),
        ("plan-0-price", "12,5", "Enter an amount like 123.45, without signs or letters."),
        ("plan-0-price", "-5", "Enter an amount like 123.45, without signs or letters."),
        ("plan-0-price", "1e3", "Enter an amount like 123.45, without signs or letters."),
        ("plan-0-price", "٣", "Enter an amount like 123.45, without signs or letters."),
        ("plan-0-price", "0", "The least price of a milestone is $3.00."),
        ("plan-0-price", "2.99", "The least price of a milestone is $3.00."),
        ("plan-0-price", "50000.01", "The greatest price of a milestone is $50,000.00."),
        ("plan-0-price", "", "Enter a price."),
        ("plan-0-delivery_days", "0", "At least 1 day."),
        ("plan-0-delivery_days", "366", "At most 365 days."),
        ("plan-0-delivery_days", "1.5", "Enter a whole number of days."),
        ("plan-0-delivery_days", "9" * 30, "At most 365 days."),
        ("plan-0-revisions", "51", "Select a valid choice. 51 is not one of the available choices."),
        ("plan-0-title", "", "This field is required."),
        ("plan-0-title", "a\x00b", "Null characters are not allowed."),
        ("title", "x" * 121, "Ensure this value has at most 120 characters (it has 121)."),
        ("brief", "a\x00b", "The text has a character that cannot be stored."),
        ("buyer", "nobody-here", "Nobody here has this handle."),
        ("buyer", "theo-lindqvist", "Nobody buys from themselves."),
        ("currency", "XAU", "Select a valid choice. XAU is not one of the available choices."),
    ],
)
def test_an_offer_with_a_mistake_is_shown_again_with_the_message_at_the_field(
    field: str, typed: str, problem: str, ana: Visitor, theo: Visitor
) -> None:
    TermsFactory.create(price_limits={"USD": [300, 5_000_000], "EUR": [300, 5_000_000]})
    theo.open("/offers/new/")
    good = {
        "buyer": ana.user.handle,
        "title": "Labels",
        "brief": "As discussed.",
        "currency": "USD",
        "plan-0-title": "Large jar",
        "plan-0-description": "Print-ready.",
        "plan-0-price": "90",
        "plan-0-delivery_days": "4",
        "plan-0-revisions": "2",
    }
    page = theo.press("Send an offer", **(good | {field: typed}))
    assert page.status == 422
    at_field = {
        name: page.words("li", inside=errors)
        for errors in page.all("ul", cls="errorlist")
        for name in [errors.get("id", "").removeprefix("id_").removesuffix("_error")]
    }
    assert at_field == {field: [problem]}
    kept = page.form("Send an offer")[2]
    shown = good | {field: typed}
    # A select cannot show what it does not offer, and no page can hold a NUL.
    skipped = {field} if typed in ("51", "XAU") or "\x00" in typed else set()
    assert {name: kept[name] for name in shown if name not in skipped} == {
        name: value for name, value in shown.items() if name not in skipped
    }
    assert Order.objects.count() == 0

    page = theo.press("Send an offer", **good)
    assert page.told == ["The offer is sent. Ana Ruiz can accept it now."]


@pytest.mark.parametrize(
    ("currency", "typed", "shown"),
    [("JPY", "1001", "¥1,001"), ("KWD", "12.345", "KWD 12.345"), ("USD", "33.33", "$33.33")],
)
def test_prices_are_read_in_the_currency_of_the_offer(
    currency: str, typed: str, shown: str, ana: Visitor, theo: Visitor
) -> None:
    TermsFactory.create()
    theo.open("/offers/new/")
    page = theo.press(
        "Send an offer",
        **{
            "buyer": f"@{ana.user.handle.upper()} ",
            "title": "Labels",
            "currency": currency,
            "plan-0-title": "Large jar",
            "plan-0-price": typed,
            "plan-0-delivery_days": "4",
        },
    )
    assert page.track == [("Large jar", shown, "Not charged")]


def test_the_plan_builders_buttons_keep_what_was_typed(theo: Visitor) -> None:
    theo.open("/offers/new/")
    theo.press("Add milestone", **{"title": "Labels", "plan-0-title": "Large jar", "plan-0-price": "a lot"})
    theo.press("Add milestone", **{"plan-1-title": "Small jar"})
    page = theo.press("Move down milestone 1")
    kept = page.form("Send an offer")[2]
    names = ("title", "plan-0-title", "plan-1-title", "plan-1-price", "plan-TOTAL_FORMS")
    assert [kept[name] for name in names] == ["Labels", "Small jar", "Large jar", "a lot", "3"]
    page = theo.press("Remove milestone 2")
    assert page.form("Send an offer")[2]["plan-TOTAL_FORMS"] == "2"


# Files


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("empty.png", b"", "empty.png is empty."),
        ("huge.png", PNG + b"x" * 2000, "huge.png is larger than 1.0 KB."),
        ("page.png", b"<html><script>alert(1)</script>", "page.png is not what its name says."),
        ("program.pdf", b"MZ\x90\x00", "program.pdf is not what its name says."),
        ("notes.txt", b"\x7fELF\x00\x00", "notes.txt is not what its name says."),
        ("picture.svg", b"<svg/>", "picture.svg: this kind of file is not accepted. Put it into a ZIP file."),
        ("page.html", b"<html>", "page.html: this kind of file is not accepted. Put it into a ZIP file."),
        ("noname", b"what", "noname: this kind of file is not accepted. Put it into a ZIP file."),
    ],
)
def test_a_bad_file_is_refused_and_what_was_typed_is_kept(
    name: str, content: bytes, problem: str, ana: Visitor, theo: Visitor, settings: Any
) -> None:
    settings.UPLOAD_MAX_BYTES = 1024
    order = make_placed(buyer=ana.user, seller=theo.user)
    before = rows()

    def bad() -> SimpleUploadedFile:
        return SimpleUploadedFile(name, content)

    theo.open(order.get_absolute_url())
    page = theo.press("Deliver", message="Script, 180 words.", files=[SimpleUploadedFile("good.png", PNG), bad()])
    assert (page.status, page.problems) == (422, [f"Files: {problem}"])
    assert page.form("Deliver")[2]["message"] == "Script, 180 words."
    ana.open(order.get_absolute_url())
    page = ana.press("Send message", text="Have a look.", files=[bad()])
    assert (page.status, page.problems) == (422, [f"Files: {problem}"])
    assert page.form("Send message")[2]["text"] == "Have a look."
    assert rows() == before

    theo.press("Deliver", message="Script, 180 words.", files=[SimpleUploadedFile("good.png", PNG)])
    assert statuses(order) == ("active", ["delivered", "planned", "planned"])


def test_more_files_than_allowed_are_refused_as_a_whole(ana: Visitor, theo: Visitor, settings: Any) -> None:
    settings.UPLOAD_MAX_FILES = 2
    order = make_placed(buyer=ana.user, seller=theo.user)
    theo.open(order.get_absolute_url())
    page = theo.press("Deliver", message="Three.", files=[SimpleUploadedFile(f"{i}.png", PNG) for i in range(3)])
    assert (page.status, page.problems) == (422, ["Files: At most 2 files at once."])


@pytest.mark.parametrize("text", ["", "   ", "a\x00b", "x" * 10_001])
def test_a_text_that_cannot_be_stored_is_refused(text: str, ana: Visitor, theo: Visitor) -> None:
    order = make_placed(buyer=ana.user, seller=theo.user)
    before = rows()
    theo.open(order.get_absolute_url())
    assert theo.press("Deliver", message=text).status == 422
    ana.open(order.get_absolute_url())
    assert ana.press("Send message", text=text).status == 422
    assert rows() == before


@pytest.mark.parametrize("version", ["", "0", "-1", "x", str(2**63), "1.5"])
def test_a_version_that_no_page_has_is_refused(version: str, ana: Visitor, theo: Visitor) -> None:
    order = make_delivered(buyer=ana.user, seller=theo.user)
    before = rows()
    page = ana.post(reverse("orders:accept", args=[order.number, current(order).pk]), {"version": version})
    assert page.status == 422
    assert rows() == before


# The same form twice


def make_between(**who: Any) -> Order:
    return make_accepted(**who)


Make = Callable[..., Order]


@pytest.mark.parametrize(
    ("make", "who", "link", "button", "values"),
    [
        (make_offer, "ana", "Accept the offer · pay $126.60", "Accept the offer · pay $126.60", {}),
        (make_offer, "ana", "", "Decline the offer", {}),
        (make_offer, "theo", "", "Withdraw the offer", {}),
        (make_placed, "theo", "", "Deliver", {"message": "Here."}),
        (make_delivered, "theo", "", "Deliver again", {"message": "Better."}),
        (make_delivered, "theo", "", "Grant extra revisions", {"count": "2"}),
        (make_delivered, "ana", "", "Accept", {}),
        (make_delivered, "ana", "", "Request revision", {"text": "Shorter."}),
        (
            make_delivered,
            "ana",
            "Accept and continue · pay $158.25",
            "Accept and continue · pay $158.25",
            {"method": "card_ok"},
        ),
        (make_between, "ana", "Start “Storyboard” · pay $158.25", "Start the next milestone · pay $158.25", {}),
        (make_between, "ana", "", "Stop the order", {}),
    ],
)
def test_the_second_half_of_a_double_click_does_nothing(
    make: Make, who: str, link: str, button: str, values: dict[str, str], ana: Visitor, theo: Visitor
) -> None:
    order = make(buyer=ana.user, seller=theo.user)
    visitor = {"ana": ana, "theo": theo}[who]
    visitor.open(order.get_absolute_url())
    if link:
        visitor.follow(link)
    page = visitor.press(button, **values)
    assert (page.status, len(page.told)) == (200, 1)
    before = rows()
    page = visitor.again()
    assert (page.status, page.refusal[0]) == (409, STALE)
    assert rows() == before


def test_the_same_checkout_sent_twice_makes_one_order(ana: Visitor) -> None:
    gig = GigFactory.create()
    ana.open(f"{gig.get_absolute_url()}order/")
    ana.press("Place the order · pay $63.30", brief="A bear.")
    page = ana.again()
    assert (Order.objects.count(), Charge.objects.count()) == (1, 1)
    assert page.path == Order.objects.get().get_absolute_url()


def test_a_payment_that_is_sent_twice_is_charged_once(ana: Visitor, theo: Visitor) -> None:
    order = make_placed(buyer=ana.user, seller=theo.user, method="card_declined")
    ana.open(order.get_absolute_url())
    ana.follow("Pay $126.60")
    ana.press("Pay $126.60", method="card_ok")
    page = ana.again()
    assert page.status == 409
    assert [charge.status for charge in Charge.objects.order_by("pk")] == ["failed", "succeeded"]


# A tab that was open for too long


def test_an_unseen_delivery_is_not_accepted_and_the_page_says_what_has_changed(ana: Visitor, theo: Visitor) -> None:
    order = make_delivered(buyer=ana.user, seller=theo.user)
    ana.open(order.get_absolute_url())
    services.deliver(current(order), by=order.seller, message="Page 3 was missing.")
    page = ana.press("Accept")
    assert page.status == 409
    assert page.refusal == [STALE, "Theo Lindqvist delivered “Script” (Delivery 2)"]
    assert statuses(order) == ("active", ["delivered", "planned", "planned"])
    page = ana.press("Accept")
    assert page.told == ["You accepted the delivery; the seller is paid."]


def test_a_wish_typed_into_a_stale_tab_is_kept(ana: Visitor, theo: Visitor) -> None:
    order = make_delivered(buyer=ana.user, seller=theo.user)
    ana.open(order.get_absolute_url())
    services.deliver(current(order), by=order.seller, message="Page 3 was missing.")
    page = ana.press("Request revision", text="Where is page 3?")
    assert (page.status, page.form("Request revision")[2]["text"]) == (409, "Where is page 3?")
    page = ana.press("Request revision")
    assert page.next == "Theo Lindqvist revises “Script”"


def test_nobody_pays_for_an_offer_that_was_edited_under_their_eyes(ana: Visitor, theo: Visitor) -> None:
    order = make_offer(buyer=ana.user, seller=theo.user)
    ana.open(order.get_absolute_url())
    ana.follow("Accept the offer · pay $126.60")
    services.edit_offer(
        order, by=theo.user, title=order.title, brief="", plan=[planned("Script", 14_000)], version=order.version
    )
    page = ana.press("Accept the offer · pay $126.60")
    assert (page.status, Charge.objects.count()) == (409, 0)
    assert page.refusal == [STALE, "Theo Lindqvist changed the offer"]
    page = ana.press("Accept the offer · pay $147.70")
    assert page.cents["You were charged"] == "$147.70"


def test_an_offer_that_was_edited_in_another_tab_is_not_overwritten(ana: Visitor, theo: Visitor) -> None:
    order = make_offer(buyer=ana.user, seller=theo.user)
    theo.open(reverse("orders:edit_offer", args=[order.number]))
    services.edit_offer(
        order, by=theo.user, title=order.title, brief="", plan=[planned("Script", 14_000)], version=order.version
    )
    page = theo.press("Edit the offer", brief="In my first tab.")
    assert page.status == 422
    assert page.problems == [STALE]
    assert page.form("Edit the offer")[2]["brief"] == "In my first tab."
    assert [step.price for step in fresh(order).plan] == [14_000]


def test_a_gig_whose_plan_changed_is_looked_at_again_before_it_is_paid(ana: Visitor) -> None:
    gig = GigFactory.create()
    ana.open(f"{gig.get_absolute_url()}order/")
    Gig.objects.filter(pk=gig.pk).update(version=gig.version + 1)
    page = ana.press("Place the order · pay $63.30", brief="A bear.")
    assert page.status == 409
    assert page.refusal == ["The gig or the terms have changed since you opened the page. Please look again."]
    assert (Order.objects.count(), page.form("Place the order · pay $63.30")[2]["brief"]) == (0, "A bear.")
    page = ana.press("Place the order · pay $63.30")
    assert page.cents["You were charged"] == "$63.30"


# Too early, too late


@pytest.mark.parametrize(
    ("make", "name", "who", "reason"),
    [
        (make_placed, "accept", "ana", "Nothing has been delivered for “Script” yet."),
        (make_placed, "request_revision", "ana", "Nothing has been delivered for “Script” yet."),
        (make_placed, "pay", "ana", "“Script” is paid."),
        (make_delivered, "start", "ana", "“Script” has to end first."),
        (make_accepted, "deliver", "theo", "“Script” is completed."),
        (make_accepted, "accept", "ana", "“Script” is completed."),
        (make_offer, "deliver", "theo", "The offer was not accepted yet."),
        (make_offer, "accept", "ana", "The offer was not accepted yet."),
    ],
)
def test_what_is_not_possible_now_is_refused_with_the_reason(
    make: Make, name: str, who: str, reason: str, ana: Visitor, theo: Visitor
) -> None:
    order = make(buyer=ana.user, seller=theo.user)
    visitor = {"ana": ana, "theo": theo}[who]
    milestone = order.plan[1] if name == "start" else order.plan[0]
    before = rows()
    address = reverse(f"orders:{name}", args=[order.number, milestone.pk])
    values = {"version": order.version, "method": "card_ok", "text": "Please.", "message": "Here."}
    page = visitor.post(address, values)
    assert (page.status, [line.split(" (")[0] for line in page.refusal]) == (409, [reason])
    assert rows() == before


def test_an_act_after_the_window_meets_the_clocks_work(ana: Visitor, theo: Visitor) -> None:
    """With beat asleep: the press is refused, and what the clock owed is done, dated when it was due (O7)."""
    order = make_delivered(buyer=ana.user, seller=theo.user)
    ana.open(order.get_absolute_url())
    with clock.at(NOW + timedelta(days=8, hours=5)):
        page = ana.press("Request revision", text="Shorter.")
        assert page.status == 409
        assert page.refusal == [
            STALE,
            "Nobody answered in time: “Script” is completed and $96.00 paid to Theo Lindqvist",
            "The order ended: the review window ended without an answer",
            "The order is completed.",
        ]
    assert fresh(order).ended_at == NOW + timedelta(days=8)


# Forged


def test_a_form_binds_only_the_fields_it_shows(ana: Visitor, theo: Visitor) -> None:
    order = make_placed(buyer=ana.user, seller=theo.user)
    forged = {
        "status": "completed",
        "price": "1",
        "amount": "1",
        "seller": str(ana.user.pk),
        "buyer": str(theo.user.pk),
        "decide_by": "2099-01-01",
        "deliver_by": "2099-01-01",
        "revisions_used": "0",
        "delivered_at": "2020-01-01",
        "terms": "1",
    }
    deliver(order)
    for address, values in (
        (reverse("orders:request_revision", args=[order.number, order.plan[0].pk]), {"text": "Shorter."}),
        (reverse("orders:accept_and_continue", args=[order.number, order.plan[0].pk]), {"method": "card_ok"}),
    ):
        ana.post(address, {"version": fresh(order).version} | values | forged)
    found = fresh(order)
    assert [(step.status, step.price) for step in found.plan] == [
        ("completed", 12_000),
        ("in_progress", 15_000),
        ("planned", 20_000),
    ]
    assert (found.buyer, found.seller, found.plan[0].revisions_used) == (ana.user, theo.user, 1)
    assert found.plan[1].deliver_by == NOW + timedelta(days=5)
    assert [charge.amount for charge in Charge.objects.order_by("pk")] == [12_660, 15_825]


def test_a_forged_checkout_pays_the_gigs_price_to_the_gigs_seller(ana: Visitor, theo: Visitor) -> None:
    gig = GigFactory.create()
    ana.open(f"{gig.get_absolute_url()}order/")
    method, address, values, _ = ana.page.form("Place the order · pay $63.30")
    ana.post(address, values | {"price": "1", "seller": str(theo.user.pk), "plan-0-price": "1", "currency": "JPY"})
    order = Order.objects.get()
    assert (method, order.seller, order.price, order.currency) == ("post", gig.seller, 25_000, "USD")


def test_the_checkout_of_somebody_else_is_refused(ana: Visitor, theo: Visitor) -> None:
    gig = GigFactory.create()
    ana.open(f"{gig.get_absolute_url()}order/")
    _, address, values, _ = ana.page.form("Place the order · pay $63.30")
    page = theo.post(address, values)
    assert (page.status, page.refusal) == (
        409,
        ["This page was opened by somebody else. Please send it once more."],
    )
    page = ana.post(address, values | {"checkout": "forged"})
    assert (page.status, page.refusal) == (409, ["This page has expired. Please send it once more."])
    assert Order.objects.count() == 0


def test_the_buyer_and_the_currency_of_an_offer_cannot_be_edited(ana: Visitor, theo: Visitor) -> None:
    order = make_offer(buyer=ana.user, seller=theo.user)
    other = UserFactory.create(name="Ben Okafor")
    theo.open(reverse("orders:edit_offer", args=[order.number]))
    _, address, values, _ = theo.page.form("Edit the offer")
    page = theo.post(address, values | {"buyer": other.handle, "currency": "JPY", "title": "Labels"})
    assert page.told == ["The offer is changed. Ana Ruiz can accept it now."]
    found = fresh(order)
    assert (found.buyer, found.currency, found.title, found.price) == (ana.user, "USD", "Labels", 47_000)


def test_a_card_that_was_not_offered_is_refused(ana: Visitor, theo: Visitor) -> None:
    order = make_offer(buyer=ana.user, seller=theo.user)
    page = ana.post(
        reverse("orders:place", args=[order.number]), {"version": order.version, "method": "card_of_somebody"}
    )
    assert page.status == 422
    assert statuses(order)[0] == "offered"


def test_a_form_from_another_site_is_refused(ana: Visitor, theo: Visitor) -> None:
    order = make_delivered(buyer=ana.user, seller=theo.user)
    ana.client.handler.enforce_csrf_checks = True
    page = ana.post(reverse("orders:accept", args=[order.number, current(order).pk]), {"version": order.version})
    assert page.status == 403
    assert statuses(order)[1][0] == "delivered"


def test_numbers_that_no_database_holds_are_answered_with_nothing_here(ana: Visitor, theo: Visitor) -> None:
    order = make_delivered(buyer=ana.user, seller=theo.user)
    for address in (
        f"/orders/{order.number}/milestones/{2**63}/accept/",
        f"/orders/{order.number}/files/{2**80}/",
        "/orders/%00/",
        "/cases/%00/",
        "/offers/new/?request=" + "9" * 30,
        "/offers/new/?request=%00",
    ):
        assert ana.open(address).status == 404, address


def test_a_message_that_is_sent_twice_from_one_page_is_sent_once(ana: Visitor, theo: Visitor) -> None:
    order = make_placed(buyer=ana.user, seller=theo.user)
    ana.open(order.get_absolute_url())
    ana.press("Send message", text="Hello.")
    page = ana.again()
    assert page.words(cls="bubble__text") == ["Hello."]
    page = ana.press("Send message", text="Hello.")
    assert page.words(cls="bubble__text") == ["Hello.", "Hello."]


def test_a_message_that_is_sent_is_shown(ana: Visitor, theo: Visitor) -> None:
    order = make_placed(buyer=ana.user, seller=theo.user)
    ana.open(order.get_absolute_url())
    page = ana.press("Send message", text="Hello\nTheo 😀")
    assert page.told == ["Your message is sent."]
    assert Message.objects.get().text.replace("\r", "") == "Hello\nTheo 😀"
