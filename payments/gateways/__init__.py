"""Payment providers behind one small protocol."""

from .base import (
    BadEvent,
    BadSignature,
    Gateway,
    GatewayError,
    GatewayUnavailable,
    Outcome,
    ParsedEvent,
    PaymentMethod,
    State,
    outside_transaction,
)
from .registry import GATEWAYS, gateway
from .sandbox import SandboxGateway

__all__ = [
    "GATEWAYS",
    "BadEvent",
    "BadSignature",
    "Gateway",
    "GatewayError",
    "GatewayUnavailable",
    "Outcome",
    "ParsedEvent",
    "PaymentMethod",
    "SandboxGateway",
    "State",
    "gateway",
    "outside_transaction",
]
