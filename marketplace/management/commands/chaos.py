"""`manage.py chaos`: kill and cut off everything that runs, under load, and hold it to its word.

`python3 run.py chaos` sets the environment for it; the servers are started here, on the ports that it names.
"""

import hashlib
import inspect
import os
import random
import signal
from argparse import ArgumentParser
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from marketplace import clock
from marketplace.chaos import faults, report, stage
from marketplace.chaos.gate import Gates
from marketplace.chaos.notebook import Notebook
from marketplace.chaos.run import Run
from marketplace.chaos.stack import PARTS, Stack
from marketplace.embedded.children import CannotStart, Stop


class Command(BaseCommand):
    help = "Run the whole stack under load, kill and cut off its parts at random, and check all that was said."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--minutes", type=float, default=10, help="how long under load")
        parser.add_argument("--rounds", type=int, default=1, help="heal and judge so often, in equal parts of the time")
        parser.add_argument("--seed", type=int, help="of the faults, to repeat a run; drawn if not given")
        parser.add_argument("--pause", type=float, default=4, help="seconds between faults, on average")
        parser.add_argument(
            "--acts", type=int, default=0, help="go on beyond the time of a round until so many are done"
        )
        parser.add_argument("--folder", type=Path, required=True, help="an empty folder, for data")
        parser.add_argument("--logs", type=Path, required=True, help="a folder for what the parts have to say")
        parser.add_argument("--site", type=int, nargs=2, required=True, metavar="PORT", help="to clients, and behind")

    def handle(self, *args: Any, **options: Any) -> None:
        seed = random.SystemRandom().randrange(10**6) if options["seed"] is None else options["seed"]
        seconds = options["minutes"] * 60
        database, broker = urlsplit(os.environ["DATABASE_URL"]), urlsplit(settings.REDIS_URL)
        to_clients, behind = options["site"]
        gates = Gates({"database": database.port or 0, "redis": broker.port or 0, "web": to_clients})
        gates.lead("web", behind)
        stack = Stack(settings.BASE_DIR, options["folder"], options["logs"], gates, behind)

        def ask_to_stop(_signal: int, _frame: FrameType | None) -> None:
            stack.children.asked_to_stop = True

        for way in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(way, ask_to_stop)
        notebook = Notebook()
        try:
            run = self._prepared(stack, notebook, seed, seconds)
            found, part = run.findings, seconds / options["rounds"]
            while found.rounds < options["rounds"] and not found.breaks:
                run.go(faults.plan(seed + found.rounds, part, options["pause"]), part, options["acts"])
        except (CannotStart, Stop) as reason:
            raise CommandError(str(reason) or "Stopped.") from None
        finally:
            connection.close()
            stack.stop()
        for line in report.lines(found, notebook, seed, seconds):
            self.stdout.write(line)
        if found.breaks:
            raise CommandError(f"{len(found.breaks)} breaks; what the parts had to say is in {options['logs']}.")

    def _prepared(self, stack: Stack, notebook: Notebook, seed: int, seconds: float) -> Run:
        self._say(f"seed {seed}")
        call_command("collectstatic", verbosity=0, interactive=False)
        stack.gates.open()
        stack.start_servers(settings.VAR_DIR / "chaos-database" / _tables(), self._make_tables)
        cast = stage.set_up(clock.now(), seed, seconds)
        connection.close()
        stack.make_durable()
        for part in PARTS:
            stack.start(part)
        self._say(f"{len(cast.buyers)} buyers, {len(cast.sellers)} sellers, {cast.due} orders will be due")
        stack.wait_for_site()
        self._say("the site answers")
        return Run(stack, cast, notebook, seed, self._say)

    def _make_tables(self) -> None:
        self._say("making the tables, which the next run will find")
        call_command("migrate", verbosity=0, interactive=False)
        connection.close()

    def _say(self, text: str) -> None:
        self.stderr.write(f"{clock.now():%H:%M:%S} {text}")


def _tables() -> str:
    """A name for the tables as the migrations of now make them."""
    migrations = MigrationLoader(None).disk_migrations.values()
    files = sorted(Path(inspect.getfile(type(one))) for one in migrations)
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
