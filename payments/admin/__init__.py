"""Money in the admin, a module per noun."""

from . import ledger, operations

__all__ = ["ledger", "operations"]
