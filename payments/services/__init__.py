"""The verbs of `payments`.

Everything that books money is called under the caller's lock and in the caller's transaction, with `at`, the instant
the caller read after taking that lock. Everything that asks a provider refuses to run inside a transaction (M7).
"""

from payments.errors import (
    AlreadyFunded,
    AttemptUndecided,
    BadPart,
    CreditGone,
    DecidedOtherwise,
    Disputed,
    NotBookable,
    NotChargeable,
    NothingHeld,
    NotOwed,
    NotRefused,
    Overdrawn,
    OwnMoney,
    PaymentsError,
    UnknownMethod,
    WithdrawalRefused,
)

from .balances import Balance, Cents, balance, balances_of, cents_of_transfers, purse, where_every_cent_is
from .cards import forget_card, kept_cards, usable_cards
from .chargebacks import decide_rest, lose, owable, owed_for, take_back, why_not_dispute, win
from .charging import (
    ask_charge,
    begin_charge,
    cancel_attempts,
    cancel_charge,
    fund,
    record_outcome,
    undecided_charges,
)
from .clearing import clear_earnings
from .credit import credit_history
from .disputed import refuse_disputed
from .documents import issue_documents, missing_numbers, notes_on
from .events import (
    NO_SUCH_CHARGE,
    early_events,
    let_event_wait,
    mark_applied,
    match_event,
    record_event,
    refuse_event,
)
from .holding import Released, hold, release, release_each
from .payout_accounts import (
    connect_payout_account,
    payout_account_of,
    payout_account_page,
    refresh_payout_account,
)
from .refunding import (
    ask_again,
    record_refund,
    refund_all,
    refund_part,
    send_back,
    send_refund,
    settle_refunds,
    turn_into_credit,
)
from .sending import record_withdrawal, send_withdrawal, settle_withdrawals
from .statements import statement_lines, statements, year_in, years_of
from .withdrawing import (
    approve_withdrawal,
    cancel_withdrawal,
    forgive_debt,
    pay_debt,
    reject_withdrawal,
    request_withdrawal,
    why_not_withdraw,
)

__all__ = [
    "NO_SUCH_CHARGE",
    "AlreadyFunded",
    "AttemptUndecided",
    "BadPart",
    "Balance",
    "Cents",
    "CreditGone",
    "DecidedOtherwise",
    "Disputed",
    "NotBookable",
    "NotChargeable",
    "NotOwed",
    "NotRefused",
    "NothingHeld",
    "Overdrawn",
    "OwnMoney",
    "PaymentsError",
    "Released",
    "UnknownMethod",
    "WithdrawalRefused",
    "approve_withdrawal",
    "ask_again",
    "ask_charge",
    "balance",
    "balances_of",
    "begin_charge",
    "cancel_attempts",
    "cancel_charge",
    "cancel_withdrawal",
    "cents_of_transfers",
    "clear_earnings",
    "connect_payout_account",
    "credit_history",
    "decide_rest",
    "early_events",
    "forget_card",
    "forgive_debt",
    "fund",
    "hold",
    "issue_documents",
    "kept_cards",
    "let_event_wait",
    "lose",
    "mark_applied",
    "match_event",
    "missing_numbers",
    "notes_on",
    "owable",
    "owed_for",
    "pay_debt",
    "payout_account_of",
    "payout_account_page",
    "purse",
    "record_event",
    "record_outcome",
    "record_refund",
    "record_withdrawal",
    "refresh_payout_account",
    "refund_all",
    "refund_part",
    "refuse_disputed",
    "refuse_event",
    "reject_withdrawal",
    "release",
    "release_each",
    "request_withdrawal",
    "send_back",
    "send_refund",
    "send_withdrawal",
    "settle_refunds",
    "settle_withdrawals",
    "statement_lines",
    "statements",
    "take_back",
    "turn_into_credit",
    "undecided_charges",
    "usable_cards",
    "where_every_cent_is",
    "why_not_dispute",
    "why_not_withdraw",
    "win",
    "year_in",
    "years_of",
]
