"""`python3 run.py bench …`: `manage.py bench` on the project's own PostgreSQL and Redis, durable as on the site."""

import json
import os
import signal
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from types import FrameType

import environ

from marketplace.embedded import postgres, redis
from marketplace.embedded.children import LINUX, CannotStart, Children, Stop, die_with
from marketplace.embedded.launch import CONNECTIONS, only_copy, secret_key


def run(root: Path, arguments: list[str]) -> int:
    """Measure on configured servers, on those of the running site, or on our own, which are started and stopped.

    Returns the exit code of `manage.py bench`; 1 when something cannot start or we are asked to stop.
    """
    environ.Env.read_env(root / ".env")
    var = root / "var"
    (var / "log").mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("DEBUG", "0")
    if not os.environ.get("SECRET_KEY"):
        os.environ["SECRET_KEY"] = secret_key(var)
    note = var / CONNECTIONS
    running = json.loads(note.read_text()) if note.exists() else {}
    for name, url in running.items():
        os.environ[name] = os.environ.get(name) or url
    complete = os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")
    children = Children()

    def ask_to_stop(_signal: int, _frame: FrameType | None) -> None:
        children.asked_to_stop = True

    for way in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(way, ask_to_stop)
    try:
        with nullcontext() if complete else only_copy(var, children):
            _start_servers(var, children)
            return _measure(root, children, arguments)
    except CannotStart as reason:
        print(reason, flush=True)
        return 1
    except Stop:
        return 1
    finally:
        children.stop()


def _start_servers(var: Path, children: Children) -> None:
    if not os.environ.get("REDIS_URL"):
        os.environ["REDIS_URL"] = redis.start(children, None, log=var / "log" / "redis.log")
    if not os.environ.get("DATABASE_URL"):
        log = var / "log" / "postgres.log"
        os.environ["DATABASE_URL"] = postgres.start(children, var / "postgres", log=log, settings=postgres.DURABLE)


def _measure(root: Path, children: Children, arguments: list[str]) -> int:
    """On our terminal; it is stopped with us."""
    command = [sys.executable, str(root / "manage.py"), "bench", *arguments]
    with subprocess.Popen(
        command, cwd=root, preexec_fn=die_with(os.getpid(), signal.SIGTERM) if LINUX else None
    ) as bench:
        try:
            while bench.poll() is None:
                children.pause(0.1)
        finally:
            bench.terminate()
        return bench.wait()
