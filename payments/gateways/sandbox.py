"""The embedded provider: no real money moves, and test cards make every outcome happen.

It keeps a book of its own, committed on its own. Its events are signed and go the way of any provider's.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.urls import reverse
from django.utils.translation import gettext_noop as _

from marketplace import clock
from payments.models import SandboxCharge, SandboxRefund

from .base import (
    ChargeRequest,
    GatewayError,
    GatewayUnavailable,
    KeptCard,
    Outcome,
    ParsedEvent,
    PaymentMethod,
    RefundRequest,
    State,
    outside_transaction,
)
from .sandbox_bank import SandboxBank
from .sandbox_disputes import taken_back
from .sandbox_events import announce_charge, announce_refund, parse, read

CARDS = (
    PaymentMethod("card_ok", "Visa ending in 4242", "4242 4242 4242 4242", _("Succeeds at once.")),
    PaymentMethod("card_declined", "Visa ending in 0002", "4000 0000 0000 0002", _("Is declined.")),
    PaymentMethod(
        "card_authentication",
        "Visa ending in 3220",
        "4000 0000 0000 3220",
        _("Asks you to confirm the payment on your bank's page."),
    ),
    PaymentMethod(
        "card_processing",
        "Visa ending in 7726",
        "4000 0000 0000 7726",
        _("Is processing for a while, then succeeds."),
    ),
    PaymentMethod(
        "card_processing_fails",
        "Visa ending in 7734",
        "4000 0000 0000 7734",
        _("Is processing for a while, then fails."),
    ),
    PaymentMethod(
        "card_lost",
        "Visa ending in 6975",
        "4000 0000 0000 6975",
        _("Is charged, but the answer gets lost."),
    ),
    PaymentMethod(
        "card_refund_refused",
        "Visa ending in 5126",
        "4000 0000 0000 5126",
        _("Succeeds, but refuses every refund."),
    ),
    PaymentMethod(
        "card_disputed",
        "Visa ending in 0259",
        "4000 0000 0000 0259",
        _("Succeeds, then the payer's bank takes the money back after a while."),
    ),
)


class SandboxGateway(SandboxBank):
    name: ClassVar[str] = "sandbox"
    signature_header: ClassVar[str] = "Signature"

    def step(self, currency: str) -> int:
        return 1

    def least(self, currency: str) -> int:
        return self.step(currency)

    def payment_methods(self) -> Sequence[PaymentMethod]:
        return CARDS

    def open_customer(self, key: str) -> str:
        return key

    def forget_card(self, customer: str, card_id: str) -> None:
        """The sandbox keeps nothing but the names of its test cards."""

    def charge(self, request: ChargeRequest) -> Outcome:
        outside_transaction()
        at = clock.now()
        with transaction.atomic():
            charge, created = SandboxCharge.objects.get_or_create(
                key=request.key,
                defaults={
                    "amount": request.amount,
                    "currency": request.currency,
                    "method": request.method,
                    "description": request.description,
                    "reference": request.reference,
                    "return_url": request.return_url,
                    "created_at": at,
                    **_first_state(request.method, at),
                },
            )
            if created:
                announce_charge(charge, at)
        asked = (request.amount, request.currency)
        if not created and charge.method and (charge.amount, charge.currency) != asked:
            raise GatewayError(f"The key {request.key} was used for another amount.")
        if created and request.method == "card_lost":
            raise GatewayUnavailable("The answer was lost.")
        return _outcome(charge)

    def find_charge(self, request: ChargeRequest) -> Outcome:
        outside_transaction()
        with transaction.atomic():
            charge = SandboxCharge.objects.select_for_update().filter(key=request.key).first()
            if charge is None:
                return Outcome(State.UNKNOWN)
            _settle(charge, clock.now())
        return _outcome(charge)

    def cancel_charge(self, request: ChargeRequest) -> Outcome:
        """Cancels what waits for the payer. What is processing cannot be canceled: it stays `processing`."""
        outside_transaction()
        at = clock.now()
        with transaction.atomic():
            canceled_in_advance = {
                "amount": 0,
                "status": State.CANCELED,
                "reason": _("Canceled."),
                "created_at": at,
            }
            charge, created = SandboxCharge.objects.select_for_update().get_or_create(
                key=request.key, defaults=canceled_in_advance
            )
            if not created:
                _settle(charge, at)
            if charge.status == State.ACTION_NEEDED:
                _decide(charge, State.CANCELED, _("Canceled."), at)
        return _outcome(charge)

    def refund(self, request: RefundRequest) -> Outcome:
        outside_transaction()
        at = clock.now()
        with transaction.atomic():
            try:
                charge = SandboxCharge.objects.select_for_update().get(pk=uuid.UUID(request.charge_id))
            except (ValueError, SandboxCharge.DoesNotExist):
                raise GatewayError("There is no such charge.") from None
            refund = SandboxRefund.objects.filter(key=request.key).first()
            if refund is None:
                reason = _why_not_refund(charge, request.amount)
                refund = SandboxRefund.objects.create(
                    key=request.key,
                    charge=charge,
                    amount=request.amount,
                    status=State.FAILED if reason else State.SUCCEEDED,
                    reason=reason,
                    created_at=at,
                )
                if not reason:
                    SandboxCharge.objects.filter(pk=charge.pk).update(refunded=F("refunded") + request.amount)
                announce_refund(refund, at)
        if (refund.charge_id, refund.amount) != (charge.pk, request.amount):
            raise GatewayError(f"The key {request.key} was used for another refund.")
        return Outcome(State(refund.status), provider_id=str(refund.pk), reason=refund.reason)

    def find_refund(self, request: RefundRequest) -> Outcome:
        outside_transaction()
        refund = SandboxRefund.objects.filter(key=request.key).first()
        if refund is None:
            return Outcome(State.UNKNOWN)
        return Outcome(State(refund.status), provider_id=str(refund.pk), reason=refund.reason)

    def receive(self, raw_body: bytes, signature: str) -> ParsedEvent:
        return read(raw_body, signature)

    def reread(self, body: Mapping[str, Any]) -> ParsedEvent:
        return parse(body)


def confirm(charge_id: uuid.UUID, *, approved: bool, at: datetime) -> SandboxCharge:
    """The payer's answer on the bank's page. Only the first one counts. Raises SandboxCharge.DoesNotExist."""
    outside_transaction()
    with transaction.atomic():
        charge = SandboxCharge.objects.select_for_update().get(pk=charge_id)
        if charge.status == State.ACTION_NEEDED and approved:
            _decide(charge, State.SUCCEEDED, "", at)
        elif charge.status == State.ACTION_NEEDED:
            _decide(charge, State.FAILED, _("You did not confirm the payment."), at)
    return charge


def settle_processing(at: datetime, batch: int = 200) -> int:
    """Let the bank decide what has been processing for long enough; returns how many."""
    outside_transaction()
    with transaction.atomic():
        due = SandboxCharge.objects.filter(status=State.PROCESSING, settles_at__lte=at).order_by("settles_at")
        charges = list(due.select_for_update(skip_locked=True)[:batch])
        for charge in charges:
            _settle(charge, at)
    return len(charges)


def _first_state(method: str, at: datetime) -> dict[str, object]:
    match method:
        case "card_ok" | "card_lost" | "card_refund_refused":
            return {"status": State.SUCCEEDED}
        case "card_disputed":
            return {"status": State.SUCCEEDED, "settles_at": at + timedelta(seconds=settings.SANDBOX_DISPUTED)}
        case "card_authentication":
            return {"status": State.ACTION_NEEDED}
        case "card_processing" | "card_processing_fails":
            return {
                "status": State.PROCESSING,
                "settles_at": at + timedelta(seconds=settings.SANDBOX_PROCESSING),
            }
        case "card_declined":
            return {"status": State.FAILED, "reason": _("Your card was declined.")}
        case _:
            return {"status": State.FAILED, "reason": "There is no such card."}


def _settle(charge: SandboxCharge, at: datetime) -> None:
    if charge.status != State.PROCESSING or charge.settles_at is None or charge.settles_at > at:
        return
    if charge.method == "card_processing_fails":
        _decide(charge, State.FAILED, _("Your bank refused the payment."), at)
    else:
        _decide(charge, State.SUCCEEDED, "", at)


def _decide(charge: SandboxCharge, state: State, reason: str, at: datetime) -> None:
    charge.status, charge.reason = state, reason
    charge.save(update_fields=["status", "reason"])
    announce_charge(charge, at)


def _outcome(charge: SandboxCharge) -> Outcome:
    state = State(charge.status)
    waits = state == State.ACTION_NEEDED
    action_url = reverse("payments:sandbox_authenticate", args=[charge.pk]) if waits else ""
    card = next((card for card in CARDS if card.code == charge.method), None)
    return Outcome(
        state,
        provider_id=str(charge.pk),
        reason=charge.reason,
        action_url=action_url,
        method_label=card.label if card else "",
        card=KeptCard(card.code, card.label) if card and state == State.SUCCEEDED else None,
    )


def _why_not_refund(charge: SandboxCharge, amount: int) -> str:
    if charge.status != State.SUCCEEDED:
        return _("This charge did not succeed.")
    if charge.method == "card_refund_refused":
        return _("The card's bank refuses refunds.")
    if amount < 1 or charge.refunded + amount > charge.amount - taken_back(charge):
        return _("That is more than is left of the charge.")
    return ""
