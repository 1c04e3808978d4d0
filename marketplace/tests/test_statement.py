"""A statement answers what its queryset would, as rows and as models, whoever asks next."""

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.transaction import TransactionManagementError
from django.forms.models import model_to_dict
from django.test.utils import CaptureQueriesContext

from marketplace.statement import Statement
from orders.locking import lock
from orders.models import Milestone, Order
from orders.tests.factories import make_delivered, make_placed

pytestmark = pytest.mark.django_db(transaction=True)


def plan(order_id: int, status: str) -> QuerySet[Milestone]:
    wanted = Milestone.objects.filter(order=order_id, status=status)
    return wanted.select_related("order__terms", "held").order_by("position")


def test_models_are_those_of_the_queryset_with_whom_they_bring_along() -> None:
    statement = Statement(plan)
    for order, status in (
        (make_placed(), "in_progress"),
        (make_delivered(), "delivered"),
        (make_delivered(), "planned"),
    ):
        with CaptureQueriesContext(connection) as asked:
            found = statement.models(order.pk, status)
            theirs = [(model_to_dict(one.order.terms), one.held and model_to_dict(one.held)) for one in found]
        assert len(asked) == 1
        queryset = list(plan(order.pk, status))
        assert [model_to_dict(one) for one in found] == [model_to_dict(one) for one in queryset] != []
        assert theirs == [(model_to_dict(one.order.terms), one.held and model_to_dict(one.held)) for one in queryset]
        assert not any(one._state.adding for one in found)


def test_rows_are_those_of_the_values_of_the_queryset() -> None:
    order, other = make_placed(), make_delivered()
    titles = Statement(lambda order: Milestone.objects.filter(order=order).order_by("position").values_list("title"))
    for one in (order, other, order):
        assert titles.rows(one.pk) == [(milestone.title,) for milestone in one.milestones.order_by("position")]


def test_an_order_that_is_not_there_is_not_locked() -> None:
    with transaction.atomic(), pytest.raises(Order.DoesNotExist):
        lock(10**9)


def test_a_lock_without_a_transaction_is_refused() -> None:
    order = make_placed()
    with pytest.raises(TransactionManagementError):
        lock(order.pk)
