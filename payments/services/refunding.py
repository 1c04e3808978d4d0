"""Refunds: held → refunds due under the caller's lock, refunds due → clearing when the provider confirms (M9).

A refund goes back the way it came: card part first, then credit, which is the payer's at once.
"""

import logging
from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Sum
from django.utils.translation import gettext as _

from marketplace import clock
from marketplace.afterwards import afterwards
from payments.backoff import next_try
from payments.errors import BadPart, NotBookable, NothingHeld, NotRefused
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
from .credit import give, is_reserved, return_reserved
from .disputed import refuse_disputed, refuse_disputed_charge

logger = logging.getLogger(__name__)

BATCH = 200
FIRST_RETRY = timedelta(seconds=30)

Status = Refund.Status
Kind = Transfer.Kind
_TAKEN_FROM: dict[State, Collection[Status]] = {
    State.SUCCEEDED: Refund.UNSETTLED,
    State.FAILED: Refund.UNSETTLED,
    State.PROCESSING: (Status.CREATED, Status.ASKING),
}
_STATUS = {State.SUCCEEDED: Status.SUCCEEDED, State.FAILED: Status.REFUSED, State.PROCESSING: Status.PENDING}
# What contradicts a settled refund: refused after all this time, yet the money went; confirmed, yet it came back.
_CONTRADICTED = {State.SUCCEEDED: Status.REFUSED, State.FAILED: Status.SUCCEEDED}


def refund_part(held: HeldFunds, *, price: int, at: datetime, as_credit: bool = False) -> Refund:
    """Give back a part of the price and the fee on it: r + fee(price) - fee(price - r) (M3).

    Held → refunds due now: card part first, then credit (M9), all of it credit with `as_credit`. What is credit is
    the payer's at once; for the card's part the provider is asked after the commit. BadPart unless
    0 < part < what is left of the price; NothingHeld if nothing is held any more; Disputed (M10).
    """
    if not 0 < price < held.left_price or price % held.step:
        raise BadPart(_("A partial refund is more than nothing and less than what is left of the price."))
    return _refund(held, amount=held.refund_of(price), price=price, at=at, as_credit=as_credit)


def refund_all(held: HeldFunds, *, at: datetime, as_credit: bool = False) -> Refund:
    """Give back all that is left, price and fee, as `refund_part` does.

    NothingHeld if it was never funded, or was released, refunded or charged back; Disputed (M10).
    """
    return _refund(held, amount=held.left, price=held.left_price, at=at, as_credit=as_credit)


def _refund(held: HeldFunds, *, amount: int, price: int, at: datetime, as_credit: bool) -> Refund:
    inside_transaction()
    refuse_disputed(held)
    with transaction.atomic():
        # The counters that `amount` was computed from must still be the same, else nothing happens.
        untouched = HeldFunds.objects.filter(
            pk=held.pk, refunded=held.refunded, refunded_price=held.refunded_price, charged_back=held.charged_back
        )
        enough = untouched.filter(released=0, amount__gte=F("refunded") + F("charged_back") + amount)
        if amount < 1 or not enough.update(refunded=F("refunded") + amount, refunded_price=F("refunded_price") + price):
            raise NothingHeld(_("Nothing is left to refund: it was never funded, or went its way already."))
        charge = held.charges.select_related("held").get(funded=True)
        part_of_card = 0 if as_credit else min(amount, _left_of_card(charge))
        # What was refunded before only grows, so it numbers the refunds of a charge.
        refund = _owe(charge, amount, amount - part_of_card, key=f"refund-{charge.key}-{held.refunded}-{amount}", at=at)
        source, destination = held_funds(held.currency), refunds_due(held.currency)
        book([Entry(source, destination, amount, Kind.REFUND, held, refund=refund)], at)
        give(refund, at=at)
    held.refunded += amount
    held.refunded_price += price
    return refund


def _left_of_card(charge: Charge) -> int:
    """What can still go back the way it came."""
    return max(0, _card_less_what_went(charge))


def _card_less_what_went(charge: Charge) -> int:
    """What neither a refund nor the payer's bank has given back; below zero when both did.

    An attempt that was repeated counts by the one that repeats it.
    """
    went = Sum(F("amount") - F("credit"), default=0)
    back: int = charge.refunds.filter(retried=False).aggregate(back=went)["back"]
    taken: int = charge.chargebacks.lost().aggregate(taken=Sum("amount", default=0))["taken"]
    return charge.card_amount - back - taken


def send_back(charge: Charge, *, at: datetime) -> Refund:
    """Send back a success that can no longer fund anything (M8).

    What the card brought: clearing → refunds due, provider asked after the commit. What is still reserved of the
    payer's credit is theirs again at once. NotBookable if the charge has not succeeded, is booked, or brought
    nothing: what is paid with credit alone is canceled instead.
    """
    inside_transaction()
    amount = charge.card_amount
    if not amount:
        raise NotBookable(_("No card was charged, so nothing goes back."))
    with transaction.atomic():
        claim_success(charge, as_="surplus")
        refund = _owe(charge, amount, 0, key=f"refund-{charge.key}-0-{amount}", at=at)
        source, destination = clearing(charge), refunds_due(charge.currency)
        book([Entry(source, destination, amount, Kind.SURPLUS, charge.held, charge, refund)], at)
        if is_reserved(charge):
            return_reserved(charge, at=at)
    return refund


def _owe(
    charge: Charge, amount: int, part_of_credit: int, *, key: str, at: datetime, instead_of: Refund | None = None
) -> Refund:
    """The row of a refund. What is all credit is settled; else the provider is asked after the commit."""
    refund = Refund.objects.create(
        held=charge.held,
        charge=charge,
        amount=amount,
        credit=part_of_credit,
        key=key,
        attempt=instead_of.attempt + 1 if instead_of else 1,
        # A refund that came back after it was confirmed has its document already, over all of it: of one that was only
        # refused no document is made before this.
        documented=instead_of is not None and instead_of.documented,
        provider=charge.provider,
        created_at=at,
        next_try_at=at + FIRST_RETRY,
        **({"status": Status.SUCCEEDED, "settled_at": at} if part_of_credit == amount else {}),
    )
    if refund.card_amount:
        afterwards(send_refund, refund.pk)
    return refund


def send_refund(refund_id: int) -> None:
    """Steps 2 and 3, without transaction or lock: ask the provider, then record what it said.

    Asked for again, it first finds out what became of it; so it does for a settled refund that an event has
    contradicted. No answer leaves it for `settle_refunds`. Never raises for what the provider does.
    """
    outside_transaction()
    refund = Refund.objects.select_related("charge", "held").get(pk=refund_id)
    if refund.status not in Refund.UNSETTLED and not refund.doubted:
        return
    at = clock.now()
    claimed = Refund.objects.filter(pk=refund.pk, status=Status.CREATED).update(status=Status.ASKING, asked_at=at)
    provider = gateway(refund.provider)
    try:
        outcome = _ask(refund, provider, first=bool(claimed))
    except GatewayUnavailable:
        logger.warning("No answer about %s; it will be asked again.", refund.key)
        return
    except Exception:
        logger.exception("Asking about %s went wrong; it will be asked again.", refund.key)
        return
    with transaction.atomic():
        record_refund(refund, outcome, at=clock.now(), confirmed=refund.doubted)


def record_refund(refund: Refund, outcome: Outcome, at: datetime, *, confirmed: bool = False) -> bool:
    """Record what the provider said about a refund; once confirmed, refunds due → clearing for the card's part.

    False if that changes nothing. Refused for good, the money stays in refunds due, in a queue for staff (M9).
    Events come in any order, so one that contradicts a settled refund is not believed: the provider is asked after
    the commit, and its answer, `confirmed`, decides. A refund that was confirmed and failed later comes back,
    clearing → refunds due. Touches nothing of the held funds, so it needs no lock of the caller.
    """
    inside_transaction()
    taken_from = _TAKEN_FROM.get(outcome.state)
    if taken_from is None:
        return False
    if confirmed and refund.status == _CONTRADICTED.get(outcome.state):
        # It must still be what it was when the provider was asked.
        taken_from = (Status(refund.status),)
    news = {
        "status": _STATUS[outcome.state],
        "reason": outcome.reason[:300],
        **({"provider_id": outcome.provider_id} if outcome.provider_id else {}),
        **({"settled_at": at} if outcome.decided else {}),
    }
    with transaction.atomic():
        mine = Refund.objects.filter(pk=refund.pk, retried=False)
        if confirmed and outcome.decided:
            mine.update(doubted=False)
        if not mine.filter(status__in=taken_from).update(**news):
            _doubt(refund, outcome, confirmed=confirmed)
            return False
        due, provider = refunds_due(refund.currency), clearing(refund.charge)
        if outcome.succeeded:
            book([Entry(due, provider, refund.card_amount, Kind.REFUNDED, refund.held, refund=refund)], at)
        elif Status.SUCCEEDED in taken_from:
            book([Entry(provider, due, refund.card_amount, Kind.REFUND_RETURNED, refund.held, refund=refund)], at)
    for name, value in news.items():
        setattr(refund, name, value)
    if refund.status == Status.REFUSED:
        logger.error("The provider refused %s: %s Staff must act.", refund.key, refund.reason)
    return True


def _doubt(refund: Refund, outcome: Outcome, *, confirmed: bool) -> None:
    """If this contradicts what is settled, remember that, and ask the provider after the commit."""
    contradicted = _CONTRADICTED.get(outcome.state)
    if contradicted is None or confirmed:
        return
    settled = Refund.objects.filter(pk=refund.pk, status=contradicted)
    # What is all credit was never asked for, so nobody has anything to say about it.
    if settled.filter(retried=False, amount__gt=F("credit")).update(doubted=True):
        afterwards(send_refund, refund.pk)
    elif outcome.succeeded and settled.exists():
        logger.error("%s succeeded after staff gave it again: the money may go back twice.", refund.key)


def ask_again(refund: Refund, *, at: datetime) -> Refund:
    """For staff: a new attempt, with a key of its own, at a refund that was refused for good. NotRefused otherwise,
    Disputed while the payer's bank is deciding about the charge.

    The refused row stays as history, with the part that was given as credit, if any; the card's part stays in refunds
    due and belongs to the new attempt.
    """
    with transaction.atomic():
        return _instead_of(refund, at, as_credit=False)


def turn_into_credit(refund: Refund, *, at: datetime) -> Refund:
    """For staff: what the provider refused to give back becomes the payer's credit, at once (M9). NotRefused otherwise,
    Disputed while the payer's bank is deciding about the charge.

    The refused row stays as history, the new one is settled: refunds due → credit of what the card would have got.
    """
    with transaction.atomic():
        credited = _instead_of(refund, at, as_credit=True)
        give(credited, at=at)
        return credited


def _instead_of(refund: Refund, at: datetime, *, as_credit: bool) -> Refund:
    refuse_disputed_charge(refund.charge)
    if _card_less_what_went(refund.charge) < 0:
        raise NotRefused(_("The payer's bank has taken this payment back already: nothing is owed to them any more."))
    refused = Refund.objects.filter(pk=refund.pk, status=Status.REFUSED, retried=False, doubted=False)
    if not refused.update(retried=True):
        raise NotRefused(
            _("Only a refund that was refused, and that nothing was done about since, can be given again.")
        )
    refund.retried = True
    amount = refund.card_amount
    key = f"{refund.key.removesuffix(f'/{refund.attempt}')}/{refund.attempt + 1}"
    return _owe(refund.charge, amount, amount * as_credit, key=key, at=at, instead_of=refund)


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


def _ask(refund: Refund, provider: Gateway, *, first: bool) -> Outcome:
    if first:
        return _give_back(refund, provider)
    return provider.find_refund(_request_of(refund)) if refund.doubted else _find_out(refund, provider)


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
