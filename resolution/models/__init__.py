"""Cases of the Resolution Center. A dispute freezes its order; `orders` need not know what a case is."""

from resolution.models.asked import NOTHING_MORE, Asked
from resolution.models.case import Case
from resolution.models.case_rows import CaseQuerySet
from resolution.models.reason import Reason, ReasonQuerySet
from resolution.models.talk import CaseMessage, SupportNote

__all__ = ["NOTHING_MORE", "Asked", "Case", "CaseMessage", "CaseQuerySet", "Reason", "ReasonQuerySet", "SupportNote"]
