"""Refunds: held → refunds due under the caller's lock, refunds due → clearing when the provider confirms (M9)."""

import logging
from collections.abc import Collection
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import F

from marketplace import clock
from payments.backoff import next_try
from payments.errors import BadPart, NothingHeld, NotRefused
from payments.gateways import (
    Gateway,
    GatewayError,
    GatewayUnavailable,
    Outcome,
    RefundRequest,
    State,
    gateway,
    outside_transaction,
)
from payments.models import Charge, HeldFunds, Refund, Transfer

from .booking import Entry, book, clearing, held_funds, inside_transaction, refunds_due
from .charging import claim_success
from .disputed import refuse_disputed

logger = logging.getLogger(__name__)

BATCH = 200
FIRST_RETRY = timedelta(seconds=30)

Status = Refund.Status
_TAKEN_FROM: dict[State, Collection[Status]] = {
    # Refused after all this time, yet the money went: then it went.
    State.SUCCEEDED: (*Refund.UNSETTLED, Status.REFUSED),
    State.FAILED: Refund.UNSETTLED,
    State.PROCESSING: (Status.CREATED, Status.ASKING),
}
_STATUS = {State.SUCCEEDED: Status.SUCCEEDED, State.FAILED: Status.REFUSED, State.PROCESSING: Status.PENDING}


def refund_part(held: HeldFunds, *, price: int, at: datetime) -> Refund:
    """Give back a part of the price and the fee on it: r + fee(price) - fee(price - r) (M3).

    Held → refunds due now; the provider is asked after the commit. BadPart unless 0 < part < what is left of the
    price; NothingHeld if nothing is held any more.
    """
    if not 0 < price < held.left_price or price % held.step:
        raise BadPart("A partial refund is more than nothing and less than what is left of the price.")
    return _refund(held, amount=held.refund_of(price), price=price, at=at)


def refund_all(held: HeldFunds, *, at: datetime) -> Refund:
    """Give back all that is left, price and fee. Held → refunds due now; the provider is asked after the commit.

    NothingHeld if it was never funded, or was released, refunded or charged back.
    """
    return _refund(held, amount=held.left, price=held.left_price, at=at)


def _refund(held: HeldFunds, *, amount: int, price: int, at: datetime) -> Refund:
    inside_transaction()
    refuse_disputed(held)
    with transaction.atomic():
        # The counters that `amount` was computed from must still be the same, else nothing happens.
        untouched = HeldFunds.objects.filter(
            pk=held.pk, refunded=held.refunded, refunded_price=held.refunded_price, charged_back=held.charged_back
        )
        enough = untouched.filter(released=0, amount__gte=F("refunded") + F("charged_back") + amount)
        if amount < 1 or not enough.update(refunded=F("refunded") + amount, refunded_price=F("refunded_price") + price):
            raise NothingHeld("Nothing is left to refund: it was never funded, or went its way already.")
        charge = held.charges.select_related("held").get(funded=True)
        # What was refunded before only grows, so it numbers the refunds of a charge.
        refund = _owe(charge, amount, key=f"refund-{charge.key}-{held.refunded}-{amount}", at=at)
        source, destination = held_funds(held.currency), refunds_due(held.currency)
        book([Entry(source, destination, amount, Transfer.Kind.REFUND, held, refund=refund)], at)
    held.refunded += amount
    held.refunded_price += price
    return refund


def send_back(charge: Charge, *, at: datetime) -> Refund:
    """Send back a success that can no longer fund anything: clearing → refunds due, provider asked after commit (M8).

    NotBookable if the charge has not succeeded or is booked.
    """
    inside_transaction()
    with transaction.atomic():
        claim_success(charge, as_="surplus")
        refund = _owe(charge, charge.amount, key=f"refund-{charge.key}-0-{charge.amount}", at=at)
        source, destination = clearing(charge), refunds_due(charge.currency)
        book([Entry(source, destination, charge.amount, Transfer.Kind.SURPLUS, charge.held, charge, refund)], at)
    return refund


def _owe(charge: Charge, amount: int, *, key: str, at: datetime, attempt: int = 1) -> Refund:
    refund = Refund.objects.create(
        held=charge.held,
        charge=charge,
        amount=amount,
        key=key,
        attempt=attempt,
        provider=charge.provider,
        created_at=at,
        next_try_at=at + FIRST_RETRY,
    )
    transaction.on_commit(partial(send_refund, refund.pk), robust=True)
    return refund


def send_refund(refund_id: int) -> None:
    """Steps 2 and 3, without transaction or lock: ask the provider, then record what it said.

    Asked for again, it first finds out what became of it. No answer leaves it for `settle_refunds`. Never raises
    for what the provider does.
    """
    outside_transaction()
    refund = Refund.objects.select_related("charge", "held").get(pk=refund_id)
    if refund.status not in Refund.UNSETTLED:
        return
    at = clock.now()
    claimed = Refund.objects.filter(pk=refund.pk, status=Status.CREATED).update(status=Status.ASKING, asked_at=at)
    provider = gateway(refund.provider)
    try:
        outcome = _give_back(refund, provider) if claimed else _find_out(refund, provider)
    except GatewayUnavailable:
        logger.warning("No answer about %s; it will be asked again.", refund.key)
        return
    except Exception:
        logger.exception("Asking about %s went wrong; it will be asked again.", refund.key)
        return
    with transaction.atomic():
        record_refund(refund, outcome, at=clock.now())


def record_refund(refund: Refund, outcome: Outcome, at: datetime) -> bool:
    """Record what the provider said about a refund; once confirmed, refunds due → clearing.

    False if that changes nothing. Refused for good, the money stays in refunds due, in a queue for staff (M9).
    Touches nothing of the held funds, so it needs no lock of the caller.
    """
    inside_transaction()
    taken_from = _TAKEN_FROM.get(outcome.state)
    if taken_from is None:
        return False
    news = {
        "status": _STATUS[outcome.state],
        "reason": outcome.reason[:300],
        **({"provider_id": outcome.provider_id} if outcome.provider_id else {}),
        **({"settled_at": at} if outcome.decided else {}),
    }
    with transaction.atomic():
        if not Refund.objects.filter(pk=refund.pk, status__in=taken_from, retried=False).update(**news):
            if outcome.succeeded and Refund.objects.filter(pk=refund.pk, retried=True).exists():
                logger.error("%s succeeded after staff asked again for it: the money may go back twice.", refund.key)
            return False
        if outcome.succeeded:
            source, destination = refunds_due(refund.currency), clearing(refund.charge)
            book([Entry(source, destination, refund.amount, Transfer.Kind.REFUNDED, refund.held, refund=refund)], at)
    for name, value in news.items():
        setattr(refund, name, value)
    if refund.status == Status.REFUSED:
        logger.error("The provider refused %s: %s Staff must act.", refund.key, refund.reason)
    return True


def ask_again(refund: Refund, *, at: datetime) -> Refund:
    """For staff: a new attempt, with a key of its own, at a refund that was refused for good. NotRefused otherwise.

    The refused row stays as history; the money stays in refunds due and belongs to the new attempt.
    """
    with transaction.atomic():
        refused = Refund.objects.filter(pk=refund.pk, status=Status.REFUSED, retried=False)
        if not refused.update(retried=True):
            raise NotRefused("Only a refund that was refused, and not asked for again since, can be asked for again.")
        refund.retried = True
        attempt = refund.attempt + 1
        key = f"{refund.key.removesuffix(f'/{refund.attempt}')}/{attempt}"
        return _owe(refund.charge, refund.amount, key=key, at=at, attempt=attempt)


def settle_refunds(*, at: datetime) -> int:
    """The sweep: steps 2 and 3 again for refunds that a crash or a silent provider left; returns how many it took.

    They are claimed for a while, longer each time, so that several workers share the work and one that always fails
    stands before no other.
    """
    outside_transaction()
    with transaction.atomic():
        refunds = list(Refund.objects.to_settle(at).select_for_update(skip_locked=True)[:BATCH])
        claimed = Refund.objects.filter(pk__in=[refund.pk for refund in refunds])
        claimed.update(next_try_at=next_try(at, FIRST_RETRY), tries=F("tries") + 1)
    for refund in refunds:
        try:
            send_refund(refund.pk)
        except Exception:
            logger.exception("Refund %s is set aside for a while.", refund.key)
    return len(refunds)


def _give_back(refund: Refund, provider: Gateway) -> Outcome:
    try:
        return provider.refund(_request_of(refund))
    except GatewayError as error:
        return Outcome(State.FAILED, reason=str(error))


def _find_out(refund: Refund, provider: Gateway) -> Outcome:
    outcome = provider.find_refund(_request_of(refund))
    return _give_back(refund, provider) if outcome.state == State.UNKNOWN else outcome


def _request_of(refund: Refund) -> RefundRequest:
    return RefundRequest(
        key=refund.key,
        charge_id=refund.charge.provider_id,
        amount=refund.card_amount,
        currency=refund.currency,
        began_at=refund.created_at,
        provider_id=refund.provider_id,
    )
