"""The clock as it runs in production: real Celery workers and beats, two of each, on the test's database.

Windows are seconds long, so that nobody imagines an instant here.
"""

import sys
import time
from collections.abc import Callable, Generator
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.cache import cache

from marketplace import clock
from marketplace.catalog.tests.factories import TermsFactory
from marketplace.embedded.children import Children
from marketplace.health import LAST_SWEEP
from marketplace.notifications.models import Notice
from marketplace.tests import invariants
from marketplace.tests.processes import ROOT, environment
from orders.models import Event, Order
from orders.tests.factories import (
    ONE_STEP,
    cents,
    fresh,
    make_delivered,
    make_offer,
    make_ordered,
    statuses,
)
from payments.services import Cents, balance

pytestmark = pytest.mark.django_db(transaction=True)

SECONDS_TO_START = 90
SECONDS_TO_SETTLE = 60


@pytest.fixture
def two_clocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, db: None) -> Generator[Children, None, None]:
    """Two workers and two beats that sweep every second; ready when a first heartbeat has come through."""
    for name, value in environment(SWEEP_SECONDS="1", SANDBOX_PROCESSING="1").items():
        monkeypatch.setenv(name, value)
    cache.delete(LAST_SWEEP)
    celery = [sys.executable, "-m", "celery", "--app", "marketplace"]
    children = Children()
    for number in (1, 2):
        children.start(
            f"worker {number}",
            [*celery, "worker", "--concurrency=1", "--loglevel=WARNING", f"--hostname=worker-{number}@test"],
            cwd=ROOT,
            log=tmp_path / f"worker-{number}.log",
        )
        children.start(
            f"beat {number}",
            [*celery, "beat", "--loglevel=WARNING", "--pidfile=", f"--schedule={tmp_path / f'schedule-{number}'}"],
            cwd=ROOT,
            log=tmp_path / f"beat-{number}.log",
        )
    try:
        wait(lambda: cache.get(LAST_SWEEP) is not None, SECONDS_TO_START, children)
        yield children
        assert children.ended() == {}, "all four are alive at the end"
    finally:
        children.stop()


def wait(is_so: Callable[[], bool], seconds: float, children: Children) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        assert children.ended() == {}
        assert time.monotonic() < until, "it has not happened in time"
        time.sleep(0.1)


def all_ended() -> bool:
    return not Order.objects.filter(ended_at=None).exists()


def test_two_workers_and_two_beats_complete_a_lapsed_milestone_exactly_once(two_clocks: Children) -> None:
    TermsFactory(review=timedelta(seconds=2))
    lapsing = [make_delivered() for _ in range(4)]
    last = make_delivered(plan=ONE_STEP)
    TermsFactory(offer=timedelta(seconds=2))
    offer = make_offer()
    wait(all_ended, SECONDS_TO_SETTLE, two_clocks)

    for order in lapsing:
        ended = fresh(order)
        assert statuses(order) == ("completed", ["completed", "not_started", "not_started"])
        assert (ended.closed_because, ended.ended_at) == ("lapsed", order.decide_by)
        assert cents(order) == Cents(charged=12_660, seller=9_600, fees=3_060)
        assert balance(order.seller, "USD") == 9_600
        lapsed = Event.objects.get(order=order, kind="lapsed")
        assert (lapsed.at, lapsed.actor) == (order.decide_by, None)
        assert lapsed.recorded_at >= order.decide_by
    assert [fresh(order).closed_because for order in (last, offer)] == ["finished", "expired"]
    assert Event.objects.filter(kind="ended").count() == 6
    told = Notice.objects.filter(kind="lapsed").values_list("recipient_id", flat=True)
    assert len(told) == len(set(told)) == 10, "both sides, once each"
    assert invariants.check() == []


def test_the_clock_brings_what_the_bank_decided_and_finds_what_was_lost(two_clocks: Children) -> None:
    processing, refused, lost = (
        make_ordered(method=method) for method in ("card_processing", "card_processing_fails", "card_lost")
    )

    def decided() -> bool:
        events = Event.objects.filter(kind__in=["funded", "payment_failed"]).values_list("order_id", flat=True)
        return set(events) == {processing.pk, refused.pk, lost.pk}

    wait(decided, SECONDS_TO_SETTLE, two_clocks)
    for order in (processing, lost):
        assert statuses(order) == ("active", ["in_progress", "planned", "planned"])
        assert cents(order) == Cents(charged=12_660, held=12_660)
    assert statuses(refused) == ("awaiting_payment", ["awaiting_payment", "planned", "planned"])
    assert fresh(refused).decide_by > clock.now()
    wait(lambda: not Notice.objects.filter(emailed_at=None).exists(), SECONDS_TO_SETTLE, two_clocks)
    assert (invariants.check(), invariants.at_rest()) == ([], [])
