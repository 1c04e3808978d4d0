"""The first slice: place → deliver → accept → continue → lapse, to the cent and to the second."""

from datetime import timedelta

import pytest

from marketplace import clock
from orders import services
from orders.tests.factories import current, deliver, fresh, make_placed, statuses
from payments.services import balance, where_every_cent_is

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_order_runs_from_placing_to_its_lapse() -> None:
    order = make_placed()
    assert statuses(order) == ("active", ["in_progress", "planned", "planned"])

    deliver(order)
    services.accept(current(order), by=order.buyer)
    assert statuses(order) == ("active", ["completed", "planned", "planned"])
    assert balance(order.seller, "USD") == 9_600

    services.start(fresh(order).next_milestone, by=order.buyer, method="card_ok")
    deliver(order)
    order = fresh(order)
    delivered_at = order.current.delivered_at
    assert order.decide_by == delivered_at + timedelta(days=8)

    with clock.at(order.decide_by - timedelta(microseconds=1)):
        assert services.settle_due() == 0
    with clock.at(order.decide_by + timedelta(hours=5)):
        assert services.settle_due() == 1

    ended = fresh(order)
    assert statuses(order) == ("completed", ["completed", "completed", "not_started"])
    assert (ended.closed_because, ended.ended_at) == ("lapsed", order.decide_by)
    assert balance(order.seller, "USD") == 9_600 + 12_000
    references = [milestone.held.reference for milestone in ended.plan if milestone.held]
    cents = where_every_cent_is(references)
    assert [cents[reference].held for reference in references] == [0, 0]
