"""The sandbox's events: written with what they tell about, signed, delivered until accepted, and read."""

import hashlib
import hmac
import json
import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, cast

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils.module_loading import import_string

from payments.backoff import next_try
from payments.models import (
    SandboxCharge,
    SandboxDispute,
    SandboxEvent,
    SandboxPayout,
    SandboxPayoutAccount,
    SandboxRefund,
)

from .base import BadEvent, BadSignature, DisputeState, Outcome, ParsedDispute, ParsedEvent, State, outside_transaction
from .event_json import storable_json

logger = logging.getLogger(__name__)

MAX_BYTES = 64 * 1024
MAX_TEXT = 300
_CHARGE_KINDS = {
    "charge.succeeded": State.SUCCEEDED,
    "charge.failed": State.FAILED,
    "charge.canceled": State.CANCELED,
}
_REFUND_KINDS = {"refund.succeeded": State.SUCCEEDED, "refund.refused": State.FAILED}
_PAYOUT_KINDS = {"payout.paid": State.SUCCEEDED, "payout.failed": State.FAILED}
_DISPUTE_KINDS = {f"dispute.{state}": state for state in DisputeState}
_PAYOUT_ACCOUNT_KIND = "payout_account.updated"
_FIRST_RETRY = timedelta(seconds=15)


def announce_charge(charge: SandboxCharge, at: datetime) -> None:
    """Write the event of a decided charge; an undecided one has none."""
    kind = f"charge.{charge.status}"
    if kind in _CHARGE_KINDS:
        _announce(kind, charge.key, str(charge.pk), charge.amount, charge.currency, charge.reason, at)


def announce_refund(refund: SandboxRefund, at: datetime) -> None:
    kind = "refund.succeeded" if refund.status == State.SUCCEEDED else "refund.refused"
    _announce(kind, refund.key, str(refund.pk), refund.amount, refund.charge.currency, refund.reason, at)


def announce_payout(payout: SandboxPayout, at: datetime) -> None:
    """Write the event of a payout that was paid, refused or sent back; one that waits has none."""
    kind = {State.SUCCEEDED: "payout.paid", State.FAILED: "payout.failed"}.get(cast("State", payout.status))
    if kind:
        _announce(kind, payout.key, str(payout.pk), payout.amount, payout.currency, payout.reason, at)


def announce_payout_account(account: SandboxPayoutAccount, at: datetime) -> None:
    _announce(_PAYOUT_ACCOUNT_KIND, account.key, str(account.pk), 0, "", "", at)


def announce_dispute(dispute: SandboxDispute, at: datetime) -> None:
    """Write the event that a charge was taken back for the payer's bank, or won or lost since."""
    charge, kind = dispute.charge, f"dispute.{dispute.status}"
    about = {"charge": str(charge.pk)}
    _announce(kind, charge.key, str(dispute.pk), dispute.amount, charge.currency, dispute.reason, at, about)


def _announce(
    kind: str,
    key: str,
    provider_id: str,
    amount: int,
    currency: str,
    reason: str,
    at: datetime,
    more: Mapping[str, str] | None = None,
) -> None:
    event = SandboxEvent(kind=kind, key=key, created_at=at, next_try_at=at)
    about = {"key": key, "id": provider_id, "amount": amount, "currency": currency, "reason": reason, **(more or {})}
    event.body = json.dumps({"id": str(event.pk), "type": kind, "created": at.isoformat(), "data": about})
    event.save(force_insert=True)


def sign(raw_body: bytes) -> str:
    """The signature that goes with these bytes, as hexadecimal HMAC-SHA256."""
    return hmac.new(settings.SANDBOX_WEBHOOK_SECRET.encode(), raw_body, hashlib.sha256).hexdigest()


def deliver(raw_body: bytes, signature: str) -> None:
    """Hand an event to the receiver, which the top storey names in settings. It accepts by not raising."""
    receive = cast("Callable[[bytes, str], object]", import_string(settings.EVENT_RECEIVER))
    receive(raw_body, signature)


def deliver_due(at: datetime, *, about: str = "", batch: int = 200) -> int:
    """Deliver the events that are due, each again later if it is not accepted; returns how many were.

    `about` limits them to those of one key, for an answer that somebody is waiting for.
    Events are claimed for a while before they are delivered, so that two workers don't deliver the same one at
    once and one that is never accepted does not stand before the others.
    """
    outside_transaction()
    with transaction.atomic():
        due = SandboxEvent.objects.filter(delivered_at=None, next_try_at__lte=at)
        if about:
            due = due.filter(key=about)
        events = list(due.order_by("next_try_at", "created_at").select_for_update(skip_locked=True)[:batch])
        claimed = SandboxEvent.objects.filter(pk__in=[event.pk for event in events])
        claimed.update(next_try_at=next_try(at, _FIRST_RETRY), tries=F("tries") + 1)
    return sum(_deliver(event, at) for event in events)


def _deliver(event: SandboxEvent, at: datetime) -> bool:
    raw_body = event.body.encode()
    try:
        deliver(raw_body, sign(raw_body))
    except Exception:
        logger.exception("Event %s was not accepted (try %s).", event.pk, event.tries + 1)
        return False
    SandboxEvent.objects.filter(pk=event.pk).update(delivered_at=at)
    return True


def read(raw_body: bytes, signature: str) -> ParsedEvent:
    """Verify and read an event. Raises BadSignature or BadEvent, never anything else."""
    if len(raw_body) > MAX_BYTES:
        raise BadEvent("The event is too large.")
    # As bytes: comparing strings refuses characters beyond ASCII with an exception of its own.
    if not hmac.compare_digest(sign(raw_body).encode(), signature.encode(errors="replace")):
        raise BadSignature("The signature does not match.")
    return parse(storable_json(raw_body))


def parse(body: Mapping[str, Any]) -> ParsedEvent:
    """Read the body of an event that was verified. Raises BadEvent."""
    kind, event_id, data = _text(body, "type"), _text(body, "id"), body.get("data")
    if not event_id or not isinstance(data, dict):
        raise BadEvent("The event has no number or no data.")
    if kind == _PAYOUT_ACCOUNT_KIND:
        account = _text(data, "id")
        return ParsedEvent("sandbox", event_id, kind, Outcome(State.UNDECIDED), 0, "", body, payout_account=account)
    dispute = _DISPUTE_KINDS.get(kind)
    state = (
        State.UNDECIDED if dispute else _CHARGE_KINDS.get(kind) or _REFUND_KINDS.get(kind) or _PAYOUT_KINDS.get(kind)
    )
    if state is None:
        # A kind of event that means nothing to us is stored and ignored, as with any provider.
        return ParsedEvent("sandbox", event_id, kind, Outcome(State.UNDECIDED), 0, "", body)
    amount = data.get("amount")
    if not isinstance(amount, int) or isinstance(amount, bool):
        raise BadEvent("The amount is not a whole number.")
    key = _text(data, "key")
    return ParsedEvent(
        provider="sandbox",
        event_id=event_id,
        kind=kind,
        charge_key=key if kind in _CHARGE_KINDS else None,
        refund_key=key if kind in _REFUND_KINDS else None,
        payout_key=key if kind in _PAYOUT_KINDS else None,
        dispute=ParsedDispute(_text(data, "id"), _text(data, "charge"), dispute) if dispute else None,
        outcome=Outcome(state, provider_id=_text(data, "id"), reason=_text(data, "reason")),
        amount=amount,
        currency=_text(data, "currency"),
        body=body,
    )


def _text(fields: Mapping[str, Any], name: str) -> str:
    text = fields.get(name)
    if not isinstance(text, str) or len(text) > MAX_TEXT:
        raise BadEvent(f"The text {name!r} is missing or too long.")
    return text
