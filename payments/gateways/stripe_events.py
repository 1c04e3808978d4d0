"""Stripe's events: verified as they came, and read.

An endpoint at Stripe sends: payment_intent.succeeded, .payment_failed, .processing and .canceled; charge.succeeded;
refund.created, .updated and .failed; charge.dispute.created, .funds_withdrawn, .funds_reinstated and .closed;
transfer.reversed. A second one, for connected accounts and with a secret of its own, sends account.updated.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.urls import NoReverseMatch

from marketplace import clock

from . import stripe_charges, stripe_payouts, stripe_refunds
from .base import BadEvent, BadSignature, DisputeState, Outcome, ParsedDispute, ParsedEvent, State
from .event_json import storable_json
from .stripe_words import why_declined, why_disputed

MAX_BYTES = 256 * 1024
MAX_TEXT = 300
# How old a signature may be, in seconds: an event that somebody recorded cannot be sent again later.
TOLERANCE = 300
_SECONDS = re.compile("[0-9]{1,12}")
_NOTHING = Outcome(State.UNDECIDED)


@dataclass(frozen=True)
class _News:
    """What an event says about something of ours; without anything, it is stored and ignored."""

    outcome: Outcome = _NOTHING
    charge_key: str | None = None
    refund_key: str | None = None
    payout_key: str | None = None
    dispute: ParsedDispute | None = None
    payout_account: str = ""
    amount: int = 0
    currency: str = ""


def read(raw_body: bytes, signature: str) -> ParsedEvent:
    """Verify and read an event. Raises BadSignature or BadEvent, never anything else."""
    if len(raw_body) > MAX_BYTES:
        raise BadEvent("The event is too large.")
    _verify(raw_body, signature)
    return parse(storable_json(raw_body))


def parse(body: Mapping[str, Any]) -> ParsedEvent:
    """Read the body of an event that was verified. Raises BadEvent."""
    kind, event_id = _text(body, "type"), _text(body, "id")
    data = body.get("data")
    about = data.get("object") if isinstance(data, dict) else None
    if not kind or not event_id or not isinstance(about, dict):
        raise BadEvent("The event has no kind, no number or is about nothing.")
    try:
        news = _news(kind, about)
    except (KeyError, TypeError, AttributeError, ValueError, NoReverseMatch) as error:
        raise BadEvent("The event is not of the shape that its kind has.") from error
    return ParsedEvent(
        provider="stripe",
        event_id=event_id,
        kind=kind,
        outcome=news.outcome,
        amount=news.amount,
        currency=news.currency,
        body=body,
        charge_key=news.charge_key,
        refund_key=news.refund_key,
        payout_key=news.payout_key,
        dispute=news.dispute,
        payout_account=news.payout_account,
    )


def _verify(raw_body: bytes, signature: str) -> None:
    """`t=<seconds>,v1=<HMAC>`, with a `v1` for each while Stripe replaces a secret, and a secret per endpoint."""
    parts = [part.partition("=") for part in signature.split(",")]
    stamp = next((value for name, _, value in parts if name == "t"), "")
    message = f"{stamp}.".encode(errors="replace") + raw_body
    # As bytes: comparing strings refuses characters beyond ASCII with an exception of its own.
    given = [value.encode(errors="replace") for name, _, value in parts if name == "v1"]
    # Never an empty one, with which anybody could sign: Stripe may not be set up at all.
    secrets = [secret.strip().encode() for secret in settings.STRIPE_WEBHOOK_SECRET.split(",") if secret.strip()]
    right = [hmac.new(secret, message, hashlib.sha256).hexdigest().encode() for secret in secrets]
    if not any(hmac.compare_digest(one, another) for one in right for another in given):
        raise BadSignature("The signature does not match.")
    if not _SECONDS.fullmatch(stamp) or int(stamp) < clock.now().timestamp() - TOLERANCE:
        raise BadSignature("The signature is too old.")


def _news(kind: str, about: Mapping[str, Any]) -> _News:
    match kind:
        case "charge.succeeded" | (
            "payment_intent.succeeded"
            | "payment_intent.processing"
            | "payment_intent.payment_failed"
            | "payment_intent.canceled"
        ):
            return _of_charge(kind, about)
        case "refund.created" | "refund.updated" | "refund.failed" | "charge.refund.updated":
            return _of_refund(about)
        case "transfer.reversed":
            return _of_transfer(about)
        case "account.updated":
            return _News(payout_account=_text(about, "id"))
    return _of_dispute(kind, about) if kind.startswith("charge.dispute.") else _News()


def _of_charge(kind: str, about: Mapping[str, Any]) -> _News:
    metadata = about.get("metadata") or {}
    key = _text(metadata, "key")
    if not key:
        return _News()
    amount = about["amount"]
    if kind == "charge.succeeded":
        # The PaymentIntent's own event does not say which card paid, this one does.
        outcome = stripe_charges.paid_by(about, _text(about, "payment_intent"), keep=metadata.get("keep") == "yes")
    elif kind == "payment_intent.payment_failed" and metadata.get("flow") == stripe_charges.SAVED:
        # It has failed for us once it is canceled: until then its payer could still confirm it with another card.
        outcome = Outcome(State.UNDECIDED, _text(about, "id"), why_declined(about.get("last_payment_error") or {}))
    else:
        # By what the intent said when the event was made: one that comes late tells of then, not of now.
        outcome = stripe_charges.outcome_of(about)
    if kind == "payment_intent.succeeded":
        amount = about["amount_received"]
    return _News(outcome, charge_key=key, amount=_whole(amount), currency=_currency(about))


def _of_refund(about: Mapping[str, Any]) -> _News:
    key = _text(about.get("metadata") or {}, "key")
    if not key:
        return _News()
    outcome = stripe_refunds.outcome_of(about)
    return _News(outcome, refund_key=key, amount=_whole(about["amount"]), currency=_currency(about))


def _of_transfer(about: Mapping[str, Any]) -> _News:
    key = _text(about.get("metadata") or {}, "key")
    outcome = stripe_payouts.outcome_of(about)
    if not key or outcome.succeeded:
        # A part that staff took back by hand leaves the withdrawal paid.
        return _News()
    return _News(outcome, payout_key=key, amount=_whole(about["amount"]), currency=_currency(about))


def _of_dispute(kind: str, about: Mapping[str, Any]) -> _News:
    match kind, about["status"]:
        case "charge.dispute.funds_withdrawn", _:
            state = DisputeState.TAKEN
        case "charge.dispute.created", _ if about.get("balance_transactions"):
            state = DisputeState.TAKEN
        case ("charge.dispute.closed", "won") | ("charge.dispute.funds_reinstated", _):
            state = DisputeState.WON
        case "charge.dispute.closed", "lost":
            state = DisputeState.LOST
        case _:
            # A bank that only asks has taken nothing.
            return _News()
    charge_id = _text(about, "payment_intent") or _text(about, "charge")
    dispute = ParsedDispute(_text(about, "id"), charge_id, state)
    why = Outcome(State.UNDECIDED, reason=why_disputed(_text(about, "reason")))
    return _News(why, dispute=dispute, amount=_whole(about["amount"]), currency=_currency(about))


def _text(fields: Mapping[str, Any], name: str) -> str:
    text = fields.get(name)
    if text is not None and not isinstance(text, str):
        raise BadEvent(f"The field {name!r} is not a text.")
    if text and len(text) > MAX_TEXT:
        raise BadEvent(f"The text {name!r} is too long.")
    return text or ""


def _whole(amount: object) -> int:
    if not isinstance(amount, int) or isinstance(amount, bool):
        raise BadEvent("The amount is not a whole number.")
    return amount


def _currency(about: Mapping[str, Any]) -> str:
    return _text(about, "currency").upper()
