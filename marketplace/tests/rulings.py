"""What the back office offers, for the table of cases: it asks every door there is."""

from marketplace.backoffice.acts import ON_A_CASE, WITHOUT_A_CASE, Act, why_not_open
from marketplace.backoffice.twins import OF_A_CASE

__all__ = ["OF_A_CASE", "ON_A_CASE", "WITHOUT_A_CASE", "Act", "why_not_open"]
