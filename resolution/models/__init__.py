"""Cases of the Resolution Center. A dispute freezes its order; `orders` need not know what a case is."""

from resolution.models.case import Case
from resolution.models.case_rows import CaseQuerySet
from resolution.models.reason import Reason, ReasonQuerySet

__all__ = ["Case", "CaseQuerySet", "Reason", "ReasonQuerySet"]
