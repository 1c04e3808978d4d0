"""Rows that save what changed since they were read: no less, and nothing that somebody else has written meanwhile."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders.models import Order
from orders.tests.factories import make_placed

pytestmark = pytest.mark.django_db(transaction=True)


def test_only_what_changed_is_written_and_nothing_where_nothing_did() -> None:
    order = Order.objects.get(pk=make_placed().pk)
    Order.objects.filter(pk=order.pk).update(brief="Written meanwhile")
    order.title = "Another title"
    with CaptureQueriesContext(connection) as queries:
        order.save()
        order.save()
    (update,) = (query["sql"] for query in queries if query["sql"].startswith("UPDATE"))
    assert update.startswith('UPDATE "orders_order" SET "title" = ')
    assert "," not in update.partition(" WHERE ")[0]
    assert Order.objects.values_list("title", "brief").get(pk=order.pk) == ("Another title", "Written meanwhile")


def test_what_is_set_back_to_what_it_was_once_is_written_after_all() -> None:
    order = Order.objects.get(pk=make_placed().pk)
    first = order.title
    order.title = "Another title"
    order.save()
    order.title = first
    order.save()
    assert Order.objects.get(pk=order.pk).title == first

    Order.objects.filter(pk=order.pk).update(title="Written meanwhile")
    order.refresh_from_db()
    order.title = first
    order.save()
    assert Order.objects.get(pk=order.pk).title == first


def test_a_column_that_was_left_out_at_first_is_written_as_well() -> None:
    order = Order.objects.defer("title").get(pk=make_placed().pk)
    order.title = "Set, and never read"
    order.save()
    assert Order.objects.get(pk=order.pk).title == "Set, and never read"
    order = Order.objects.defer("title").get(pk=order.pk)
    assert order.title == "Set, and never read"
    order.title = "Read late, then set"
    order.save()
    assert Order.objects.get(pk=order.pk).title == "Read late, then set"
