"""Withdrawals (M6): asked for by the seller, decided by finance, sent in three steps (M7) and paid exactly once."""

from datetime import datetime

from django.utils.translation import gettext as _

from marketplace.accounts.models import User
from marketplace.afterwards import afterwards
from payments.checks import PLAY_MONEY, mixes_money
from payments.errors import WithdrawalRefused
from payments.gateways import gateway
from payments.models import Account, PayoutAccount, Transfer, Withdrawal, WithdrawalLimit
from payments.money import display

from .balances import balance
from .booking import AccountKey, Entry, book, debt, earnings, inside_transaction, lock_purse, withdrawals
from .chargebacks import freeze_what_is_missing, lock_disputed_purse
from .clearing import lock_cleared_purse
from .payout_accounts import payout_account_of
from .sending import FIRST_RETRY, send_withdrawal

Status = Withdrawal.Status
Code = Account.Code


def request_withdrawal(user: User, *, currency: str, amount: int, at: datetime) -> Withdrawal:
    """Ask for `amount` (minor units) of what is available: available → withdrawals, and finance decides (M6).

    Money and row appear together, under the lock of the purse. What is due by now is cleared first (O7).
    WithdrawalRefused, with the sentence to show, for whatever stands in the way.
    """
    inside_transaction()
    lock_cleared_purse(user, currency, at=at)
    account = payout_account_of(user)
    _refuse(_why_not_now(user, currency, account) or _why_not_so_much(user, currency, amount))
    assert account
    number = Withdrawal.objects.filter(owner=user, currency=currency).count() + 1
    withdrawal = Withdrawal.objects.create(
        owner=user,
        account=account,
        paid_to=str(account),
        currency=currency,
        amount=amount,
        key=f"withdrawal-{user.pk}-{currency}-{number}-{amount}",
        provider=account.provider,
        requested_at=at,
    )
    source, destination = earnings(user.pk, currency), withdrawals(currency)
    book([Entry(source, destination, amount, Transfer.Kind.WITHDRAWAL, withdrawal=withdrawal)], at)
    return withdrawal


def cancel_withdrawal(withdrawal: Withdrawal, *, by: User, at: datetime) -> None:
    """Its owner calls it off before finance has decided: withdrawals → available. WithdrawalRefused otherwise."""
    inside_transaction()
    _refuse("" if by.pk == withdrawal.owner_id else _("Only who asked for a withdrawal can call it off."))
    lock_disputed_purse(withdrawal.owner_id, withdrawal.currency)
    _decide(
        withdrawal, _("It was decided already, so it cannot be called off any more."), status=Status.CANCELED, at=at
    )
    _give_back(withdrawal, at)


def approve_withdrawal(withdrawal: Withdrawal, *, by: User, at: datetime) -> None:
    """Finance lets the money go: the provider is asked after the commit (M6, M7).

    WithdrawalRefused for one's own, for one that is decided, and while its owner is deactivated (O20), has a debt
    unpaid (M10) or no account that can be paid to.
    """
    inside_transaction()
    # Under the lock of the purse, so that a debt that is booked at the same time is seen or comes after.
    lock_purse(withdrawal.owner_id, withdrawal.currency)
    owner = User.objects.get(pk=withdrawal.owner_id)
    account = PayoutAccount.objects.get(pk=withdrawal.account_id)
    _refuse(_why_not_by(withdrawal, by) or _why_not_sent(owner, account))
    decided = {"decided_by": by, "next_try_at": at + FIRST_RETRY}
    _decide(withdrawal, _("It was decided already."), status=Status.APPROVED, at=at, **decided)
    afterwards(send_withdrawal, withdrawal.pk)


def reject_withdrawal(withdrawal: Withdrawal, *, by: User, reason: str, at: datetime) -> None:
    """Finance does not let the money go: withdrawals → available, with a reason that the owner reads.

    WithdrawalRefused for one's own, for one that is decided, and without a reason.
    """
    inside_transaction()
    _refuse(_why_not_by(withdrawal, by) or ("" if reason.strip() else _("Say why: the seller reads it.")))
    lock_disputed_purse(withdrawal.owner_id, withdrawal.currency)
    decided = {"decided_by": by, "reason": reason.strip()[:300]}
    _decide(withdrawal, _("It was decided already."), status=Status.REJECTED, at=at, **decided)
    _give_back(withdrawal, at)


def pay_debt(user: User, *, currency: str, at: datetime) -> int:
    """Pay what is owed from what is available, as far as it goes: available → debt; returns how much (M10).

    WithdrawalRefused if nothing is owed in this currency, or nothing is available.
    """
    inside_transaction()
    lock_cleared_purse(user, currency, at=at)
    owed, available = -balance(user, currency, Code.DEBT), balance(user, currency)
    _refuse("" if owed > 0 else _("You owe nothing in this currency."))
    _refuse("" if available > 0 else _("Nothing is available to pay it from."))
    paid = min(owed, available)
    book([Entry(earnings(user.pk, currency), debt(user.pk, currency), paid, Transfer.Kind.DEBT_PAID)], at)
    return paid


def forgive_debt(user: User, *, currency: str, by: User, at: datetime) -> int:
    """For finance: the platform bears what a seller owes, so that they can withdraw again: loss → debt; how much.

    WithdrawalRefused if nothing is owed in this currency, or by the person who owes it.
    """
    inside_transaction()
    _refuse(_("Nobody forgives their own debt.") if by.pk == user.pk else "")
    lock_purse(user.pk, currency)
    owed = -balance(user, currency, Code.DEBT)
    _refuse("" if owed > 0 else _("Nothing is owed here."))
    book([Entry(AccountKey(Code.LOSS, currency), debt(user.pk, currency), owed, Transfer.Kind.DEBT_FORGIVEN)], at)
    return owed


def why_not_withdraw(user: User, currency: str) -> str:
    """Why this person can withdraw nothing of this currency now, whatever the amount; empty if they can."""
    return _why_not_now(user, currency, payout_account_of(user))


def _why_not_now(user: User, currency: str, account: PayoutAccount | None) -> str:
    # The row of now: the one at hand may be as old as the session.
    why_not = _why_not_sent(User.objects.get(pk=user.pk), account)
    if why_not:
        return why_not
    if Withdrawal.objects.in_flight().filter(owner=user, currency=currency).exists():
        return _("A withdrawal in {currency} is under way; wait until it is paid, or call it off.").format(
            currency=currency
        )
    return ""


def _why_not_sent(owner: User, account: PayoutAccount | None) -> str:
    if mixes_money():
        return PLAY_MONEY
    if not owner.is_active:
        return _("This person’s account is deactivated: nothing can be withdrawn.")
    if account is None:
        return _("Connect a bank account first.")
    if not account.is_ready:
        return _("The bank account cannot be paid to: {state}.").format(state=account.get_status_display().lower())
    owing = [row for row in Account.objects.with_balance().filter(owner=owner, code=Code.DEBT) if row.balance < 0]
    if owing:
        return _("A debt of {amount} has to be paid first.").format(
            amount=display(-owing[0].balance, owing[0].currency)
        )
    return ""


def _why_not_so_much(user: User, currency: str, amount: int) -> str:
    limit, available = WithdrawalLimit.objects.filter(currency=currency).first(), balance(user, currency)
    if limit is None:
        return _("Nothing can be withdrawn in {currency} at the moment.").format(currency=currency)
    if amount < limit.least:
        return _("The least that can be withdrawn is {amount}.").format(amount=display(limit.least, currency))
    if amount > limit.greatest:
        return _("The most that can be withdrawn at once is {amount}.").format(amount=display(limit.greatest, currency))
    if amount > available:
        return _("Only {amount} is available.").format(amount=display(available, currency))
    step = gateway().step(currency)
    if amount % step:
        return _("Withdrawals in {currency} go in steps of {step}.").format(
            currency=currency, step=display(step, currency)
        )
    return ""


def _why_not_by(withdrawal: Withdrawal, by: User) -> str:
    return _("Nobody decides about their own withdrawal.") if by.pk == withdrawal.owner_id else ""


def _refuse(why_not: str) -> None:
    if why_not:
        raise WithdrawalRefused(why_not)


def _decide(withdrawal: Withdrawal, why_not: str, *, status: str, at: datetime, **news: object) -> None:
    """Claim a requested withdrawal for one decision: whoever comes second is refused."""
    news = {"status": status, "decided_at": at, **news}
    if not Withdrawal.objects.filter(pk=withdrawal.pk, status=Status.REQUESTED).update(**news):
        raise WithdrawalRefused(why_not)
    for name, value in news.items():
        setattr(withdrawal, name, value)


def _give_back(withdrawal: Withdrawal, at: datetime) -> None:
    source, destination = withdrawals(withdrawal.currency), earnings(withdrawal.owner_id, withdrawal.currency)
    kind = Transfer.Kind.WITHDRAWAL_RETURNED
    book([Entry(source, destination, withdrawal.amount, kind, withdrawal=withdrawal)], at)
    freeze_what_is_missing(withdrawal.owner_id, withdrawal.currency, at=at)
