"""The verbs of the Resolution Center: one public function each, named after its button."""

from resolution.services.answering import accept_case, decline_case, escalate_case, withdraw_case
from resolution.services.chargebacks import record_chargeback, tell_decided_rests
from resolution.services.decisions import Decision
from resolution.services.opening import consider, open_case, open_case_by_support
from resolution.services.owed import open_owed_disputes
from resolution.services.ruling import dismiss_case, kind_for, rule, rule_without_case
from resolution.services.silence import settle_case, settle_cases_of, settle_due_cases
from resolution.services.talking import note_for_support, why_not_write, write_in_case

__all__ = [
    "Decision",
    "accept_case",
    "consider",
    "decline_case",
    "dismiss_case",
    "escalate_case",
    "kind_for",
    "note_for_support",
    "open_case",
    "open_case_by_support",
    "open_owed_disputes",
    "record_chargeback",
    "rule",
    "rule_without_case",
    "settle_case",
    "settle_cases_of",
    "settle_due_cases",
    "tell_decided_rests",
    "why_not_write",
    "withdraw_case",
    "write_in_case",
]
