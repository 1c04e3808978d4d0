"""R6, M5, O13: support divides, completes and extends: every cent, and what is left of every clock."""

from typing import Any

import pytest

from marketplace import clock
from marketplace.accounts.models import User
from orders.models import Event, Order
from orders.tests.factories import cents, fresh, planned, statuses
from orders.tests.rows import refused
from payments.services import Cents, balance
from resolution.models import Case, Reason
from resolution.tests.conftest import OrderIn, after
from resolution.tests.factories import agreed, opened, reason, rule, rule_without_case

pytestmark = pytest.mark.django_db


@pytest.fixture
def how(agent: User) -> dict[str, Any]:
    return {"by": agent, "reason": reason("not_as_described"), "note": "We looked at the files."}


@pytest.mark.parametrize("state", ["in_progress", "delivered", "in_revision"])
def test_a_split_gives_a_part_back_and_releases_the_rest(order_in: OrderIn, how: dict[str, Any], state: str) -> None:
    order = order_in(state, plan=[planned("Logo", 4_950), planned("Cards", 5_000)])
    case = opened(order)
    with clock.at(after(hours=47)):
        case = rule(case, "split", price=1_650, **how)
    assert (case.status, case.ruling, case.decision) == (
        "ruled",
        "split",
        "$17.40 of “Logo” goes back to the buyer and the rest is paid to the seller",
    )
    assert cents(order) == Cents(charged=5_222, seller=2_640, fees=842, refunds_due=1_740)
    assert balance(order.seller, "USD") == 2_640
    order = fresh(order)
    assert statuses(order) == ("active", ["completed", "planned"])
    # O13: one window from then, whatever the clocks said before.
    assert (order.paused_at, order.decide_from, order.decide_by) == (None, after(hours=47), after(days=8, hours=47))
    events = Event.objects.filter(version=order.version).order_by("pk").values_list("kind", "actor")
    kinds = ["case_ruled", "resumed", "partly_refunded", "completed_by_support"]
    assert list(events) == [(kind, how["by"].pk) for kind in kinds]


def test_a_split_comes_after_what_went_back_already(order_in: OrderIn, how: dict[str, Any]) -> None:
    order = order_in("delivered", plan=[planned("Logo", 20_000)])
    agreed(opened(order, kind="partial_refund"))
    rule_without_case(order, "split", price=9_000, **how)
    # M4: 200.00 with 120.00 refunded.
    assert cents(order) == Cents(charged=21_100, seller=6_400, fees=2_040, refunds_due=12_660)


@pytest.mark.parametrize(
    ("price", "why"),
    [
        (10_000, "A part is more than nothing and less than the $100.00 that are held of the price."),
        (12_000, "A part is more than nothing and less than the $100.00 that are held of the price."),
        (-1, "A part is more than nothing and less than the $100.00 that are held of the price."),
    ],
)
def test_a_split_gives_back_less_than_what_is_held(delivered: Order, how: dict[str, Any], price: int, why: str) -> None:
    case = opened(delivered)
    with refused(why):
        rule(case, "split", price=price, **how)


@pytest.mark.parametrize("with_a_case", [True, False])
@pytest.mark.parametrize("state", ["in_progress", "delivered", "in_revision"])
def test_completing_pays_the_seller_and_gives_the_buyer_one_window(
    order_in: OrderIn, how: dict[str, Any], state: str, with_a_case: bool
) -> None:
    order = order_in(state)
    with clock.at(after(hours=30)):
        rule(opened(order), "complete", **how) if with_a_case else rule_without_case(order, "complete", **how)
    assert cents(order) == Cents(charged=10_550, seller=8_000, fees=2_550)
    assert (statuses(order), fresh(order).decide_by) == (("active", ["completed", "planned"]), after(days=8, hours=30))


def test_completing_the_last_milestone_completes_the_order(order_in: OrderIn, how: dict[str, Any]) -> None:
    order = order_in("in_progress", plan=[planned("Logo", 10_000)])
    rule(opened(order), "complete", **how)
    assert (statuses(order), fresh(order).closed_because) == (("completed", ["completed"]), "finished")


@pytest.mark.parametrize(
    ("opened_on", "ruled_on", "due"),
    [
        (1, 2, 3 + 1 + 5),  # the pause and the extension
        (2.5, 4, 5 + 5),  # at least the least rest, and the extension
        (4, 5, 5 + 5),  # late: from now
    ],
)
def test_an_extension_begins_where_the_pause_leaves_the_date(
    in_progress: Order, how: dict[str, Any], opened_on: float, ruled_on: int, due: int
) -> None:
    with clock.at(after(days=opened_on)):
        case = opened(in_progress)
    with clock.at(after(days=ruled_on)):
        case = rule(case, "extend", days=5, **how)
    logo = fresh(in_progress).plan[0]
    assert (case.decision, logo.status, logo.deliver_by) == ("“Logo” has 5 days more", "in_progress", after(days=due))
    assert fresh(in_progress).paused_at is None


def test_an_extension_without_a_case_is_counted_from_the_date(in_revision: Order, how: dict[str, Any]) -> None:
    case = rule_without_case(in_revision, "extend", days=1, **how)
    assert (case.status, fresh(in_revision).plan[0].deliver_by) == ("ruled", after(days=4))


def test_what_is_delivered_needs_no_more_time(delivered: Order, how: dict[str, Any]) -> None:
    case = opened(delivered)
    with refused("“Logo” is delivered and waits for the buyer's answer."):
        rule(case, "extend", days=5, **how)


@pytest.mark.parametrize("decision", ["split", "complete", "extend"])
def test_between_milestones_none_can_be_decided(between: Order, how: dict[str, Any], decision: str) -> None:
    case = opened(between, kind="cancel_order")
    with refused("No milestone is open, so none can be decided."):
        rule(case, decision, price=1_000, days=1, **how)


@pytest.mark.parametrize("kind", ["cancel_milestone", "cancel_order", "partial_refund"])
def test_support_may_rule_otherwise_than_was_asked(delivered: Order, how: dict[str, Any], kind: str) -> None:
    case = rule(opened(delivered, kind=kind), "complete", **how)
    assert (case.kind, case.status, case.ruling) == (kind, "ruled", "complete")
    assert Case.objects.count() == 1
    assert Reason.objects.with_citations().get(code="not_as_described").ruled_with == 1
