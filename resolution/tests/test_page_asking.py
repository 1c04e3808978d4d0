"""What each kind asks for, as in a browser: a part of the price, days, revisions, another plan (R1, R2, R7, O17)."""

import pytest

from marketplace.accounts.models import User
from marketplace.catalog.plans import PlannedMilestone
from orders.models import Order
from orders.tests.factories import deliver, fresh, planned
from resolution.models import Case
from resolution.tests.conftest import OrderIn, after
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
