"""Saved cards, and who their owners are at the provider (O3). Only the owner, present, ever pays with one."""

import logging
from calendar import monthrange
from datetime import date, datetime

from django.db import transaction
from django.db.models import QuerySet

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.afterwards import afterwards
from payments.gateways import KeptCard, gateway, outside_transaction
from payments.models import ProviderCustomer, SavedCard

from .booking import inside_transaction

logger = logging.getLogger(__name__)

SAVED = "saved-"


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


def usable_cards(user: User) -> QuerySet[SavedCard]:
    """The cards that `user` can pay with at the gateway in use, the latest first."""
    return SavedCard.objects.usable(user, gateway().name, clock.now().date())


def kept_cards(user: User) -> QuerySet[SavedCard]:
    """Every card that `user` has not removed, the latest first: expired ones and those of another provider too."""
    return SavedCard.objects.filter(owner=user, removed_at=None).order_by("-pk")


def save_card(owner: User, provider: str, card: KeptCard, *, at: datetime) -> None:
    """Write down a card that the provider keeps with its owner's consent; one that is known already only once."""
    inside_transaction()
    details = {"label": card.label[:60], "expires_on": _last_day(card.expires), "created_at": at}
    SavedCard.objects.get_or_create(
        owner=owner, provider=provider, provider_id=card.provider_id, removed_at=None, defaults=details
    )


def forget_card(card: SavedCard, *, at: datetime) -> None:
    """Remove a saved card: from now on nobody can choose it. The provider is asked to forget it after the commit.

    What was paid with it stays as it is. Removed before, nothing happens.
    """
    with transaction.atomic():
        if SavedCard.objects.filter(pk=card.pk, removed_at=None).update(removed_at=at):
            afterwards(forget_at_provider, card.pk)
            card.removed_at = at


def forget_at_provider(card_id: int) -> None:
    """Ask the provider, without transaction or lock, to forget a removed card. Never raises for what it does."""
    outside_transaction()
    card = SavedCard.objects.select_related("owner").get(pk=card_id)
    try:
        gateway(card.provider).forget_card(customer_of(card.owner, card.provider), card.provider_id)
    except Exception:
        # It is never offered or charged again here, whatever the provider still keeps.
        logger.exception("The provider may not have forgotten the saved card %s.", card.pk)


def _last_day(expires: str) -> date | None:
    if not expires:
        return None
    year, month = (int(part) for part in expires.split("-"))
    return date(year, month, monthrange(year, month)[1])
