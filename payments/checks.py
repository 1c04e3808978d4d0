from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.db import ProgrammingError

_REAL_MONEY = "Name a real payment provider in PAYMENT_GATEWAY."
_LIVE_KEYS = "Set the keys of Stripe's live mode."
PLAY_MONEY = "This database holds the sandbox's play money; real money needs a database of its own."


def refuse_play_money(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """`check --deploy` lets neither the sandbox nor Stripe's test mode go live: with a test card one pays nothing."""
    if settings.PAYMENT_GATEWAY == "sandbox":
        return [
            Error("PAYMENT_GATEWAY is the sandbox, which moves no real money.", hint=_REAL_MONEY, id="payments.E001")
        ]
    if _mode(settings.STRIPE_SECRET_KEY) != "live":
        return [Error("Stripe is in test mode, which moves no real money.", hint=_LIVE_KEYS, id="payments.E004")]
    return []


def refuse_wrong_stripe_keys(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Real cards are never charged by a site that is being debugged, and both keys are of the same mode."""
    if settings.PAYMENT_GATEWAY != "stripe":
        return []
    mode, errors = _mode(settings.STRIPE_SECRET_KEY), list[CheckMessage]()
    if mode == "live" and settings.DEBUG:
        hint = "Turn DEBUG off, or set keys of test mode."
        errors.append(Error("Stripe would charge real cards while DEBUG is on.", hint=hint, id="payments.E002"))
    if _mode(settings.STRIPE_PUBLISHABLE_KEY) != mode:
        message = "STRIPE_SECRET_KEY and STRIPE_PUBLISHABLE_KEY are not of the same mode, test or live."
        errors.append(Error(message, hint="Copy both from the same page of Stripe's dashboard.", id="payments.E003"))
    return errors


def refuse_mixed_money(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """What was earned with test cards must not be paid out by a real provider. Runs where a database is at hand."""
    try:
        mixed = bool(databases) and mixes_money()
    except ProgrammingError:  # `migrate` checks before it makes the tables
        mixed = False
    hint = "Set DATABASE_URL to another database, or PAYMENT_GATEWAY=sandbox."
    return [Error(PLAY_MONEY, hint=hint, id="payments.E005")] if mixed else []


def mixes_money() -> bool:
    """Whether a real provider is in use while the ledger knows money that came from the sandbox's test cards."""
    if settings.PAYMENT_GATEWAY == "sandbox":
        return False
    accounts = apps.get_model("payments", "Account").objects
    return bool(accounts.filter(code="clearing", provider="sandbox").exists())


def _mode(key: str) -> str:
    """`sk_live_…` and `rk_live_…` are of live mode, `pk_test_…` of test mode."""
    return key.split("_")[1] if key.count("_") > 1 else ""
