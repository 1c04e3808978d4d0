from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error


def refuse_sandbox(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """`check --deploy` does not let the sandbox go live: with its cards, everybody pays nothing."""
    if settings.PAYMENT_GATEWAY != "sandbox":
        return []
    hint = "Name a real payment provider in PAYMENT_GATEWAY."
    return [Error("PAYMENT_GATEWAY is the sandbox, which moves no real money.", hint=hint, id="payments.E001")]
