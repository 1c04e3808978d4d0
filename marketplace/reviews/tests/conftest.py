"""Reviews are tested from noon, like orders, and end with the proof that no promise is broken."""

from orders.tests.conftest import _noon, invariants_hold

__all__ = ["_noon", "invariants_hold"]
