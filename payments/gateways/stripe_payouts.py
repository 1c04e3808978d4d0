"""Sellers' accounts at Stripe Connect, and transfers to them. From there Stripe pays out to their bank itself."""

from collections.abc import Mapping
from typing import Any

import stripe
from django.utils.translation import gettext_noop as _

from payments.models import PayoutAccount

from .base import NotSettled, Outcome, PayoutAccountState, PayoutRequest, State
from .stripe_client import NOT_SETTLED, asking, client, first_answer, if_known, key_of, since

Status = PayoutAccount.Status


def open_payout_account(key: str) -> PayoutAccountState:
    """Stripe collects the seller's details, and gives the seller a small dashboard to look after their bank."""
    with asking():
        account = client().v1.accounts.create(
            {
                "controller": {
                    "fees": {"payer": "application"},
                    "losses": {"payments": "application"},
                    "requirement_collection": "stripe",
                    "stripe_dashboard": {"type": "express"},
                },
                "capabilities": {"transfers": {"requested": True}},
                "metadata": {"key": key},
            },
            {"idempotency_key": key},
        )
        return state_of(account.to_dict())


def payout_account(provider_id: str) -> PayoutAccountState:
    with asking():
        return state_of(client().v1.accounts.retrieve(provider_id).to_dict())


def payout_account_page(provider_id: str, return_url: str) -> str:
    """A link that Stripe lets be used once; used up, it leads back as well, where there is another."""
    with asking():
        link = client().v1.account_links.create(
            {
                "account": provider_id,
                "type": "account_onboarding",
                "return_url": return_url,
                "refresh_url": return_url,
            }
        )
        return link.url


def payout(request: PayoutRequest) -> Outcome:
    def create(key: str) -> stripe.Transfer:
        return client().v1.transfers.create(
            {
                "destination": request.account_id,
                "amount": request.amount,
                "currency": request.currency.lower(),
                "metadata": {"key": request.key},
            },
            {"idempotency_key": key},
        )

    with asking():
        try:
            transfer = first_answer(create, request.key)
        except stripe.InvalidRequestError as error:
            if error.code == NOT_SETTLED:
                raise NotSettled(_("Our balance at Stripe lacks settled funds for this.")) from error
            raise
        return outcome_of(transfer.to_dict())


def find_payout(request: PayoutRequest) -> Outcome:
    with asking():
        transfer = _find(request)
        return Outcome(State.UNKNOWN) if transfer is None else outcome_of(transfer.to_dict())


def outcome_of(transfer: Mapping[str, Any]) -> Outcome:
    """What a Transfer says. It is done when it is made, but can be taken back as a whole later."""
    if transfer.get("reversed"):
        return Outcome(State.FAILED, transfer["id"], _("Stripe has taken the transfer back."))
    return Outcome(State.SUCCEEDED, transfer["id"])


def state_of(account: Mapping[str, Any]) -> PayoutAccountState:
    """What an Account says: ready for transfers and payouts, restricted by Stripe, or waiting for details."""
    can_receive = (account.get("capabilities") or {}).get("transfers") == "active"
    disabled = (account.get("requirements") or {}).get("disabled_reason") or ""
    if can_receive and account.get("payouts_enabled"):
        status = Status.READY
    elif account.get("details_submitted") and disabled and not disabled.startswith("requirements."):
        status = Status.RESTRICTED
    else:
        status = Status.INCOMPLETE
    return PayoutAccountState(account["id"], status.value, _label(account))


def _label(account: Mapping[str, Any]) -> str:
    banks = (account.get("external_accounts") or {}).get("data")
    if not banks:
        return ""
    return f"{banks[0].get('bank_name') or 'Account'} ending in {banks[0]['last4']}"


def _find(request: PayoutRequest) -> stripe.Transfer | None:
    if request.provider_id:
        return if_known(lambda: client().v1.transfers.retrieve(request.provider_id))
    listed = client().v1.transfers.list(
        {"destination": request.account_id, "created": {"gte": since(request.began_at)}, "limit": 100}
    )
    return next((transfer for transfer in listed.auto_paging_iter() if key_of(transfer) == request.key), None)
