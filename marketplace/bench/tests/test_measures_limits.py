"""A limit is worth something only if it does the same work: whole tables are compared after our way and after its."""

import json
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import UserFactory
from marketplace.bench.limits import acceptance, naive, sweep
from marketplace.catalog.models import Terms
from marketplace.notifications.models import Preference
from marketplace.tests import invariants
from orders import services
from orders.models import Milestone, Order
from orders.tests.factories import (
    ONE_STEP,
    THREE_STEPS,
    after,
    at,
    current,
    deliver,
    make_accepted,
    make_delivered,
    make_in_revision,
    make_offer,
    refund_part,
    start_next,
)

Tables = dict[str, list[dict[str, Any]]]
# Rows of one order, held funds or reader stay in the order in which they were written; between them it is free.
BELONG_TO = {
    "orders_event": ("order_id",),
    "payments_transfer": ("held_id",),
    "notifications_notice": ("url", "recipient_id"),
}


def db() -> "psycopg.Connection[Any]":
    assert isinstance(connection.connection, psycopg.Connection)
    return connection.connection


def tables() -> Tables:
    """Every row of every table, without the numbers that sequences gave to what was written last."""
    with connection.cursor() as cursor:
        found: Tables = {table: [] for table in connection.introspection.table_names(cursor)}
        each = (f"SELECT '{table}', to_jsonb(t)::text FROM \"{table}\" t" for table in found)
        cursor.execute(" UNION ALL ".join(each) + " ORDER BY 1, 2")
        for table, row in cursor.fetchall():
            found[table].append(json.loads(row))
    events = {
        f"event:{row['id']}": f"{row['order_id']} {row['kind']} {row['milestone_id']}" for row in found["orders_event"]
    }
    for row in found["notifications_notice"]:
        row["key"] = events.get(row["key"], row["key"])
    for table, owner in BELONG_TO.items():
        rows = sorted(found[table], key=lambda row: row["id"])
        found[table] = sorted(rows, key=lambda row: [str(row[name]) for name in owner])
        for row in rows:
            del row["id"]
    return found


def after_it(work: Callable[[], object]) -> Tables:
    """What the tables hold after `work`, which is undone."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT 1")  # begins the transaction, so that the one of the limit is a part of it
        work()
        found = tables()
        transaction.set_rollback(True)
    return found


def same(work: Callable[[], object], others: dict[str, Callable[[], object]]) -> dict[str, int]:
    """Assert that each of the `others` leaves the same rows as `work`; returns how many rows `work` added, by table."""
    before, ours = tables(), after_it(work)
    for name, other in others.items():
        theirs = after_it(other)
        for table, rows in ours.items():
            assert theirs[table] == rows, f"{name}: {table}"
    assert tables() == before
    changed: dict[str, int] = defaultdict(int)
    for table, rows in ours.items():
        if rows != before[table]:
            changed[table] = len(rows) - len(before[table])
    return dict(changed)


def with_wishes(person: User, by_mail: str, *, quiet: bool = False) -> User:
    Preference.objects.create(person=person, topic="orders", by_mail=by_mail, quiet=quiet)
    return person


def orders_of_every_kind() -> list[Order]:
    """Delivered orders: in the middle, at the end, partly refunded, of people with wishes, with earnings that wait."""
    ana = with_wishes(UserFactory(name="Ana", time_zone="America/New_York"), "daily")
    theo = with_wishes(UserFactory(name="Theo", time_zone="Asia/Kolkata"), "never", quiet=True)
    made = [
        make_delivered(buyer=ana, seller=theo),
        make_delivered(buyer=UserFactory(), seller=ana, plan=ONE_STEP),
        make_delivered(buyer=ana, seller=UserFactory(), currency="JPY", plan=ONE_STEP),
    ]
    partly = make_delivered(seller=theo)
    refund_part(current(partly), by=partly.buyer, price=1_750, reason="One frame is missing")
    in_the_middle = make_accepted()
    start_next(in_the_middle)
    deliver(in_the_middle)
    force = Terms.objects.in_force()
    force.pk, force.clearing, force.continuing = None, timedelta(days=14), timedelta(days=10)
    force.save(force_insert=True)
    return [*made, partly, in_the_middle, make_delivered(seller=ana), make_delivered(plan=ONE_STEP)]


@pytest.fixture(autouse=True)
def _noon() -> Any:
    with clock.at(after()):
        yield


@pytest.mark.django_db(transaction=True)
def test_an_acceptance_in_plain_sql_and_the_naive_one_leave_the_same_rows_as_ours() -> None:
    delivered = [*orders_of_every_kind(), make_in_revision()]
    added = []
    with at(days=2, minutes=7):
        for order in delivered:
            milestone = current(order)
            added.append(
                same(
                    lambda: services.accept(milestone, by=milestone.order.buyer),  # noqa: B023
                    {
                        "plain SQL": lambda: acceptance.accept(db(), order.pk, milestone.pk, clock.now()),  # noqa: B023
                        "naive": lambda: naive.accept(milestone.pk, clock.now()),  # noqa: B023
                    },
                )
            )
        assert invariants.check() == []
    goes_on = {
        "notifications_notice": 1,
        "orders_event": 1,
        "orders_milestone": 0,
        "orders_order": 0,
        "payments_heldfunds": 0,
        "payments_transfer": 2,
    }
    ends = goes_on | {"notifications_notice": 2, "orders_event": 2}
    assert added == [goes_on, ends, ends, goes_on, goes_on, goes_on, ends, goes_on]


@pytest.mark.django_db(transaction=True)
def test_a_sweep_in_one_statement_and_the_naive_one_leave_the_same_rows_as_ours() -> None:
    delivered = orders_of_every_kind()
    with at(days=5):
        make_offer(plan=THREE_STEPS)  # due later, as the next one
        make_delivered()
    with at(days=8, hours=3):
        added = same(
            services.settle_due,
            {
                "one statement": lambda: sweep.settle_due(db(), clock.now()),
                "naive": lambda: naive.settle_due(clock.now()),
            },
        )
        assert added == {
            "notifications_notice": 4 * len(delivered),
            "orders_event": 2 * len(delivered) + 2 + 2 + 1 + 2,
            "orders_milestone": 0,
            "orders_order": 0,
            "payments_heldfunds": 0,
            "payments_transfer": 2 * len(delivered),
        }
        assert sweep.settle_due(db(), clock.now()) == len(delivered)
        assert invariants.check() == []
        assert Milestone.objects.filter(status="completed").count() == len(delivered) + 1
