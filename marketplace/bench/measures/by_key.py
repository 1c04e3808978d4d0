"""The least that any query costs: one row by its primary key."""

from collections.abc import Iterator

from django.db import connection

from marketplace.bench.data_set import DataSet
from marketplace.bench.measuring import Done, Measure, Side
from orders.models import Order

TIMES = 200


def by_key(data: DataSet) -> Iterator[Measure]:
    """One order read through the ORM, against the same in SQL."""
    times = 5 if data.small else TIMES
    pk = Order.objects.filter(buyer=data.buyer).values_list("pk", flat=True)[0]

    def through_the_orm() -> Done:
        for _ in range(times):
            Order.objects.get(pk=pk)
        return Done(units=times)

    def in_sql() -> Done:
        with connection.cursor() as cursor:
            for _ in range(times):
                cursor.execute("SELECT * FROM orders_order WHERE id = %s", [pk])
                cursor.fetchone()
        return Done(units=times)

    yield Measure("order by key", [Side("ours", through_the_orm), Side("SQL", in_sql)], unit="read")
