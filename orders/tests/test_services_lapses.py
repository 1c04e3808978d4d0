"""What the clock does when the buyer's deadline passes, and that the instant decides, not the worker (O6, O7, O14)."""

import logging
from contextlib import closing
from datetime import timedelta
from unittest.mock import Mock

import pytest
from django.db import OperationalError, connection

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.catalog.tests.factories import TermsFactory
from marketplace.notifications.models import Notice
from orders import services
from orders.guards import Refused
from orders.models import Event
from orders.models.order import OrderQuerySet
from orders.services import lapses
from orders.tests.factories import (
    NOON,
    ONE_STEP,
    activity,
    after,
    at,
    cents,
    current,
    deliver,
    ending,
    fresh,
    make_accepted,
    make_delivered,
    make_in_revision,
    make_offer,
    make_ordered,
    make_placed,
    start_next,
    statuses,
    told,
)
from orders.tests.rows import rows
from payments.models import Transfer
from payments.services import Cents, balance

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_delivery_without_an_answer_is_completed_and_paid_and_the_order_stops() -> None:
    order = make_delivered()
    with at(days=8, microseconds=-1):
        assert services.settle_due() == 0
    with at(days=8):
        assert services.settle_due() == 1
        assert services.settle_due() == 0
    assert ending(order) == ("completed", "lapsed", after(days=8))
    assert statuses(order) == ("completed", ["completed", "not_started", "not_started"])
    assert cents(order) == Cents(charged=12_660, seller=9_600, fees=3_060)
    assert activity(order)[-4:] == [
        ("lapsed", None, "Script", "delivered", "completed"),
        ("left_out", None, "Storyboard", "planned", "not_started"),
        ("left_out", None, "Animation", "planned", "not_started"),
        ("ended", None, "", "active", "completed"),
    ]
    assert told(order)[-4:] == [("lapsed", "buyer"), ("lapsed", "seller"), ("ended", "buyer"), ("ended", "seller")]
    ended = fresh(order)
    assert [milestone.ended_at for milestone in ended.plan] == [after(days=8)] * 3
    assert (ended.decide_from, ended.decide_by, ended.remind_at) == (None, None, None)


def test_if_it_was_the_last_milestone_the_order_is_finished() -> None:
    order = make_delivered(plan=ONE_STEP)
    with at(days=9):
        services.settle_due()
    assert ending(order) == ("completed", "finished", after(days=8))
    assert balance(order.seller, "USD") == 8_000


def test_accepted_but_not_continued_ends_the_order_8_days_after_the_delivery() -> None:
    order = make_delivered()
    with at(days=5):
        services.accept(current(order), by=order.buyer)
    with at(days=8, microseconds=-1):
        assert services.settle_due() == 0
    with at(days=8):
        assert services.settle_due() == 1
    assert ending(order) == ("completed", "not_continued", after(days=8))
    assert statuses(order) == ("completed", ["completed", "not_started", "not_started"])
    assert cents(order) == Cents(charged=12_660, seller=9_600, fees=3_060)


def test_a_seller_at_work_has_no_deadline_of_the_clock() -> None:
    working, revising = make_placed(), make_in_revision()
    with at(days=1_000):
        assert services.settle_due() == 0
    assert statuses(working) == ("active", ["in_progress", "planned", "planned"])
    assert statuses(revising) == ("active", ["in_revision", "planned", "planned"])


def test_what_the_clock_does_late_is_dated_at_the_instant_it_was_due() -> None:
    order = make_delivered()
    with at(days=20):
        services.settle_due()
    assert ending(order) == ("completed", "lapsed", after(days=8))
    lapsed = Event.objects.get(order=order, kind="lapsed")
    assert (lapsed.at, lapsed.recorded_at, lapsed.actor) == (after(days=8), after(days=20), None)
    assert {transfer.created_at for transfer in Transfer.objects.exclude(kind="charge")} == {after(days=8)}
    assert Notice.objects.filter(kind="lapsed").values_list("created_at", flat=True).first() == after(days=8)


def test_an_act_at_the_last_instant_counts_and_at_the_deadline_itself_it_is_too_late() -> None:
    in_time, too_late = make_delivered(), make_delivered()
    with at(days=8, microseconds=-1):
        services.accept(current(in_time), by=in_time.buyer)
    assert statuses(in_time) == ("active", ["completed", "planned", "planned"])
    with at(days=8), pytest.raises(Refused, match=r"^The order is completed\.$"):
        services.accept(current(too_late), by=too_late.buyer)
    assert ending(too_late) == ("completed", "lapsed", after(days=8))


def test_a_refused_act_changes_nothing_but_what_the_clock_owed() -> None:
    acted, swept = make_delivered(), make_delivered()
    milestone = current(acted)
    with at(days=8):
        assert services.settle(swept.pk)
        with pytest.raises(Refused, match=r"^The order is completed\.$"):
            services.request_revision(milestone, by=acted.buyer, text="Bluer.")
    assert [line[0] for line in activity(acted)] == [line[0] for line in activity(swept)]
    assert ending(acted) == ending(swept)
    assert fresh(acted).version == fresh(swept).version


@pytest.mark.parametrize("name", ["deliver", "request_revision", "accept", "accept_and_continue", "grant_revisions"])
def test_no_verb_outruns_the_clock(name: str) -> None:
    order = make_delivered()
    milestone, details = current(order), {"by": order.buyer}
    details |= {
        "deliver": {"by": order.seller, "message": "Once more."},
        "request_revision": {"text": "Bluer."},
        "accept_and_continue": {"method": "card_ok"},
        "grant_revisions": {"by": order.seller, "count": 1},
    }.get(name, {})
    with at(days=12), pytest.raises(Refused, match=r"^The order is completed\.$"):
        getattr(services, name)(milestone, **details)
    assert ending(order) == ("completed", "lapsed", after(days=8))
    assert cents(order) == Cents(charged=12_660, seller=9_600, fees=3_060)


def test_neither_starting_nor_stopping_outruns_the_clock() -> None:
    order, other = make_accepted(), make_accepted()
    with at(days=8):
        with pytest.raises(Refused, match=r"^The order is completed\.$"):
            services.start(order.next_milestone, by=order.buyer, method="card_ok")
        with pytest.raises(Refused, match=r"^The order is completed\.$"):
            services.stop(other, by=other.buyer)
    for ended in (order, other):
        assert ending(ended) == ("completed", "not_continued", after(days=8))
        assert cents(ended) == Cents(charged=12_660, seller=9_600, fees=3_060)


def test_a_stopped_beat_changes_no_outcome() -> None:
    """Nobody sweeps for a year; the outcome is the same as with a beat every day."""
    watched, unwatched = make_accepted(), make_accepted()
    for order in (watched, unwatched):
        start_next(order)
        deliver(order)
    for day in range(1, 15):
        with at(days=day):
            services.settle(watched.pk)
    with at(days=365):
        services.settle(unwatched.pk)
    assert ending(watched) == ending(unwatched) == ("completed", "lapsed", after(days=8))
    assert activity(watched) == activity(unwatched)
    assert cents(watched) == cents(unwatched)


def test_looking_at_an_overdue_order_settles_nothing() -> None:
    order = make_delivered()
    before = rows()
    with at(days=30):
        overdue = fresh(order)
        assert overdue.is_overdue(clock.now())
        assert services.if_nobody_acts(overdue) == (
            "“Script” is completed and paid, and the order stops and is completed."
        )
    assert rows() == before


def test_a_sweep_settles_each_order_by_its_own_state() -> None:
    offered, unpaid = make_offer(), make_ordered(method="card_declined")
    delivered, between, last = make_delivered(), make_accepted(), make_delivered(plan=ONE_STEP)
    continuing = make_accepted()
    start_next(continuing, method="card_authentication")
    with at(days=14):
        assert services.settle_due() == 6
    assert [ending(order) for order in (offered, unpaid, delivered, between, last, continuing)] == [
        ("canceled", "expired", after(days=14)),
        ("canceled", "unpaid", after(hours=24)),
        ("completed", "lapsed", after(days=8)),
        ("completed", "not_continued", after(days=8)),
        ("completed", "finished", after(days=8)),
        ("completed", "not_continued", after(days=8)),
    ]


def test_a_buyers_clocks_run_on_when_they_are_deactivated() -> None:
    order = make_delivered()
    User.objects.filter(pk=order.buyer_id).update(is_active=False)
    with at(days=8):
        assert services.settle_due() == 1
    assert ending(order) == ("completed", "lapsed", after(days=8))


def test_one_poisonous_order_is_set_aside_and_the_others_are_settled(caplog: pytest.LogCaptureFixture) -> None:
    poisonous, sound = make_delivered(), make_delivered()
    with connection.cursor() as cursor:
        cursor.execute(
            f"ALTER TABLE orders_order ADD CONSTRAINT poison CHECK (id <> {poisonous.pk} OR status = 'active')"
        )
    with at(days=9):
        assert services.settle_due() == 2
        assert services.settle_due() == 0
    assert ending(sound) == ("completed", "lapsed", after(days=8))
    assert statuses(poisonous) == ("active", ["delivered", "planned", "planned"])
    assert fresh(poisonous).stuck_at == after(days=9)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == [
        "2 orders could not be settled together: each is settled by itself",
        f"ALARM: order {poisonous.pk} could not be settled and is set aside",
    ]
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE orders_order DROP CONSTRAINT poison")
    with at(days=10), pytest.raises(Refused, match=r"^The order is completed\.$"):
        services.accept(current(poisonous), by=poisonous.buyer)
    assert ending(poisonous) == ("completed", "lapsed", after(days=8)), "a person's act settles it all the same"


@pytest.mark.django_db(transaction=True)
def test_an_order_whose_rows_somebody_holds_stays_due_and_is_not_set_aside(caplog: pytest.LogCaptureFixture) -> None:
    order = make_delivered()
    with at(days=9), connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '100ms'")
        somebody = connection.copy()
        somebody.set_autocommit(False)
        with closing(somebody), somebody.cursor() as others:
            others.execute("SELECT id FROM payments_heldfunds FOR UPDATE")
            assert services.settle_due() == 0
        cursor.execute("RESET lock_timeout")
        assert (statuses(order)[0], fresh(order).stuck_at) == ("active", None)
        assert f"Order {order.pk} is settled by the next sweep" in caplog.messages
        assert services.settle_due() == 1
    assert ending(order) == ("completed", "lapsed", after(days=8))


def test_a_sweep_that_cannot_look_for_what_is_due_fails_aloud(monkeypatch: pytest.MonkeyPatch) -> None:
    make_delivered()
    monkeypatch.setattr(OrderQuerySet, "due", Mock(side_effect=OperationalError("gone")))
    monkeypatch.setattr(lapses, "_is_anything_due", lambda now: True)
    with at(days=9), pytest.raises(OperationalError, match="gone"):
        services.settle_due()


def test_windows_can_be_seconds_long() -> None:
    TermsFactory(review=timedelta(seconds=2))
    order = make_delivered()
    assert order.decide_by == NOON + timedelta(seconds=2)
    with at(seconds=2):
        assert services.settle_due() == 1
    assert ending(order) == ("completed", "lapsed", after(seconds=2))
