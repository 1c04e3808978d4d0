"""R1, R2, M4: a part of the price goes back, offered by the seller or asked for by the buyer, to the cent."""

import pytest

from marketplace import clock
from marketplace.accounts.models import User
from orders import services as orders
from orders.models import Order, Pause
from orders.tests.factories import activity, cents, current, fresh, planned, statuses
from orders.tests.rows import refused
from payments.services import Cents, balance
from resolution import services
from resolution.models import Case
from resolution.models.asked import Asked
from resolution.tests.conftest import NOON, OrderIn, after
from resolution.tests.factories import agreed, fresh_case, opened

pytestmark = pytest.mark.django_db

PART = Asked(amount=1_650)


@pytest.fixture
def order(order_in: OrderIn) -> Order:
    """Delivered, for 49.50."""
    return order_in("delivered", plan=[planned("Logo", 4_950)])


def part(order: Order, side: str = "buyer", asked: Asked = PART, **details: object) -> Case:
    return opened(order, side=side, kind="partial_refund", asked=asked, **details)


def test_a_part_that_was_agreed_on_goes_back_with_its_fee_and_the_order_goes_on(order: Order) -> None:
    case = part(order)
    assert (str(case.what), case.on_silence, fresh(order).paused_at) == ("refund $16.50 of “Logo”", "to_support", NOON)
    with clock.at(after(hours=6)):
        agreed(case)
    assert cents(order) == Cents(charged=5_222, held=3_482, refunds_due=1_740)
    assert (statuses(order), fresh(order).decide_by) == (("active", ["delivered"]), after(days=8, hours=6))
    assert [event[:2] for event in activity(order)[-3:]] == [
        ("case_accepted", "seller"),
        ("resumed", "seller"),
        ("partly_refunded", "seller"),
    ]
    with clock.at(after(hours=7)):
        orders.accept(current(order), by=order.buyer)
    assert cents(order) == Cents(charged=5_222, seller=2_640, fees=842, refunds_due=1_740)
    assert balance(order.seller, "USD") == 2_640


def test_silence_agrees_to_what_the_seller_offers_at_its_instant(order: Order) -> None:
    case = part(order, side="seller")
    assert case.on_silence == "agreed"
    with clock.at(after(days=5)):
        assert services.settle_due_cases() == 1
    assert (fresh_case(case).status, fresh_case(case).ended_at) == ("accepted", after(hours=48))
    assert cents(order).refunds_due == 1_740
    assert fresh(order).decide_by == after(days=10)


def test_what_the_buyer_asks_for_goes_to_support_when_the_seller_is_silent(order: Order) -> None:
    case = part(order)
    with clock.at(after(days=5)):
        assert services.settle_due_cases() == 1
    assert (fresh_case(case).status, fresh_case(case).support_due) == ("escalated", after(days=5))
    assert (cents(order).refunds_due, fresh(order).paused_at) == (0, NOON)


@pytest.mark.parametrize(("answered_by", "hours"), [("the other side", 22), ("silence", 23)])
def test_the_clocks_have_at_least_the_least_rest_afterwards(order: Order, answered_by: str, hours: int) -> None:
    with clock.at(after(days=7, hours=23)):
        case = part(order, side="seller")
    with clock.at(after(days=9, hours=hours)):
        agreed(case) if answered_by == "the other side" else services.settle_due_cases()
    assert fresh(order).decide_by == after(days=10, hours=hours)
    assert Pause.objects.get().added_to_decide_by == after(days=2, hours=hours) - NOON


def test_a_part_can_go_back_before_anything_is_delivered(in_progress: Order) -> None:
    with clock.at(after(hours=1)):
        case = part(in_progress, side="seller")
    with clock.at(after(hours=4)):
        agreed(case)
    assert statuses(in_progress) == ("active", ["in_progress", "planned"])
    assert fresh(in_progress).plan[0].deliver_by == after(days=3, hours=3)


@pytest.mark.parametrize("amount", [4_950, 5_000])
def test_a_part_is_less_than_what_is_held_of_the_price(order: Order, amount: int) -> None:
    with refused("A part is more than nothing and less than the $49.50 that are held of the price."):
        part(order, asked=Asked(amount=amount))


def test_of_what_went_back_already_no_part_is_left(order: Order) -> None:
    agreed(part(order))
    with refused("A part is more than nothing and less than the $33.00 that are held of the price."):
        part(order, asked=Asked(amount=3_300))
    assert part(order, asked=Asked(amount=3_299)).status == "open"


def test_between_milestones_nothing_is_held_that_could_go_back(between: Order) -> None:
    with refused("No milestone is open, so nothing is held that could go back."):
        part(between)


# R1: at most two disputes per side and milestone


def test_partial_refunds_count_among_the_two_disputes_of_a_side_and_proposals_do_not(delivered: Order) -> None:
    for _ in range(3):
        services.withdraw_case(opened(delivered, kind="extra_revisions"), by=delivered.buyer)
    services.withdraw_case(part(delivered), by=delivered.buyer)
    services.withdraw_case(opened(delivered), by=delivered.buyer)
    with refused("You have opened two cases about “Logo” already. More only through Customer Support."):
        part(delivered)
    assert opened(delivered, kind="extra_revisions").status == "open"
    assert part(delivered, side="seller").status == "open"


def test_support_may_open_more(delivered: Order, agent: User) -> None:
    for _ in range(2):
        services.withdraw_case(part(delivered), by=delivered.buyer)
    reason = Case.objects.latest("pk").reason
    case = services.open_case_by_support(
        delivered, by=agent, kind="cancel_milestone", reason=reason, statement="They called us."
    )
    assert case.status == "escalated"
