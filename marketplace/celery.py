"""The Celery application: tasks are found in each app's `tasks.py`, the beat schedule is in settings."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_init
from django.db import connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")

app = Celery("marketplace")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
def plan_each_time(**_: Any) -> None:
    """Workers prepare no statements: a sweep finds little before an instant, and a plan for any instant expects much.

    Such a plan reads whole tables where the index has nothing to give.
    """
    for settings in connections.databases.values():
        settings.get("OPTIONS", {}).pop("prepare_threshold", None)
