"""Stripe: cards by PaymentIntents, sellers' accounts and transfers by Connect."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.utils.translation import gettext_noop as _

from payments.money import exponent

from . import stripe_charges, stripe_events, stripe_payouts, stripe_refunds
from .base import (
    ChargeRequest,
    Outcome,
    ParsedEvent,
    PaymentMethod,
    PayoutAccountState,
    PayoutRequest,
    RefundRequest,
)
from .stripe_client import asking, client, if_known

# What Stripe publishes as the least charge per currency, in minor units.
_LEAST = {
    "USD": 50,
    "EUR": 50,
    "GBP": 30,
    "CHF": 50,
    "PLN": 200,
    "MXN": 1000,
    "BRL": 50,
    "INR": 50,
    "AUD": 50,
    "CAD": 50,
    "JPY": 50,
    # Not published: whatever comes to Stripe's least in the account's own currency, so with room to spare.
    "KRW": 1000,
    "CLP": 700,
    "KWD": 250,
    "BHD": 250,
    "TND": 2000,
}


class StripeGateway:
    name: ClassVar[str] = "stripe"
    signature_header: ClassVar[str] = "Stripe-Signature"

    def step(self, currency: str) -> int:
        """Amounts of three decimals must end in 0, as card networks know only two of them."""
        return 10 if exponent(currency) == 3 else 1

    def least(self, currency: str) -> int:
        return _LEAST[currency]

    def payment_methods(self) -> Sequence[PaymentMethod]:
        return (PaymentMethod(stripe_charges.NEW_CARD, _("Card"), "", _("You enter the card on the next page.")),)

    def open_customer(self, key: str) -> str:
        """Stripe learns nothing about the payer but our key for them."""
        with asking():
            return client().v1.customers.create({"metadata": {"key": key}}, {"idempotency_key": key}).id

    def forget_card(self, customer: str, card_id: str) -> None:
        with asking():
            card = if_known(lambda: client().v1.payment_methods.retrieve(card_id))
            if card and card.customer:
                client().v1.payment_methods.detach(card_id)

    def charge(self, request: ChargeRequest) -> Outcome:
        return stripe_charges.charge(request)

    def find_charge(self, request: ChargeRequest) -> Outcome:
        return stripe_charges.find_charge(request)

    def cancel_charge(self, request: ChargeRequest) -> Outcome:
        return stripe_charges.cancel_charge(request)

    def client_secret(self, provider_id: str) -> str:
        """What the payer's browser needs to finish this charge with Stripe.js. To be shown to nobody else."""
        return stripe_charges.client_secret(provider_id)

    def refund(self, request: RefundRequest) -> Outcome:
        return stripe_refunds.refund(request)

    def find_refund(self, request: RefundRequest) -> Outcome:
        return stripe_refunds.find_refund(request)

    def open_payout_account(self, key: str) -> PayoutAccountState:
        return stripe_payouts.open_payout_account(key)

    def payout_account(self, provider_id: str) -> PayoutAccountState:
        return stripe_payouts.payout_account(provider_id)

    def payout_account_page(self, provider_id: str, return_url: str) -> str:
        return stripe_payouts.payout_account_page(provider_id, return_url)

    def payout(self, request: PayoutRequest) -> Outcome:
        return stripe_payouts.payout(request)

    def find_payout(self, request: PayoutRequest) -> Outcome:
        return stripe_payouts.find_payout(request)

    def receive(self, raw_body: bytes, signature: str) -> ParsedEvent:
        return stripe_events.read(raw_body, signature)

    def reread(self, body: Mapping[str, Any]) -> ParsedEvent:
        return stripe_events.parse(body)
