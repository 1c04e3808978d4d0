"""Sellers' accounts at the provider, to which withdrawals are paid (M6). The provider keeps the bank details."""

from datetime import datetime

from marketplace.accounts.models import User
from payments.gateways import gateway, outside_transaction
from payments.models import PayoutAccount


def payout_account_of(user: User) -> PayoutAccount | None:
    """The person's account at the provider in use, as it was when the provider was last asked."""
    return PayoutAccount.objects.filter(owner=user, provider=gateway().name).first()


def connect_payout_account(user: User, *, at: datetime) -> PayoutAccount:
    """Open the person's account at the provider in use, or ask for the state of the one they have.

    Asks the provider, so outside any transaction. GatewayUnavailable without an answer, and nothing is changed.
    """
    outside_transaction()
    known = payout_account_of(user)
    if known:
        return refresh_payout_account(known, at=at)
    provider = gateway()
    said = provider.open_payout_account(f"payout-account-{user.pk}")
    # Whoever was faster has the same account: the provider answers the same for the same key.
    account, _ = PayoutAccount.objects.update_or_create(
        owner=user,
        provider=provider.name,
        defaults={"status": said.status, "label": said.label[:100], "checked_at": at},
        create_defaults={
            "provider_id": said.provider_id,
            "status": said.status,
            "label": said.label[:100],
            "created_at": at,
            "checked_at": at,
        },
    )
    return account


def refresh_payout_account(account: PayoutAccount, *, at: datetime) -> PayoutAccount:
    """Ask the provider what has become of an account, and write it down. Outside any transaction.

    GatewayUnavailable or GatewayError without an answer that can be used, and nothing is changed.
    """
    outside_transaction()
    said = gateway(account.provider).payout_account(account.provider_id)
    account.status, account.label, account.checked_at = said.status, said.label[:100], at
    account.save(update_fields=["status", "label", "checked_at"])
    return account


def payout_account_page(account: PayoutAccount, return_url: str) -> str:
    """Where the owner gives the provider their details; `return_url` is absolute. Asks the provider."""
    outside_transaction()
    return gateway(account.provider).payout_account_page(account.provider_id, return_url)
