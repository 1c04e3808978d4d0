"""Every pair of acts at the same instant, from a state that one of them or both may begin in, and at the deadline.

The outcome must be that of one after the other: refusals, order, money, events, cases and withdrawals alike. So exactly
one wins where both cannot be. What is made with the lock gone shows that this would notice.

Every day each pair races once. `RACES=20 python3 run.py test marketplace/tests/test_every_race.py` races each twenty
times, either first, at either side of the deadline, and shows of every pair that excludes that it would be noticed.
"""

import os
import threading
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import combinations_with_replacement

import pytest

import resolution.locking
from marketplace import clock
from marketplace.catalog.tests.factories import TermsFactory
from marketplace.tests.racing import ACTS, CLOCKS, ELSEWHERE, SOON, at_once, is_refusal, make, one_after_the_other
from marketplace.tests.test_races import Runner, meet
from orders import locking, services
from orders.locking import Stale
from orders.models import Event, Order
from orders.services import lapses, refunds
from orders.tests.factories import NOON, fresh, make_delivered, make_offer
from resolution.models import Case
from resolution.services import silence

pytestmark = pytest.mark.django_db(transaction=True)

TIMES = int(os.environ.get("RACES", "1"))
IN_REVIEW = ("accept", "revise", "deliver", "cancel", "stop", "start", "lapse", "rule", "withdraw")
BETWEEN = ("stop", "start", "lapse", "withdraw")
OFFERED = ("place", "edit offer", "withdraw offer", "decline offer", "lapse")
DISPUTED = ("agree", "disagree", "withdraw case", "rule on case", "dismiss", "silence")
ALONE = {("withdraw", "withdraw"), ("edit offer", "edit offer")}  # raced below: each sees a purse, or a version
RACES = [
    *(("delivered", pair) for pair in combinations_with_replacement(IN_REVIEW, 2)),
    *(("between", pair) for pair in combinations_with_replacement(BETWEEN, 2) if pair not in ALONE),
    *(("offered", pair) for pair in combinations_with_replacement(OFFERED, 2) if pair not in ALONE),
    *(("disputed", pair) for pair in combinations_with_replacement(DISPUTED, 2)),
]
AT_THE_DEADLINE = [
    (state, pair, offset)
    for state, pair in RACES
    for offset in (timedelta(0), timedelta(milliseconds=50))
    if CLOCKS & set(pair) and pair[0] != pair[1]
]
SOME = slice(None) if TIMES > 1 else slice(None, None, 4)
NAMES = ["-".join((state, *pair)) for state, pair in RACES]
NOW = timedelta(0)
CLOSE = timedelta(milliseconds=50)


def test_every_act_races_every_other() -> None:
    assert {name for _, pair in RACES for name in pair} == set(ACTS)
    assert len(RACES) == 45 + 9 + 14 + 21


@pytest.mark.parametrize(("state", "names"), RACES, ids=NAMES)
def test_two_acts_at_once_come_to_what_one_after_the_other_does(state: str, names: tuple[str, str]) -> None:
    either_may_win = names[0] != names[1] or names[0] in ELSEWHERE or TIMES > 1
    ways = (0, 1) if either_may_win else (0,)
    possible = [one_after_the_other(state, names, -CLOSE, first) for first in ways]
    for time in range(TIMES):
        assert at_once(state, names, -CLOSE, time % 2) in possible


@pytest.mark.parametrize(("state", "names", "offset"), AT_THE_DEADLINE[SOME])
def test_from_the_deadline_on_the_clock_has_decided(state: str, names: tuple[str, str], offset: timedelta) -> None:
    first = next(place for place, name in enumerate(names) if name in CLOCKS)
    decided = one_after_the_other(state, names, offset, first)
    for time in range(TIMES):
        # Whoever comes first to the lock: the verb does the clock's work before its own (O7).
        assert at_once(state, names, offset, 1 - first if time % 2 == 0 else first) == decided


def test_sweeps_and_people_side_by_side_settle_each_order_once() -> None:
    with clock.at(NOON):
        orders = [make_delivered() for _ in range(6)] + [make_offer() for _ in range(4)]
    due = NOON + timedelta(days=14)
    sweeps = [Runner(services.settle_due, due) for _ in range(4)]
    people = [Runner(lambda order=order: services.stop(fresh(order), by=order.buyer), due) for order in orders]
    results = [runner.ended() for runner in people]
    assert all(is_refusal(result) for result in results), results
    assert sum(runner.ended() for runner in sweeps) <= 10
    assert {fresh(order).closed_because for order in orders} == {"lapsed", "expired"}
    assert Event.objects.filter(kind="ended").count() == 10


# Twins without the lock


@pytest.fixture
def no_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read the order, and its case if it has one, without locking it; both have read before either goes on."""
    both_have_read, met = threading.Barrier(2, timeout=5), threading.local()
    case_as_it_is = resolution.locking.case_of

    def meet() -> None:
        if threading.current_thread() is not threading.main_thread() and not hasattr(met, "once"):
            met.once = True
            # Who is refused before it reads its case does not come: the other goes on alone.
            with suppress(threading.BrokenBarrierError):
                both_have_read.wait()

    def read_only(order_id: int) -> tuple[Order, datetime]:
        order = Order.objects.whole().get(pk=order_id)
        if not Case.objects.filter(order=order).exists():
            meet()
        return order, clock.now()

    def read_case(order: Order, case_id: int, now: datetime) -> Case:
        case = case_as_it_is(order, case_id, now)
        meet()
        return case

    for module in (locking, lapses, refunds, silence):
        monkeypatch.setattr(module, "lock_as_it_is", read_only)
    for module in (resolution.locking, silence):
        monkeypatch.setattr(module, "case_of", read_case)


EXCLUDE = [
    (state, names)
    for state, names in RACES
    if "withdraw" not in names and not (state == "delivered" and {"stop", "start"} & set(names))
]


@pytest.mark.breaks_promises
@pytest.mark.parametrize(("state", "names"), EXCLUDE[SOME])
def test_without_the_lock_the_same_race_would_be_noticed(
    state: str, names: tuple[str, str], request: pytest.FixtureRequest
) -> None:
    possible = [one_after_the_other(state, names, -CLOSE, first) for first in (0, 1)]
    request.getfixturevalue("no_lock")
    try:
        seen = at_once(state, names, -CLOSE, 0, held=False)
    except AssertionError:
        return
    assert seen not in possible, "nobody would have noticed"


def test_a_purse_is_locked_as_well() -> None:
    """Two withdrawals at once: one is refused, because the other is under way."""
    order = make("delivered", ("withdraw", "withdraw"))
    assert order.seller_id
    possible = [one_after_the_other("delivered", ("withdraw", "withdraw"), NOW, 0)]
    assert at_once("delivered", ("withdraw", "withdraw"), NOW, 0).refused in (
        possible[0].refused,
        possible[0].refused[::-1],
    )


def test_of_two_who_change_an_offer_the_second_has_to_look_again() -> None:
    results = at_once("offered", ("edit offer", "edit offer"), NOW, 0)
    assert (results.refused, results.version) == ((False, True), 2)


def test_who_waits_while_an_offer_comes_under_newer_terms_is_told_that_it_changed() -> None:
    with clock.at(NOON):
        order = make_offer()
        TermsFactory(review=timedelta(days=5))
    seen = fresh(order)
    edited, placed = meet(
        order,
        (lambda: ACTS["edit offer"](fresh(order)), SOON),
        (lambda: services.place(seen, by=seen.buyer, method="card_ok", version=seen.version), SOON),
    )
    assert (edited, type(placed)) == (None, Stale)
    assert fresh(order).terms != seen.terms
