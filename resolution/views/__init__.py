"""The pages of cases. Views answer *who*: to strangers neither the order nor the case exists (404).

Support agents rule in the back office; these pages are for the two sides.
"""

from resolution.views.case import accept, case, decline, escalate, withdraw, write
from resolution.views.opening import cases, open_case

__all__ = ["accept", "case", "cases", "decline", "escalate", "open_case", "withdraw", "write"]
