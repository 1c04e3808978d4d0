from .events import ProviderEvent
from .held import HeldFunds
from .ledger import Account, Transfer
from .operations import Charge, Refund
from .sandbox import SandboxCharge, SandboxEvent, SandboxRefund

__all__ = [
    "Account",
    "Charge",
    "HeldFunds",
    "ProviderEvent",
    "Refund",
    "SandboxCharge",
    "SandboxEvent",
    "SandboxRefund",
    "Transfer",
]
