"""Money that a payer's bank is deciding about stays where it is (M10)."""

from collections.abc import Collection

from payments.errors import Disputed
from payments.models import Chargeback, HeldFunds


def refuse_disputed(*many: HeldFunds) -> None:
    """Raise `Disputed` while the bank is deciding about the charge that funded one of these. One query."""
    if disputed([held.pk for held in many]):
        raise Disputed("The buyer's bank has taken the payment back and is deciding; until then nothing can be moved.")


def disputed(held_ids: Collection[int]) -> bool:
    """Whether the bank is deciding about the charge that funded one of these."""
    undecided = Chargeback.objects.undecided()
    return undecided.filter(charge__held__in=held_ids, charge__funded=True).exists()
