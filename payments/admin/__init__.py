"""Money in the admin, a module per noun."""

from . import ledger, operations, withdrawals

__all__ = ["ledger", "operations", "withdrawals"]
