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
# The first process of a group, and the signal that asks it to stop.
Leader = tuple[int, int]


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
    waves: Iterable[list[Leader]], *, patience: float = PATIENCE, meanwhile: Callable[[], object] = lambda: None
) -> None:
    """Wave by wave, ask the leaders to stop, and kill what is left of their groups after `patience` seconds.

    `meanwhile` is called while waiting: a parent collects its children there.
    """
    for wave in waves:
        for leader, how in wave:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(leader, how)
        until = time.monotonic() + patience
        while any(alive(leader) for leader, _ in wave) and time.monotonic() < until:
            meanwhile()
            time.sleep(0.02)
        for leader, _ in wave:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(leader, signal.SIGKILL)


def main() -> None:
    """Read lines `user|server <leader> <signal>` and `folder <path>`; at the end of the input all of them go.

    `gone <leader>` takes one back, for the system may give its number to a stranger.
    """
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    waves: dict[str, dict[int, int]] = {"user": {}, "server": {}}  # servers go when nobody uses them any more
    folders: list[str] = []
    for line in sys.stdin:
        kind, _, rest = line.rstrip("\n").partition(" ")
        if kind == "folder":
            folders.append(rest)
        elif kind == "gone":
            for wave in waves.values():
                wave.pop(int(rest), None)
        else:
            leader, how = rest.split()
            waves[kind][int(leader)] = int(how)
    stop(list(wave.items()) for wave in waves.values())
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
