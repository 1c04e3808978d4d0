"""M9: a refund that is refused for good stays in refunds due, and both sides are told of it once."""

import pytest

from orders import services
from orders.tests.factories import activity, at, cancel_milestone, cents, make_placed, told
from payments.models import Refund
from payments.services import Cents
from payments.tasks import deliver_sandbox_events

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_refund_that_is_refused_for_good_is_told_to_both_sides_once() -> None:
    order = make_placed(method="card_refund_refused")
    with at(days=1):
        cancel_milestone(order)
        deliver_sandbox_events()
        assert [refund.status for refund in Refund.objects.all()] == ["refused"]
        assert services.tell_refused_refunds() == 1
        assert services.tell_refused_refunds() == 0
    assert activity(order)[-1] == ("refund_refused", None, "Script", "", "")
    assert told(order)[-2:] == [("refund_refused", "buyer"), ("refund_refused", "seller")]
    assert cents(order) == Cents(charged=12_660, refunds_due=12_660)


def test_of_a_refund_that_succeeds_there_is_nothing_to_tell() -> None:
    order = make_placed()
    with at(days=1):
        cancel_milestone(order)
        deliver_sandbox_events()
        assert services.tell_refused_refunds() == 0
    assert cents(order) == Cents(charged=12_660, refunded=12_660)
