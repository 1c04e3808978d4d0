"""The verbs of `payments`.

Everything that books money is called under the caller's lock and in the caller's transaction, with `at`, the instant
the caller read after taking that lock. Everything that asks a provider refuses to run inside a transaction (M7).
"""

from payments.errors import (
    AlreadyFunded,
    AttemptUndecided,
    BadPart,
    DecidedOtherwise,
    Disputed,
    NotBookable,
    NothingHeld,
    NotOwed,
    NotRefused,
    Overdrawn,
    PaymentsError,
    UnknownMethod,
)

from .balances import Balance, Cents, balance, purse, where_every_cent_is
from .chargebacks import decide_rest, lose, owable, take_back, why_not_dispute, win
from .charging import (
    ask_charge,
    begin_charge,
    cancel_attempts,
    cancel_charge,
    fund,
    record_outcome,
    undecided_charges,
)
from .disputed import disputed, refuse_disputed
from .documents import issue_documents, missing_numbers
from .events import mark_applied, match_event, record_event
from .holding import Released, hold, release, release_each
from .refunding import ask_again, record_refund, refund_all, refund_part, send_back, send_refund, settle_refunds

__all__ = [
    "AlreadyFunded",
    "AttemptUndecided",
    "BadPart",
    "Balance",
    "Cents",
    "DecidedOtherwise",
    "Disputed",
    "NotBookable",
    "NotOwed",
    "NotRefused",
    "NothingHeld",
    "Overdrawn",
    "PaymentsError",
    "Released",
    "UnknownMethod",
    "ask_again",
    "ask_charge",
    "balance",
    "begin_charge",
    "cancel_attempts",
    "cancel_charge",
    "decide_rest",
    "disputed",
    "fund",
    "hold",
    "issue_documents",
    "lose",
    "mark_applied",
    "match_event",
    "missing_numbers",
    "owable",
    "purse",
    "record_event",
    "record_outcome",
    "record_refund",
    "refund_all",
    "refund_part",
    "refuse_disputed",
    "release",
    "release_each",
    "send_back",
    "send_refund",
    "settle_refunds",
    "take_back",
    "undecided_charges",
    "where_every_cent_is",
    "why_not_dispute",
    "win",
]
