"""How transfers get into the ledger: the only place that writes them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import connection
from django.db.transaction import TransactionManagementError

from marketplace.rows import Rows
from payments.errors import Overdrawn
from payments.models import Account, Charge, Chargeback, HeldFunds, Refund, Transfer, Withdrawal
from payments.models.ledger import OVERDRAWABLE
from payments.money import display

Code = Account.Code
# What these hold is guarded by compare-and-set on the rows that say why: HeldFunds for held, Refund for refunds due,
# Withdrawal for withdrawals. One account is everybody's, so a lock on it would make everybody wait.
_GUARDED_BY_ROWS = (Code.HELD, Code.REFUNDS_DUE, Code.WITHDRAWALS)

# Everything near the wanted ones by index: a key's owner may be nobody, which no index finds as a pair.
_NEAR = """
    SELECT id, code, currency, owner_id, provider FROM payments_account
    WHERE code = ANY(%s) AND currency = ANY(%s) AND (owner_id IS NULL OR owner_id = ANY(%s::bigint[]))
"""
_TRANSFERS = Rows(
    "payments_transfer",
    source_id="bigint",
    destination_id="bigint",
    amount="bigint",
    currency="text",
    kind="text",
    created_at="timestamptz",
    held_id="bigint",
    charge_id="bigint",
    refund_id="bigint",
    withdrawal_id="bigint",
    chargeback_id="bigint",
)

_REASONS = ("held", "charge", "refund", "withdrawal", "chargeback")


class AccountKey(NamedTuple):
    code: str
    currency: str
    owner_id: int | None = None
    provider: str = ""


class Entry(NamedTuple):
    """A transfer to be booked, in minor units of the accounts' currency."""

    source: AccountKey
    destination: AccountKey
    amount: int
    kind: Transfer.Kind
    held: HeldFunds | None = None
    charge: Charge | None = None
    refund: Refund | None = None
    chargeback: Chargeback | None = None
    withdrawal: Withdrawal | None = None
    at: datetime | None = None  # when it was due, where that is not the instant at which it is booked (O7)


def clearing(charge: Charge) -> AccountKey:
    return AccountKey(Code.CLEARING, charge.currency, provider=charge.provider)


def held_funds(currency: str) -> AccountKey:
    return AccountKey(Code.HELD, currency)


def refunds_due(currency: str) -> AccountKey:
    return AccountKey(Code.REFUNDS_DUE, currency)


def fees(currency: str) -> AccountKey:
    return AccountKey(Code.FEES, currency)


def earnings(owner_id: int, currency: str) -> AccountKey:
    return AccountKey(Code.EARNINGS_AVAILABLE, currency, owner_id)


def earnings_clearing(owner_id: int, currency: str) -> AccountKey:
    return AccountKey(Code.EARNINGS_CLEARING, currency, owner_id)


def debt(owner_id: int, currency: str) -> AccountKey:
    return AccountKey(Code.DEBT, currency, owner_id)


def withdrawals(currency: str) -> AccountKey:
    return AccountKey(Code.WITHDRAWALS, currency)


def credit(owner_id: int, currency: str) -> AccountKey:
    return AccountKey(Code.CREDIT, currency, owner_id)


def credit_reserved(owner_id: int, currency: str) -> AccountKey:
    return AccountKey(Code.CREDIT_RESERVED, currency, owner_id)


def inside_transaction() -> None:
    """Refuse to move money outside the caller's transaction: a crash must leave all of it or nothing."""
    if not connection.in_atomic_block:
        raise TransactionManagementError("Money moves only inside its caller's transaction.")


def lock_purse(owner_id: int, currency: str) -> None:
    """Let nobody else take money out of what is available to this person, until the transaction ends (M6).

    After the caller's own lock: the order's, if there is one, always comes first.
    """
    inside_transaction()
    purse = earnings(owner_id, currency)
    Account.objects.select_for_update(no_key=True).get(pk=open_accounts([purse])[purse])


def book(entries: Iterable[Entry], at: datetime) -> None:
    """Write the transfers, all or none. A transfer of zero is not written; Overdrawn if a source may not give (M2)."""
    inside_transaction()
    entries = [entry for entry in entries if entry.amount]
    if not entries:
        return
    accounts = open_accounts(key for entry in entries for key in (entry.source, entry.destination))
    _refuse_overdraft(entries, accounts)
    _TRANSFERS.insert(
        {
            "source_id": accounts[entry.source],
            "destination_id": accounts[entry.destination],
            "amount": entry.amount,
            "currency": entry.source.currency,
            "kind": entry.kind,
            "created_at": entry.at or at,
            **{f"{name}_id": row.pk for name in _REASONS if (row := getattr(entry, name))},
        }
        for entry in entries
    )


def open_accounts(keys: Iterable[AccountKey]) -> dict[AccountKey, int]:
    """The ids of the accounts with these keys, opened where they don't exist yet."""
    wanted = set(keys)
    found = _find(wanted)
    missing = wanted - found.keys()
    if not missing:
        return found
    # In one fixed order, so that two transactions opening the same accounts wait for each other, never in a circle.
    in_order = sorted(missing, key=lambda key: (key.code, key.currency, key.owner_id or 0, key.provider))
    Account.objects.bulk_create((Account(**key._asdict()) for key in in_order), ignore_conflicts=True)
    return _find(wanted)


def _find(wanted: set[AccountKey]) -> dict[AccountKey, int]:
    owners = list({key.owner_id for key in wanted} - {None})
    codes, currencies = list({key.code for key in wanted}), list({key.currency for key in wanted})
    with connection.cursor() as cursor:
        cursor.execute(_NEAR, [codes, currencies, owners])
        found = {AccountKey(*key): pk for pk, *key in cursor.fetchall()}
    return {key: found[key] for key in wanted & found.keys()}


def _refuse_overdraft(entries: Sequence[Entry], accounts: dict[AccountKey, int]) -> None:
    unguarded = (*OVERDRAWABLE, *_GUARDED_BY_ROWS)
    leaving: dict[int, int] = {}
    for entry in entries:
        if entry.source.code not in unguarded:
            source = accounts[entry.source]
            leaving[source] = leaving.get(source, 0) + entry.amount
    if not leaving:
        return
    # The lock of a purse: taken only by what takes money out of it, after the caller's own lock.
    locked = Account.objects.filter(pk__in=leaving).order_by("pk").select_for_update(no_key=True)
    for pk in list(locked.values_list("pk", flat=True)):
        account = Account.objects.with_balance().get(pk=pk)
        if account.balance < leaving[pk]:
            raise Overdrawn(f"Only {display(account.balance, account.currency)} is left of {account}.")
