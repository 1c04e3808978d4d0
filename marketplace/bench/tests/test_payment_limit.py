"""Place and start commit several times, so their limit is compared after real commits: all tables are put back."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import UserFactory
from marketplace.bench.limits import payment
from marketplace.bench.limits.connecting import plain
from marketplace.catalog.models import Terms
from marketplace.tests import invariants
from orders import services
from orders.models import Order
from orders.tests.factories import ONE_STEP, after, at, fresh, make_accepted, make_offer

from .test_measures_limits import tables, with_wishes

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def found() -> dict[str, list[Any]]:
    """Every row of every table; ids drawn by lot are all called the same."""
    return {name: sorted(UUID.sub("lot", json.dumps(row)) for row in rows) for name, rows in tables().items()}


def keep() -> Callable[[], None]:
    """Copy every table and sequence; returns what puts them back."""
    with connection.cursor() as cursor:
        cursor.execute("""
            SELECT table_name, string_agg(quote_ident(column_name), ', ') FROM information_schema.columns
            JOIN information_schema.tables USING (table_schema, table_name)
            WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND is_generated = 'NEVER' GROUP BY table_name
        """)
        columns = dict(cursor.fetchall())
        cursor.execute("CREATE SCHEMA kept")
        for name, given in columns.items():
            cursor.execute(f'CREATE TABLE kept."{name}" AS SELECT {given} FROM public."{name}"')
        cursor.execute("SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public'")
        sequences = cursor.fetchall()

    def put_back() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute("TRUNCATE " + ", ".join(f'public."{name}"' for name in columns))
            for name, given in columns.items():
                cursor.execute(f'INSERT INTO public."{name}" ({given}) SELECT {given} FROM kept."{name}"')
            for name, last in sequences:
                cursor.execute("SELECT setval(%s, %s, %s)", [f'public."{name}"', last or 1, last is not None])

    return put_back


def compared(work: Callable[[], object], limit: Callable[[], object]) -> dict[str, int]:
    """Assert that both leave the same rows; returns how many were added, by table. What `limit` did stays."""
    before, put_back = found(), keep()
    try:
        work()
        ours = found()
        put_back()
        assert found() == before
        limit()
        theirs = found()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP SCHEMA kept CASCADE")
    for table, rows in ours.items():
        assert theirs[table] == rows, table
    return {table: len(rows) - len(before[table]) for table, rows in ours.items() if len(rows) > len(before[table])}


def both_ways(order: Order) -> dict[str, int]:
    """Place the offer, or start the order's next milestone, with a good card."""
    order = fresh(order)
    milestone = order.plan[0] if order.status == Order.Status.OFFERED else order.next_milestone
    assert milestone
    buyer: User = order.buyer

    def ours() -> None:
        if order.status == Order.Status.OFFERED:
            services.place(order, by=buyer, method="card_ok")
        else:
            services.start(milestone, by=buyer, method="card_ok")

    def limit() -> None:
        with plain() as db:
            payment.pay(db, order.pk, milestone.pk, clock.now())

    return compared(ours, limit)


@pytest.mark.django_db(transaction=True)
def test_place_and_start_in_plain_sql_leave_the_same_rows_as_ours() -> None:
    with clock.at(after()):
        ana = with_wishes(UserFactory(name="Ana", time_zone="America/New_York"), "daily")
        offers = [make_offer(), make_offer(buyer=ana, plan=ONE_STEP, currency="JPY")]
        started = make_accepted(buyer=ana)
        force = Terms.objects.in_force()
        force.pk, force.clearing = None, timedelta(days=14)
        force.save(force_insert=True)
        waiting = make_offer(seller=ana)
    rows = {"notifications_notice": 2, "payments_charge": 1, "payments_heldfunds": 1, "payments_sandboxcharge": 1}
    rows |= {"payments_sandboxevent": 1, "payments_transfer": 1}
    with at(days=1, minutes=7):
        placed = [both_ways(order) for order in (*offers, waiting)]
        assert [{name: added[name] for name in rows} for added in placed] == [rows] * 3
        assert [added["orders_event"] for added in placed] == [4, 4, 4]
        assert both_ways(started) == rows | {"orders_event": 2}
        assert invariants.check() == []
