"""`python3 run.py test`: the checks, then the test suite."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from marketplace.embedded.browser import find_chromium, install_chromium
from marketplace.embedded.children import LINUX, CannotStart, die_with

CHECKS: dict[str, list[str]] = {
    "ruff check": ["-m", "ruff", "check", "."],
    "ruff format --check": ["-m", "ruff", "format", "--check", "."],
    "mypy --strict": ["-m", "mypy"],
}
# mypy reads settings to learn the types of models; it connects to nothing.
SETTINGS_FOR_MYPY = {"SECRET_KEY": "unused", "DATABASE_URL": "postgres:///unused", "REDIS_URL": "redis://unused"}


def run(root: Path, arguments: list[str]) -> int:
    """Run everything and return 0 if all of it passed. With arguments only pytest runs, with these.

    That migrations are complete and `check --deploy` is content are tests too (marketplace/tests/test_house.py).
    """
    try:
        os.environ["CHROMIUM"] = find_chromium() or install_chromium(root / "var")
    except CannotStart as reason:
        print(reason)
        return 1
    os.environ["PYTHONPATH"] = str(root)
    failed = []
    if not arguments:
        for name, command in CHECKS.items():
            began = time.monotonic()
            print(f"== {name}", flush=True)
            if _attached([sys.executable, *command], root, {**SETTINGS_FOR_MYPY, **os.environ}):
                failed.append(name)
            print(f"   {'FAILED' if name in failed else 'passed'} in {time.monotonic() - began:.0f} s", flush=True)
        arguments = ["-n", "2", "--dist", "loadgroup"]
    print(f"== pytest {' '.join(arguments)}", flush=True)
    if failed:
        print(f"   (failed already: {', '.join(failed)})", flush=True)
    code = _attached([sys.executable, "-m", "pytest", *arguments], root, os.environ)
    return code or bool(failed)


def _attached(command: Sequence[str], cwd: Path, env: Mapping[str, str]) -> int:
    """Run `command` on our terminal: Ctrl-C reaches it too, SIGTERM is handed on, and it does not outlive us."""
    with subprocess.Popen(
        command, cwd=cwd, env=env, preexec_fn=die_with(os.getpid(), signal.SIGTERM) if LINUX else None
    ) as child:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda *_: child.terminate())
        try:
            return child.wait()
        finally:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
