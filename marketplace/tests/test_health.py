"""`/healthz` and `/readyz`: what a watcher of the machine is told."""

import json
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client, override_settings

from marketplace.tasks import heartbeat


def told(client: Client) -> dict[str, str]:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    return dict(json.loads(answer.content))


def test_the_process_lives(client: Client) -> None:
    assert client.get("/healthz").content == b"ok"


@pytest.mark.django_db
def test_without_a_heartbeat_the_clock_is_degraded(client: Client) -> None:
    assert told(client) == {"database": "up", "redis": "up", "clock": "degraded"}


@pytest.mark.django_db
def test_a_heartbeat_shows_that_beat_and_worker_live(client: Client) -> None:
    heartbeat()
    assert told(client) == {"database": "up", "redis": "up", "clock": "up"}


@pytest.mark.django_db
def test_a_dead_redis_is_told_and_stops_nothing(client: Client, tmp_path: Path) -> None:
    dead = {"default": {**settings.CACHES["default"], "LOCATION": f"unix://{tmp_path}/nobody.sock"}}
    with override_settings(CACHES=dead):
        assert told(client) == {"database": "up", "redis": "degraded", "clock": "unknown"}
