"""The clock's sweep over a flood of lapsed milestones, and over nothing."""

from collections.abc import Callable, Iterator
from functools import partial

from django.db import connection

from marketplace import clock
from marketplace.bench.data_set import DataSet
from marketplace.bench.limits import naive, sweep
from marketplace.bench.limits.connecting import plain
from marketplace.bench.loading.sets import add_due, scratch
from marketplace.bench.measuring import Against, Done, Mark, Measure, Side
from orders import services
from orders.models import Order

from .crew import in_a_process_of_its_own

FLOODS = (1_000, 10_000, 100_000)
SAMPLE = 200  # of the naive way, whose speed does not depend on how many are due
MEMORY = "memory of that with the fewest due"
MARKS = (
    Mark("speed", "one SQL statement", at_least=0.5),
    Mark("speed", "naive", at_least=15),
    Mark(MEMORY, at_most=1.1),
)
WRITTEN = (
    "orders_order",
    "orders_milestone",
    "orders_event",
    "payments_heldfunds",
    "payments_transfer",
    "notifications_notice",
)


def sweeps(data: DataSet) -> Iterator[Measure]:
    """Milestones settled a second: ours, one set-based statement, and one at a time through the ORM."""
    few: list[float] = []
    with scratch(data) as copy:
        for due in (20, 40) if data.small else [flood for flood in FLOODS if flood <= copy.orders]:
            sides = [
                Side("ours", partial(_ours, few), _flood(due)),
                Side("one SQL statement", _in_one_statement, _flood(due)),
                Side("naive", lambda: Done(naive.settle_due(clock.now())), _flood(min(due, SAMPLE))),
            ]
            runs = 1 if data.small or due > 10_000 else 3
            yield Measure(f"sweep, {due:,} due", sides, "milestone", MARKS, runs)


def sweep_of_nothing(data: DataSet) -> Iterator[Measure]:
    """What a sweep costs when nothing is due, beside one row read by its key."""
    times = 5 if data.small else 200
    pk = Order.objects.order_by("pk").values_list("pk", flat=True)[0]

    def ours() -> Done:
        for _ in range(times):
            assert services.settle_due() == 0
        return Done(times)

    def by_key() -> Done:
        with connection.cursor() as cursor:
            for _ in range(times):
                cursor.execute("SELECT * FROM orders_order WHERE id = %s", [pk])
                cursor.fetchone()
        return Done(times)

    def through_the_orm() -> Done:
        for _ in range(times):
            Order.objects.get(pk=pk)
        return Done(times)

    sides = [Side("ours", ours), Side("SELECT by key", by_key), Side("the same by the ORM", through_the_orm)]
    marks = (
        Mark("time", "SELECT by key", at_most=3),
        Mark("time", Against.SMALLEST, at_most=1.2, beside="SELECT by key"),
    )
    yield Measure("sweep, nothing due", sides, "sweep", marks)


def _flood(due: int) -> Callable[[], None]:
    """Let so many be due; fewer before the first run, which only warms up."""
    runs = 0

    def prepare() -> None:
        nonlocal runs
        add_due(connection, due if runs else min(due, FLOODS[0]), at=clock.now())
        runs += 1
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {', '.join(WRITTEN)}")

    return prepare


def _ours(few: list[float]) -> Done:
    """`few` keeps the memory before and after the first run; what this process itself takes later on is no sweep's."""
    done = in_a_process_of_its_own(services.settle_due)
    if not few:
        few += [done.facts["peak MB"] - done.facts["grown MB"], done.facts["peak MB"]]
    before, after = few
    memory = (before + done.facts["grown MB"]) / after
    return Done(done.units, facts={**done.facts, MEMORY: memory}, seconds=done.seconds)


def _in_one_statement() -> Done:
    with plain() as db:
        return Done(sweep.settle_due(db, clock.now()))
