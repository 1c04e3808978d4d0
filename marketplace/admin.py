"""Where Django looks for admin pages: those that read across storeys are in the back office."""

from marketplace.backoffice import cases, orders, people, proofs

__all__ = ["cases", "orders", "people", "proofs"]
