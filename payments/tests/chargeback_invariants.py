"""The promises about chargebacks, checked over all rows; written from M10 and M11, not from the code."""

from collections import defaultdict

from payments.models import Account, Chargeback, HeldFunds, SandboxDispute


def check_chargebacks(accounts: list[Account]) -> None:
    """What the bank took, where it came from, and what is open, holds at any instant."""
    open_by_currency: dict[str, int] = defaultdict(int)
    frozen: dict[tuple[int, str], int] = defaultdict(int)
    for chargeback in Chargeback.objects.select_related("charge__held"):
        uncovered = check_chargeback(chargeback)
        open_by_currency[chargeback.currency] += uncovered
        if chargeback.status == "open":
            frozen[chargeback.charge.held.payee_id, chargeback.currency] += chargeback.frozen
    in_account = {row.currency: -row.balance for row in accounts if row.code == "chargebacks"}
    assert {key: amount for key, amount in open_by_currency.items() if amount} == {
        key: amount for key, amount in in_account.items() if amount
    }
    set_aside = {(row.owner_id, row.currency): row.balance for row in accounts if row.code == "earnings_frozen"}
    assert {key: amount for key, amount in frozen.items() if amount} == {
        key: amount for key, amount in set_aside.items() if amount
    }
    for held in HeldFunds.objects.filter(charges__chargebacks__isnull=False).distinct():
        lost = list(held.transfers.filter(kind="chargeback_lost").select_related("source"))
        assert held.charged_back == sum(row.amount for row in lost if row.source.code == "held")
        from_seller = sum(row.amount for row in lost if row.source.code in ("earnings_frozen", "debt"))
        paid = sum(row.amount for row in held.transfers.filter(kind="earning"))
        assert from_seller <= paid, "the seller lost more than the milestone paid them"


def check_chargeback(chargeback: Chargeback) -> int:
    """One chargeback; returns how much of it no account has paid for yet."""
    moved: dict[str, int] = defaultdict(int)
    lost: dict[str, int] = defaultdict(int)
    for transfer in chargeback.transfers.select_related("source"):
        assert transfer.held_id == chargeback.charge.held_id
        moved[transfer.kind] += transfer.amount
        if transfer.kind == "chargeback_lost":
            lost[transfer.source.code] += transfer.amount
    won, is_lost = chargeback.status == "won", chargeback.status == "lost"
    assert moved["chargeback"] == chargeback.amount
    assert moved["chargeback_won"] == (chargeback.amount if won else 0)
    assert moved["frozen"] - moved["unfrozen"] == (0 if won else chargeback.frozen)
    assert is_lost or moved["frozen"] == chargeback.frozen
    assert lost["earnings_frozen"] == (chargeback.frozen if is_lost else 0)
    assert set(lost) <= {"held", "earnings_frozen", "refunds_due", "debt", "loss"}
    assert is_lost or not any(lost.values())
    if is_lost:
        covered = lost["held"] + lost["earnings_frozen"] + lost["refunds_due"]
        assert covered + chargeback.rest == chargeback.amount
        assert lost["debt"] + lost["loss"] == (chargeback.rest if chargeback.rest_decided_at else 0)
        assert not lost["debt"] or chargeback.rest_as == "debt"
    return 0 if won else chargeback.amount - sum(lost.values())


def check_with_bank() -> None:
    """With nothing under way, ours and the sandbox's book say the same."""
    theirs = {(str(row.pk), row.amount, row.status) for row in SandboxDispute.objects.all()}
    words = {"open": "taken"}
    ours = {(row.provider_id, row.amount, words.get(row.status, row.status)) for row in Chargeback.objects.all()}
    assert ours == theirs
