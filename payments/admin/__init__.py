"""Money in the admin, a module per noun."""

from . import events, ledger, operations

__all__ = ["events", "ledger", "operations"]
