"""What the pages of cases show: how one is opened, what is asked, what was said, and what is next (P1, P2)."""

from resolution.pages.case import FORMS, case_context
from resolution.pages.opening import Draft, kind_context, list_context

__all__ = ["FORMS", "Draft", "case_context", "kind_context", "list_context"]
