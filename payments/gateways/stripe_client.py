"""How Stripe is asked, and what its refusals mean."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache
from typing import Any, TypeVar

import stripe
from django.conf import settings

from .base import GatewayError, GatewayUnavailable, outside_transaction

logger = logging.getLogger(__name__)

# Pinned: another version may mean other fields. Change it together with the package, and read Stripe's changelog.
API_VERSION = "2026-10-28.endive"
NOT_SETTLED = "balance_insufficient"
# Stripe's clock may be behind ours.
_CLOCKS_DIFFER = timedelta(minutes=1)

_Answer = TypeVar("_Answer", bound=stripe.StripeObject)


def client() -> stripe.StripeClient:
    """The typed client, for the key in settings. One request each: what gets no answer is asked again by us."""
    return _client(settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE, settings.STRIPE_TIMEOUT)


@cache
def _client(key: str, address: str, timeout: float) -> stripe.StripeClient:
    return stripe.StripeClient(
        key,
        stripe_version=API_VERSION,
        base_addresses={"api": address},
        max_network_retries=0,
        http_client=stripe.RequestsClient(timeout=timeout),
    )


@contextmanager
def asking() -> Iterator[None]:
    """Around every call: no transaction is open, and Stripe's errors come out as those of a gateway (M7)."""
    outside_transaction()
    try:
        yield
    except stripe.StripeError as error:
        raise _translated(error) from error


def _translated(error: stripe.StripeError) -> Exception:
    match error:
        case stripe.IdempotencyError():
            return GatewayError("This key was used for another request.")
        case stripe.InvalidRequestError() | stripe.CardError():
            return GatewayError(f"Stripe refuses this: {error.user_message or error}")
        case stripe.PermissionError() if error.error and error.error.code == "account_invalid":
            return GatewayError("Stripe knows no such account.")
        case stripe.AuthenticationError() | stripe.PermissionError():
            # A wrong key says nothing about the payment: it is no decline.
            logger.error("Stripe does not accept our key: %s", error)
        case _:
            logger.warning("No answer from Stripe: %s", error)
    return GatewayUnavailable(f"No answer from Stripe: {error}")


def first_answer(create: Callable[[str], _Answer], key: str) -> _Answer:
    """Create something by its key, of which Stripe may have said before that our balance does not suffice *now*.

    Stripe repeats that answer for a key, settled or not. It is final for that key, so another may be used.
    """
    number, attempt = 1, key
    while True:
        try:
            return create(attempt)
        except stripe.InvalidRequestError as error:
            if error.code != NOT_SETTLED or not is_repeated(error.headers):
                raise
        number += 1
        attempt = f"{key}#{number}"


def is_repeated(headers: Any) -> bool:
    """Whether Stripe answered what it had answered to this key before, which may be out of date."""
    return bool(headers and headers.get("Idempotent-Replayed") == "true")


def if_known(ask: Callable[[], _Answer | None]) -> _Answer | None:
    """What Stripe answers, or None if it knows nothing of what it was asked about."""
    try:
        return ask()
    except stripe.InvalidRequestError as error:
        if error.code != "resource_missing":
            raise
    return None


def key_of(made: stripe.PaymentIntent | stripe.Refund | stripe.Transfer) -> str:
    """The key of ours that this was made with."""
    return str(made.metadata.to_dict().get("key", "")) if made.metadata else ""


def since(began_at: datetime) -> int:
    """The earliest instant, in Stripe's seconds, at which something that we began then can have been made there."""
    return int((began_at - _CLOCKS_DIFFER).timestamp())
