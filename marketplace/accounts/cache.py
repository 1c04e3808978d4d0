"""The cache, which holds the counts of attempts. Redis may be down: then each process counts for itself, so that
guessing stays limited and people can still sign in by their password. A code of the second factor is not checked then.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


# How allauth's limits name what they count; ours are counted by the same code.
COUNTS = "allauth:rl:"


class ForgivingRedisCache(RedisCache):
    """Answers like an empty cache while Redis is down, but for counts of attempts: these are kept in the process."""

    _forgives = True  # each thread has its own instance

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        # Django keeps what is behind one name once per process, whichever thread asks.
        self._own = LocMemCache("counts-while-redis-is-down", {"OPTIONS": {"MAX_ENTRIES": 100_000}})

    @contextmanager
    def unforgiving(self) -> Iterator[None]:
        """For what must not be done uncounted: raises RedisError wherever Redis does not do as told."""
        self._forgives = False
        try:
            yield
        finally:
            self._forgives = True

    def answers(self) -> bool:
        """Whether Redis is there: for `/readyz`, which an empty answer would mislead."""
        return bool(self._forgiving(False, self._cache.get_client().ping))

    def add(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self._forgiving(True, super().add, *args, instead=self._own.add, **kwargs))

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return self._forgiving(default, super().get, key, default, version, instead=self._own.get)

    def set(self, *args: Any, **kwargs: Any) -> None:
        self._forgiving(None, super().set, *args, instead=self._own.set, **kwargs)

    def touch(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self._forgiving(False, super().touch, *args, **kwargs))

    def delete(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self._forgiving(False, super().delete, *args, instead=self._own.delete, **kwargs))

    def get_many(self, *args: Any, **kwargs: Any) -> dict[Any, Any]:
        return dict(self._forgiving({}, super().get_many, *args, **kwargs))

    def has_key(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self._forgiving(False, super().has_key, *args, **kwargs))

    def set_many(self, *args: Any, **kwargs: Any) -> list[Any]:
        return list(self._forgiving([], super().set_many, *args, **kwargs))

    def delete_many(self, *args: Any, **kwargs: Any) -> None:
        self._forgiving(None, super().delete_many, *args, **kwargs)

    def clear(self) -> bool:
        self._own.clear()
        return bool(self._forgiving(False, super().clear))

    def _forgiving(
        self, empty: Any, ask: Callable[..., Any], *args: Any, instead: Callable[..., Any] | None = None, **kwargs: Any
    ) -> Any:
        try:
            return ask(*args, **kwargs)
        except RedisError as problem:
            logger.warning("The cache does not answer (%s)", problem)
            if not self._forgives:
                raise
            return instead(*args, **kwargs) if instead and str(args[0]).startswith(COUNTS) else empty
