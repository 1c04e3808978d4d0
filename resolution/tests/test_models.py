"""What the database refuses, whatever the code does."""

import pytest
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from orders.models import Order
from resolution import services
from resolution.models import Case, Reason
from resolution.tests.conftest import NOON, OrderIn
from resolution.tests.factories import declined, opened, reason

pytestmark = pytest.mark.django_db


def refuses(constraint: str, case: Case, **values: object) -> None:
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Case.objects.filter(pk=case.pk).update(**values)


def test_a_second_pending_dispute_of_an_order(in_progress: Order) -> None:
    first = declined(in_progress)
    opened(in_progress, side="seller")
    refuses("one_dispute_at_a_time", first, status="escalated", support_due=NOON, ended_at=None)


def test_a_case_that_is_only_being_considered(in_progress: Order) -> None:
    refuses("case_ended_as_a_whole", opened(in_progress), status="new")


@pytest.mark.parametrize(
    ("constraint", "values"),
    [
        ("case_ended_as_a_whole", {"status": "accepted"}),
        ("case_ended_as_a_whole", {"ended_at": NOON}),
        ("case_open_until_answered", {"answer_by": None}),
        ("case_open_until_answered", {"on_silence": ""}),
        ("case_escalated_is_due", {"status": "escalated"}),
        ("case_declined_may_go_on", {"status": "declined", "ended_at": NOON}),
        ("case_ruled_with_reason_and_note", {"status": "dismissed", "ended_at": NOON}),
        ("case_ruling_when_ruled", {"ruling": "cancel_order"}),
        ("case_opened_by_its_side", {"side": "clock"}),
        ("case_opened_by_its_side", {"opened_by": None}),
        ("case_names_its_milestone", {"milestone": None}),
    ],
)
def test_half_a_case(in_progress: Order, constraint: str, values: dict[str, object]) -> None:
    refuses(constraint, opened(in_progress), **values)


def test_a_reason_that_was_cited_is_not_deleted(in_progress: Order) -> None:
    case = opened(in_progress)
    with pytest.raises(ProtectedError):
        case.reason.delete()


def test_considering_a_case_writes_nothing(order_in: OrderIn) -> None:
    order = order_in("in_progress")
    case = services.consider(order, "cancel_milestone", "buyer", now=NOON)
    assert (case.pk, case.status, case.milestone, case.moment) == (None, "new", order.plan[0], NOON)


def test_numbers_are_not_guessed_from_one_another(in_progress: Order) -> None:
    numbers = {Case(order=in_progress).number for _ in range(50)}
    assert len(numbers) == 50


def test_what_a_case_is_called(in_progress: Order) -> None:
    milestone = services.consider(in_progress, "cancel_milestone", "buyer", now=NOON)
    order = services.consider(in_progress, "cancel_order", "seller", now=NOON)
    assert (str(milestone.what), milestone.answering_side, milestone.answerer) == (
        "cancel “Logo”",
        "seller",
        in_progress.seller,
    )
    assert (str(order.what), order.answering_side, order.answerer) == ("cancel the order", "buyer", in_progress.buyer)
    assert str(reason("seller_late")) == Reason.objects.get(code="seller_late").text == "The seller is late"
