"""Every sweep and each of these lists is served by its indexes: asked of PostgreSQL, over some thousand orders."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.db.models import TextField, Value
from django.db.models.functions import MD5, Cast, Concat
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.module_loading import import_string

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import UserFactory
from marketplace.catalog.models import Gig
from marketplace.catalog.ratings import site_mean
from marketplace.catalog.tests.factories import CategoryFactory, GigFactory
from marketplace.reviews.tests.factories import make_gig, make_reviewed
from marketplace.tests.multiplied import STEP, multiply
from orders import services as orders
from orders.tests.factories import NOON, cancel_order, freeze, make_accepted, make_delivered, make_offer, make_placed

pytestmark = pytest.mark.django_db(transaction=True)

COPIES = 1_500
MANY = 5_000  # rows: a table with more is never read from one end to the other
A_PAGE = 250  # rows: more are never sorted
# The proof and what compares files with rows read all there is, on purpose and seldom; the heartbeat reads nothing.
ALL_THERE_IS = {"heartbeat", "prove the ledger", "forget unused covers", "forget lost files", "forget ended sessions"}
SWEEPS = {
    "settle due orders": {"orders_due"},
    "settle charges": set(),
    "tell refused refunds": {"refund_waiting", "refund_turned_into_credit"},
    "send reminders": {"orders_to_remind", "milestones_to_remind"},
    "send unsent notices": {"notice_to_mail"},
    "send digests": {"notice_for_digest"},
    "draw owed previews": set(),
    "publish due reviews": {"review_to_publish"},
    "settle due cases": set(),
    "open owed disputes": {"people_deactivated", "milestones_in_work"},
    "tell decided rests": set(),
    "alarm late support": set(),
    "issue documents": {"charge_undocumented"},
    "settle refunds": {"refund_to_settle"},
    "clear earnings": {"held_clearing"},
    "tell finance": set(),
    "tell withdrawals": set(),
    "replay early events": set(),
    "settle withdrawals": set(),
    "deliver sandbox events": set(),
}
# Asked for by somebody who has hundreds of everything.
LISTS = {
    "/orders/?state=ended": {"orders_bought"},
    "/notifications/": {"notice_by_recipient"},
    "/notifications/?unread=1": {"notice_unread"},
    "/earnings/statements/": set(),
    "/documents/": {"documents_of_recipient"},
    "/cards/": set(),
    "/gigs/": {"gig_for_sale"},
    "/gigs/?order=price": {"gig_cheapest"},
    "/gigs/?order=-price&currency=USD": {"gig_dearest"},
    "/gigs/?order=fast": {"gig_fastest"},
    "/gigs/{slug}/": set(),
}
# Asked for by one of thousands: what somebody has under way, and nothing else, is sorted for them.
USUAL = {
    "/orders/": {"orders_bought_live"},
    "/orders/?q=jars": {"orders_bought_live"},
    "/orders/?state=waiting": {"orders_bought_live"},
    "/sales/": {"orders_sold_live"},
    "/sales/?state=waiting": {"orders_sold_live"},
    "/selling/": set(),
    "/selling/gigs/": set(),
    "/earnings/": set(),
    "/gigs/?category={category}": set(),
    "/gigs/?q=astrolabe": {"gig_search"},
    "/search/suggestions/?q=astro": {"gig_title_words"},
    "/sellers/{handle}/": set(),
}


@pytest.mark.breaks_promises  # rows by the thousand that no service made
def test_every_sweep_and_these_lists_are_served_by_their_indexes(client: Client) -> None:
    with clock.at(NOON):
        seller, gig = a_little_of_everything()
        for name in SWEEPS:
            sweep(name)
    multiply(COPIES)
    wrong: list[str] = []
    with clock.at(NOON):
        assert set(settings.CELERY_BEAT_SCHEDULE) == {*SWEEPS, *ALL_THERE_IS}
        for name, indexes in SWEEPS.items():
            with CaptureQueriesContext(connection) as asked:
                sweep(name)
            wrong += judged(name, asked, indexes)
        site_mean()  # over everybody who was ever reviewed, once in ten minutes
        usual = User.objects.get(pk=seller.pk + STEP * 2)
        # Titles that differ, as they do among people.
        Gig.objects.update(title=Concat(Value("I will repair a "), MD5(Cast("pk", TextField()))))
        Gig.objects.filter(pk=gig.pk).update(title="I will repair an astrolabe")
        connection.cursor().execute("VACUUM ANALYZE catalog_gig")
        for person, lists in ((seller, LISTS), (usual, USUAL)):
            client.force_login(person)
            for address, indexes in lists.items():
                path = address.format(handle=person.handle, slug=gig.slug, category=gig.category.slug)
                with CaptureQueriesContext(connection) as asked:
                    assert client.get(path).status_code == 200, path
                wrong += judged(address, asked, indexes)
    assert not wrong, "\n\n".join(wrong)


def a_little_of_everything() -> tuple[User, Gig]:
    """Orders in many states between a few people, so that there are copies of each."""
    seller, ana = UserFactory.create(name="Theo Lindqvist"), UserFactory.create(name="Ana Ruiz")
    make_offer(seller=seller, buyer=ana)
    make_placed(seller=seller, buyer=ana)
    make_placed(seller=ana, buyer=seller)
    make_delivered(seller=seller, buyer=ana)
    freeze(make_placed(seller=seller, buyer=ana))
    orders.ask_offer(by=ana, seller=seller, text="Labels for three jars")
    for one in (make_accepted(seller=seller, buyer=ana), make_accepted(seller=ana, buyer=seller)):
        orders.send_message(one, by=one.buyer, text="Thank you.")
        orders.stop(one, by=one.buyer)
    cancel_order(make_delivered(seller=seller, buyer=ana))
    for _kind in range(5):
        gig = GigFactory.create(seller=seller, category=CategoryFactory.create())
    make_reviewed(make_gig(seller=seller), 5, "A joy.")
    return seller, gig


def sweep(name: str) -> None:
    import_string(str(settings.CELERY_BEAT_SCHEDULE[name]["task"])).apply(throw=True)


def judged(what: str, asked: CaptureQueriesContext, indexes: set[str]) -> list[str]:
    """What is wrong with the plans of the queries that were asked."""
    used: set[str] = set()
    wrong = []
    large = sizes()
    for query in asked.captured_queries:
        sql = query["sql"].lstrip("( ")
        if not sql.upper().startswith(("SELECT", "WITH")) or "pg_" in sql:
            continue
        for node in nodes_of(query["sql"]):
            used |= {node["Index Name"]} if "Index Name" in node else set()
            if node["Node Type"] == "Seq Scan" and large.get(node["Relation Name"], 0) > MANY:
                wrong.append(f"{what} reads all of {node['Relation Name']}: {query['sql'][:3000]}")
            if node["Node Type"] == "Sort" and node["Plan Rows"] > A_PAGE:
                wrong.append(f"{what} sorts {node['Plan Rows']} rows: {query['sql'][:3000]}")
    missing = indexes - used
    return [*wrong, f"{what} does not use {sorted(missing)}, but {sorted(used)}"] if missing else wrong


def sizes() -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname, reltuples::bigint FROM pg_class WHERE relkind = 'r'")
        return dict(cursor.fetchall())


def nodes_of(sql: str) -> Iterator[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}".replace("%", "%%"), [])
        plan = cursor.fetchone()[0]
    waiting = [one["Plan"] for one in (json.loads(plan) if isinstance(plan, str) else plan)]
    while waiting:
        node = waiting.pop()
        waiting += node.get("Plans", [])
        yield node
