"""The promises about money, checked over all rows; written from the rules, not from the code (I1 to I8)."""

from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal

from django.db.models import Q, Sum

from payments import services
from payments.models import (
    Account,
    Charge,
    HeldFunds,
    Refund,
    SandboxCharge,
    SandboxPayout,
    SandboxRefund,
    Transfer,
    Withdrawal,
)

from .chargeback_invariants import check_chargebacks, check_with_bank

MAY_BE_NEGATIVE = {"clearing", "chargebacks", "debt", "loss"}
DUE = "refunds_due"
PURSE = {"earnings_clearing", "earnings_available", "earnings_frozen", "debt"}


def share(price: int, rate: int, step: int = 1) -> int:
    """`rate` basis points of `price`, half up, by another road than the code's (I6)."""
    return step * int((Decimal(price) * rate / 10_000 / step).quantize(Decimal(1), ROUND_HALF_UP))


def check_ledger() -> None:
    """Everything that holds at any instant, whatever is under way."""
    transfers = list(Transfer.objects.select_related("source", "destination").order_by("pk"))
    accounts = list(Account.objects.with_balance())
    _transfers_are_sound(transfers)
    _balances_agree(transfers, accounts)
    _reserved_credit_has_its_attempt(accounts)
    _withdrawals_are_where_they_say(transfers, accounts)
    _people_have_what_came_less_what_went(transfers, accounts)
    check_chargebacks(accounts)
    of_each = ("transfers__source", "transfers__destination", "charges__transfers", "charges__refunds", "refunds")
    funds = HeldFunds.objects.prefetch_related(*of_each)
    cents = services.where_every_cent_is([held.reference for held in funds])
    for held in funds:
        _check_held(held, cents[held.reference])


def check_at_rest() -> None:
    """What holds besides when nothing is under way: every movement at the provider is booked here, once (I7)."""
    check_ledger()
    assert not Charge.objects.undecided().exists()
    assert not Refund.objects.unsettled().exists()
    assert not Withdrawal.objects.unsettled().exists()
    paid_out = {(row.key, row.amount) for row in SandboxPayout.objects.filter(status="succeeded")}
    assert {(row.key, row.amount) for row in Withdrawal.objects.filter(status="paid")} == paid_out
    charged = {(row.key, row.amount) for row in SandboxCharge.objects.filter(status="succeeded")}
    booked = Charge.objects.filter(Q(funded=True) | Q(surplus=True))
    assert booked.count() == Charge.objects.filter(status="succeeded").count()
    by_card = [(row.key, row.card_amount) for row in booked if row.card_amount]
    assert (set(by_card), len(by_card)) == (charged, len(charged))
    given_back = {(row.key, row.amount) for row in SandboxRefund.objects.filter(status="succeeded")}
    confirmed = Refund.objects.filter(status="succeeded")
    assert {(row.key, row.card_amount) for row in confirmed if row.card_amount} == given_back
    check_with_bank()


def _transfers_are_sound(transfers: list[Transfer]) -> None:
    for transfer in transfers:
        assert transfer.amount > 0
        assert transfer.source_id != transfer.destination_id
        assert transfer.currency == transfer.source.currency == transfer.destination.currency


def _balances_agree(transfers: list[Transfer], accounts: list[Account]) -> None:
    balances: dict[int, int] = defaultdict(int)
    for transfer in transfers:
        balances[transfer.source_id] -= transfer.amount
        balances[transfer.destination_id] += transfer.amount
    per_currency: dict[str, int] = defaultdict(int)
    for account in accounts:
        assert account.balance == balances[account.pk]
        assert account.balance >= 0 or account.code in MAY_BE_NEGATIVE
        per_currency[account.currency] += account.balance
    assert not any(per_currency.values())


def _net_into(transfers: list[Transfer], code: str) -> int:
    """What these transfers brought into accounts of this kind."""
    return sum(
        transfer.amount * ((transfer.destination.code == code) - (transfer.source.code == code))
        for transfer in transfers
    )


def _withdrawals_are_where_they_say(transfers: list[Transfer], accounts: list[Account]) -> None:
    """With the seller, in flight or at the provider: in one place, as the row's status says (M6)."""
    of: dict[int, list[Transfer]] = defaultdict(list)
    for transfer in transfers:
        if transfer.withdrawal_id:
            of[transfer.withdrawal_id].append(transfer)
            assert transfer.held_id is None
    for withdrawal in Withdrawal.objects.all():
        moved = of[withdrawal.pk]
        flies = withdrawal.amount * (withdrawal.status in ("requested", "approved", "sending", "sent"))
        paid = withdrawal.amount * (withdrawal.status == "paid")
        assert (_net_into(moved, "withdrawals"), _net_into(moved, "clearing")) == (flies, paid)
        personal = {(end.owner_id, end.currency) for row in moved for end in (row.source, row.destination) if end.owner}
        assert personal == {(withdrawal.owner_id, withdrawal.currency)}
    in_flight = Withdrawal.objects.in_flight().order_by().values_list("currency").annotate(total=Sum("amount"))
    balances = [account for account in accounts if account.code == "withdrawals"]
    assert dict(in_flight) == {account.currency: account.balance for account in balances if account.balance}


def _people_have_what_came_less_what_went(transfers: list[Transfer], accounts: list[Account]) -> None:
    """I18: what a seller earned is there, or went out as a withdrawal or to a lost chargeback."""
    purses: dict[tuple[int, str], int] = defaultdict(int)
    for account in accounts:
        if account.code in PURSE:
            purses[account.owner_id, account.currency] += account.balance
    for withdrawal in Withdrawal.objects.exclude(status__in=["rejected", "canceled", "failed"]):
        purses[withdrawal.owner_id, withdrawal.currency] += withdrawal.amount
    for transfer in transfers:
        if transfer.kind == "chargeback_lost" and transfer.source.code in PURSE:
            purses[transfer.source.owner_id, transfer.currency] += transfer.amount
        elif transfer.kind == "debt_forgiven":
            purses[transfer.destination.owner_id, transfer.currency] -= transfer.amount
    earned: dict[tuple[int, str], int] = defaultdict(int)
    for held in HeldFunds.objects.filter(released_at__isnull=False):
        earned[held.payee_id, held.currency] += held.left_price - share(held.left_price, held.commission_rate)
        # Waiting ⇔ there is a date that has not been cleared.
        assert held.available_at == held.released_at + held.clearing
        assert held.cleared_at is None or held.cleared_at >= held.released_at
    assert {key: amount for key, amount in purses.items() if amount} == {k: v for k, v in earned.items() if v}


def check_held(held: HeldFunds) -> None:
    """One milestone's money: its transfers in order, its counters, its operations and what people are shown."""
    _check_held(held, services.where_every_cent_is([held.reference])[held.reference])


def _check_held(held: HeldFunds, cents: services.Cents) -> None:
    held_now = refunds_due = 0
    moved: dict[str, int] = defaultdict(int)
    transfers = list(held.transfers.all())
    for transfer in transfers:
        held_now += transfer.amount * ((transfer.destination.code == "held") - (transfer.source.code == "held"))
        refunds_due += transfer.amount * ((transfer.destination.code == DUE) - (transfer.source.code == DUE))
        assert held_now >= 0
        assert refunds_due >= 0
        moved[transfer.kind] += transfer.amount
    assert held_now == held.amount - held.refunded - held.released - held.charged_back
    assert moved["charge"] + moved["credit_spent"] == held.amount
    assert moved["refund"] == held.refunded
    assert moved["earning"] + moved["fee"] == held.released
    clears = _net_into(transfers, "earnings_clearing")
    if held.cleared_at:
        assert clears == 0
    if held.released:
        assert held_now == 0
        assert clears == 0 or (clears <= moved["earning"] and held.clearing)
        assert moved["earning"] == held.left_price - share(held.left_price, held.commission_rate)
        assert held.amount - held.refunded == held.left_price + share(held.left_price, held.buyer_fee_rate, held.step)
    charges, refunds = list(held.charges.all()), list(held.refunds.all())
    for charge in charges:
        check_charge(charge)
    standing = [refund for refund in refunds if not refund.retried]
    # Of a refund that was refused and given again, only the credit part stands; the rest is the new attempt's.
    again = sum(refund.credit for refund in refunds if refund.retried)
    taken_instead = sum(row.amount for row in transfers if row.kind == "chargeback_lost" and row.source.code == DUE)
    assert sum(refund.amount for refund in standing) + again + taken_instead == moved["refund"] + moved["surplus"]
    assert sum(refund.credit for refund in refunds) == moved["credited"]
    settled = sum(refund.card_amount for refund in standing if refund.status == "succeeded")
    owed = sum(refund.card_amount for refund in standing if refund.status != "succeeded")
    assert (settled, owed) == (moved["refunded"] - moved["refund_returned"], refunds_due)
    assert cents.with_credit == moved["credit_spent"]
    assert cents.charged == moved["charge"] + moved["surplus"] + cents.with_credit
    assert cents.as_credit == moved["credited"]
    assert cents.charged == (
        cents.held + cents.seller + cents.fees + cents.refunds_due + cents.refunded + cents.charged_back
    )


def check_charge(charge: Charge) -> None:
    """One attempt: card and credit each went where the row says, and the card got back no more than it gave."""
    moved: dict[str, int] = defaultdict(int)
    for transfer in charge.transfers.all():
        moved[transfer.kind] += transfer.amount
    assert moved["charge"] == charge.card_amount * charge.funded
    assert moved["surplus"] == charge.card_amount * charge.surplus
    assert moved["credit_spent"] == charge.credit * charge.funded
    aside = moved["credit_reserved"] - moved["credit_returned"] - moved["credit_spent"]
    assert aside in ([charge.credit] if not charge.decided else [0, charge.credit] if not booked(charge) else [0])
    to_card = sum(refund.card_amount for refund in charge.refunds.all() if not refund.retried)
    assert to_card <= charge.card_amount


def booked(charge: Charge) -> bool:
    return charge.status != "succeeded" or charge.funded or charge.surplus


def _reserved_credit_has_its_attempt(accounts: list[Account]) -> None:
    reserved: dict[tuple[int, str], int] = defaultdict(int)
    # A success whose booking is still to come has its credit yet.
    for charge in Charge.objects.filter(Q(funded=False, surplus=False), credit__gt=0).select_related("held"):
        aside = charge.transfers.filter(destination__code="credit_reserved").aggregate(total=Sum("amount", default=0))
        back = charge.transfers.filter(source__code="credit_reserved").aggregate(total=Sum("amount", default=0))
        reserved[charge.held.payer_id, charge.currency] += aside["total"] - back["total"]
    for account in accounts:
        if account.code == "credit_reserved":
            assert account.balance == reserved[account.owner_id, account.currency]
