"""Saved cards, and who their owners are at the provider (O3)."""

from marketplace.accounts.models import User
from payments.gateways import gateway
from payments.models import ProviderCustomer


def customer_of(user: User, provider: str) -> str:
    """The payer's number at this provider, who is made known to it the first time. Asks the provider, so no lock.

    GatewayUnavailable without an answer.
    """
    known = ProviderCustomer.objects.filter(user=user, provider=provider).first()
    if known:
        return known.provider_id
    customer_id = gateway(provider).open_customer(f"customer-{user.pk}")
    # Whoever was faster has the same number: the provider answers the same for the same key.
    customer, _ = ProviderCustomer.objects.get_or_create(
        user=user, provider=provider, defaults={"provider_id": customer_id}
    )
    return customer.provider_id
