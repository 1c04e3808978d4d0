"""`python3 run.py`: the whole site on this machine, until it is told to stop."""

import fcntl
import http.client
import json
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from types import FrameType
from typing import NoReturn

import environ
import psycopg
from psycopg.conninfo import make_conninfo
from redis import Redis, RedisError

from marketplace.embedded import postgres, redis
from marketplace.embedded.children import CannotStart, Children, Stop, last_lines
from marketplace.embedded.supervisor import Supervisor

HOST = "127.0.0.1"
# What `manage` needs to know of a running site.
CONNECTIONS = "connections.json"


def run(root: Path) -> int:
    """Start everything, say READY, wait. 0 when asked to stop, 1 when something cannot start or keeps ending."""
    children = Children()

    def ask_to_stop(_signal: int, _frame: FrameType | None) -> None:
        children.asked_to_stop = True

    for way in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(way, ask_to_stop)
    environ.Env.read_env(root / ".env")
    try:
        with only_copy(root / "var", children):
            Launcher(root, children).run()
    except CannotStart as reason:
        print(reason, flush=True)
        return 1
    except Stop:
        return 0


class Launcher:
    """Starts the parts of the site one after the other, and again what ends by itself.

    PostgreSQL and Redis as well: both keep what they were told through a crash, the parts reach them at the same
    address as before, and a site that stays down is no safer than one that says 503 for some seconds. What cannot
    start in the first place ends the site at once: that is for a person to mend.
    """

    def __init__(self, root: Path, children: Children) -> None:
        self.root = root
        self.var = root / "var"
        self.logs = self.var / "log"
        self.children = children
        self.began = time.monotonic()
        self.port = _free_port()
        self.private = not os.environ.get("DATABASE_URL")
        self.supervisor = Supervisor(children, self._say)

    def run(self) -> NoReturn:
        """Raises Stop when asked to, and CannotStart when something cannot start or keeps ending."""
        self.logs.mkdir(exist_ok=True)
        connections = self.var / CONNECTIONS
        try:
            self._settings()
            self._servers()
            static = self._collect_static_files()
            connections.touch(mode=0o600)
            connections.write_text(json.dumps({name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL")}))
            accounts = self._data()
            static()
            self._site()
            print(f"\nREADY http://{HOST}:{self.port}/", *accounts.splitlines(), sep="\n", flush=True)
            print(f"\nCtrl-C stops it. What its parts have to say is in {self.logs}.", flush=True)
            self._watch()
        finally:
            self._say("Stopping")
            connections.unlink(missing_ok=True)
            self.children.stop()
            self._say("Stopped")

    def _say(self, text: str) -> None:
        with suppress(OSError):  # the terminal may be gone, which is no reason to leave processes behind
            print(f"[{time.monotonic() - self.began:5.1f} s] {text}", flush=True)

    def _settings(self) -> None:
        """What the environment leaves open. The pages are those of production: DEBUG=1 is for those who want it."""
        os.environ.setdefault("DEBUG", "0")
        os.environ["PORT"] = str(self.port)
        if not os.environ.get("SECRET_KEY"):
            os.environ["SECRET_KEY"] = secret_key(self.var)

    def _collect_static_files(self) -> Callable[[], None]:
        """Begin it, beside what the database needs; call the result to see it done."""
        name, log = "collectstatic", self._log("collectstatic")
        (self.var / "static").mkdir(exist_ok=True)
        if environ.Env().bool("DEBUG"):
            return lambda: None
        self.children.start(name, self._manage_py(name, "--no-input"), cwd=self.root, log=log)

        def done() -> None:
            if self.children.finish(name) != 0:
                raise CannotStart(f"The static files could not be collected.{last_lines(log)}")

        return done

    def _servers(self) -> None:
        if os.environ.get("REDIS_URL"):
            _try_redis()
        else:
            start = partial(redis.start, self.children, self.var / "redis", log=self._log("redis"))
            os.environ["REDIS_URL"] = self._server("redis", start)
            self._say("Redis is up")
        if not self.private:
            _try_database()
        else:
            start = partial(postgres.start, self.children, self.var / "postgres", log=self._log("postgres"))
            os.environ["DATABASE_URL"] = self._server("postgres", start)
            self._say("PostgreSQL is up")

    def _server(self, name: str, start: Callable[..., str]) -> str:
        """Start it, now and again if need be, at the same address."""
        start = partial(start, folder=self.children.folder())
        url = start()
        self.supervisor.look_after(name, start, self.logs / f"{name}.log")
        return url

    def _data(self) -> str:
        """Tables and, in a database without people, the demo. Returns the accounts to sign in with."""
        self._manage("migrate", "--no-input")
        self._say("The database is up to date")
        note = self.var / "demo-accounts.txt"
        sandbox = os.environ.get("PAYMENT_GATEWAY", "sandbox") == "sandbox"
        # Never by itself in a database of somebody's own, or where money is real: everybody knows the demo's passwords.
        if environ.Env().bool("DEMO", default=self.private and sandbox) and _is_without_people():
            self._say("Making the demo data …")
            note.write_text(self._manage("demo"))
            return note.read_text()
        if not sandbox:
            self._say("Without demo data, which the sandbox pays for")
        return note.read_text() if self.private and sandbox and note.exists() else ""

    def _site(self) -> None:
        celery = [sys.executable, "-m", "celery", "--app", "marketplace"]
        parts: dict[str, list[str | Path]] = {
            "worker": [*celery, "worker", "--concurrency=2", "--loglevel=WARNING", "--without-gossip"],
            "web": [sys.executable, "-m", "gunicorn", "marketplace.wsgi", f"--bind={HOST}:{self.port}"],
            "beat": [*celery, "beat", "--loglevel=WARNING", "--pidfile="],
        }
        parts["web"] += ["--worker-class=gthread", "--workers=2", "--threads=4", "--log-level=warning"]
        parts["web"] += ["--graceful-timeout=5", "--no-control-socket"]
        parts["web"].append("--reload" if environ.Env().bool("DEBUG") else "--preload")
        for name, command in parts.items():
            start = partial(self.children.start, name, command, cwd=self.root, log=self._log(name))
            start()
            self.supervisor.look_after(name, start, self.logs / f"{name}.log")
        until = time.monotonic() + 60
        while not _answers(self.port):
            self._all_alive()
            if time.monotonic() > until:
                raise CannotStart(f"The site does not answer.{last_lines(self.logs / 'web.log')}")
            self.children.pause(0.1)

    def _watch(self) -> NoReturn:
        while True:
            self.supervisor.look()
            self.children.pause(0.2)

    def _all_alive(self) -> None:
        for name, code in self.children.ended().items():
            raise CannotStart(f"The {name} ended by itself ({code}).{last_lines(self.logs / f'{name}.log')}")

    def _manage(self, *arguments: str) -> str:
        return self.children.run(f"manage.py {arguments[0]}", self._manage_py(*arguments), cwd=self.root)

    def _manage_py(self, *arguments: str) -> list[str | Path]:
        return [sys.executable, self.root / "manage.py", *arguments]

    def _log(self, name: str) -> Path:
        """The log file of a part; a long one of earlier runs is put aside."""
        log = self.logs / f"{name}.log"
        with suppress(FileNotFoundError):
            if log.stat().st_size > 5_000_000:
                log.rename(log.with_suffix(".log.1"))
        return log


def secret_key(var: Path) -> str:
    """The key that this checkout signs with, made once and readable by its owner only."""
    path = var / "secret-key"
    with suppress(FileExistsError):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(50))
    return path.read_text()


@contextmanager
def only_copy(var: Path, children: Children) -> Iterator[None]:
    """Hold the lock on this data. The guard holds it too: until the last process of a killed copy is gone."""
    var.mkdir(exist_ok=True)
    with (var / "run.lock").open("a+") as lock:
        until = time.monotonic() + 30
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                lock.seek(0)
                holder = lock.read().strip()
                if _is_running(holder) or time.monotonic() > until:
                    raise CannotStart(
                        f"Another copy (process {holder}) is already running on this data: stop that one first."
                    ) from None
                children.pause(0.1)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        children.keep_open = [lock.fileno()]
        yield


def _is_running(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        return True
    return True


def _free_port() -> int:
    wish = os.environ.get("PORT") or "8000"
    try:
        port = int(wish)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
    except (ValueError, OverflowError):
        raise CannotStart(f"PORT must be a number from 1 to 65535, not {wish!r}.") from None
    except PermissionError:
        raise CannotStart(f"Port {port} is for root only: choose a greater one, as in PORT=8000.") from None
    except OSError:
        raise CannotStart(f"Port {port} is in use: choose another, as in PORT={port + 1} python3 run.py.") from None
    return port


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _try_redis() -> None:
    url = os.environ["REDIS_URL"].replace("redis+socket://", "unix://")
    try:
        with Redis.from_url(url, socket_connect_timeout=5) as client:
            client.ping()
    except (RedisError, ValueError) as reason:
        raise CannotStart(f"REDIS_URL names a Redis that cannot be used: {_first_line(reason)}") from None


def _try_database() -> None:
    try:
        _connect().close()
    except (psycopg.Error, ValueError) as reason:
        raise CannotStart(f"DATABASE_URL names a PostgreSQL that cannot be used: {_first_line(reason)}") from None


def _is_without_people() -> bool:
    with _connect() as connection:
        return connection.execute("select from accounts_user limit 1").fetchone() is None


def _connect() -> psycopg.Connection:
    url = environ.Env().db("DATABASE_URL")
    names = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
    known = {parameter: url[key] for key, parameter in names.items() if url.get(key)}
    return psycopg.connect(make_conninfo(connect_timeout=5, **known, **url.get("OPTIONS", {})))


def _first_line(reason: Exception) -> str:
    return str(reason).strip().partition("\n")[0]
