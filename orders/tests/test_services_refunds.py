"""M9: a refund that is refused for good stays in refunds due, and both sides are told of it once."""

import pytest

from orders import services
from orders.services import refunds
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


def test_one_refund_that_cannot_be_told_of_keeps_no_other_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    fine, poisonous = (make_placed(method="card_refund_refused") for _ in range(2))
    lock = refunds.lock_as_it_is

    def lock_unless_poisonous(order_id: int) -> object:
        if order_id == poisonous.pk:
            raise ValueError("Poison.")
        return lock(order_id)

    with at(days=1):
        for order in (fine, poisonous):
            cancel_milestone(order)
        deliver_sandbox_events()
        monkeypatch.setattr(refunds, "lock_as_it_is", lock_unless_poisonous)
        assert (services.tell_refused_refunds(), services.tell_refused_refunds()) == (1, 0)
        assert activity(fine)[-1][0] == "refund_refused"
        monkeypatch.undo()
        assert services.tell_refused_refunds() == 1


def test_of_a_refund_that_succeeds_there_is_nothing_to_tell() -> None:
    order = make_placed()
    with at(days=1):
        cancel_milestone(order)
        deliver_sandbox_events()
        assert services.tell_refused_refunds() == 0
    assert cents(order) == Cents(charged=12_660, refunded=12_660)
