"""Money in the admin, a module per noun."""

from . import chargebacks, documents, ledger, operations, withdrawals

__all__ = ["chargebacks", "documents", "ledger", "operations", "withdrawals"]
