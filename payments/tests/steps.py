"""What the storeys above do with `payments`, in as few lines as will do for its own tests."""

from datetime import datetime

from django.db import transaction

from payments import services
from payments.gateways import ChargeRequest, RefundRequest, gateway
from payments.models import Charge, HeldFunds, Refund

from .factories import NOON, after


def begin(held: HeldFunds, method: str = "card_ok", at: datetime = NOON) -> Charge:
    """Step 1, committed."""
    with transaction.atomic():
        return services.begin_charge(held, method=method, at=at, return_url="/orders/7/")


def settle(charge: Charge, at: datetime = NOON) -> bool:
    """Steps 2 and 3: ask, record, and book a success."""
    outcome = services.ask_charge(charge.pk)
    with transaction.atomic():
        news = services.record_outcome(charge, outcome, at=at)
        if news and outcome.succeeded:
            services.fund(charge, at=at)
    return news


def pay(held: HeldFunds, method: str = "card_ok", at: datetime = NOON) -> Charge:
    charge = begin(held, method, at)
    settle(charge, at)
    return charge


def sweep_charges(at: datetime) -> int:
    """The periodic settlement of what nobody has looked at for 30 s."""
    charges = list(services.undecided_charges(before=at))
    return sum(settle(charge, at) for charge in charges)


def receive(raw_body: bytes, signature: str) -> None:
    """What the top storey does with an event: its row and its effect in one commit."""
    parsed = gateway().receive(raw_body, signature)
    at = after(minutes=5)
    with transaction.atomic():
        event = services.record_event(parsed, at)
        operation = services.match_event(parsed) if event else None
        if event is None or operation is None:
            return
        if isinstance(operation, Refund):
            services.record_refund(operation, parsed.outcome, at)
        elif services.record_outcome(operation, parsed.outcome, at=at) and parsed.outcome.succeeded:
            if operation.held.amount:
                services.send_back(operation, at=at)
            else:
                services.fund(operation, at=at)
        services.mark_applied(event, outcome=parsed.outcome.state, at=at)


def refuse_everything(raw_body: bytes, signature: str) -> None:
    raise ConnectionError("The receiver is down.")


def asks(key: str = "key", amount: int = 100, **of: str) -> ChargeRequest:
    """What a charge asks of a gateway, as far as a test cares."""
    of = {"currency": "USD", "method": "card_ok", "description": "", "reference": "", "return_url": "", **of}
    return ChargeRequest(key=key, amount=amount, began_at=NOON, **of)


def asks_back(key: str, charge_id: str, amount: int) -> RefundRequest:
    """What a refund asks of a gateway."""
    return RefundRequest(key, charge_id, amount, "USD", NOON)
