"""The sandbox's bank: sellers' accounts, and payouts to them. Its test accounts make every outcome happen."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_noop as _

from marketplace import clock
from payments.models import SandboxPayout, SandboxPayoutAccount

from .base import (
    GatewayError,
    GatewayUnavailable,
    NotSettled,
    Outcome,
    PayoutAccountState,
    PayoutRequest,
    State,
    outside_transaction,
)
from .sandbox_events import announce_payout, announce_payout_account


@dataclass(frozen=True)
class BankAccount:
    """A bank account that the seller can choose on the bank's page."""

    code: str
    label: str
    explanation: str


ACCOUNTS = (
    BankAccount("bank_ok", "Sandbox Bank ending in 6789", _("Is paid at once.")),
    BankAccount("bank_processing", "Sandbox Bank ending in 1116", _("Is paid after a while.")),
    BankAccount(
        "bank_closed",
        "Sandbox Bank ending in 1113",
        _("Is closed: the payment is refused for good."),
    ),
    BankAccount(
        "bank_unsettled",
        "Sandbox Bank ending in 1119",
        _("Is paid, but only after our balance at the provider has lacked settled funds for a while."),
    ),
    BankAccount("bank_lost", "Sandbox Bank ending in 6975", _("Is paid, but the answer gets lost.")),
    BankAccount(
        "bank_returned",
        "Sandbox Bank ending in 1114",
        _("Is paid, and sends the money back after a while."),
    ),
    BankAccount(
        "bank_restricted",
        "Sandbox Bank ending in 0004",
        _("Is restricted: nothing can be paid to it."),
    ),
)
# Asked for, and put off for lack of settled funds: nothing has been paid.
_PUT_OFF = "put_off"
_REASONS = {
    "bank_closed": _("The bank account is closed."),
    "bank_restricted": _("The bank account is restricted."),
}


class SandboxBank:
    """The part of the sandbox that pays out."""

    def open_payout_account(self, key: str) -> PayoutAccountState:
        outside_transaction()
        account, _ = SandboxPayoutAccount.objects.get_or_create(key=key, defaults={"created_at": clock.now()})
        return _state(account)

    def payout_account(self, provider_id: str) -> PayoutAccountState:
        outside_transaction()
        return _state(_account(provider_id))

    def payout_account_page(self, provider_id: str, return_url: str) -> str:
        outside_transaction()
        page = reverse("payments:sandbox_bank", args=[_account(provider_id).pk])
        return f"{page}?{urlencode({'return': return_url})}"

    def payout(self, request: PayoutRequest) -> Outcome:
        outside_transaction()
        at = clock.now()
        account = _account(request.account_id)
        with transaction.atomic():
            payout, created = SandboxPayout.objects.select_for_update(of=("self",)).get_or_create(
                key=request.key,
                defaults={
                    "account": account,
                    "amount": request.amount,
                    "currency": request.currency,
                    "created_at": at,
                    **_first_state(account.kind, at),
                },
            )
            if created:
                announce_payout(payout, at)
            elif payout.status == _PUT_OFF:
                _settle(payout, at)
        if (payout.account_id, payout.amount, payout.currency) != (account.pk, request.amount, request.currency):
            raise GatewayError(f"The key {request.key} was used for another payout.")
        if payout.status == _PUT_OFF:
            raise NotSettled(_("The payment provider waits for settled funds."))
        if created and account.kind == "bank_lost":
            raise GatewayUnavailable("The answer was lost.")
        return _outcome(payout)

    def find_payout(self, request: PayoutRequest) -> Outcome:
        outside_transaction()
        with transaction.atomic():
            payout = SandboxPayout.objects.select_for_update().filter(key=request.key).first()
            if payout is None or payout.status == _PUT_OFF:
                return Outcome(State.UNKNOWN)
            _settle(payout, clock.now())
        return _outcome(payout)


def choose_account(account_id: uuid.UUID, kind: str, *, at: datetime) -> SandboxPayoutAccount:
    """The seller's answer on the bank's page. Raises SandboxPayoutAccount.DoesNotExist; ValueError for another kind."""
    outside_transaction()
    if kind not in {known.code for known in ACCOUNTS}:
        raise ValueError(_("Choose one of the accounts shown."))
    with transaction.atomic():
        account = SandboxPayoutAccount.objects.select_for_update().get(pk=account_id)
        account.kind = kind
        account.save(update_fields=["kind"])
        announce_payout_account(account, at)
    return account


def settle_payouts(at: datetime, batch: int = 200) -> int:
    """Let the bank go on with what waits there, and send back what it returns; returns how many."""
    outside_transaction()
    with transaction.atomic():
        waiting = Q(status=State.PROCESSING) | Q(status=State.SUCCEEDED)
        due = SandboxPayout.objects.filter(waiting, settles_at__lte=at).order_by("settles_at")
        payouts = list(due.select_for_update(skip_locked=True)[:batch])
        for payout in payouts:
            _settle(payout, at)
    return len(payouts)


def _account(provider_id: str) -> SandboxPayoutAccount:
    try:
        return SandboxPayoutAccount.objects.get(pk=uuid.UUID(provider_id))
    except (ValueError, SandboxPayoutAccount.DoesNotExist):
        raise GatewayError("There is no such account.") from None


def _state(account: SandboxPayoutAccount) -> PayoutAccountState:
    label = next((known.label for known in ACCOUNTS if known.code == account.kind), "")
    status = {"": "incomplete", "bank_restricted": "restricted"}.get(account.kind, "ready")
    return PayoutAccountState(str(account.pk), status, label)


def _first_state(kind: str, at: datetime) -> dict[str, object]:
    later = at + timedelta(seconds=settings.SANDBOX_PROCESSING)
    match kind:
        case "bank_ok" | "bank_lost":
            return {"status": State.SUCCEEDED}
        case "bank_returned":
            return {"status": State.SUCCEEDED, "settles_at": later}
        case "bank_processing":
            return {"status": State.PROCESSING, "settles_at": later}
        case "bank_unsettled":
            return {"status": _PUT_OFF, "settles_at": later}
        case _:
            return {"status": State.FAILED, "reason": _REASONS.get(kind, "There are no bank details.")}


def _settle(payout: SandboxPayout, at: datetime) -> None:
    if payout.settles_at is None or payout.settles_at > at:
        return
    if payout.status == State.SUCCEEDED:
        payout.status, payout.reason = State.FAILED, _("The bank sent the money back.")
    else:
        payout.status = State.SUCCEEDED
    payout.settles_at = None
    payout.save(update_fields=["status", "reason", "settles_at"])
    announce_payout(payout, at)


def _outcome(payout: SandboxPayout) -> Outcome:
    return Outcome(State(payout.status), provider_id=str(payout.pk), reason=payout.reason)
