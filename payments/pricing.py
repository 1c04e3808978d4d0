"""What a price comes to for the buyer, in amounts that the gateway in use can charge (M1, M3)."""

from django.utils.translation import gettext as _

from payments.gateways import gateway
from payments.money import display, fee


def step_of(currency: str) -> int:
    """The least amount by which what is charged in this currency can differ, in minor units."""
    return gateway().step(currency)


def buyer_fee(price: int, rate: int, currency: str) -> int:
    """The buyer's fee on `price`: `rate` basis points of it, half up to what can be charged in this currency."""
    return fee(price, rate, gateway().step(currency))


def why_not_charge(price: int, currency: str) -> str:
    """Why nobody can be charged this price, as a sentence; empty when they can."""
    provider = gateway()
    step = provider.step(currency)
    if price < 1:
        return _("A price is above zero.")
    if price % step:
        return _("Prices in {currency} go in steps of {step}.").format(currency=currency, step=display(step, currency))
    if price < provider.least(currency):
        return _("The least that can be charged is {amount}.").format(
            amount=display(provider.least(currency), currency)
        )
    return ""
