"""The verbs of `payments`.

Everything that books money is called under the caller's lock and in the caller's transaction, with `at`, the instant
the caller read after taking that lock. Everything that asks a provider refuses to run inside a transaction (M7).
"""

from payments.errors import (
    AlreadyFunded,
    AttemptUndecided,
    BadPart,
    NotBookable,
    NothingHeld,
    NotRefused,
    Overdrawn,
    PaymentsError,
    UnknownMethod,
)

from .balances import Balance, Cents, balance, purse, where_every_cent_is
from .charging import (
    ask_charge,
    begin_charge,
    cancel_attempts,
    cancel_charge,
    fund,
    record_outcome,
    undecided_charges,
)
from .events import mark_applied, match_event, record_event
from .holding import Released, hold, release, release_each
from .refunding import ask_again, record_refund, refund_all, refund_part, send_back, send_refund, settle_refunds

__all__ = [
    "AlreadyFunded",
    "AttemptUndecided",
    "BadPart",
    "Balance",
    "Cents",
    "NotBookable",
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
    "fund",
    "hold",
    "mark_applied",
    "match_event",
    "purse",
    "record_event",
    "record_outcome",
    "record_refund",
    "refund_all",
    "refund_part",
    "release",
    "release_each",
    "send_back",
    "send_refund",
    "settle_refunds",
    "undecided_charges",
    "where_every_cent_is",
]
