"""The payers' banks of the sandbox: they take charges back, and decide whether the seller or the buyer is right."""

import uuid
from datetime import datetime

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext_noop as _

from payments.models import SandboxCharge, SandboxDispute

from .base import DisputeState, State, outside_transaction
from .sandbox_events import announce_dispute

REASON = _("The cardholder does not recognize this payment.")


class NothingToDispute(Exception):
    """The bank has nothing to take back, is deciding already, or has decided."""


def take_back(charge_id: uuid.UUID, *, at: datetime) -> SandboxDispute:
    """The payer's bank takes back what was not refunded of a charge, and begins to decide. NothingToDispute."""
    outside_transaction()
    with transaction.atomic():
        charge = SandboxCharge.objects.select_for_update().get(pk=charge_id)
        return _take(charge, at)


def decide(dispute_id: uuid.UUID, *, won: bool, at: datetime) -> SandboxDispute:
    """The bank decides for the seller (`won`) or for the buyer, once. NothingToDispute if it has decided."""
    outside_transaction()
    with transaction.atomic():
        dispute = SandboxDispute.objects.select_for_update(of=("self",)).select_related("charge").get(pk=dispute_id)
        if dispute.status != DisputeState.TAKEN:
            raise NothingToDispute("The bank has decided already.")
        dispute.status = DisputeState.WON if won else DisputeState.LOST
        dispute.save(update_fields=["status"])
        announce_dispute(dispute, at)
    return dispute


def take_back_due(at: datetime, batch: int = 200) -> int:
    """Take back what was charged to the test card that is always disputed, after its while; returns how many."""
    outside_transaction()
    with transaction.atomic():
        due = SandboxCharge.objects.filter(method="card_disputed", settles_at__lte=at).order_by("settles_at")
        charges = list(due.select_for_update(skip_locked=True)[:batch])
        SandboxCharge.objects.filter(pk__in=[charge.pk for charge in charges]).update(settles_at=None)
        return sum(_take_what_is_left(charge, at) for charge in charges)


def taken_back(charge: SandboxCharge) -> int:
    """What the payer's bank has of this charge, now or for good."""
    taken: int = charge.disputes.exclude(status=DisputeState.WON).aggregate(taken=Sum("amount", default=0))["taken"]
    return taken


def _take_what_is_left(charge: SandboxCharge, at: datetime) -> bool:
    try:
        _take(charge, at)
    except NothingToDispute:
        return False
    return True


def _take(charge: SandboxCharge, at: datetime) -> SandboxDispute:
    amount = charge.amount - charge.refunded - taken_back(charge)
    if charge.status != State.SUCCEEDED or amount < 1:
        raise NothingToDispute("Nothing is left of this charge that a bank could take back.")
    dispute = SandboxDispute.objects.create(
        charge=charge, amount=amount, status=DisputeState.TAKEN, reason=REASON, created_at=at
    )
    announce_dispute(dispute, at)
    return dispute
