"""Payment providers behind one small protocol."""

from .base import (
    BadEvent,
    BadSignature,
    ChargeRequest,
    DisputeState,
    Gateway,
    GatewayError,
    GatewayUnavailable,
    KeptCard,
    NotSettled,
    Outcome,
    ParsedDispute,
    ParsedEvent,
    PaymentMethod,
    PayoutAccountState,
    PayoutRequest,
    RefundRequest,
    State,
    outside_transaction,
)
from .registry import GATEWAYS, gateway
from .sandbox import SandboxGateway
from .stripe import StripeGateway

__all__ = [
    "GATEWAYS",
    "BadEvent",
    "BadSignature",
    "ChargeRequest",
    "DisputeState",
    "Gateway",
    "GatewayError",
    "GatewayUnavailable",
    "KeptCard",
    "NotSettled",
    "Outcome",
    "ParsedDispute",
    "ParsedEvent",
    "PaymentMethod",
    "PayoutAccountState",
    "PayoutRequest",
    "RefundRequest",
    "SandboxGateway",
    "State",
    "StripeGateway",
    "gateway",
    "outside_transaction",
]
