"""Money that a payer's bank is deciding about stays where it is (M10)."""

from django.utils.translation import gettext as _

from payments.errors import Disputed
from payments.models import Charge, Chargeback, HeldFunds

_DECIDING = _("The buyer's bank has taken the payment back and is deciding; until then nothing can be moved.")


def refuse_disputed(*many: HeldFunds) -> None:
    """Raise `Disputed` while the bank is deciding about the charge that funded one of these. One query."""
    if Chargeback.objects.holding_up([held.pk for held in many]).exists():
        raise Disputed(_DECIDING)


def refuse_disputed_charge(charge: Charge) -> None:
    """Raise `Disputed` while the bank is deciding about this charge: nothing more of it goes back meanwhile."""
    if charge.chargebacks.undecided().exists():
        raise Disputed(_DECIDING)
