"""Lists and the home of admin cost no more for a table of a million rows: nothing counts or reads a whole table."""

import pytest
from django.contrib import admin
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.models import LedgerProof
from orders.tests.factories import after, at

pytestmark = pytest.mark.django_db(transaction=True)
OURS = ("accounts", "catalog", "orders", "payments", "resolution", "notifications", "reviews", "marketplace")
# What grows with every order. Of cases there are few in a hundred orders, so that those open are counted among all.
GROWING: tuple[str, ...] = (
    "orders_order",
    "orders_event",
    "payments_transfer",
    "payments_heldfunds",
    "payments_charge",
)
GROWING += ("payments_refund", "payments_withdrawal", "notifications_notice")
PROOFS = "/admin/marketplace/ledgerproof/"


@pytest.fixture
def root(client: Client, superuser: User) -> Client:
    client.force_login(superuser)
    return client


def asked(client: Client, url: str) -> list[str]:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(url).status_code == 200
    return [query["sql"] for query in queries]


def plan(sql: str) -> str:
    """With scans of whole tables forbidden, so that one is left only where no index serves."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {sql}")
        return "\n".join(line for (line,) in cursor.fetchall())


def test_no_list_counts_a_whole_table_or_asks_much(root: Client) -> None:
    found = {}
    for model in admin.site._registry:
        label = model._meta.label_lower.replace(".", "_")
        if label.split("_")[0] in OURS and label != "catalog_category":  # a handful, whose slugs admin writes
            queries = asked(root, reverse(f"admin:{label}_changelist"))
            counting = [sql for sql in queries if "COUNT(*)" in sql and "LIMIT" not in sql]
            found[label] = (len(queries) <= 9, counting)
    assert found == dict.fromkeys(found, (True, []))


def test_a_long_list_is_counted_as_far_as_it_is_paged_through(root: Client) -> None:
    one = {"holds": True, "rows": 1, "seconds": 1, "results": []}
    LedgerProof.objects.bulk_create(LedgerProof(proved_at=clock.now(), **one) for _ in range(1_000))
    exact = root.get(PROOFS)
    assert (exact.context["cl"].result_count, "More than" in exact.text) == (1_000, False)
    LedgerProof.objects.create(proved_at=clock.now(), **one)
    answer = root.get(PROOFS)
    assert (answer.context["cl"].result_count, answer.context["cl"].paginator.num_pages) == (1_000, 10)
    assert "More than 1000 ledger proofs: search or filter for the others." in " ".join(answer.text.split())
    assert len(root.get(f"{PROOFS}?p=10").context["cl"].result_list) == 100


def test_the_home_reads_no_growing_table_as_a_whole(root: Client) -> None:
    with at(days=40):
        queries = [sql for sql in asked(root, "/admin/") if any(f'"{table}"' in sql for table in GROWING)]
    assert len(queries) == 12
    scanned = [sql for sql in queries if any(f"Seq Scan on {table}" in plan(sql) for table in GROWING)]
    assert scanned == []


def test_days_long_past_are_summed_once(root: Client) -> None:
    with at(days=40):
        first, again = asked(root, "/admin/"), asked(root, "/admin/")
    # Of events and of transfers: the closed days are known the second time.
    assert len(first) - len(again) == 2
    with clock.at(after(days=41)):
        assert len(asked(root, "/admin/")) == len(first)
