"""Verbs of people who act at the same time, beside plain SQL that does the same."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, partial
from itertools import islice
from typing import Any

import psycopg
from django.db import connection
from django.db.models import QuerySet

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.bench.data_set import DataSet
from marketplace.bench.limits import acceptance, naive, payment
from marketplace.bench.limits.connecting import plain
from marketplace.bench.loading.sets import add_due, scratch
from marketplace.bench.measuring import RUNS, Done, Mark, Measure, Side
from marketplace.catalog.plans import PlannedMilestone
from orders import services
from orders.models import Milestone, Order

from .crew import Act, Crew, crew

CLIENTS = (1, 2, 8)
EACH = 60  # acts of one client in a run
PLAIN = "plain SQL"
ALONE = "one client"
DUE_IN = timedelta(minutes=10)  # of windows that end within four minutes before that


@dataclass(frozen=True)
class Task:
    """A milestone to act on, and the buyer who does; its order is at `version`."""

    order: int
    milestone: int
    buyer: int
    version: int


def acceptances(data: DataSet) -> Iterator[Measure]:
    """Acceptances of delivered milestones that another follows, per second."""
    acts: dict[str, Act] = {"ours": _accept, PLAIN: _accept_in_plain_sql, "naive": _accept_naively}
    with scratch(data) as copy:
        yield from _with_clients("accept", acts, copy, _delivered)


def places(data: DataSet) -> Iterator[Measure]:
    """Offers placed and their first milestones paid for, per second; the provider answers at once."""
    with scratch(data) as copy:
        yield from _with_clients("place", {"ours": _place, PLAIN: _pay_in_plain_sql}, copy, _offered)


def starts(data: DataSet) -> Iterator[Measure]:
    """Next milestones started and paid for, per second; the provider answers at once."""
    with scratch(data) as copy:
        yield from _with_clients("start", {"ours": _start, PLAIN: _pay_in_plain_sql}, copy, _accepted)


def _with_clients(
    verb: str, acts: dict[str, Act], data: DataSet, supply: Callable[[int], Sequence[Task]]
) -> Iterator[Measure]:
    """The verb's measure for each number of clients; from two on, also beside what ours does with one client."""
    each, runs, numbers = (3, 1, (1, 2)) if data.small else (EACH, RUNS, CLIENTS)
    _db.cache_clear()  # one that profiling opened in this process is connected to a copy which is gone
    for clients in numbers:
        here = acts if clients == 1 else {**acts, ALONE: acts["ours"]}
        count = each * clients
        tasks = iter(supply(count * len(here) * (runs + 1)))
        with crew(clients, here) as workers, crew(1, here) as one:
            sides = [Side(name, partial(_run, one if name == ALONE else workers, name, tasks, count)) for name in here]
            marks = [Mark("speed", PLAIN, at_least=0.3)] if clients == 1 else [Mark("speed", ALONE, at_least=1)]
            marks = marks if verb == "accept" else []
            yield Measure(f"{verb}, {clients} client{'s' if clients > 1 else ''}", sides, "act", marks, runs)


def _run(workers: Crew, act: str, tasks: Iterator[Task], count: int) -> Done:
    mine = list(islice(tasks, count))
    assert len(mine) == count
    return workers.do(act, mine)


def _delivered(count: int) -> Sequence[Task]:
    """New orders whose first milestone is delivered, with a window that ends in a minute."""
    newest = Milestone.objects.order_by("-pk").values_list("pk", flat=True)[:1].get()
    add_due(connection, count, at=clock.now() + DUE_IN)
    found = Milestone.objects.filter(pk__gt=newest, status=Milestone.Status.DELIVERED, order__paused_at=None)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return [
        Task(*row) for row in found.order_by("pk").values_list("order_id", "pk", "order__buyer_id", "order__version")
    ]


def _accepted(count: int) -> Sequence[Task]:
    """New orders whose first milestone is accepted and whose next one waits to be started."""
    now, db = clock.now(), plain()
    with db:
        delivered = _delivered(count)
        for task in delivered:
            acceptance.accept(db, task.order, task.milestone, now)
    return _next_of(Order.objects.filter(pk__in=[task.order for task in delivered]), count)


def _offered(count: int) -> Sequence[Task]:
    """New offers of three milestones, from sellers and to buyers of the data set."""
    models = Order.objects.filter(seller__is_active=True, buyer__is_active=True).select_related("seller", "buyer")
    newest = Order.objects.order_by("-pk").values_list("pk", flat=True)[:1].get()
    step = PlannedMilestone("One of three steps", "All of it", 9_000, 5, 2)
    pairs = list(models.order_by("pk")[:count])
    for number in range(count):
        pair = pairs[number % len(pairs)]
        services.send_offer(
            by=pair.seller, buyer=pair.buyer, title=pair.title, brief="Again", currency="USD", plan=[step] * 3
        )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return _next_of(Order.objects.filter(pk__gt=newest), count)


def _next_of(orders: QuerySet[Order], count: int) -> Sequence[Task]:
    """The first planned milestone of each of these orders."""
    rows = Milestone.objects.filter(order__in=orders, status=Milestone.Status.PLANNED)
    first = rows.order_by("order_id", "position").distinct("order_id")
    return [Task(*row) for row in first.values_list("order_id", "pk", "order__buyer_id", "order__version")[:count]]


def _place(task: Task) -> None:
    services.place(Order(pk=task.order), by=User(pk=task.buyer), method="card_ok", version=task.version)


def _start(task: Task) -> None:
    milestone, buyer = Milestone(pk=task.milestone, order_id=task.order), User(pk=task.buyer)
    services.start(milestone, by=buyer, method="card_ok", version=task.version)


def _pay_in_plain_sql(task: Task) -> None:
    payment.pay(_db(), task.order, task.milestone, clock.now())


def _accept(task: Task) -> None:
    # A page has read them before; the verb itself reads all it decides by under its lock.
    milestone, buyer = Milestone(pk=task.milestone, order_id=task.order), User(pk=task.buyer)
    services.accept(milestone, by=buyer, version=task.version)


def _accept_naively(task: Task) -> None:
    naive.accept(task.milestone, clock.now())


def _accept_in_plain_sql(task: Task) -> None:
    acceptance.accept(_db(), task.order, task.milestone, clock.now())


@cache
def _db() -> "psycopg.Connection[Any]":
    """This process's own connection; asked for by clients only, which have none yet when they begin."""
    return plain()
