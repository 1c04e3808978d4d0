"""Public pages from a real second PostgreSQL that streams from the first, and from the first when that one is gone."""

import os
import subprocess
import time
from collections.abc import Callable, Generator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from django.conf import settings
from django.db import connection, connections, transaction
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from marketplace import databases
from marketplace.accounts.tests.factories import UserFactory
from marketplace.catalog.models import Gig
from marketplace.catalog.tests.factories import GigFactory
from marketplace.embedded import postgres
from marketplace.embedded.children import Children
from marketplace.replica import PUBLIC, REPLICA, reading_from_replica

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", REPLICA])


class Standby:
    """A copy of the test's PostgreSQL that streams from it."""

    def __init__(self, folder: Path, children: Children) -> None:
        connection.ensure_connection()
        primary, self.children = connection.connection.info, children
        data, log = folder / "data", folder / "standby.log"
        binaries, run_as = postgres._binaries(), None
        data.mkdir()
        if os.getuid() == 0:
            run_as = postgres._unprivileged(data)
            binaries, data = postgres._within_reach(binaries, data, run_as)
            os.chown(data, run_as.user, run_as.group)
        copy = [binaries / "pg_basebackup", "--host", primary.host, "--username", primary.user, "--pgdata", data]
        subprocess.run(
            [*copy, "--write-recovery-conf", "--checkpoint=fast", "--wal-method=stream", "--no-sync"],
            user=run_as.user if run_as else None,
            group=run_as.group if run_as else None,
            extra_groups=[] if run_as else None,
            cwd="/",
            check=True,
        )
        url = postgres.start(children, data, log=log, settings=postgres.THROW_AWAY)
        self.socket = parse_qs(urlsplit(url).query)["host"][0]

    def ask(self, statement: str) -> object:
        with psycopg.connect(host=self.socket, user="app", dbname="postgres", autocommit=True) as standby:
            found = standby.execute(statement.encode()).fetchone()
        return found and found[0]

    def pause(self) -> None:
        self.ask("SELECT pg_wal_replay_pause()")
        wait(lambda: self.ask("SELECT pg_get_wal_replay_pause_state()") == "paused")

    def catch_up(self) -> None:
        with connection.cursor() as cursor:
            with transaction.atomic():
                # The tests' server writes its commits some time later: this one at once, and all before it.
                cursor.execute("SET LOCAL synchronous_commit = local")
                cursor.execute("SELECT pg_logical_emit_message(true, 'test', '')")
            cursor.execute("SELECT pg_current_wal_lsn()::text")
            (written,) = cursor.fetchone()
        wait(lambda: self.ask(f"SELECT pg_last_wal_replay_lsn() >= '{written}'") is True)


def wait(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < until, "it has not happened in time"
        time.sleep(0.05)


@pytest.fixture(scope="module", autouse=True)
def _known(django_db_setup: None) -> Generator[None, None, None]:
    """Django must know the alias before a test may use it; where it leads is said when there is a standby."""
    connections.settings[REPLICA] = {**connections.settings["default"], "TEST": {"MIRROR": "default"}}
    yield
    del connections.settings[REPLICA]


@pytest.fixture
def standby(transactional_db: None) -> Generator[Standby, None, None]:
    """What `REPLICA_URL` makes of settings, with a replica that has everything that is committed so far."""
    children = Children()
    try:
        copy = Standby(children.folder(), children)
        usual = connections.settings["default"]
        address = {**usual, "OPTIONS": {**usual["OPTIONS"], "host": copy.socket}}
        how = {"pool": 0, "max_age": 60, "pgbouncer": False, "prepare": 5}
        connections[REPLICA].settings_dict = databases.replica(address, **how)
        with override_settings(
            DATABASE_ROUTERS=["marketplace.replica.ReplicaRouter"],
            MIDDLEWARE=[*settings.MIDDLEWARE, "marketplace.replica.PublicPagesFromReplica"],
        ):
            yield copy
    finally:
        connections[REPLICA].close()
        children.stop()


def test_strangers_read_from_the_replica_all_others_from_the_primary_and_a_dead_replica_is_no_error(
    standby: Standby, caplog: pytest.LogCaptureFixture
) -> None:
    def warnings() -> list[str]:
        return [record.getMessage() for record in caplog.records if record.name == "marketplace.replica"]

    ana = UserFactory(name="Ana")
    gig = GigFactory(title="Old title")
    address = f"/gigs/{gig.slug}/"
    standby.catch_up()
    standby.pause()
    Gig.objects.filter(pk=gig.pk).update(title="New title")
    stranger, signed_in = Client(), Client()
    signed_in.force_login(ana)

    public = ["/", "/help/milestones/", "/gigs/", "/gigs/?q=title", "/search/suggestions/?q=title", address]
    public += [f"/sellers/{gig.seller.handle}/", "/sitemap.xml", "/sitemap-gigs.xml"]
    seen = set()
    for page in public:
        with CaptureQueriesContext(connection) as primarys:
            answer = stranger.get(page)
        assert (answer.status_code, len(primarys)) == (200, 0), page
        assert b"New title" not in answer.content
        seen.add(answer.resolver_match.view_name)
    assert seen == PUBLIC

    with CaptureQueriesContext(connections[REPLICA]) as replicas:
        for page in (*public, "/orders/"):
            assert signed_in.get(page).status_code == 200
        assert b"New title" in signed_in.get(address).content
        assert stranger.post(address).status_code == 405
        new = GigFactory(title="Brand new")
    assert len(replicas) == 0
    assert b"Brand new" in stranger.get(f"/gigs/{new.slug}/").content, "the primary knows it already"
    assert stranger.get("/gigs/nothing/").status_code == 404
    with reading_from_replica():
        assert Gig.objects.get(pk=gig.pk).title == "Old title"
        with transaction.atomic():
            assert Gig.objects.get(pk=gig.pk).title == "New title"
        Gig.objects.filter(pk=gig.pk).update(title="Newest title")

    assert stranger.get("/readyz").json()["replica"] == "up"
    standby.ask("SELECT pg_wal_replay_resume()")
    standby.catch_up()
    assert b"Newest title" in stranger.get(address).content

    assert warnings() == []
    standby.children.stop()
    for _ in range(3):
        assert b"Newest title" in stranger.get(address).content
    (warning,) = warnings()
    assert warning.startswith("The replica does not answer, so the primary does: ")
    assert stranger.get("/readyz").json()["replica"] == "down"
