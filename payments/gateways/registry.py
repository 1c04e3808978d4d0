from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from .base import Gateway
from .sandbox import SandboxGateway
from .stripe import StripeGateway

GATEWAYS: dict[str, type[Gateway]] = {"sandbox": SandboxGateway, "stripe": StripeGateway}


def gateway(name: str = "") -> Gateway:
    """The gateway called `name`, by default the one in use. An old charge stays with the provider that took it."""
    name = name or settings.PAYMENT_GATEWAY
    if name not in GATEWAYS:
        raise ImproperlyConfigured(f"PAYMENT_GATEWAY is {name!r}; choose one of: {', '.join(sorted(GATEWAYS))}.")
    return GATEWAYS[name]()
