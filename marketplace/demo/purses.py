"""What sellers did with their earnings: one was paid, one waits for finance. Times are counted back from now."""

import uuid
from datetime import datetime, timedelta

from django.db import transaction

from marketplace import clock, withdrawal_notices
from marketplace.accounts.models import User
from marketplace.demo.people import Cast
from payments import services
from payments.gateways import sandbox_bank
from payments.models import Withdrawal

CURRENCY = "USD"


def fill(cast: Cast, now: datetime) -> None:
    """Mia was paid and has asked again; Theo asks for the first time; finance has two to decide. Léa could ask."""
    mia, theo = cast["mia"], cast["theo"]
    with clock.at(now - timedelta(days=20)):
        _connect(mia, "bank_ok")
        paid = _withdraw(mia, share=2)
    with clock.at(now - timedelta(days=19)), transaction.atomic():
        services.approve_withdrawal(paid, by=cast.finance, at=clock.now())
    with clock.at(now - timedelta(hours=30)):
        withdrawal_notices.tell_withdrawals()
        _withdraw(mia, share=2)
    with clock.at(now - timedelta(hours=4)):
        _connect(theo, "bank_processing")
        _withdraw(theo, share=1)
        _connect(cast["lea"], "bank_ok")


def _connect(seller: User, kind: str) -> None:
    account = services.connect_payout_account(seller, at=clock.now())
    sandbox_bank.choose_account(uuid.UUID(account.provider_id), kind, at=clock.now())
    services.refresh_payout_account(account, at=clock.now())


def _withdraw(seller: User, *, share: int) -> Withdrawal:
    """One part of `share` equal parts of what is available."""
    amount = services.balance(seller, CURRENCY) // share
    with transaction.atomic():
        return services.request_withdrawal(seller, currency=CURRENCY, amount=amount, at=clock.now())
