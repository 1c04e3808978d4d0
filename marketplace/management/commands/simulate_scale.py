"""`manage.py simulate_scale`: the tables of docs/scaling.md, from what the bench measured on this machine."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from marketplace.bench.simulation import Flood, Visits, bytes_of, serve, settle, threads_for

# With indexes, without the space that a table of few rows wastes.
PER_ORDER = """
    SELECT c.relname, pg_total_relation_size(c.oid)::float8 / orders.count, c.reltuples::float8 / orders.count
    FROM pg_class c CROSS JOIN (SELECT count(*) FROM orders_order) AS orders
    WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND c.reltuples > 0 AND orders.count > 0
    ORDER BY 2 DESC
"""
LEAST = 10_000


class Command(BaseCommand):
    help = "Ten million orders, and a hundred thousand lapses in one minute. Takes bytes and rows from this database."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--orders", type=int, default=10_000_000)
        parser.add_argument("--lapses", type=int, default=100_000, help="milestones whose window ends in one minute")
        parser.add_argument("--sweep-rate", type=float, required=True, help="milestones a second, one worker (bench)")
        parser.add_argument("--sweep-limit", type=float, required=True, help="the set-based limit, a second (bench)")
        parser.add_argument("--page-cost", type=float, required=True, help="seconds for an order's page, p50 (bench)")
        parser.add_argument("--mail-rate", type=float, default=50, help="mails a second of one worker process")
        parser.add_argument("--pages", type=float, default=300, help="pages a second in the busiest minute")

    def handle(self, **options: Any) -> None:
        self._tables(options["orders"])
        self._flood(options["lapses"], options["sweep_rate"], options["sweep_limit"], options["mail_rate"])
        self._pages(options["pages"], options["page_cost"])

    def _tables(self, orders: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM orders_order")
            (known,) = cursor.fetchone()
            if known < LEAST:
                raise CommandError(f"{known} orders say little: use a data set of the bench, of {LEAST:,} or more.")
            cursor.execute(PER_ORDER)
            measured = cursor.fetchall()
        sizes = {table: size for table, size, _ in measured}
        rows = {table: count for table, _, count in measured}
        self.stdout.write(f"From {known:,} orders to {orders:,}\n")
        self.stdout.write(f"{'table':34} {'rows/order':>11} {'bytes/order':>12} {'rows':>16} {'GB':>8}")
        for table, size in list(bytes_of(orders, sizes).items())[:12]:
            line = (
                f"{table:34} {rows[table]:11.2f} {sizes[table]:12,.0f} {rows[table] * orders:16,.0f} {size / 1e9:8.1f}"
            )
            self.stdout.write(line)
        total = sum(sizes.values())
        self.stdout.write(f"{'all':34} {'':11} {total:12,.0f} {'':16} {total * orders / 1e9:8.1f}\n")

    def _flood(self, lapses: int, rate: float, limit: float, mails: float) -> None:
        self.stdout.write(
            f"\n{lapses:,} lapses in one minute; one worker settles {rate:,.0f} a second, all {limit:,.0f}"
        )
        self.stdout.write(f"{'workers':>8} {'all settled':>12} {'late, median':>13} {'latest':>8} {'all mailed':>11}")
        for workers in (1, 2, 4, 8, 16):
            flood = Flood(lapses, workers=workers, rate=rate, limit=limit, mails=mails * 12 / 15)
            done = settle(flood)
            line = f"{workers:8} {done.after:10,.0f} s {done.late:11,.1f} s {done.latest:6,.0f} s"
            self.stdout.write(f"{line} {done.mailed_after:9,.0f} s")

    def _pages(self, per_second: float, cost: float) -> None:
        self.stdout.write(f"\nPages that take {cost * 1000:.1f} ms of a core, answered in 0.5 s 99 times of 100")
        self.stdout.write(f"{'pages/s':>8} {'cores':>6} {'busy':>6} {'p50':>9} {'p99':>9}")
        for load in (per_second / 10, per_second / 3, per_second, per_second * 3):
            try:
                cores = threads_for(load, cost, 0.5)
            except ValueError as never:
                raise CommandError(str(never)) from None
            served = serve(Visits(load, cost, cores))
            times = f"{served.p50 * 1000:6.0f} ms {served.p99 * 1000:6.0f} ms"
            self.stdout.write(f"{load:8,.0f} {cores:6} {served.busy:6.0%} {times}")
