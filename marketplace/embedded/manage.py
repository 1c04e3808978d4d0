"""`python3 run.py manage …`: a management command on the site that `python3 run.py` has started."""

import json
import os
import sys
from pathlib import Path
from typing import NoReturn

import environ

from marketplace.embedded.launch import CONNECTIONS, secret_key


def run(root: Path, arguments: list[str]) -> NoReturn:
    """Become `manage.py` with the database, Redis and key of the running site. Exits with a sentence when none runs."""
    environ.Env.read_env(root / ".env")
    note = root / "var" / CONNECTIONS
    running = json.loads(note.read_text()) if note.exists() else {}
    for name in ("DATABASE_URL", "REDIS_URL"):
        if not os.environ.get(name):
            if name not in running:
                sys.exit("The site is not running: start it with python3 run.py, then try this in another terminal.")
            os.environ[name] = running[name]
    os.environ.setdefault("DEBUG", "0")
    if not os.environ.get("SECRET_KEY"):
        os.environ["SECRET_KEY"] = secret_key(root / "var")
    os.execv(sys.executable, [sys.executable, str(root / "manage.py"), *arguments])
