"""The promises about money, checked over all rows; written from the rules, not from the code (I1 to I8)."""

from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal

from django.db.models import Q

from payments import services
from payments.models import Account, Charge, HeldFunds, Refund, SandboxCharge, SandboxRefund, Transfer

MAY_BE_NEGATIVE = {"clearing", "chargebacks", "debt", "loss"}


def share(price: int, rate: int, step: int = 1) -> int:
    """`rate` basis points of `price`, half up, by another road than the code's (I6)."""
    return step * int((Decimal(price) * rate / 10_000 / step).quantize(Decimal(1), ROUND_HALF_UP))


def check_ledger() -> None:
    """Everything that holds at any instant, whatever is under way."""
    transfers = list(Transfer.objects.select_related("source", "destination").order_by("pk"))
    _transfers_are_sound(transfers)
    _balances_agree(transfers)
    for held in HeldFunds.objects.all():
        check_held(held)


def check_at_rest() -> None:
    """What holds besides when nothing is under way: every movement at the provider is booked here, once (I7)."""
    check_ledger()
    assert not Charge.objects.undecided().exists()
    assert not Refund.objects.unsettled().exists()
    charged = {(row.key, row.amount) for row in SandboxCharge.objects.filter(status="succeeded")}
    booked = Charge.objects.filter(Q(funded=True) | Q(surplus=True))
    assert {(row.key, row.amount) for row in booked} == charged
    assert booked.count() == Charge.objects.filter(status="succeeded").count() == len(charged)
    given_back = {(row.key, row.amount) for row in SandboxRefund.objects.filter(status="succeeded")}
    assert {(row.key, row.amount) for row in Refund.objects.filter(status="succeeded")} == given_back


def _transfers_are_sound(transfers: list[Transfer]) -> None:
    for transfer in transfers:
        assert transfer.amount > 0
        assert transfer.source_id != transfer.destination_id
        assert transfer.currency == transfer.source.currency == transfer.destination.currency


def _balances_agree(transfers: list[Transfer]) -> None:
    balances: dict[int, int] = defaultdict(int)
    for transfer in transfers:
        balances[transfer.source_id] -= transfer.amount
        balances[transfer.destination_id] += transfer.amount
    per_currency: dict[str, int] = defaultdict(int)
    for account in Account.objects.with_balance():
        assert account.balance == balances[account.pk]
        assert account.balance >= 0 or account.code in MAY_BE_NEGATIVE
        per_currency[account.currency] += account.balance
    assert not any(per_currency.values())


def check_held(held: HeldFunds) -> None:
    """One milestone's money: its transfers in order, its counters, its operations and what people are shown."""
    held_now = refunds_due = 0
    moved: dict[str, int] = defaultdict(int)
    for transfer in held.transfers.select_related("source", "destination"):
        held_now += transfer.amount * ((transfer.destination.code == "held") - (transfer.source.code == "held"))
        refunds_due += transfer.amount * (
            (transfer.destination.code == "refunds_due") - (transfer.source.code == "refunds_due")
        )
        assert held_now >= 0
        assert refunds_due >= 0
        moved[transfer.kind] += transfer.amount
    assert held_now == held.amount - held.refunded - held.released - held.charged_back
    assert moved["charge"] == held.amount
    assert moved["refund"] == held.refunded
    assert moved["earning"] + moved["fee"] == held.released
    if held.released:
        assert held_now == 0
        assert moved["earning"] == held.left_price - share(held.left_price, held.commission_rate)
        assert held.amount - held.refunded == held.left_price + share(held.left_price, held.buyer_fee_rate, held.step)
    assert sum(charge.amount for charge in held.charges.all() if charge.funded) == held.amount
    assert sum(charge.amount for charge in held.charges.all() if charge.surplus) == moved["surplus"]
    settled = sum(refund.amount for refund in held.refunds.all() if refund.status == "succeeded")
    owed = sum(refund.amount for refund in held.refunds.all() if refund.status != "succeeded" and not refund.retried)
    assert (settled, owed) == (moved["refunded"], refunds_due)
    cents = services.where_every_cent_is([held.reference])[held.reference]
    assert cents.charged == moved["charge"] + moved["surplus"]
    assert cents.charged == (
        cents.held + cents.seller + cents.fees + cents.refunds_due + cents.refunded + cents.charged_back
    )
