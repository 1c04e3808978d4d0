"""`/healthz`: this process lives. `/readyz`: it can work, and what is degraded."""

from datetime import timedelta

from django.core.cache import cache
from django.db import DatabaseError, connection, connections
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_safe

from marketplace import clock
from marketplace.replica import REPLICA, replica_state

LAST_SWEEP = "clock:last-sweep"
STALE = timedelta(seconds=60)


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok", content_type="text/plain")


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """503 without PostgreSQL only; the rest shows as degraded or worse, because nothing is lost without it."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return JsonResponse({"database": "down"}, status=503, headers={"Retry-After": "10"})
    state = {"database": "up", "redis": "degraded", "clock": "unknown"}
    if cache.answers():
        swept = parse_datetime(cache.get(LAST_SWEEP) or "")
        state["redis"] = "up"
        state["clock"] = "up" if swept and clock.now() - swept < STALE else "degraded"
    if REPLICA in connections:
        state["replica"] = replica_state()
    return JsonResponse(state)


def note_sweep() -> None:
    """Let `/readyz` see that beat and worker are alive."""
    cache.set(LAST_SWEEP, clock.now().isoformat(), timeout=3600)
