"""Stops a family of processes, and does so even if whoever started them was killed.

Run as a program it is the guard: it reads what it must clean up from its standard input and sleeps
until that pipe closes, which the kernel sees to however the writer ends. Standard library only, so
that it starts at once.
"""

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

PATIENCE = 10.0


def alive(group: int) -> bool:
    """Does any process of this group still run? Zombies, which only wait to be collected, do not count."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    if not Path("/proc/self/stat").exists():
        return True
    return any(_runs_in(group, entry) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def _runs_in(group: int, entry: Path) -> bool:
    try:
        state, _parent, of_group = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return int(of_group) == group and state not in "ZX"


def stop(
    groups: Iterable[tuple[int, int]], *, patience: float = PATIENCE, meanwhile: Callable[[], object] = lambda: None
) -> None:
    """Ask each group's leader to stop by its signal, in the order given; kill what has not after `patience` seconds.

    `meanwhile` is called while waiting: a parent collects its children there.
    """
    for leader, how in groups:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(leader, how)
        until = time.monotonic() + patience
        while alive(leader) and time.monotonic() < until:
            meanwhile()
            time.sleep(0.02)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, signal.SIGKILL)


def main() -> None:
    """Lines `process <leader> <signal>` and `folder <path>`; at the end of the input all of them go, newest first."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    groups: list[tuple[int, int]] = []
    folders: list[str] = []
    for line in sys.stdin:
        kind, _, rest = line.rstrip("\n").partition(" ")
        if kind == "process":
            leader, how = rest.split()
            groups.insert(0, (int(leader), int(how)))
        elif kind == "folder":
            folders.append(rest)
    stop(groups)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
