"""Public pages read by strangers are answered from a read replica, if there is one (`REPLICA_URL`).

Only who is not signed in reads there. Whoever has just changed something is signed in, so everybody sees their own
changes at once and nothing has to be remembered about who wrote when. What a stranger sees may be as old as the
replica is behind; prices are charged from the primary, after signing in.
"""

import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic
from typing import Any

from django.db import Error, InterfaceError, OperationalError, connections, transaction
from django.http import Http404, HttpRequest, HttpResponseBase

REPLICA = "replica"
PUBLIC = {
    "home",
    "help",
    "catalog:browse",
    "catalog:suggestions",
    "catalog:gig",
    "catalog:seller",
    "sitemap",
    "sitemap_of",
}
REST = 10.0  # seconds for which a replica that failed is left alone
# What came last is old, and no stream says that this is all: an idle primary sends nothing.
BEHIND = """
    SELECT pg_is_in_recovery()
        AND coalesce(now() - pg_last_xact_replay_timestamp() > interval '1 minute', true)
        AND NOT (EXISTS (SELECT FROM pg_stat_wal_receiver) AND pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn())
"""

logger = logging.getLogger(__name__)
_reading: ContextVar[bool] = ContextVar("reading from the replica", default=False)
View = Callable[..., HttpResponseBase]


class ReplicaRouter:
    """Reads go to the replica within `reading_from_replica` and outside of transactions; all else to the primary."""

    def db_for_read(self, model: object, **hints: Any) -> str:
        return REPLICA if _reading.get() and not transaction.get_connection().in_atomic_block else "default"

    def db_for_write(self, model: object, **hints: Any) -> str:
        return "default"

    def allow_relation(self, one: object, other: object, **hints: Any) -> bool:
        return True  # both are the same data

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return db == "default"


def replica_state() -> str:
    """For `/readyz`: up, behind (by more than a minute), or down."""
    try:
        with connections[REPLICA].cursor() as cursor:
            cursor.execute(BEHIND)
            (behind,) = cursor.fetchone()
    except Error:
        return "down"
    return "behind" if behind else "up"


@contextmanager
def reading_from_replica() -> Generator[None, None, None]:
    token = _reading.set(True)
    try:
        yield
    finally:
        _reading.reset(token)


class PublicPagesFromReplica:
    """Draws a public page from the replica, and once more from the primary should the replica fail on the way.

    The last of all middleware, so that sessions and all that is asked about the viewer are the primary's.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.rests_until = 0.0

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: View, args: list[Any], kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        match = request.resolver_match
        public = match is not None and match.view_name in PUBLIC and request.method in ("GET", "HEAD")
        if not public or request.user.is_authenticated or monotonic() < self.rests_until:
            return None
        try:
            with reading_from_replica():
                response = view(request, *args, **kwargs)
                if hasattr(response, "render"):
                    response.render()  # here, where its queries may go to the replica
                return response
        except Http404:
            return None  # what is brand-new may not have come there yet
        except (OperationalError, InterfaceError) as failure:
            self.rests_until = monotonic() + REST
            connections[REPLICA].close()
            logger.warning("The replica does not answer, so the primary does: %s", str(failure).strip())
            return None
