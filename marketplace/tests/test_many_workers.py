"""Two beats and four workers over one PostgreSQL and one Redis: what is due happens once, whoever gets there first."""

import re
import sys
import time
from collections import Counter
from collections.abc import Generator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.db.models import Count

from marketplace import clock
from marketplace.accounts.tests.factories import UserFactory
from marketplace.bench.loading import add_due, cast, casting, crowd, patterns
from marketplace.bench.loading.plots import DUE
from marketplace.bench.loading.story import Staff
from marketplace.embedded.children import Children
from marketplace.notifications.models import Notice
from marketplace.tests import invariants
from marketplace.tests.processes import ROOT, environment
from orders.models import Event, Milestone, Order, Reminder
from orders.tasks import send_reminders
from orders.tests.factories import make_delivered, make_offer, make_placed
from payments.models import Charge, Refund, Transfer
from resolution.models import Case
from resolution.tests.factories import opened

pytestmark = pytest.mark.django_db(transaction=True)

LAPSED = 240  # more than one batch of the sweep, so that two workers have some at the same time
OFFERS, CASES, REMINDED, LOST = 5, 4, 3, 3
SECONDS = 180  # at most; a machine that is idle needs about twenty
DONE = re.compile(r"Task (\S+)\[\S+\] succeeded in (\S+)s: (\S+)")


@pytest.fixture
def much_is_due(db: None) -> Generator[None, None, None]:
    """Milestones that lapsed in the last four minutes, and some of everything else that the clock does."""
    now = clock.now()
    staff = Staff(UserFactory(name="Mara Support"), UserFactory(name="Finn Finance"))
    story = cast._set_the_stage(0, DUE, staff, now)
    DUE.tell(story)
    with transaction.atomic(), connection.cursor() as cursor:
        patterns.keep({DUE.name: story}, now)
        cursor.execute(casting.SCHEMA)
        crowd.settle(cursor, LAPSED)
    add_due(connection, LAPSED, at=now)
    with clock.at(now - timedelta(days=15)):
        for _ in range(OFFERS):
            make_offer()
    with clock.at(now - timedelta(days=4)):
        for _ in range(CASES):
            opened(make_placed())
    with clock.at(now - timedelta(days=6, hours=1)):
        for _ in range(REMINDED):
            make_delivered()
    with clock.at(now - timedelta(minutes=2)):
        for _ in range(LOST):
            make_placed(method="card_lost")
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA bench CASCADE")


@pytest.fixture
def many(much_is_due: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Children, None, None]:
    for name, value in environment(SWEEP_SECONDS="1", EMAIL_URL=f"filemail:///{tmp_path}/mails").items():
        monkeypatch.setenv(name, value)
    (tmp_path / "mails").mkdir()
    celery = [sys.executable, "-m", "celery", "--app", "marketplace"]
    children = Children()
    try:
        for number in (1, 2, 3, 4):
            worker = [*celery, "worker", "--concurrency=1", "--loglevel=INFO", f"--hostname=worker-{number}@test"]
            children.start(f"worker {number}", worker, cwd=ROOT, log=tmp_path / f"worker-{number}.log")
        until = time.monotonic() + SECONDS
        while not all(" ready." in log.read_text() for log in logs_of(tmp_path)):  # so that each gets its part
            assert (children.ended(), time.monotonic() < until) == ({}, True)
            time.sleep(0.2)
        for number in (1, 2):
            beat = [*celery, "beat", "--loglevel=WARNING", "--pidfile=", f"--schedule={tmp_path / f'beat-{number}'}"]
            children.start(f"beat {number}", beat, cwd=ROOT, log=tmp_path / f"beat-{number}.log")
        yield children
    finally:
        children.stop()


def logs_of(folder: Path) -> list[Path]:
    return [folder / f"worker-{number}.log" for number in (1, 2, 3, 4)]


def left() -> dict[str, int]:
    """What the clock still has to do."""
    counts = {
        "orders": Order.objects.filter(ended_at=None, paused_at=None, decide_by__lte=clock.now()).count(),
        "cases": Case.objects.filter(status="open").count(),
        "charges": Charge.objects.filter(status__in=["created", "asking"]).count(),
        "refunds": Refund.objects.exclude(status="succeeded").count(),
        "notices": Notice.objects.filter(emailed_at=None).count(),
        "reminders": Order.objects.filter(ended_at=None, paused_at=None, remind_at__lte=clock.now()).count(),
    }
    return {what: count for what, count in counts.items() if count}


def twice(rows: object) -> list[object]:
    return [row for row, count in Counter(rows).items() if count > 1]  # type: ignore[call-overload]


def test_two_beats_and_four_workers_do_everything_once(many: Children, tmp_path: Path) -> None:
    for _ in range(4):  # what beats ask for every minute
        send_reminders.delay()
    until = time.monotonic() + SECONDS
    while left():
        assert many.ended() == {}
        assert time.monotonic() < until, left()
        time.sleep(0.2)
    time.sleep(2)  # what comes twice would come by now
    assert many.ended() == {}, "all six are alive at the end"
    logs = [log.read_text() for log in logs_of(tmp_path)]
    many.stop()

    lapses = Event.objects.filter(kind="lapsed")
    assert (lapses.count(), lapses.values("milestone").distinct().count()) == (LAPSED, LAPSED)
    assert Milestone.objects.filter(status="completed").count() == LAPSED
    assert (
        Event.objects.filter(kind="ended").values("order").annotate(times=Count("pk")).filter(times__gt=1).count() == 0
    )
    assert Order.objects.filter(closed_because="expired").count() == OFFERS
    assert twice(Transfer.objects.values_list("kind", "held", "charge", "refund", "destination")) == []
    assert twice(Notice.objects.values_list("recipient", "key")) == []
    assert twice(Event.objects.filter(kind="lapsed").values_list("order", "milestone")) == []
    assert Reminder.objects.filter(sent_at__gt=clock.now() - timedelta(hours=1)).count() == REMINDED
    notices = Notice.objects.filter(kind="lapsed")
    assert (notices.count(), set(notices.values_list("attempts", flat=True))) == (2 * LAPSED, {1})
    sent = sum(file.read_text().count("\nMessage-ID: ") for file in (tmp_path / "mails").iterdir())
    assert sent == Notice.objects.filter(attempts=1).count()
    assert (invariants.check(), invariants.at_rest()) == ([], [])

    ran = [(task, float(took), told) for log in logs for task, took, told in DONE.findall(log)]
    settled = [told for task, _, told in ran if task == "orders.tasks.settle_due"]
    assert sum(int(told) for told in settled) == LAPSED + OFFERS, "each was settled by one of them"
    assert all(DONE.search(log) for log in logs), "every worker had its part"
