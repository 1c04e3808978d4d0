"""The verbs of the Resolution Center: one public function each, named after its button."""

from resolution.services.answering import accept_case, decline_case, escalate_case, withdraw_case
from resolution.services.chargebacks import record_chargeback, tell_decided_rests
from resolution.services.opening import consider, open_case, open_case_by_support
from resolution.services.owed import open_owed_disputes
from resolution.services.ruling import (
    cancel_milestone_by_support,
    cancel_order_by_support,
    dismiss_case,
    rule_cancel_milestone,
    rule_cancel_order,
)
from resolution.services.silence import settle_case, settle_due_cases

__all__ = [
    "accept_case",
    "cancel_milestone_by_support",
    "cancel_order_by_support",
    "consider",
    "decline_case",
    "dismiss_case",
    "escalate_case",
    "open_case",
    "open_case_by_support",
    "open_owed_disputes",
    "record_chargeback",
    "rule_cancel_milestone",
    "rule_cancel_order",
    "settle_case",
    "settle_due_cases",
    "tell_decided_rests",
    "withdraw_case",
]
