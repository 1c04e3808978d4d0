"""Real processes of the application that work on the test's own database."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from django.db import connection

ROOT = Path(__file__).resolve().parents[2]


def environment(**more: str) -> dict[str, str]:
    """The environment of a process that reads the same settings, on the database that this test writes to."""
    url = urlsplit(os.environ["DATABASE_URL"])
    here = urlunsplit(url._replace(path=f"/{connection.settings_dict['NAME']}"))
    # A mail server that takes everything: no process of a test leaves files behind.
    return {
        **os.environ,
        "DATABASE_URL": here,
        "EMAIL_URL": "dummymail://",
        "PYTHONPATH": str(ROOT),
        "DJANGO_SETTINGS_MODULE": "marketplace.settings",
        **more,
    }


def run_python(source: str, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, whatever that is, with `more` in its environment."""
    return subprocess.run(
        [sys.executable, "-c", source, *arguments],
        env=environment(**more),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
