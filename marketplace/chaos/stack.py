"""The whole stack in a folder of its own, and a supervisor that kills its parts and starts them again."""

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from marketplace.chaos.gate import HOST, Gates
from marketplace.embedded import postgres, redis
from marketplace.embedded.children import CannotStart, Children, last_lines

PARTS = ("worker", "beat", "web")
OF_KILL = {
    "web worker": "web",
    "web": "web",
    "Celery child": "worker",
    "Celery worker": "worker",
    "beat": "beat",
    "Redis": "redis",
    "PostgreSQL": "postgres",
    "PostgreSQL backend": "postgres",
}


class Stack:
    """Servers behind gates, and the three parts of the site. Call it from the main thread only (see `Children`)."""

    def __init__(self, root: Path, folder: Path, logs: Path, gates: Gates, web_port: int) -> None:
        self.root, self.folder, self.logs, self.gates = root, folder, logs, gates
        self.web_port = web_port
        self.children = Children()
        self.running: dict[str, int] = {}  # the first process of each part
        self.ended_alone: Counter[str] = Counter()
        self._settings = postgres.HASTY  # while nothing can be lost yet

    def start_servers(self, made: Path, make: Callable[[], None]) -> None:
        """With a database that `make` fills, or one that an earlier run kept in `made`. Raises CannotStart and Stop."""
        self.start("redis")
        data = self.folder / "postgres"
        if made.exists():
            _copy(made, data)
        self.start("postgres")
        if not made.exists():
            make()
            self._stop_postgres()
            if data.exists():  # root's may be elsewhere
                shutil.rmtree(made.parent, ignore_errors=True)
                _copy(data, made)
            self.start("postgres")

    def make_durable(self) -> None:
        """From now on what is committed survives whatever happens to the processes. Raises CannotStart and Stop."""
        self._stop_postgres()
        self._settings = postgres.DURABLE
        self.start("postgres")

    def start(self, name: str) -> None:
        """Start a part that does not run. Raises CannotStart and Stop."""
        if name in self.running:
            return
        log = self.logs / f"{name}.log"
        if name == "redis":
            url = redis.start(self.children, self.folder / "redis", log=log)
            self.gates.lead("redis", url.partition("://")[2])
        elif name == "postgres":
            url = postgres.start(self.children, self.folder / "postgres", log=log, settings=self._settings)
            self.gates.lead("database", f"{url.partition('?host=')[2]}/.s.PGSQL.5432")
        else:
            self.children.start(name, self._command(name), cwd=self.root, log=log)
        self.running[name] = self.children.pid(name)

    def kill(self, victim: str) -> bool:
        """kill -9, but for PostgreSQL's own immediate shutdown; False when there was nobody to kill."""
        name = OF_KILL[victim]
        if name not in self.running:
            return False
        leader = self.running[name]
        if victim in ("web worker", "Celery child"):
            return _kill_one(_children_of(leader))
        if victim == "PostgreSQL backend":
            return _kill_one([pid for pid in _children_of(leader) if b"postgres: app" in _command_line(pid)])
        os.kill(leader, signal.SIGQUIT if name == "postgres" else signal.SIGKILL)
        self._bury(name)
        return True

    def watch(self) -> list[str]:
        """The parts that have ended by themselves since."""
        gone = [name for name in self.children.ended() if name in self.running]
        for name in gone:
            self.ended_alone[name] += 1
            self._bury(name)
        return gone

    def start_all(self) -> None:
        for name in ("redis", "postgres", *PARTS):
            self.start(name)

    def wait_for_site(self, seconds: float = 90) -> None:
        """Until it answers through its gate. Raises CannotStart and Stop."""
        until = time.monotonic() + seconds
        while True:
            with suppress(OSError):
                address = f"http://{HOST}:{self.gates.gates['web'].port}/readyz"
                with urllib.request.urlopen(address, timeout=5) as answer:
                    if answer.status == 200:
                        return
            for name in self.watch():
                raise CannotStart(f"The {name} ended by itself.{last_lines(self.logs / f'{name}.log')}")
            if time.monotonic() > until:
                raise CannotStart(f"The site does not answer.{last_lines(self.logs / 'web.log')}")
            self.children.pause(0.1)

    def stop(self) -> None:
        self.children.stop()
        self.gates.close()

    def _stop_postgres(self) -> None:
        os.kill(self.running["postgres"], signal.SIGINT)
        self._bury("postgres")

    def _bury(self, name: str) -> None:
        """See the part gone, and whatever it left behind, as a container's end would."""
        leader = self.running.pop(name)
        self.children.finish(name)
        if name in PARTS:
            # Its children are left alone for a moment: what they do without their parent must be right too.
            self.children.pause(0.2)
            with suppress(ProcessLookupError):
                os.killpg(leader, signal.SIGKILL)

    def _command(self, name: str) -> list[str | Path]:
        celery = [sys.executable, "-m", "celery", "--app", "marketplace"]
        commands: dict[str, list[str | Path]] = {
            "worker": [*celery, "worker", "--concurrency=2", "--loglevel=WARNING", "--without-gossip"],
            "beat": [*celery, "beat", "--loglevel=WARNING", "--pidfile=", f"--schedule={self.folder / 'beat'}"],
            "web": [sys.executable, "-m", "gunicorn", "marketplace.wsgi", f"--bind={HOST}:{self.web_port}"],
        }
        commands["web"] += ["--worker-class=gthread", "--workers=2", "--threads=4", "--log-level=warning"]
        commands["web"] += ["--graceful-timeout=5", "--no-control-socket", "--preload"]
        return commands[name]


def _copy(data: Path, to: Path) -> None:
    """With its owner, whom PostgreSQL insists on. Under another name first: half a copy is none."""
    to.parent.mkdir(parents=True, exist_ok=True)
    half = to.with_name(f"{to.name}-{os.getpid()}")
    subprocess.run(["cp", "-a", data, half], check=True)  # noqa: S603, S607
    half.rename(to)


def _kill_one(pids: list[int]) -> bool:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            return True
    return False


def _children_of(parent: int) -> list[int]:
    """The living, in no particular order."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                state, of = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
                if int(of) == parent and state not in "ZX":
                    found.append(int(entry.name))
    return found


def _command_line(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""
