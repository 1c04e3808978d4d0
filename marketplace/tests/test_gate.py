"""What chaos puts between the parts of the stack, and what the site does when Redis only falls silent."""

import os
import socket
import time
from collections.abc import Iterator

import pytest
from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError

from marketplace.accounts.cache import ForgivingRedisCache
from marketplace.chaos.gate import HOST, Gates


@pytest.fixture
def gates() -> Iterator[Gates]:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    made = Gates({"redis": port})
    made.lead("redis", os.environ["REDIS_URL"].partition("://")[2])
    made.open()
    yield made
    made.close()


def test_a_gate_passes_on_and_slows_and_cuts_and_heals(gates: Gates) -> None:
    with Redis(HOST, gates.gates["redis"].port, socket_timeout=5) as client:
        assert client.ping()
        gates.slow("redis", 0.2)
        began = time.monotonic()
        assert client.ping()
        assert time.monotonic() - began >= 0.4, "there and back"
        gates.heal("redis")
        gates.cut("redis")
        time.sleep(0.1)
        with pytest.raises(RedisError):
            client.ping()
        gates.heal("redis")
        time.sleep(0.1)
        assert client.ping()


def test_a_redis_that_falls_silent_holds_nobody_up(gates: Gates) -> None:
    configured = settings.CACHES["default"]
    cache = ForgivingRedisCache(f"redis://{HOST}:{gates.gates['redis'].port}/0", {"OPTIONS": configured["OPTIONS"]})
    cache.set("gate", "open", 60)
    assert cache.get("gate") == "open"
    gates.stall("redis")
    time.sleep(0.1)
    began = time.monotonic()
    assert cache.get("gate") is None
    assert time.monotonic() - began < 4.5
    gates.heal("redis")
    assert cache.get("gate") == "open"
    cache.close()
    cache._cache.get_client().connection_pool.disconnect()
