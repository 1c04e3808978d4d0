"""pytest plugin, given with `-p`: a real PostgreSQL and Redis for the run, before Django reads its settings.

PostgreSQL is one server for the run; each process of pytest-xdist makes its own database in it, and has
its own Redis. `TEST_DATABASE_URL` and `TEST_REDIS_URL` replace them. Everything else that settings read
is set here too, so that neither the environment nor a `.env` changes what the suite tests.
"""

import atexit
import os
from pathlib import Path

import pytest

from marketplace.embedded import postgres, redis
from marketplace.embedded.children import CannotStart, Children

SETTINGS = {
    "SECRET_KEY": "the-suite-signs-with-this-and-nothing-else-does",
    "DEBUG": "1",  # static files come from their sources; pytest-django turns settings.DEBUG itself off
    "ALLOWED_HOSTS": "localhost,127.0.0.1,testserver",
    "CSRF_TRUSTED_ORIGINS": "",
    "REPLICA_URL": "",
    "DATABASE_POOLER": "",
    "DATABASE_POOL": "0",
    "DATABASE_MAX_AGE": "60",
    # Each test rolls back, whereupon every prepared statement is forgotten, those of `invariants` and `rows` too.
    "DATABASE_PREPARE": "0",
    "SITE_NAME": "Milepost",
    "SITE_URL": "http://127.0.0.1:8000",
    "BEHIND_PROXY": "0",
    "EMAIL_URL": "",
    "DEFAULT_FROM_EMAIL": "Milepost <no-reply@localhost>",
    "PAYMENT_GATEWAY": "sandbox",
    "STRIPE_SECRET_KEY": "",
    "STRIPE_PUBLISHABLE_KEY": "",
    "STRIPE_WEBHOOK_SECRET": "",
    "STRIPE_API_BASE": "https://api.stripe.com",
    "STRIPE_JS_URL": "https://js.stripe.com/v3/",
    "SANDBOX_WEBHOOK_SECRET": "the-sandbox-signs-with-this",
    "SANDBOX_PROCESSING": "20",
    "SWEEP_SECONDS": "15",
    "FILE_STORAGE": "local",
}


def start() -> None:
    children = Children()
    atexit.register(children.stop)
    folder = children.folder()
    os.environ.update(SETTINGS, MEDIA_ROOT=str(folder / "files"))
    # WhiteNoise warns of a folder for static files that nobody has collected yet.
    (Path(__file__).resolve().parents[2] / "var" / "static").mkdir(parents=True, exist_ok=True)
    # Playwright's synchronous interface keeps an event loop running in this thread.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

    if url := os.environ.get("TEST_REDIS_URL"):
        os.environ["REDIS_URL"] = url
    else:
        os.environ["REDIS_URL"] = redis.start(children, None, log=folder / "redis.log")

    if url := os.environ.get("TEST_DATABASE_URL"):
        os.environ["DATABASE_URL"] = url
    elif "PYTEST_XDIST_WORKER" not in os.environ:  # its workers inherit the one that was started here
        os.environ["DATABASE_URL"] = postgres.start(
            children, folder / "pg-data", log=folder / "postgres.log", settings=postgres.THROW_AWAY
        )


try:
    start()
except CannotStart as refusal:
    raise pytest.UsageError(f"{refusal} For the tests: TEST_DATABASE_URL, TEST_REDIS_URL.") from None
