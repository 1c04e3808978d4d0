"""`manage.py bench`: what things cost, beside what they could cost, in data sets of any size."""

import json
import os
import signal
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from marketplace import clock
from marketplace.bench import loading, measuring, plot, report
from marketplace.bench.measures import MEASURES
from marketplace.bench.profiling import profile

ORDERS = (10_000, 100_000, 1_000_000)
# What commits cost depends on these.
DURABILITY = ("fsync", "synchronous_commit", "full_page_writes", "shared_buffers")


class Command(BaseCommand):
    help = (
        "Measure speed beside its limits, in databases of the benchmark's own on the configured server (bench_…). "
        "The site's own database is not touched."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--orders", type=int, nargs="+", default=ORDERS, help="sizes of the data sets")
        parser.add_argument("--measure", nargs="+", choices=sorted(MEASURES), help="only these measures")
        parser.add_argument("--runs", type=int, default=measuring.RUNS, help="times that each side is measured")
        parser.add_argument("--small", action="store_true", help="do little, to see that everything works")
        parser.add_argument("--json", type=Path, help="write the figures there")
        parser.add_argument("--svg", type=Path, help="draw cost against size there")
        parser.add_argument("--fresh", action="store_true", help="make the data sets anew")
        parser.add_argument("--profile", action="store_true", help="tell where our side's time goes instead")
        parser.add_argument("--load", action="store_true", help="make the data sets, and measure nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        told = report.Report([], self._machine())
        stop = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            for orders in sorted(set(options["orders"])):
                for outcome in self._measured(orders, options):
                    told = report.Report([*told.outcomes, outcome], told.machine)
                    self._tell(told, options)
        except (loading.BrokenSet, ValueError) as reason:
            raise CommandError(str(reason)) from reason
        except KeyboardInterrupt:
            raise CommandError(f"Stopped after {len(told.outcomes)} measures. {told.verdict}") from None
        finally:
            signal.signal(signal.SIGTERM, stop)
        if told.outcomes:
            self.stdout.write(f"\n{told.verdict}")

    def _measured(self, orders: int, options: dict[str, Any]) -> Iterator[measuring.Outcome]:
        with loading.data_set(orders, say=self._say, fresh=options["fresh"], small=options["small"]) as data:
            for name in [] if options["load"] else options["measure"] or MEASURES:
                with clock.at(data.at):
                    for measure in MEASURES[name](data):
                        self._say(f"{orders:,} orders: {measure.name} …")
                        if options["profile"]:
                            self.stdout.write(profile(measure))
                            continue
                        yield measuring.take(measure, orders, runs=options["runs"])

    def _tell(self, told: report.Report, options: dict[str, Any]) -> None:
        """Show the newest outcome, and write down all there are: a run takes hours, and may be stopped."""
        newest = told.outcomes[-1]
        if len(told.outcomes) == 1:
            self.stdout.write(report.head(told.machine))
        self.stdout.write(f"\n{report.table(newest, told.judgments(newest))}")
        self.stdout.flush()
        if options["json"]:
            options["json"].write_text(json.dumps(report.as_json(told), indent=2, ensure_ascii=False) + "\n")
        if options["svg"]:
            options["svg"].write_text(plot.svg(told))

    def _machine(self) -> dict[str, str]:
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version")
            (version,) = cursor.fetchone()
            settings = {}
            for name in DURABILITY:
                cursor.execute(f"SHOW {name}")
                (settings[name],) = cursor.fetchone()
        return report.machine(version, settings, os.cpu_count() or 1)

    def _say(self, text: str) -> None:
        self.stderr.write(text)
