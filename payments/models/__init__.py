from .cards import ProviderCustomer, SavedCard
from .chargebacks import Chargeback
from .documents import Document
from .events import ProviderEvent
from .held import HeldFunds
from .ledger import Account, Transfer
from .operations import Charge, Refund
from .payouts import PayoutAccount, Withdrawal, WithdrawalLimit
from .sandbox import (
    SandboxCharge,
    SandboxDispute,
    SandboxEvent,
    SandboxPayout,
    SandboxPayoutAccount,
    SandboxRefund,
)

__all__ = [
    "Account",
    "Charge",
    "Chargeback",
    "Document",
    "HeldFunds",
    "PayoutAccount",
    "ProviderCustomer",
    "ProviderEvent",
    "Refund",
    "SandboxCharge",
    "SandboxDispute",
    "SandboxEvent",
    "SandboxPayout",
    "SandboxPayoutAccount",
    "SandboxRefund",
    "SavedCard",
    "Transfer",
    "Withdrawal",
    "WithdrawalLimit",
]
