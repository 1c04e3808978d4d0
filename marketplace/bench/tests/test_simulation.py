"""The simulation against what can be worked out by hand."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from marketplace.bench.simulation import Flood, Visits, bytes_of, serve, settle, threads_for


def test_one_worker_that_is_slower_than_the_flood_is_done_when_all_work_is_done() -> None:
    # Idle for the first period, then 100,000 at 500 a second.
    done = settle(Flood(milestones=100_000, batch=200, workers=1, rate=500, limit=10_000, mails=10_000))
    assert (done.after, done.latest, done.batches) == (pytest.approx(215), pytest.approx(155, abs=0.2), 500)
    assert done.mailed_after == done.after


def test_workers_share_the_work_until_postgresql_is_the_limit() -> None:
    one, two, many, more = (settle(Flood(workers=number, rate=500, limit=2_000)) for number in (1, 2, 8, 16))
    assert two.after - 15 == pytest.approx((one.after - 15) / 2, rel=0.02)
    assert many.after == pytest.approx(more.after, rel=0.05)
    assert many.after >= 100_000 / 2_000


def test_what_is_settled_at_once_is_late_by_one_period_at_most() -> None:
    done = settle(Flood(milestones=600, rate=1e9, limit=1e9, mails=1e9))
    assert done.after == pytest.approx(60, abs=0.001)
    assert done.latest == pytest.approx(15, abs=0.2)
    assert settle(Flood(milestones=1, rate=1e9, limit=1e9)).latest == pytest.approx(0, abs=0.001)


def test_an_idle_site_answers_at_once_and_a_busy_one_lets_people_wait() -> None:
    idle = serve(Visits(per_second=1, cost=0.01, threads=4, spread=0))
    assert (idle.p50, idle.p99) == (pytest.approx(0.01), pytest.approx(0.01, rel=0.01))
    busy = serve(Visits(per_second=95, cost=0.01, threads=1, spread=0))
    # M/D/1: the mean wait is rho / (2 (1 - rho)) services, here 9.5.
    assert busy.busy == pytest.approx(0.95, abs=0.02)
    assert 0.03 < busy.p50 < 0.15 < busy.p99
    assert serve(Visits(95, 0.01, 1)) == serve(Visits(95, 0.01, 1)), "the same each time"
    assert threads_for(per_second=95, cost=0.01, within=0.5) == 2
    with pytest.raises(ValueError, match="No number of cores"):
        threads_for(per_second=1, cost=2, within=0.5)


def test_tables_grow_with_orders() -> None:
    assert bytes_of(10, {"few": 1.5, "many": 200.0}) == {"many": 2_000, "few": 15}


@pytest.mark.django_db
def test_the_command_refuses_a_database_that_says_little() -> None:
    with pytest.raises(CommandError, match="0 orders say little: use a data set of the bench, of 10,000 or more"):
        call_command("simulate_scale", sweep_rate=1, sweep_limit=1, page_cost=1, stdout=StringIO())
