"""R7: the real code, rolled back, and what it did; exactly what the act then does."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks

import payments.services as payments
from marketplace import clock
from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import StaffFactory
from marketplace.catalog.plans import PlannedMilestone
from marketplace.notifications.models import Notice
from marketplace.tests.visitor import Page, words_of
from orders import services
from orders.guards import Refusal, Refused
from orders.locking import lock, touch
from orders.models import Order
from orders.rehearsal import Change, Deadline, Message, Movement, Outcome, outcome, outcome_of_button, rehearse
from orders.tests.factories import (
    ONE_STEP,
    after,
    at,
    cancel_milestone,
    cancel_order,
    cents,
    complete_milestone,
    current,
    deliver,
    freeze,
    fresh,
    make_offer,
    planned,
    resume,
    statuses,
)
from orders.tests.rows import rows
from payments.models import Transfer
from payments.services import Cents

pytestmark = pytest.mark.django_db

TWO_STEPS = (planned("Logo", 10_000, 3, 2), planned("Cards", 5_000, 5, 1))
OrderIn = Callable[..., Order]
Act = Callable[[Order], object]


@pytest.fixture
def order_in(django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks) -> OrderIn:
    def make(state: str, plan: Any = TWO_STEPS) -> Order:
        order = make_offer(plan=plan)
        if state != "offered":
            with django_capture_on_commit_callbacks(execute=True):
                services.place(order, by=order.buyer, method="card_ok")
        if state in ("delivered", "in_revision", "between", "frozen"):
            deliver(order)
        if state == "in_revision":
            services.request_revision(current(order), by=order.buyer, text="The old logo.")
        if state == "between":
            services.accept(current(order), by=order.buyer)
        return freeze(order) if state == "frozen" else fresh(order)

    return make


def under_lock(order: Order, change: Callable[[Order], object]) -> None:
    """What an accepted proposal or a ruling does: an inside function, under the caller's lock."""
    with transaction.atomic():
        locked, now = lock(order.pk)
        touch(locked, by=None, now=now)
        change(locked)
        locked.save()


def page_of(user: User, path: str, values: dict[str, Any] | None = None) -> Page:
    client = Client()
    client.force_login(user)
    return Page(client.get(path) if values is None else client.post(path, values, follow=True), path)


def would(user: User, order: Order, name: str) -> Page:
    """What the order's page shows in the panel of a button, when somebody opens it."""
    client = Client()
    client.force_login(user)
    address = reverse("orders:would", args=[order.number, name])
    response = client.get(address, headers={"HX-Request": "true"})
    part = response.content if response.status_code == 200 else b""
    return Page(HttpResponse(b"<!doctype html><title>A part</title>" + part, status=response.status_code), address)


def outcome_on(page: Page) -> dict[str, list[str]]:
    """The page's one rehearsal: its headings, each with its lines."""
    listings = page.all("dl", cls="outcome")
    assert len(listings) == 1
    lines = [page.words("p", inside=line) for line in listings[0].iter("dd")]
    return dict(zip(page.words("dt", inside=listings[0]), lines, strict=True))


# What it says


def test_it_says_what_happens_to_every_state_and_cent_and_clock_and_who_is_told(order_in: OrderIn) -> None:
    order = order_in("delivered")
    rehearsal = rehearse(order, lambda: services.accept(current(order), by=order.buyer))
    assert (rehearsal.version, rehearsal.currency, rehearsal.back_to_buyer) == (order.version, "USD", 0)
    assert rehearsal.states == [Change("“Logo”", "Delivered", "Completed")]
    assert rehearsal.movements == [
        Movement("is paid to the seller", 8_000, "USD"),
        Movement("is kept as fees", 2_550, "USD"),
    ]
    assert (rehearsal.before, rehearsal.after) == (
        Cents(charged=10_550, held=10_550),
        Cents(charged=10_550, seller=8_000, fees=2_550),
    )
    # The instant stays, but what the buyer has to do by then is another thing (O6).
    assert rehearsal.deadlines == [
        Deadline("The buyer's time to review “Logo”", after(days=8), None),
        Deadline("The buyer's time to start “Cards” or stop", None, after(days=8)),
    ]
    assert rehearsal.told == [Message("Theo Lindqvist", "Ana Ruiz accepted “Logo”: $80.00 paid", "seller")]


def test_each_side_reads_it_in_its_own_words(order_in: OrderIn) -> None:
    order = order_in("frozen")
    rehearsal = rehearse(order, partial(cancel_milestone, order))
    buyer, seller, support = (rehearsal.for_side(side) for side in ("buyer", "seller", ""))
    assert [[str(movement) for movement in one.movements] for one in (buyer, seller, support)] == [
        ["$105.50 goes back to you"],
        ["$105.50 goes back to the buyer"],
        ["$105.50 goes back to the buyer"],
    ]
    assert [[clock.what for clock in one.deadlines] for one in (buyer, seller, support)] == [
        ["Your time to review “Logo”", "Your time to start “Cards” or stop"],
        *[["The buyer's time to review “Logo”", "The buyer's time to start “Cards” or stop"]] * 2,
    ]
    assert (buyer.told, seller.told, support.told) == (
        {"You": ["“Logo” was canceled"], "Theo Lindqvist": ["“Logo” was canceled"]},
        {"Ana Ruiz": ["“Logo” was canceled"], "You": ["“Logo” was canceled"]},
        {"Ana Ruiz": ["“Logo” was canceled"], "Theo Lindqvist": ["“Logo” was canceled"]},
    )


@pytest.mark.parametrize("title", ["Thank the buyer", "The buyer's time to shine"])
def test_what_somebody_called_a_milestone_is_left_as_it_is(order_in: OrderIn, title: str) -> None:
    order = order_in("in_progress", plan=(planned(title, 10_000, 3, 2),))
    read = rehearse(order, partial(cancel_milestone, order)).for_side("buyer")
    assert read.changes[0] == Change(f"“{title}”", "In progress", "Canceled")
    assert read.deadlines == [Deadline(f"The seller's time to deliver “{title}”", after(days=3), None)]


def test_what_a_plan_becomes_is_seen_milestone_by_milestone(order_in: OrderIn) -> None:
    order = order_in("in_progress", plan=(*TWO_STEPS, planned("Sign", 7_000, 2, None)))
    cards, sign = (PlannedMilestone.of(milestone) for milestone in order.plan[1:])

    def changes(*upcoming: PlannedMilestone) -> list[Change]:
        act = partial(services.change_upcoming, upcoming=upcoming, by=None, at=clock.now())
        return rehearse(order, partial(under_lock, order, act)).states

    poster = planned("Poster", 8_000, 1, 1)
    dearer = PlannedMilestone("Cards, both sides", cards.description, 6_000, 7, 1)
    looser = PlannedMilestone(sign.title, "Other words", sign.price, sign.delivery_days, 3)
    assert changes(cards) == [Change("“Sign”", "Not started", "dropped")]
    assert changes(cards, sign, poster) == [Change("“Poster”, $80.00, 1 day, 1 revision", "–", "Not started")]
    assert changes(dearer, looser) == [
        Change("“Cards”", "“Cards”, $50.00, 5 days", "“Cards, both sides”, $60.00, 7 days"),
        Change("“Sign”", "unlimited revisions, details", "3 revisions, other details"),
    ]
    assert [milestone.title for milestone in fresh(order).plan] == ["Logo", "Cards", "Sign"]


def test_another_delivery_date_more_revisions_and_a_freeze_are_changes_too(order_in: OrderIn) -> None:
    order = order_in("in_progress")
    milestone = current(order)
    extended = rehearse(
        order,
        partial(
            under_lock,
            order,
            lambda locked: services.extend_delivery(locked, locked.plan[0], days=2, by=None, at=after(hours=1)),
        ),
    )
    assert extended.states == []
    assert extended.deadlines == [Deadline("The seller's time to deliver “Logo”", after(days=3), after(days=5))]
    granted = rehearse(order, lambda: services.grant_revisions(milestone, by=order.seller, count=2))
    assert (granted.states, granted.deadlines) == ([Change("“Logo”", "2 revisions", "4 revisions")], [])
    delivered = rehearse(order, partial(deliver, order))
    assert delivered.states == [Change("“Logo”", "In progress", "Delivered")]
    assert delivered.deadlines == [
        Deadline("The seller's time to deliver “Logo”", after(days=3), None),
        Deadline("The buyer's time to review “Logo”", None, after(days=8)),
    ]
    assert rehearse(order, partial(freeze, order)).states == [Change("The clocks", "running", "frozen")]
    frozen = freeze(order)
    with at(days=1):
        resumed = rehearse(frozen, partial(resume, frozen))
    assert resumed.states == [Change("The clocks", "frozen", "running")]
    assert resumed.deadlines == [Deadline("The seller's time to deliver “Logo”", after(days=3), after(days=4))]


def test_what_is_refused_is_refused_in_the_rehearsal_with_the_same_reason(order_in: OrderIn) -> None:
    order = order_in("delivered")
    with pytest.raises(Refused, match="“Logo” is open"):
        rehearse(order, partial(services.stop, order, by=order.buyer))
    # Somebody acted between the reading of the page and its rehearsal.
    deliver(order, "A better one.")
    changed = "This order has changed since you opened the page. Nothing was done; look again."
    assert outcome_of_button(order, "accept", by=order.buyer) == Outcome(refusal=Refusal(changed))
    held = current(order).held
    too_much = partial(payments.refund_part, held, price=10_001, at=after())
    refusal = outcome(partial(rehearse, order, too_much), side="buyer").refusal
    assert refusal
    assert refusal.reason == "A partial refund is more than nothing and less than what is left of the price."


# What it says is what happens, and it leaves nothing

ACTS: dict[str, tuple[str, Any, Act]] = {
    "accept the first": ("delivered", TWO_STEPS, lambda o: services.accept(current(o), by=o.buyer)),
    "accept the last": ("delivered", ONE_STEP, lambda o: services.accept(current(o), by=o.buyer)),
    "accept in revision": ("in_revision", TWO_STEPS, lambda o: services.accept(current(o), by=o.buyer)),
    "stop": ("between", TWO_STEPS, lambda o: services.stop(o, by=o.buyer)),
    "decline": ("offered", TWO_STEPS, lambda o: services.decline_offer(o, by=o.buyer)),
    "withdraw": ("offered", TWO_STEPS, lambda o: services.withdraw_offer(o, by=o.seller)),
    "cancel the milestone": ("in_progress", TWO_STEPS, lambda o: cancel_milestone(o, by=o.seller)),
    "cancel it as credit": ("frozen", TWO_STEPS, lambda o: cancel_milestone(o, as_credit=True)),
    "cancel the order": ("delivered", TWO_STEPS, lambda o: cancel_order(o, by=o.buyer)),
    "complete": ("in_progress", TWO_STEPS, lambda o: complete_milestone(o, by=StaffFactory())),
}


@pytest.mark.parametrize("name", ACTS)
def test_it_says_exactly_what_the_act_then_does_and_nothing_of_it_remains(
    order_in: OrderIn, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks, name: str
) -> None:
    state, plan, act = ACTS[name]
    order = order_in(state, plan)
    noted = Notice.objects.count()
    before = rows()
    with django_capture_on_commit_callbacks() as to_do, at(hours=5):
        rehearsal = rehearse(order, partial(act, order))
    # All rows of orders, money and notices, the sandbox's own book among them.
    assert (rows(), to_do) == (before, [])

    was, was_cents = fresh(order), cents(order)
    booked = list(Transfer.objects.values_list("pk", flat=True))
    with at(hours=5):
        act(order)
    now = fresh(order)
    assert (rehearsal.version, rehearsal.before, rehearsal.after) == (was.version, was_cents, cents(order))
    steps = [
        *((f"“{one.title}”", one, other) for one, other in zip(was.plan, now.plan, strict=True)),
        ("The order", was, now),
    ]
    states = [(change.what, change.before, change.after) for change in rehearsal.states if change.what != "The clocks"]
    assert states == [
        (what, one.get_status_display(), other.get_status_display())
        for what, one, other in steps
        if one.status != other.status
    ]
    assert sorted(movement.amount for movement in rehearsal.movements) == sorted(
        Transfer.objects.exclude(pk__in=booked).values_list("amount", flat=True)
    )
    sets = {deadline.after for deadline in rehearsal.deadlines if deadline.after}
    assert sets == ({now.decide_by} if now.decide_by else set())
    told = Notice.objects.order_by("pk").select_related("recipient")[noted:]
    assert [(message.recipient, message.title) for message in rehearsal.told] == [
        (notice.recipient.name, notice.title) for notice in told
    ]


# The pages


def test_accept_says_on_the_orders_page_and_on_its_own_what_it_does(order_in: OrderIn) -> None:
    order = order_in("delivered")
    order.buyer.time_zone = "Europe/Madrid"
    order.buyer.save()
    before = rows()
    shown = {
        "State": ["“Logo”: Delivered → Completed"],
        "Money": ["$80.00 is paid to the seller", "$25.50 is kept as fees"],
        "Clocks": [
            "Your time to review “Logo” ends",
            "Your time to start “Cards” or stop: until Wed 28 Oct, 13:00 (Madrid)",
        ],
        "Told": ["Theo Lindqvist: Ana Ruiz accepted “Logo”: $80.00 paid"],
    }
    address = f"{order.get_absolute_url()}milestones/{current(order).pk}/accept/"
    assert outcome_on(would(order.buyer, order, "accept")) == shown
    assert outcome_on(page_of(order.buyer, address)) == shown
    # Accepting and continuing: what is charged stands there already, and the time to continue is used at once.
    both = outcome_on(page_of(order.buyer, address.replace("accept/", "continue/")))
    assert both == {heading: lines for heading, lines in shown.items() if heading != "Clocks"}
    assert would(order.buyer, order, "stop").refusal == [
        "“Logo” is open. You can stop after you accept it; to cancel it, open a case."
    ]
    assert (would(order.seller, order, "accept").status, would(order.buyer, order, "deliver").status) == (403, 404)
    assert rows() == before


def test_stop_says_on_the_orders_page_and_on_its_own_what_it_does(order_in: OrderIn) -> None:
    order = order_in("between")
    before = rows()
    shown = {
        "State": ["“Cards”: Not started → Not started any more", "The order: Active → Completed"],
        "Money": ["No money moves."],
        "Clocks": ["Your time to start “Cards” or stop ends"],
        "Told": ["Theo Lindqvist: Your order ended: Ana Ruiz stopped it"],
    }
    address = order.get_absolute_url()
    for page in (would(order.buyer, order, "stop"), page_of(order.buyer, f"{address}stop/")):
        assert outcome_on(page) == shown
    for path in ("", "stop/"):
        page = page_of(order.buyer, address + path)
        assert "What was delivered stays yours. A stopped order cannot be resumed." in words_of(page.tree)
    assert rows() == before


@pytest.mark.parametrize(
    ("side", "name", "told"),
    [
        ("buyer", "decline", "Theo Lindqvist: Your order ended: Ana Ruiz declined the offer"),
        ("seller", "withdraw", "Ana Ruiz: Your order ended: Theo Lindqvist withdrew the offer"),
    ],
)
def test_the_ways_out_of_an_offer_say_what_they_do(order_in: OrderIn, side: str, name: str, told: str) -> None:
    order = order_in("offered")
    whose = "Your" if side == "buyer" else "The buyer's"
    who = getattr(order, side)
    for page in (would(who, order, name), page_of(who, f"{order.get_absolute_url()}{name}/")):
        assert outcome_on(page) == {
            "State": [
                "“Logo”: Not started → Not started any more",
                "“Cards”: Not started → Not started any more",
                "The order: Offered → Canceled",
            ],
            "Money": ["No money moves."],
            "Clocks": [f"{whose} time to answer the offer ends"],
            "Told": [told],
        }


def test_what_is_not_possible_is_not_rehearsed(order_in: OrderIn) -> None:
    order = order_in("delivered")
    page = page_of(order.buyer, f"{order.get_absolute_url()}stop/")
    assert page.refusal == ["“Logo” is open. You can stop after you accept it; to cancel it, open a case."]
    assert page.all(cls="outcome") == []
    assert page_of(order.buyer, f"{order.get_absolute_url()}milestones/{current(order).pk}/revise/").status == 200


def test_an_acceptance_of_what_has_changed_is_refused_and_rehearsed_anew(order_in: OrderIn) -> None:
    order = order_in("delivered")
    with at(days=1):
        deliver(order, "A better one.")
        before = rows()
        address = f"{order.get_absolute_url()}milestones/{current(order).pk}/accept/"
        page = page_of(order.buyer, address, {"version": order.version})
        assert (page.status, rows()) == (409, before)
        assert page.refusal == [
            "This order has changed since you opened the page. Nothing was done; look again.",
            "Theo Lindqvist delivered “Logo” (Delivery 2)",
        ]
        assert outcome_on(page)["Clocks"] == [
            "Your time to review “Logo” ends",
            "Your time to start “Cards” or stop: until Thu 29 Oct, 12:00 (UTC)",
        ]
        # The page that was shown again carries the version that its rehearsal was made from.
        _, action, values, _ = page.form("Accept")
        page_of(order.buyer, action, values)
    assert statuses(order)[1] == ["completed", "planned"]


def test_a_stop_of_what_has_changed_is_refused_and_rehearsed_anew(order_in: OrderIn) -> None:
    order = order_in("between")
    upcoming = [PlannedMilestone.of(order.plan[1]), planned("Poster", 8_000, 1, 1)]
    under_lock(order, partial(services.change_upcoming, upcoming=upcoming, by=order.seller, at=after()))
    before = rows()
    page = page_of(order.buyer, f"{order.get_absolute_url()}stop/", {"version": order.version})
    assert (page.status, rows()) == (409, before)
    assert page.refusal[0] == "This order has changed since you opened the page. Nothing was done; look again."
    assert "“Poster” is added ($80.00, 1 day, 1 revision)" in page.refusal[1]
    assert outcome_on(page)["State"] == [
        "“Cards”: Not started → Not started any more",
        "“Poster”: Not started → Not started any more",
        "The order: Active → Completed",
    ]
    _, action, values, _ = page.form("Stop the order")
    page_of(order.buyer, action, values)
    assert statuses(order) == ("completed", ["completed", "not_started", "not_started"])
