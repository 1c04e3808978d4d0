"""Limits on what strangers can make costly, counted as allauth counts attempts: also while Redis is down."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.core.internal import ratelimit
from django.conf import settings
from django.http import HttpRequest


def searches_limited(view: Callable[..., Any]) -> Callable[..., Any]:
    """429 for the searches of one address beyond SEARCHES_PER_MINUTE (0: any number). Who is signed in is known."""

    @wraps(view)
    def limited(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        most = settings.SEARCHES_PER_MINUTE
        if most and request.GET.get("q") and not request.user.is_authenticated:
            config = {"search": f"{most}/m/ip"}
            if not ratelimit.consume(request, app="marketplace", action="search", config=config, limit_get=True):
                return ratelimit.respond_429(request)
        return view(request, *args, **kwargs)

    return limited
