"""How processes connect to PostgreSQL, by the variables of the environment, and which of them contradict each other."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from marketplace.databases import connecting, contradictions, replica
from marketplace.tests.processes import run_python

ADDRESS = {"ENGINE": "django.db.backends.postgresql", "NAME": "marketplace", "OPTIONS": {"sslmode": "require"}}
SAY = """
import django
django.setup()
from threading import Thread
from django.core.management import call_command
from django.db import close_old_connections, connection

def ask():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        seen.append(cursor.fetchone()[0])
    close_old_connections()

call_command("check")
seen = []
for _ in range(12):
    thread = Thread(target=ask)
    thread.start()
    thread.join()
with connection.cursor() as cursor:
    for _ in range(7):
        cursor.execute("SELECT %s::int", [1])
    cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%::int'")
    connections = "one each" if len(set(seen)) == 12 else "at most three" if len(set(seen)) <= 3 else len(set(seen))
    print(connections, cursor.fetchone()[0], connection.settings_dict["DISABLE_SERVER_SIDE_CURSORS"], sep=", ")
connection.close()
connection.close_pool()
"""


def refused(*, pool: int = 0, max_age: int = 60, pgbouncer: bool = False, prepare: int = 5) -> list[str | None]:
    database = connecting(ADDRESS, pool=pool, max_age=max_age, pgbouncer=pgbouncer, prepare=prepare)
    return [error.id for error in contradictions("default", database)]


def test_what_cannot_both_be_meant_is_refused_before_anything_starts() -> None:
    assert refused() == []
    assert refused(pool=4, max_age=0) == []
    assert refused(pool=4) == ["marketplace.E001"]
    assert refused(prepare=-1) == refused(pool=-1, max_age=0) == ["marketplace.E002"]
    assert refused(pgbouncer=True, prepare=5) == [], "this libpq can take a prepared statement back"


def test_the_address_keeps_its_own_options_and_without_a_number_nothing_is_prepared() -> None:
    made = connecting(ADDRESS, pool=4, max_age=0, pgbouncer=True, prepare=0)
    assert (made["OPTIONS"]["sslmode"], made["OPTIONS"]["prepare_threshold"]) == ("require", None)
    assert (made["OPTIONS"]["pool"]["max_size"], made["CONN_MAX_AGE"]) == (4, 0)


def test_nobody_waits_for_minutes_for_a_database_that_says_nothing_and_less_for_a_replica() -> None:
    how = {"pool": 4, "max_age": 0, "pgbouncer": False, "prepare": 5}
    for made, seconds, milliseconds, for_one in ((connecting, 5, 30_000, 10), (replica, 2, 3_000, 2)):
        options = made(ADDRESS, **how)["OPTIONS"]
        assert (options["connect_timeout"], options["tcp_user_timeout"]) == (seconds, milliseconds)
        assert options["pool"]["timeout"] == for_one
    own = ADDRESS | {"OPTIONS": {"connect_timeout": 9}}
    assert connecting(own, **how)["OPTIONS"]["connect_timeout"] == 9


@pytest.mark.django_db
def test_values_travel_apart_from_the_statement() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::int + %s::int", [20, 22])
        assert (cursor.fetchone(), cursor._query.params) == ((42,), [b"\0\x14", b"\0\x16"])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"DATABASE_PREPARE": "5", "DATABASE_MAX_AGE": "60"}, "one each, 1, False"),
        ({"DATABASE_PREPARE": "5", "DATABASE_MAX_AGE": "0", "DATABASE_POOL": "3"}, "at most three, 1, False"),
        ({"DATABASE_PREPARE": "0", "DATABASE_POOLER": "pgbouncer"}, "one each, 0, True"),
    ],
    ids=["persistent", "pool", "pgbouncer"],
)
def test_a_pool_lends_its_connection_to_thread_after_thread(environment: dict[str, str], said: str) -> None:
    ran = run_python(SAY, **environment)
    assert (ran.returncode, ran.stdout.splitlines()[-1:]) == (0, [said]), ran.stderr


def test_a_pooler_that_nobody_knows_is_named() -> None:
    ran = run_python("import marketplace.settings", DATABASE_POOLER="odyssey")
    assert ImproperlyConfigured.__name__ in ran.stderr
    assert "DATABASE_POOLER is 'odyssey'" in ran.stderr
