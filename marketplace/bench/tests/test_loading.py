"""A data set from its making to its end, and the command on it, in databases beside that of the tests."""

import json
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from marketplace import clock
from marketplace.bench import loading
from marketplace.bench.loading import databases, sets
from marketplace.proof import prove
from orders import services
from orders.models import Event, Milestone, Order
from resolution.models import Case

ORDERS = 300
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("bench")]


@pytest.fixture
def stories() -> Iterator[None]:
    """The stories are played in a copy of the migrated test database, which is quicker than to migrate one more."""
    migrated = connection.settings_dict["NAME"]
    connection.close()
    # Databases of the benchmark have one name on a server, whichever test makes them.
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(6)")
        _drop_all()
        connection.close()
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [migrated])
        cursor.execute(f'CREATE DATABASE "{sets.STORIES}" TEMPLATE "{migrated}"')
        with databases.using(sets.STORIES):
            sets.tell_stories()
            with connection.cursor() as told:
                mark = sets.fingerprint(*sets.STORY_MODULES)
                told.execute("UPDATE bench.blessing SET fingerprint = %s", [mark])
        yield
        _drop_all()


def _drop_all() -> None:
    for name in databases.names():
        databases.drop(name)


def test_a_data_set_is_made_proved_reused_appended_to_and_measured(
    stories: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures, drawing = tmp_path / "figures.json", tmp_path / "drawing.svg"
    options = {"orders": [ORDERS], "small": True, "measure": ["by_key"], "runs": 2, "json": figures, "svg": drawing}
    call_command("bench", **options)
    said = capsys.readouterr()
    assert "proved: every promise holds" in said.err
    assert f"order by key, {ORDERS} orders: per read, median of 2 runs" in said.out
    told = json.loads(figures.read_text())
    assert [(one["measure"], one["orders"], one["sides"][0]["units"]) for one in told["measures"]] == [
        ("order by key", ORDERS, 10)
    ]
    assert ElementTree.fromstring(drawing.read_text()).tag.endswith("svg")

    again: list[str] = []
    with loading.data_set(ORDERS, say=again.append) as data:
        assert again == []
        assert (data.orders, data.database, Order.objects.count()) == (ORDERS, f"bench_orders_{ORDERS}", ORDERS)
        assert set(Order.objects.values_list("status", flat=True)) == set(Order.Status)
        assert set(Milestone.objects.values_list("status", flat=True)) == set(Milestone.Status)
        assert set(Case.objects.values_list("kind", flat=True)) == set(Case.Kind)
        assert set(Case.objects.values_list("status", flat=True)) == set(Case.Status) - {Case.Status.NEW}
        assert Order.objects.filter(seller=data.big_seller).count() > 20
        with clock.at(data.at):
            assert services.settle_due() == 0

        with loading.scratch(data) as copy:
            loading.add_due(connection, 40, at=copy.at)
            loading.add_due(connection, 10, at=copy.at)
            assert [result.says for result in prove(copy.at) if not result.holds] == []
            assert Order.objects.due(copy.at).count() == 50
            with clock.at(copy.at):
                assert services.settle_due() == 50
            assert Event.objects.filter(kind=Event.Kind.LAPSED, recorded_at=copy.at).count() == 50
            assert [result.says for result in prove(copy.at) if not result.holds] == []
        assert (Order.objects.count(), Order.objects.due(data.at).count()) == (ORDERS, 0)

        with connection.cursor() as cursor:
            cursor.execute("UPDATE bench.blessing SET fingerprint = 'made by another loader'")
    with loading.data_set(ORDERS, say=again.append):
        assert "proved: every promise holds" in again[-2]
    with pytest.raises(CommandError, match="at least"):
        call_command("bench", orders=[10])


def test_no_database_but_our_own_is_dropped() -> None:
    with pytest.raises(AssertionError, match="is not ours"):
        databases.drop(str(connection.settings_dict["NAME"]))
