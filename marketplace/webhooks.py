"""Where payment providers report: verified through `payments`, then told to `orders`. Knowledge flows down."""

import logging

from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

import orders.services
import payments.services
import resolution.services
from marketplace import clock
from marketplace.afterwards import afterwards
from payments.errors import PaymentsError
from payments.gateways import GATEWAYS, BadEvent, BadSignature, GatewayError, GatewayUnavailable, ParsedEvent, gateway
from payments.models import Charge, PayoutAccount, ProviderEvent, Refund, Withdrawal

logger = logging.getLogger(__name__)

MAX_BYTES = 256 * 1024


def receive(raw_body: bytes, signature: str, provider: str = "") -> None:
    """Take one event: its id and its effect are recorded in one commit; seen before, it changes nothing (M7).

    Raises `BadSignature` or `BadEvent`; whatever else is raised means that it must be delivered again.
    """
    apply(gateway(provider).receive(raw_body, signature))


def replay(event: ProviderEvent) -> ProviderEvent:
    """Take a stored event once more, as if it had just come; one that was applied changes nothing.

    Raises `BadEvent` when what was stored cannot be read any more.
    """
    apply(gateway(event.provider).reread(event.body))
    event.refresh_from_db()
    return event


def apply(event: ParsedEvent) -> None:
    """Bring a verified event to whom it concerns: an order's charge, an order's chargeback, or what has no order.

    What cannot be booked yet is stored as waiting, and the `PaymentsError` that says why goes on to the caller.
    """
    charge = _charge_of(event)
    try:
        if charge and event.dispute:
            resolution.services.record_chargeback(charge.pk, event)
        elif charge:
            orders.services.record_charge(charge.pk, event.outcome, event=event)
        else:
            _apply_without_order(event)
    except PaymentsError as refusal:
        payments.services.let_event_wait(event, str(refusal), at=clock.now())
        raise


def replay_early_events() -> int:
    """The sweep: what came before what it builds on is taken once more; returns how many could be applied now.

    Events that no provider repeats any more, because they were stored, are not lost this way.
    """
    applied = 0
    for stored in payments.services.early_events(at=clock.now()):
        try:
            applied += replay(stored).applied_at is not None
        except PaymentsError:
            continue  # it still waits
        except Exception:
            logger.exception("Event %s of %s could not be taken once more.", stored.event_id, stored.provider)
    return applied


def _charge_of(event: ParsedEvent) -> Charge | None:
    if event.dispute and event.dispute.charge_id:
        known = Charge.objects.filter(provider=event.provider, provider_id=event.dispute.charge_id).first()
        if known:
            return known
    return Charge.objects.filter(key=event.charge_key).first() if event.charge_key else None


@transaction.atomic
def _apply_without_order(event: ParsedEvent) -> None:
    """Refunds and withdrawals change no order; what we never asked for is recorded, alarmed and not applied."""
    now = clock.now()
    stored = payments.services.record_event(event, at=now)
    if stored is None:
        return
    if event.dispute:
        payments.services.refuse_event(event, payments.services.NO_SUCH_CHARGE)
        return
    if event.payout_account:
        outcome = _ask_about_account(event)
        payments.services.mark_applied(stored, outcome=outcome, at=now)
        return
    operation = payments.services.match_event(event)
    if isinstance(operation, Refund):
        is_news = payments.services.record_refund(operation, event.outcome, at=now)
    elif isinstance(operation, Withdrawal):
        is_news = payments.services.record_withdrawal(operation, event.outcome, at=now)
    else:
        return
    kind = "refund" if isinstance(operation, Refund) else "withdrawal"
    outcome = f"{kind} {event.outcome.state}" if is_news else "changed nothing: known already"
    payments.services.mark_applied(stored, outcome=outcome, at=now)


def _ask_about_account(event: ParsedEvent) -> str:
    """A seller's account has changed at the provider, which is asked how once this is committed."""
    account = PayoutAccount.objects.filter(provider=event.provider, provider_id=event.payout_account).first()
    if account is None:
        return "ignored: about nobody's account here"
    afterwards(_refresh, account)
    return "asked about the account"


def _refresh(account: PayoutAccount) -> None:
    try:
        payments.services.refresh_payout_account(account, at=clock.now())
    except (GatewayUnavailable, GatewayError):
        # Asked again whenever its owner looks at it.
        logger.warning("No answer about payout account %s.", account.pk)


@csrf_exempt
@require_POST
def webhook(request: HttpRequest, provider: str) -> HttpResponse:
    """`/webhooks/<provider>/`: 200 when recorded, 400 for what is malformed or forged, 404 for an unknown provider.

    409 for what cannot be booked yet, as it came before the news that it builds on: it is stored, and taken once more
    by `replay_early_events` if the provider does not deliver it again.

    A provider that is no longer in use still reports about what it took, so every configured one is heard.
    """
    try:
        known = gateway(provider) if provider in GATEWAYS else None
    except ImproperlyConfigured:
        known = None
    if known is None:
        return HttpResponse(status=404)
    if int(request.headers.get("Content-Length") or 0) > MAX_BYTES:
        return HttpResponse("too large", status=413)
    try:
        receive(request.body, request.headers.get(known.signature_header, ""), provider)
    except (BadSignature, BadEvent) as refusal:
        return HttpResponse(str(refusal), status=400, content_type="text/plain")
    except PaymentsError as refusal:
        return HttpResponse(str(refusal), status=409, content_type="text/plain")
    return HttpResponse("recorded")
