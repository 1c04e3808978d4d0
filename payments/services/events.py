"""Events of a provider: recorded once, matched to what we asked for, or refused with an alarm."""

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from payments.gateways import ParsedEvent
from payments.models import Charge, ProviderEvent, Refund, Withdrawal

from .booking import inside_transaction

logger = logging.getLogger(__name__)

Operation = Charge | Refund | Withdrawal

NO_SUCH_CHARGE = "we know no such charge of this provider."
_NEVER_ASKED = "we never asked this provider for it."
# What may only have come before what it is about, for how long it is taken again, and how many at a time.
_EARLY = (
    Q(outcome=f"refused: {NO_SUCH_CHARGE}") | Q(outcome=f"refused: {_NEVER_ASKED}") | Q(outcome__startswith="waits: ")
)
EARLY_AFTER, EARLY_FOR = timedelta(minutes=1), timedelta(days=3)
BATCH = 200


def record_event(parsed: ParsedEvent, at: datetime) -> ProviderEvent | None:
    """Write a verified event down in the transaction of its effect; None if it was applied already.

    A second delivery at the same time waits here until the first has committed. An event that could not be applied,
    as its operation was not known yet, gets another chance each time it comes or is replayed by staff.
    """
    inside_transaction()
    event, created = ProviderEvent.objects.select_for_update(no_key=True).get_or_create(
        provider=parsed.provider,
        event_id=parsed.event_id,
        defaults={"kind": parsed.kind[:100], "body": parsed.body, "received_at": at},
    )
    return event if created or event.applied_at is None else None


def match_event(parsed: ParsedEvent) -> Operation | None:
    """The operation that a recorded event is about, with its held funds; None if there is nothing to apply.

    A wrong amount, currency or provider, or a reference we don't know, books nothing: it is logged as an error and
    the recorded event says "refused: …".
    """
    operation = _operation(parsed)
    if operation is None and not (parsed.charge_key or parsed.refund_key or parsed.payout_key):
        _set_outcome(parsed, "ignored: about nothing of ours")
        return None
    why_not = _why_not(parsed, operation)
    if not why_not:
        return operation
    refuse_event(parsed, why_not)
    return None


def refuse_event(parsed: ParsedEvent, why_not: str) -> None:
    """Say on a recorded event, and in the log as an error, why it booked nothing; taken again, it is no new alarm."""
    if _set_outcome(parsed, f"refused: {why_not}"):
        logger.error("Event %s of %s refused: %s", parsed.event_id, parsed.provider, why_not)


def let_event_wait(parsed: ParsedEvent, why: str, *, at: datetime) -> None:
    """Keep an event whose effect was rolled back, in a transaction of its own, unless it was applied meanwhile."""
    with transaction.atomic():
        if record_event(parsed, at):
            _set_outcome(parsed, f"waits: {why}")


def early_events(*, at: datetime) -> QuerySet[ProviderEvent]:
    """Events of the last days that may have come too early. Any of them, so that none stands before another."""
    came = {"received_at__gte": at - EARLY_FOR, "received_at__lte": at - EARLY_AFTER}
    return ProviderEvent.objects.filter(_EARLY, applied_at=None, **came).order_by("?")[:BATCH]


def mark_applied(event: ProviderEvent, *, outcome: str, at: datetime) -> None:
    """Say on the event what it did."""
    event.outcome, event.applied_at = outcome[:300], at
    event.save(update_fields=["outcome", "applied_at"])


def _operation(parsed: ParsedEvent) -> Operation | None:
    if parsed.charge_key:
        return Charge.objects.select_related("held").filter(key=parsed.charge_key).first()
    if parsed.refund_key:
        return Refund.objects.select_related("held", "charge").filter(key=parsed.refund_key).first()
    if parsed.payout_key:
        return Withdrawal.objects.select_related("account", "owner").filter(key=parsed.payout_key).first()
    return None


def _why_not(parsed: ParsedEvent, operation: Operation | None) -> str:
    if operation is None or operation.provider != parsed.provider:
        return _NEVER_ASKED
    asked = operation.amount if isinstance(operation, Withdrawal) else operation.card_amount
    if parsed.currency != operation.currency:
        return f"its currency is {parsed.currency}, not {operation.currency}."
    if parsed.amount != asked:
        return f"its amount is {parsed.amount}, not {asked}."
    if operation.provider_id and parsed.outcome.provider_id not in ("", operation.provider_id):
        return "the provider knows it under another number."
    return ""


def _set_outcome(parsed: ParsedEvent, outcome: str) -> bool:
    """False if it said so before."""
    known = ProviderEvent.objects.filter(provider=parsed.provider, event_id=parsed.event_id)
    return bool(known.exclude(outcome=outcome[:300]).update(outcome=outcome[:300]))
