"""A jump of eight days in the clocks of a running web server, worker and beat, while that of PostgreSQL stays.

libfaketime tells these processes another time; nothing of ours knows of it. What it tells is read anew each second.
"""

import re
import socket
import sys
from collections.abc import Generator
from dataclasses import dataclass
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.embedded.children import Children
from marketplace.health import LAST_SWEEP
from marketplace.tests import invariants
from marketplace.tests.processes import ROOT, environment
from marketplace.tests.test_clock_live import SECONDS_TO_START, wait
from orders.models import Event, Order
from orders.tests.factories import ONE_STEP, cents, current, fresh, make_delivered, make_placed, statuses
from payments.services import Cents, balance

pytestmark = pytest.mark.django_db(transaction=True)

SWEEP = 4
JUMP = timedelta(days=8, minutes=1)
# A batch has to be taken up, and a busy machine to get round to it.
SLACK = timedelta(seconds=20)


class Stay(HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


@dataclass
class Site:
    """The running site, asked over HTTP by people who have signed in before."""

    port: int
    children: Children
    told: Path

    def ask(self, path: str, person: User, **posted: str) -> tuple[int, str]:
        """The status and the page, or where it leads."""
        client = Client()
        client.force_login(person)
        session, token = client.cookies[settings.SESSION_COOKIE_NAME].value, "a" * 32
        headers = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={session}; {settings.CSRF_COOKIE_NAME}={token}"}
        data = urlencode({**posted, "csrfmiddlewaretoken": token}).encode() if posted else None
        try:
            with build_opener(Stay()).open(Request(f"http://127.0.0.1:{self.port}{path}", data, headers)) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as answer:
            return answer.code, answer.headers.get("Location", "") or answer.read().decode()

    def jump(self, length: timedelta) -> None:
        """Let all three believe that so much time has passed."""
        self.told.with_suffix(".new").write_text(f"+{length.total_seconds():.0f}\n")
        self.told.with_suffix(".new").rename(self.told)

    def is_up(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, db: None) -> Generator[Site, None, None]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    site = Site(port, Children(), tmp_path / "told")
    site.jump(timedelta(0))
    # Found and not imported: it is GPL, and is only ever loaded into processes of its own.
    package = find_spec("libfaketime")
    assert package
    assert package.origin
    library = Path(package.origin).parent / "vendor" / "libfaketime" / "src" / "libfaketime.so.1"
    more = {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(site.told),
        "FAKETIME_CACHE_DURATION": "1",
        # A machine's monotonic clock does not jump when somebody sets its time, nor do the times of its files.
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
    }
    assert library.exists()
    settings_of_test = {"SWEEP_SECONDS": str(SWEEP), "DEBUG": "1", "ALLOWED_HOSTS": "127.0.0.1"}
    cache.delete(LAST_SWEEP)
    celery = [sys.executable, "-m", "celery", "--app", "marketplace"]
    web = [sys.executable, "-m", "gunicorn", "marketplace.wsgi", f"--bind=127.0.0.1:{port}", "--no-control-socket"]
    parts = {
        "worker": [*celery, "worker", "--concurrency=1", "--loglevel=WARNING", "--hostname=time@test"],
        "beat": [*celery, "beat", "--loglevel=WARNING", "--pidfile=", f"--schedule={tmp_path / 'schedule'}"],
        "web": [*web, "--worker-class=gthread", "--threads=2", "--preload"],
    }
    try:
        with monkeypatch.context() as theirs:
            for name, value in {**environment(**settings_of_test), **more}.items():
                theirs.setenv(name, value)
            for name, command in parts.items():
                site.children.start(name, command, cwd=ROOT, log=tmp_path / f"{name}.log")
        wait(lambda: cache.get(LAST_SWEEP) is not None and site.is_up(), SECONDS_TO_START, site.children)
        yield site
        assert site.children.ended() == {}, "all three are alive at the end"
    finally:
        site.children.stop()


def test_what_is_due_after_a_jump_of_eight_days_is_completed_within_two_sweep_periods(site: Site) -> None:
    before = make_delivered(plan=ONE_STEP)
    order = make_placed()
    milestone = current(order)
    delivered = site.ask(
        reverse("orders:deliver", args=[order.number, milestone.pk]),
        order.seller,
        message="The script, as agreed.",
        version=str(order.version),
    )
    assert delivered == (302, order.get_absolute_url())
    order = fresh(order)
    assert order.decide_from
    assert order.decide_by
    assert order.decide_by - order.decide_from == timedelta(seconds=691_200)
    assert abs(order.decide_from - clock.now()) < timedelta(minutes=1), "nothing has jumped yet"
    site.jump(JUMP)
    jumped = clock.now()

    wait(
        lambda: not Order.objects.filter(ended_at=None).exists(),
        (2 * timedelta(seconds=SWEEP) + SLACK).seconds,
        site.children,
    )

    ended = fresh(order)
    assert (ended.closed_because, ended.ended_at) == ("lapsed", order.decide_by)
    assert statuses(order) == ("completed", ["completed", "not_started", "not_started"])
    assert cents(order) == Cents(charged=12_660, seller=9_600, fees=3_060)
    assert balance(order.seller, "USD") == 9_600
    assert fresh(before).closed_because == "finished"
    lapsed = Event.objects.get(order=order, kind="lapsed")
    assert lapsed.at == order.decide_by
    # Of what the processes themselves took for the time.
    assert lapsed.recorded_at - (jumped + JUMP) < 2 * timedelta(seconds=SWEEP) + SLACK
    status, page = site.ask(order.get_absolute_url(), order.buyer)
    assert (status, bool(re.search("Completed", page))) == (200, True)
    assert invariants.check() == []
