"""What a page says once, after something was done. Short ones travel in a cookie, so that they cost no query."""

from typing import Any

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage


class Cookie(CookieStorage):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cookie_name = f"{settings.COOKIE_PREFIX}messages"


class Flash(FallbackStorage):
    """Django's own, with a cookie that no other host of the domain can set."""

    storage_classes = (Cookie, SessionStorage)
