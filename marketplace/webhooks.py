"""Where payment providers report: verified through `payments`, then told to `orders`. Knowledge flows down."""

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

import orders.services
import payments.services
from marketplace import clock
from payments.gateways import BadEvent, BadSignature, ParsedEvent, gateway
from payments.models import Charge, Refund

MAX_BYTES = 256 * 1024


def receive(raw_body: bytes, signature: str) -> None:
    """Take one event: its id and its effect are recorded in one commit; seen before, it changes nothing (M7).

    Raises `BadSignature` or `BadEvent`; whatever else is raised means that it must be delivered again.
    """
    event = gateway().receive(raw_body, signature)
    charge = Charge.objects.filter(key=event.charge_key).first() if event.charge_key else None
    if charge:
        orders.services.record_charge(charge.pk, event.outcome, event=event)
    else:
        _receive_without_order(event)


@transaction.atomic
def _receive_without_order(event: ParsedEvent) -> None:
    """Refunds change no order; what we never asked for is recorded, alarmed and not applied."""
    now = clock.now()
    stored = payments.services.record_event(event, at=now)
    if stored is None:
        return
    operation = payments.services.match_event(event)
    if isinstance(operation, Refund):
        is_news = payments.services.record_refund(operation, event.outcome, at=now)
        outcome = f"refund {event.outcome.state}" if is_news else "changed nothing: known already"
        payments.services.mark_applied(stored, outcome=outcome, at=now)


@csrf_exempt
@require_POST
def webhook(request: HttpRequest, provider: str) -> HttpResponse:
    """`/webhooks/<provider>/`: 200 when recorded, 400 for what is malformed or forged, 404 for another provider."""
    if provider != gateway().name:
        return HttpResponse(status=404)
    if int(request.headers.get("Content-Length") or 0) > MAX_BYTES:
        return HttpResponse("too large", status=413)
    try:
        receive(request.body, request.headers.get("Signature", ""))
    except (BadSignature, BadEvent) as refusal:
        return HttpResponse(str(refusal), status=400, content_type="text/plain")
    return HttpResponse("recorded")
