"""The checker can fail: each promise about cases, broken on purpose behind the application's back, is noticed."""

import pytest
from django.db import connection, transaction

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.tests import invariants
from orders import services as orders
from orders.tests.factories import current
from resolution import services
from resolution.models.asked import Asked
from resolution.tests.conftest import OrderIn, after
from resolution.tests.factories import declined, opened, reason, rule

LATER = "interval '1 second'"
# What is done to the tables, and the promises that this breaks. {…} is the id of a case; {order} is frozen.
BROKEN_BY = {
    "DROP INDEX one_dispute_at_a_time; UPDATE resolution_case SET status = 'open', ended_at = NULL, escalate_by = NULL "
    "WHERE id = {declined}": ["I16", "R1", "R4"],
    "UPDATE orders_order SET paused_at = NULL WHERE id = {order}": ["R4"],
    "UPDATE orders_order SET paused_at = decide_from WHERE id <> {order} AND status = 'active'": ["R4"],
    "UPDATE orders_pause SET case_number = 'RC-OTHER' WHERE order_id = {order} AND ended_at IS NULL": ["R4"],
    f"UPDATE orders_pause SET started_at = started_at - {LATER} WHERE ended_at IS NOT NULL": ["R4"],
    f"UPDATE orders_pause SET ended_at = ended_at + {LATER} WHERE ended_at IS NOT NULL": ["R4"],
    f"UPDATE orders_pause SET added_to_decide_by = added_to_decide_by - {LATER}": ["R4"],
    "UPDATE orders_pause SET added_to_decide_by = added_to_decide_by + interval '25 hours'": ["R4"],
    f"UPDATE resolution_case SET ended_at = ended_at + {LATER} WHERE id = {{void}}": ["R4"],
    f"UPDATE resolution_case SET answer_by = answer_by + {LATER} WHERE id = {{silent}}": ["R2"],
    "UPDATE resolution_case SET status = 'withdrawn' WHERE id = {declined}": ["I16"],
    "UPDATE resolution_case SET ended_by_id = (SELECT buyer_id FROM orders_order WHERE id = order_id) "
    "WHERE id = {ruled}": ["R6"],
    "UPDATE orders_milestone SET status = CASE position WHEN 1 THEN 'canceled' ELSE 'not_started' END "
    "WHERE order_id = {order}": ["O13"],
    "SELECT 'nothing is broken'": [],
}


@pytest.mark.django_db
def test_every_promise_about_cases_that_is_broken_is_noticed(order_in: OrderIn, agent: User) -> None:
    states = ("delivered", "delivered", "in_progress", "delivered")
    frozen, accepted, working, ruled = (order_in(state) for state in states)
    wanted = opened(accepted, kind="extra_revisions", code="more_changes_wanted", asked=Asked(revisions=1))
    with clock.at(after(hours=1)):
        orders.accept(current(accepted), by=accepted.buyer)
    silent = opened(working, side="seller", kind="extend", code="more_time_needed", asked=Asked(days=2))
    decided = rule(opened(ruled), by=agent, reason=reason("not_as_described"), note="I looked.")
    case = declined(frozen)
    with clock.at(after(hours=50)):
        assert services.settle_due_cases() == 2
        opened(frozen)
    ids = {"order": frozen.pk, "declined": case.pk, "void": wanted.pk, "silent": silent.pk, "ruled": decided.pk}

    found = {}
    for statement in BROKEN_BY:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(statement.format(**ids))
            with clock.at(after(hours=50)):
                asked = [*invariants.about_cases(), *invariants.about_orders_under_way()]
            found[statement] = sorted({result.says.split()[0] for result in asked if not result.holds})
            transaction.set_rollback(True)
    assert found == BROKEN_BY
