"""What a case asks for besides its kind."""

from collections.abc import Sequence
from dataclasses import dataclass

from marketplace.catalog.plans import PlannedMilestone


@dataclass(frozen=True)
class Asked:
    """One of these, by the kind: a part of the price in minor units, days of 24 h, revisions, or what is upcoming."""

    amount: int | None = None
    days: int | None = None
    revisions: int | None = None
    upcoming: Sequence[PlannedMilestone] | None = None


NOTHING_MORE = Asked()
