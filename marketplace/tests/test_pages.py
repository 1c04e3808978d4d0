"""Every page of an order: who may see it, what it costs, and that a look changes nothing."""

from collections.abc import Callable, Generator
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

import orders.urls
import resolution.urls
from marketplace import clock
from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import StaffFactory, UserFactory
from marketplace.accounts.tests.signing_in import sign_in_by_password_alone
from marketplace.catalog.models import Gig
from marketplace.catalog.tests.factories import GigFactory
from marketplace.tests import invariants
from marketplace.tests.visitor import Visitor
from orders import services
from orders.models import Attachment, Order
from orders.tests.factories import (
    checked_file,
    current,
    deliver,
    fresh,
    make_accepted,
    make_delivered,
    make_in_revision,
    make_offer,
    make_placed,
    planned,
    start_next,
)
from orders.tests.rows import rows
from resolution.models import Case, Reason
from resolution.services import open_case

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
Make = Callable[..., Order]


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


@pytest.fixture
def nosy() -> Visitor:
    return Visitor(UserFactory.create(name="Nosy Parker"))


@pytest.fixture
def disputed(ana: Visitor, theo: Visitor) -> Order:
    """An order with a delivery, a file and an open case: every address of an order exists."""
    order = make_placed(buyer=ana.user, seller=theo.user)
    services.deliver(current(order), by=order.seller, message="Four pages.", files=[checked_file("script.png")])
    case_about(order, by=order.buyer)
    return fresh(order)


def case_about(order: Order, by: User, kind: str = "cancel_milestone") -> Case:
    return open_case(
        fresh(order), by=by, kind=kind, reason=Reason.objects.get(code="agreed_by_both"), statement="We agreed."
    )


def prices(visitor: Visitor, *paths: str) -> list[int]:
    """How many queries each page takes when it is opened for the second time."""
    found = []
    for path in paths:
        visitor.open(path)
        with CaptureQueriesContext(connection) as queries:
            assert visitor.open(path).status == 200
        found.append(len(queries))
    return found


# What a page costs, however much there is to show


def make_big(ana: Visitor, theo: Visitor, size: int) -> Order:
    """An order with so many milestones, deliveries, messages and files, in its last milestone but one."""
    plan = [planned(f"Step {number}", 10_000, 3, None) for number in range(size + 1)]
    order = make_placed(buyer=ana.user, seller=theo.user, plan=plan)
    for number in range(size):
        for again in range(2):
            name = f"step-{number}-{again}.png"
            services.deliver(current(order), by=order.seller, message="Here.", files=[checked_file(name)])
        services.send_message(order, by=order.buyer, text="Thank you.", files=[checked_file("thanks.png")])
        services.accept(current(order), by=order.buyer)
        start_next(order)
    deliver(order)
    return fresh(order)


@pytest.mark.parametrize("size", [1, 8])
def test_the_page_of_an_order_costs_the_same_however_long_it_is(ana: Visitor, theo: Visitor, size: int) -> None:
    order = make_big(ana, theo, size)
    assert prices(ana, order.get_absolute_url()) == [9]
    assert prices(theo, order.get_absolute_url()) == [9]


@pytest.mark.parametrize("count", [4, 12])
def test_the_lists_cost_the_same_however_many_orders_there_are(ana: Visitor, theo: Visitor, count: int) -> None:
    makes: list[Make] = [make_offer, make_delivered, make_accepted, make_in_revision]
    for number in range(count):
        order = makes[number % 4](buyer=ana.user, seller=theo.user)
        services.send_message(order, by=order.buyer, text="Hello.")
        services.ask_offer(by=ana.user, seller=theo.user, text="Another one?")
    assert prices(ana, "/orders/", "/orders/?state=waiting&q=theo") == [7, 7]
    assert prices(theo, "/sales/", "/earnings/", "/notifications/") == [8, 9, 6]


@pytest.mark.parametrize("size", [1, 8])
def test_checkout_and_the_offer_builder_cost_the_same_however_long_the_plan_is(
    ana: Visitor, theo: Visitor, size: int
) -> None:
    gig = GigFactory.create(seller=theo.user, plan=[planned(f"Step {number}") for number in range(size)])
    asked = services.ask_offer(by=ana.user, seller=theo.user, text="Another one?", gig=gig)
    assert prices(ana, f"{gig.get_absolute_url()}order/") == [8]
    assert prices(theo, f"/offers/new/?request={asked.pk}") == [7]
    order = make_offer(buyer=ana.user, seller=theo.user, plan=[planned(f"Step {number}") for number in range(size)])
    assert prices(ana, reverse("orders:place", args=[order.number])) == [7]
    assert prices(theo, reverse("orders:edit_offer", args=[order.number])) == [6]


@pytest.mark.parametrize("count", [1, 8])
def test_browsing_and_a_gig_cost_the_same_however_many_there_are(theo: Visitor, ana: Visitor, count: int) -> None:
    for number in range(count):
        gig = GigFactory.create(seller=theo.user, title=f"Gig {number}", plan=[planned()] * count)
    addresses = ["/", "/gigs/", gig.get_absolute_url(), f"/sellers/{theo.user.handle}/"]
    assert prices(Visitor.nobody(), *addresses) == [3, 3, 5, 5]
    assert prices(theo, "/selling/gigs/") == [4]


# Who may see it

# Every address below /orders/<number>/ and /cases/<number>/, and whose it is.
BUYER, SELLER, BOTH = "buyer", "seller", "both"
ADDRESSES = {
    "place": BUYER,
    "decline": BUYER,
    "stop": BUYER,
    "order_again": BUYER,
    "edit_offer": SELLER,
    "withdraw": SELLER,
    "send_message": BOTH,
    "mark_read": BOTH,
    "would": BOTH,
    "file": BOTH,
    "view_file": BOTH,
    "compare": BOTH,
    "start": BUYER,
    "pay": BUYER,
    "abandon": BUYER,
    "accept": BUYER,
    "accept_and_continue": BUYER,
    "request_revision": BUYER,
    "deliver": SELLER,
    "grant_revisions": SELLER,
}
CASES = {
    "open": BOTH,
    "open_kind": BOTH,
    "case": BOTH,
    "accept": SELLER,
    "decline": SELLER,
    "withdraw": BUYER,
    "escalate": BUYER,
    "write": BOTH,
}
ELSEWHERE = {"order_gig", "ask_offer", "send_offer", "inline", "thumbnail", "preview"}
OF_THE_ORDER = ("place", "decline", "stop", "order_again", "edit_offer", "withdraw", "send_message", "mark_read")
ON_CASES = ("accept", "decline", "withdraw", "escalate", "write")
POST_ONLY = {"send_message", "mark_read", *(f"resolution:{name}" for name in ON_CASES)}
LABELS = {
    "place": "Accept the offer and pay",
    "decline": "Decline the offer",
    "stop": "Stop the order",
    "order_again": "Order again",
    "edit_offer": "Edit the offer",
    "withdraw": "Withdraw the offer",
    "start": "Start the next milestone",
    "pay": "Pay",
    "abandon": "Use another card",
    "accept": "Accept",
    "accept_and_continue": "Accept and continue",
    "request_revision": "Request revision",
    "deliver": "Deliver",
    "grant_revisions": "Grant extra revisions",
}


def addresses(order: Order) -> dict[str, str]:
    milestone = order.plan[0].pk
    file = Attachment.objects.filter(order=order).latest("pk").pk
    about = {"file": [file], "view_file": [file], "would": ["accept"]} | {name: [] for name in OF_THE_ORDER}
    found = {name: reverse(f"orders:{name}", args=[order.number, *about.get(name, [milestone])]) for name in ADDRESSES}
    case = Case.objects.get(order=order)
    of_the_order = {"open": [order.number], "open_kind": [order.number, "cancel-milestone"]}
    found |= {
        f"resolution:{name}": reverse(f"resolution:{name}", args=of_the_order.get(name, [case.number]))
        for name in CASES
    }
    return found | {"order": order.get_absolute_url()}


def test_the_table_of_addresses_is_complete() -> None:
    assert {pattern.name for pattern in orders.urls.urlpatterns} == set(ADDRESSES) | ELSEWHERE
    assert {pattern.name for pattern in resolution.urls.urlpatterns} == set(CASES)
    assert set(LABELS) == {name for name, whose in ADDRESSES.items() if whose != BOTH}


def test_to_strangers_no_order_and_no_case_exists(disputed: Order, nosy: Visitor) -> None:
    before = rows()
    seen = {}
    for name, address in addresses(disputed).items():
        methods = ("post",) if name in POST_ONLY else ("get", "post")
        seen[name] = {getattr(nosy.client, method)(address).status_code for method in methods}
    # The pages of the order and of its cases, and what was delivered, can only be looked at.
    only_looked_at = ("order", "file", "view_file", "compare", "would", "resolution:case", "resolution:open")
    looked_at = {name: {404, 405} for name in only_looked_at}
    assert seen == {name: {404} for name in seen} | looked_at
    assert rows() == before


def test_an_order_that_does_not_exist_is_answered_like_one_of_other_people(disputed: Order, nosy: Visitor) -> None:
    theirs = nosy.open(disputed.get_absolute_url())
    none = nosy.open("/orders/MP-2222-2222-2222/")
    assert (theirs.status, none.status) == (404, 404)
    assert theirs.words("p") == none.words("p")


def test_who_is_not_signed_in_is_sent_to_sign_in_and_comes_back(disputed: Order) -> None:
    nobody = Visitor.nobody()
    for name, address in addresses(disputed).items():
        method = nobody.client.post if name in POST_ONLY else nobody.client.get
        response = method(address)
        assert (response.status_code, response["Location"]) == (302, f"/accounts/login/?next={address}"), name
    for address in ("/orders/", "/sales/", "/offers/new/", "/earnings/", "/notifications/", "/profile/"):
        assert nobody.client.get(address)["Location"] == f"/accounts/login/?next={address}"


def test_the_other_side_is_told_whose_button_it_is(disputed: Order, ana: Visitor, theo: Visitor) -> None:
    """A look and a press alike, in every state: 403 with the reason, and nothing is done."""
    before = rows()
    found = addresses(disputed)
    for name, whose in ADDRESSES.items():
        if whose == BOTH:
            continue
        other = theo if whose == BUYER else ana
        for page in (other.open(found[name]), other.post(found[name], {"version": disputed.version})):
            assert (page.status, page.refusal) == (403, [f"Only the {whose} can do this: {LABELS[name]}."]), name
    for name in ("accept", "decline"):
        page = ana.post(found[f"resolution:{name}"], {"version": disputed.version, "text": "Yes."})
        assert (page.status, page.refusal) == (403, [f"Only the seller can do this: {name.capitalize()}."])
    for name, label in (("withdraw", "Withdraw the case"), ("escalate", "Take it to Customer Support")):
        page = theo.post(found[f"resolution:{name}"], {"version": disputed.version, "text": "Please look."})
        assert (page.status, page.refusal) == (403, [f"Only the buyer can do this: {label}."])
    assert rows() == before


def test_a_milestone_is_found_in_its_own_order_only(ana: Visitor, theo: Visitor) -> None:
    mine = make_delivered(buyer=ana.user, seller=theo.user)
    another = make_delivered(buyer=ana.user, seller=theo.user)
    milestone = current(another)
    for name in ("accept", "start", "pay", "request_revision", "accept_and_continue", "abandon"):
        address = reverse(f"orders:{name}", args=[mine.number, milestone.pk])
        assert ana.client.get(address).status_code == 404, name
        assert ana.client.post(address, {"version": mine.version}).status_code == 404, name


def test_the_seller_of_a_gig_cannot_order_it(theo: Visitor) -> None:
    gig = GigFactory.create(seller=theo.user)
    page = theo.open(f"{gig.get_absolute_url()}order/")
    assert (page.status, page.refusal) == (403, ["This gig is yours."])


def test_a_gig_that_is_not_for_sale_cannot_be_ordered(ana: Visitor) -> None:
    gig = GigFactory.create(status=Gig.Status.PAUSED)
    assert ana.open(f"{gig.get_absolute_url()}order/").status == 404
    assert ana.open(f"{gig.get_absolute_url()}ask/").status == 404


# A look changes nothing


def make_unpaid(**who: User) -> Order:
    return make_placed(method="card_declined", **who)


@pytest.mark.parametrize("make", [make_offer, make_unpaid, make_delivered, make_accepted, make_in_revision])
def test_a_look_at_an_overdue_order_changes_nothing(make: Make, ana: Visitor, theo: Visitor) -> None:
    """The clock acts, or a press does; never a GET (O7)."""
    order = make(buyer=ana.user, seller=theo.user)
    milestone = (order.current or order.next_milestone).pk
    with clock.at(NOW + timedelta(days=60)):
        before = rows()
        for name in ADDRESSES:
            if name in ("file", "send_message", "mark_read"):
                continue
            about = [] if name in OF_THE_ORDER else [milestone]
            address = reverse(f"orders:{name}", args=[order.number, *about])
            for visitor in (ana, theo):
                visitor.open(address)
                visitor.client.head(address)
        for visitor in (ana, theo):
            visitor.open(order.get_absolute_url())
            visitor.open(reverse("resolution:open", args=[order.number]))
            for path in ("/orders/", "/sales/", "/earnings/", "/notifications/"):
                visitor.open(path)
        assert rows() == before


# What goes with a page


SCRIPTS = ("site", "order", "upload", "django_htmx/htmx-2.min")
PRIVATE = "private, no-store"
POLICY = (
    "default-src 'self'; img-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def test_private_pages_stay_out_of_every_cache_and_load_nothing_from_elsewhere(disputed: Order, ana: Visitor) -> None:
    private = [address for name, address in addresses(disputed).items() if name not in POST_ONLY]
    for address in [*private, "/orders/", "/sales/", "/earnings/", "/notifications/", "/profile/", "/offers/new/"]:
        response = ana.client.get(address)
        response.close()
        headers = response.headers
        assert directives(headers["Cache-Control"]) == directives(PRIVATE), address
        assert headers["X-Content-Type-Options"] == "nosniff", address
        assert headers["X-Frame-Options"] == "DENY", address
        if response.get("Content-Disposition") is None:
            assert directives(headers["Content-Security-Policy"]) == directives(POLICY), address


def directives(header: str) -> set[str]:
    return {part.strip() for part in header.replace(",", ";").split(";")}


def test_a_file_is_downloaded_and_never_shown_on_our_origin(disputed: Order, ana: Visitor, theo: Visitor) -> None:
    name = "Entwürfe \r\nSet-Cookie: x=1.png"
    services.send_message(disputed, by=ana.user, text="Look.", files=[checked_file(name)])
    file = Attachment.objects.latest("pk")
    for visitor in (ana, theo):
        response = visitor.client.get(reverse("orders:file", args=[disputed.number, file.pk]))
        assert b"".join(response.streaming_content) == b"\x89PNG\r\n\x1a\n and so on"
        assert {name: response[name] for name in ("Content-Type", "X-Content-Type-Options", "Cache-Control")} == {
            "Content-Type": "image/png",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, no-store",
        }
        assert response["Content-Disposition"] == (
            "attachment; filename*=utf-8''Entw%C3%BCrfe%20Set-Cookie%3A%20x%3D1.png"
        )
        assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"


def test_support_downloads_files_with_their_second_factor_only(disputed: Order) -> None:
    """The one page for staff outside of admin."""
    support = Visitor(StaffFactory())
    assert support.user
    support.user.groups.add(Group.objects.get(name="Support"))
    address = reverse("orders:file", args=[disputed.number, Attachment.objects.latest("pk").pk])
    answer = support.client.get(address)
    answer.close()
    assert answer.status_code == 200
    support.client.logout()
    sign_in_by_password_alone(support.client, support.user, "django.contrib.auth.backends.ModelBackend")
    assert support.client.get(address).status_code == 404


def test_a_withheld_file_is_named_with_the_reason_and_can_no_longer_be_loaded(
    disputed: Order, ana: Visitor, theo: Visitor
) -> None:
    file = Attachment.objects.get()
    agent = UserFactory.create(name="Sam Support", is_staff=True)
    services.withhold_file(file, by=agent, reason="It infringes a trademark.")
    page = theo.open(disputed.get_absolute_url())
    assert page.words("li", inside=page.all("ul", cls="files")[0]) == [
        "script.png withheld by Customer Support: It infringes a trademark."
    ]
    assert theo.client.get(reverse("orders:file", args=[disputed.number, file.pk])).status_code == 404


def test_neither_side_reads_the_others_address(disputed: Order, ana: Visitor, theo: Visitor) -> None:
    for visitor, other in ((ana, theo), (theo, ana)):
        for address in (*addresses(disputed).values(), f"/sellers/{theo.user.handle}/", "/orders/", "/sales/"):
            response = visitor.client.get(address)
            body = b"".join(response.streaming_content) if response.streaming else response.content
            assert other.user.email.encode() not in body, address


def test_what_people_write_is_text_on_every_page(ana: Visitor, theo: Visitor) -> None:
    nasty = '<script>alert("x")</script>'
    plan = [planned(nasty[:60], 10_000, 3, 1), planned("Next", 10_000, 3, 1)]
    order = make_offer(buyer=ana.user, seller=theo.user, plan=plan)
    services.place(order, by=order.buyer, method="card_ok")
    services.deliver(current(order), by=order.seller, message=nasty, files=[checked_file(f"{nasty[:8]}.png")])
    services.send_message(order, by=order.buyer, text=nasty)
    services.request_revision(current(order), by=order.buyer, text=nasty)
    case = case_about(order, by=order.buyer)
    for address in (order.get_absolute_url(), case.get_absolute_url(), "/orders/", "/notifications/"):
        for visitor in (ana, theo):
            page = visitor.open(address)
            scripts = {script.get("src", "inline") for script in page.all("script")}
            assert scripts <= {f"/static/{name}.js" for name in SCRIPTS}, address


# Every page is HTML without an error: a Visitor asserts that wherever it goes


def test_the_pages_that_no_other_test_opens(ana: Visitor, theo: Visitor) -> None:
    gig = GigFactory.create(seller=theo.user)
    nobody = Visitor.nobody()
    assert titles(nobody, "/", "/accounts/login/", "/accounts/signup/", "/accounts/password/reset/") == [
        "Big work, paid one milestone at a time",
        "Sign in",
        "Join Milepost",
        "Reset your password",
    ]
    assert titles(nobody, "/help/milestones/", f"/sellers/{theo.user.handle}/", "/nothing-here/") == [
        "How milestone orders work",
        "Theo Lindqvist",
        "There is nothing here for you",
    ]
    assert titles(ana, f"{gig.get_absolute_url()}ask/", "/offers/new/", "/profile/", "/accounts/logout/") == [
        "Ask Theo Lindqvist for a custom offer",
        "Send an offer",
        "Your profile",
        "Sign out?",
    ]
    assert titles(theo, f"/selling/gigs/{gig.slug}/edit/") == [f"Edit “{gig.title}”"]


def titles(visitor: Visitor, *addresses: str) -> list[str]:
    return [visitor.open(address).title for address in addresses]
