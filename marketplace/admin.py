"""Where Django looks for admin pages: those that read across storeys are in the back office."""

from marketplace.backoffice import cases, events, orders, people, proofs

__all__ = ["cases", "events", "orders", "people", "proofs"]
