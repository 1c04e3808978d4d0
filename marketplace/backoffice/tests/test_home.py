"""The home of admin: figures that are exact, links to exactly those rows, and charts of the last 30 days."""

import re
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import StaffFactory
from marketplace.backoffice.month import charts
from marketplace.backoffice.tests.conftest import agent
from marketplace.health import note_sweep
from marketplace.templatetags.charts import Chart
from orders import services
from orders.models import Order
from orders.tasks import settle_due
from orders.tests.factories import (
    ONE_STEP,
    after,
    at,
    cancel_milestone,
    current,
    make_accepted,
    make_delivered,
    make_offer,
    make_placed,
)
from payments.models import Withdrawal
from payments.tasks import deliver_sandbox_events
from payments.tests.steps import ask_for, connect
from resolution.tasks import settle_due_cases
from resolution.tests.factories import bank, opened

pytestmark = pytest.mark.django_db(transaction=True)
HOME = "/admin/"
TODAY = 10  # days after noon of the first day
FIGURE = re.compile(
    r'<a class="home-figure home-figure--(\w+)" href="([^"]+)">'
    r"<strong>(.*?)</strong> <span>(.*?)</span>(?: <small>(.*?)</small>)?"
)


@pytest.fixture
def busy() -> None:
    """Ten days of a marketplace, each kind of row once or twice."""
    with at():
        opened(make_delivered())
        refused = make_placed(method="card_refund_refused")
    with at(days=1):
        cancel_milestone(refused)
        deliver_sandbox_events()
        make_delivered(plan=ONE_STEP)
    with at(days=1, hours=20):
        make_delivered(currency="EUR")
    with at(days=5, hours=3):
        settle_due_cases()
        opened(make_delivered())
    with at(days=6):
        opened(make_delivered())
        make_placed(method="card_processing")
    with at(days=8, hours=3):
        settle_due_cases()
        slow, waits = make_accepted(), make_accepted()
        for order in (slow, waits):
            connect(order.seller, at=clock.now())
            ask_for(order.seller, at=clock.now())
        slow_one = Withdrawal.objects.filter(owner=slow.seller)
        slow_one.update(status="approved", decided_at=clock.now(), next_try_at=after(days=TODAY, hours=1))
    with at(days=TODAY, hours=-1):
        settle_due()
        opened(make_delivered())
        bank(make_placed(), "taken")
        declined = make_offer()
        services.decline_offer(declined, by=declined.buyer, version=declined.version)
        finished = make_delivered(plan=ONE_STEP)
        services.accept(current(finished), by=finished.buyer)
        Order.objects.filter(pk=make_placed().pk).update(stuck_at=clock.now())


def shown(client: Client) -> dict[str, tuple[str, str]]:
    """Each figure of the home: what it says, and how loud."""
    html = client.get(HOME).content.decode()
    return {unescape(label): (unescape(value), tone) for tone, _, value, label, _note in FIGURE.findall(html)}


def numbers(drawn: list[Chart]) -> dict[str, list[tuple[str, dict[str, int]]]]:
    """Of each series what is not zero, by its day."""
    return {
        str(it.title): [
            (str(row.name), {label: value for label, value in zip(it.labels, row.values, strict=True) if value})
            for row in it.series
        ]
        for it in drawn
    }


@pytest.mark.usefixtures("busy")
def test_figures_are_exact_and_lead_to_exactly_those_rows(client: Client, superuser: User) -> None:
    client.force_login(superuser)
    with at(days=TODAY):
        note_sweep()
        said = shown(client)
        assert said == {
            "Overdue at support": ("1", "alarm"),
            "Due today": ("1", "waits"),
            "Due later": ("2", "calm"),
            "Wait for the other side": ("1", "calm"),
            "Refused refunds": ("1", "alarm"),
            "Withdrawals to decide": ("1", "waits"),
            "Withdrawals in doubt": ("1", "alarm"),
            "Chargebacks at banks": ("1", "waits"),
            "Lost chargebacks to decide": ("0", "calm"),
            "Payments undecided for over a day": ("1", "waits"),
            "Held funds, USD": ("$759.60", "calm"),
            "Stuck: the clock failed there": ("1", "alarm"),
            "Completed today": ("2", "calm"),
            "Of these lapsed": ("1", "calm"),
            "Last proof of the ledger": ("Not proven yet", "waits"),
            "E-mails not sent yet": (said["E-mails not sent yet"][0], "calm"),
            "The clock": ("Running", "calm"),
        }
        for _tone, url, value, label, note in FIGURE.findall(client.get(HOME).content.decode()):
            if value.isdecimal() or note.startswith("milestones"):
                rows = client.get(unescape(url)).context["cl"].result_count
                assert (label, rows) == (label, int(value if value.isdecimal() else note.rsplit(" ", 1)[-1]))


@pytest.mark.usefixtures("busy")
def test_the_charts_tell_each_day_of_the_last_thirty(superuser: User) -> None:
    with at(days=TODAY):
        drawn = charts(superuser, clock.now())
    assert {len(it.labels) for it in drawn} == {30}
    assert (drawn[0].labels[0], drawn[0].labels[-1]) == ("1 Oct", "30 Oct")
    assert numbers(drawn) == {
        "Charged and earned by the platform, EUR": [
            ("Charged", {"22 Oct": 12_660}),
            ("Platform fees", {"30 Oct": 3060}),
        ],
        "Charged and earned by the platform, USD": [
            (
                "Charged",
                {
                    "20 Oct": 25_320,
                    "21 Oct": 10_550,
                    "25 Oct": 12_660,
                    "26 Oct": 12_660,
                    "28 Oct": 25_320,
                    "30 Oct": 48_530,
                },
            ),
            ("Platform fees", {"28 Oct": 6_120, "29 Oct": 2_550, "30 Oct": 2_550}),
        ],
        "Orders placed": [
            ("Placed", {"20 Oct": 2, "21 Oct": 1, "22 Oct": 1, "25 Oct": 1, "26 Oct": 2, "28 Oct": 2, "30 Oct": 4})
        ],
        "Milestones completed": [
            ("Accepted", {"28 Oct": 2, "30 Oct": 1}),
            ("Completed by support", {}),
            ("Lapsed", {"29 Oct": 1, "30 Oct": 1}),
        ],
        "Cases": [("Opened", {"20 Oct": 1, "25 Oct": 1, "26 Oct": 1, "30 Oct": 2}), ("Closed", {})],
    }


def test_each_group_sees_what_it_may_see_and_no_query_more_for_more_rows(client: Client, request: Any) -> None:
    people = {"Support": agent(), "Finance": agent("Finance"), "nobody": StaffFactory.create()}
    labels, queries = {}, {}
    for name, person in people.items():
        client.force_login(person)
        with CaptureQueriesContext(connection) as asked:
            labels[name] = list(shown(client))
        queries[name] = len(asked)
    cases = ["Overdue at support", "Due today", "Due later", "Wait for the other side"]
    money = ["Refused refunds", "Withdrawals to decide", "Withdrawals in doubt", "Chargebacks at banks"]
    money += ["Lost chargebacks to decide", "Payments undecided for over a day"]
    orders = ["Stuck: the clock failed there", "Completed today", "Of these lapsed"]
    machine = ["Last proof of the ledger", "The clock"]
    assert labels == {
        "Support": [*cases, *money, *orders, *machine],
        "Finance": [*money, *machine],
        "nobody": ["The clock"],
    }
    request.getfixturevalue("busy")
    for name in ("Support", "Finance"):
        client.force_login(people[name])
        with at(days=TODAY), CaptureQueriesContext(connection) as asked:
            assert client.get(HOME).status_code == 200
        assert (name, len(asked)) == (name, queries[name])
