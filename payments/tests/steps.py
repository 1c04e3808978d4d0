"""What the storeys above do with `payments`, in as few lines as will do for its own tests."""

import uuid
from datetime import datetime

from django.db import transaction

from marketplace.accounts.models import User
from payments import services
from payments.gateways import ChargeRequest, ParsedEvent, PayoutRequest, RefundRequest, gateway, sandbox_bank
from payments.models import Charge, HeldFunds, PayoutAccount, Refund, Withdrawal

from .factories import NOON, HeldFundsFactory, PersonFactory, after


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
    if parsed.dispute:
        receive_dispute(parsed, at)
        return
    with transaction.atomic():
        event = services.record_event(parsed, at)
        operation = services.match_event(parsed) if event else None
        if event is None or operation is None:
            return
        if isinstance(operation, Refund):
            services.record_refund(operation, parsed.outcome, at)
        elif isinstance(operation, Withdrawal):
            services.record_withdrawal(operation, parsed.outcome, at=at)
        elif services.record_outcome(operation, parsed.outcome, at=at) and parsed.outcome.succeeded:
            if operation.held.amount:
                services.send_back(operation, at=at)
            else:
                services.fund(operation, at=at)
        services.mark_applied(event, outcome=parsed.outcome.state, at=at)


@transaction.atomic
def receive_dispute(parsed: ParsedEvent, at: datetime) -> None:
    """What the storey above does with news of a chargeback."""
    news, event = parsed.dispute, services.record_event(parsed, at)
    if news is None or event is None:
        return
    charge = Charge.objects.select_related("held").get(provider_id=news.charge_id)
    assert services.why_not_dispute(charge, parsed) == ""
    taken = services.take_back(
        charge, provider_id=news.provider_id, amount=parsed.amount, reason=parsed.outcome.reason, at=at
    )
    if news.state == "won":
        services.win(taken, at=at)
    elif news.state == "lost" and services.lose(taken, at=at):
        held = HeldFunds.objects.get(pk=charge.held_id)
        if held.left:
            services.refund_all(held, at=at)
    services.mark_applied(event, outcome=news.state, at=at)


def refuse_everything(raw_body: bytes, signature: str) -> None:
    raise ConnectionError("The receiver is down.")


def asks(key: str = "key", amount: int = 100, **of: str) -> ChargeRequest:
    """What a charge asks of a gateway, as far as a test cares."""
    of = {"currency": "USD", "method": "card_ok", "description": "", "reference": "", "return_url": "", **of}
    return ChargeRequest(key=key, amount=amount, began_at=NOON, **of)


def asks_back(key: str, charge_id: str, amount: int) -> RefundRequest:
    """What a refund asks of a gateway."""
    return RefundRequest(key, charge_id, amount, "USD", NOON)


def earn(payee: User, price: int = 10_000, at: datetime = NOON, **of: object) -> HeldFunds:
    """A milestone of `payee`, paid and released: of $100.00 they get $80.00."""
    held = HeldFundsFactory.create(payee=payee, price=price, **of)
    pay(held, at=at)
    with transaction.atomic():
        services.release(held, at=at)
    return held


def connect(user: User, kind: str = "bank_ok", at: datetime = NOON) -> PayoutAccount:
    """The person's account at the provider, with one of the sandbox's test accounts."""
    account = services.connect_payout_account(user, at=at)
    sandbox_bank.choose_account(uuid.UUID(account.provider_id), kind, at=at)
    return services.refresh_payout_account(account, at=at)


def ask_for(user: User, amount: int = 5000, currency: str = "USD", at: datetime = NOON) -> Withdrawal:
    """A withdrawal, requested and committed."""
    with transaction.atomic():
        return services.request_withdrawal(user, currency=currency, amount=amount, at=at)


def asks_out(key: str, account_id: str, amount: int = 100, currency: str = "USD") -> PayoutRequest:
    """What a withdrawal asks of a gateway."""
    return PayoutRequest(key, account_id, amount, currency, NOON)


def owe(user: User, amount: int, currency: str = "USD") -> None:
    """Somebody with a bank and nothing else in this currency withdraws what they earned, and then it is charged back.

    `amount` is a multiple of 4, for a price that pays exactly that.
    """
    charge = earn(user, amount * 5 // 4, currency=currency).charges.get()
    withdrawal = ask_for(user, amount, currency)
    with transaction.atomic():
        services.approve_withdrawal(withdrawal, by=PersonFactory.create(), at=NOON)
    services.send_withdrawal(withdrawal.pk)
    with transaction.atomic():
        taken = services.take_back(charge, provider_id=charge.key, amount=charge.amount, reason="", at=NOON)
        services.lose(taken, at=NOON)
    services.decide_rest(taken, rest_as="debt", by=PersonFactory.create(), at=NOON)
