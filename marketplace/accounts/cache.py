"""The cache, which holds the counts of sign-in attempts. Redis may be down: then nothing is counted, and people can
still sign in by their password. A code of the second factor is not checked then."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


class ForgivingRedisCache(RedisCache):
    """Answers like an empty cache while Redis is down."""

    _forgives = True  # each thread has its own instance

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
        return bool(self._forgiving(True, super().add, *args, **kwargs))

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return self._forgiving(default, super().get, key, default, version)

    def set(self, *args: Any, **kwargs: Any) -> None:
        self._forgiving(None, super().set, *args, **kwargs)

    def touch(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self._forgiving(False, super().touch, *args, **kwargs))

    def delete(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self._forgiving(False, super().delete, *args, **kwargs))

    def get_many(self, *args: Any, **kwargs: Any) -> dict[Any, Any]:
        return dict(self._forgiving({}, super().get_many, *args, **kwargs))

    def has_key(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self._forgiving(False, super().has_key, *args, **kwargs))

    def set_many(self, *args: Any, **kwargs: Any) -> list[Any]:
        return list(self._forgiving([], super().set_many, *args, **kwargs))

    def delete_many(self, *args: Any, **kwargs: Any) -> None:
        self._forgiving(None, super().delete_many, *args, **kwargs)

    def _forgiving(self, empty: Any, ask: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        try:
            return ask(*args, **kwargs)
        except RedisError as problem:
            logger.warning("The cache does not answer (%s)", problem)
            if self._forgives:
                return empty
            raise
