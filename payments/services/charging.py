"""Charges in three steps (M7): intend under the lock, ask without it, record under it again."""

import logging
import re
from collections.abc import Collection
from datetime import datetime

from django.db import IntegrityError, models, transaction
from django.db.models import Count, F, Max, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from marketplace import clock
from marketplace.afterwards import afterwards
from payments.errors import AlreadyFunded, AttemptUndecided, NotBookable, UnknownMethod
from payments.gateways import (
    ChargeRequest,
    Gateway,
    GatewayError,
    GatewayUnavailable,
    Outcome,
    State,
    gateway,
    outside_transaction,
)
from payments.models import Charge, HeldFunds, SavedCard, Transfer

from . import credit
from .booking import Entry, book, clearing, held_funds, inside_transaction
from .cards import SAVED, customer_of, save_card, usable_cards

logger = logging.getLogger(__name__)

Status = Charge.Status
# From which statuses an answer is taken. A success always is: the money has moved, whatever was believed before.
_TAKEN_FROM: dict[State, Collection[Status]] = {
    State.SUCCEEDED: (*Charge.UNDECIDED, Status.FAILED, Status.CANCELED),
    State.FAILED: Charge.UNDECIDED,
    State.CANCELED: Charge.UNDECIDED,
    State.ACTION_NEEDED: (Status.CREATED, Status.ASKING),
    State.PROCESSING: (Status.CREATED, Status.ASKING, Status.ACTION_NEEDED),
}


def begin_charge(
    held: HeldFunds,
    *,
    method: str,
    at: datetime,
    return_url: str = "",
    keep_card: bool = False,
    use_credit: bool = False,
) -> Charge:
    """Step 1, under the caller's lock: the intent to charge price and fee, to be committed before `ask_charge`.

    `method` is the code of one of the gateway's methods, or `saved-` and the number of a saved card of the payer's.
    `return_url` is the path where the payer's bank sends them back, `keep_card` the payer's consent to keep the card
    they enter (O3). With `use_credit` as much as there is of the payer's credit is reserved at once, and the card
    pays the rest, which may be nothing. Raises AttemptUndecided, AlreadyFunded, UnknownMethod.
    """
    inside_transaction()
    provider = gateway()
    card, code, label = _chosen(held, method, provider)
    so_far = held.charges.aggregate(
        last=Max("attempt", default=0),
        undecided=Count("pk", filter=Q(status__in=Charge.UNDECIDED)),
        funded=Count("pk", filter=Q(funded=True)),
    )
    if so_far["funded"]:
        raise AlreadyFunded(_("This is paid already."))
    if so_far["undecided"]:
        raise AttemptUndecided(_("Your bank is still deciding on the last attempt."))
    attempt = so_far["last"] + 1
    part_of_credit = credit.part_of_credit(held, provider) if use_credit else 0
    try:
        with transaction.atomic():
            charge = Charge.objects.create(
                held=held,
                attempt=attempt,
                amount=held.total,
                credit=part_of_credit,
                method=code,
                card=card,
                keep_card=keep_card and card is None and part_of_credit < held.total,
                method_label=label,
                key=f"charge-{held.reference}-{attempt}-{held.total}",
                provider=provider.name,
                return_url=return_url,
                created_at=at,
            )
            credit.reserve(charge, at=at)
    except IntegrityError as error:
        # Without the caller's lock two attempts can get this far; the database lets one of them through.
        raise AttemptUndecided(_("Your bank is still deciding on the last attempt.")) from error
    return charge


def _chosen(held: HeldFunds, method: str, provider: Gateway) -> tuple[SavedCard | None, str, str]:
    """The payment method that was chosen: the saved card if it is one, the provider's code, and what it is called."""
    if method.startswith(SAVED):
        number = method.removeprefix(SAVED)
        # Digits that fit a number of ours; anything else is nobody's card.
        own = usable_cards(held.payer).filter(pk=int(number)) if re.fullmatch(r"\d{1,18}", number, re.ASCII) else ()
        for card in own:
            return card, card.provider_id, card.label
    for known in provider.payment_methods():
        if known.code == method:
            return None, method, known.label if known.number else ""  # a card still to be entered has no name yet
    raise UnknownMethod(_("Choose one of the payment methods shown."))


def ask_charge(charge_id: int) -> Outcome:
    """Step 2, without transaction or lock: ask the provider, and answer what it said. Records nothing but the asking.

    An attempt is claimed before it is first asked for. Later calls ask what became of it, and repeat the request
    with the same key only when the provider has never heard of it. No answer is `Outcome.UNDECIDED`, never a failure.
    What is paid with credit alone succeeds here, and no provider is asked.
    """
    outside_transaction()
    charge = Charge.objects.select_related("held__payer").get(pk=charge_id)
    if charge.decided:
        return _recorded(charge)
    claimed = _claim(charge, clock.now())
    if not charge.card_amount:
        return Outcome(State.SUCCEEDED)
    provider = gateway(charge.provider)
    try:
        return _collect(charge, provider) if claimed else _find_out(charge, provider)
    except GatewayUnavailable:
        logger.warning("No answer about %s; it stays undecided.", charge.key)
    except Exception:
        logger.exception("Asking about %s went wrong; it stays undecided.", charge.key)
    return Outcome.UNDECIDED


def record_outcome(charge: Charge, outcome: Outcome, *, at: datetime) -> bool:
    """Step 3, under the caller's lock: write down what the provider said. Moves no money but reserved credit.

    False if that changes nothing: said before, overtaken by a later answer, or no answer at all. After a success
    the caller calls `fund` or `send_back` in the same transaction. After a failure the reserved credit is the
    payer's again; a card that the payer lets the provider keep is saved with the success (O3).
    """
    inside_transaction()
    taken_from = _TAKEN_FROM.get(outcome.state)
    if taken_from is None:
        return False
    if not charge.card_amount:
        taken_from = Charge.UNDECIDED  # no provider can have taken anything after all
    decided = {"settled_at": at} if outcome.decided else {}
    news = {
        "status": outcome.state.value,
        "reason": outcome.reason[:300],
        "action_url": outcome.action_url,
        **({"provider_id": outcome.provider_id} if outcome.provider_id else {}),
        **({"method_label": outcome.method_label[:60]} if outcome.method_label else {}),
        **decided,
    }
    with transaction.atomic():
        if not Charge.objects.filter(pk=charge.pk, status__in=taken_from).update(**news):
            return False
        if outcome.decided and not outcome.succeeded:
            credit.return_reserved(charge, at=at)
        if outcome.succeeded:
            _note_card(charge, outcome, at)
    for name, value in news.items():
        setattr(charge, name, value)
    return True


def _note_card(charge: Charge, outcome: Outcome, at: datetime) -> None:
    if charge.keep_card and outcome.card:
        save_card(charge.held.payer, charge.provider, outcome.card, at=at)
    if (charge.keep_card and not outcome.card) or not (charge.method_label or outcome.method_label):
        # An event may know nothing of the card. A crash before this asks leaves it unnamed and unsaved: no money
        # hangs on it.
        afterwards(ask_for_card, charge.pk)


def ask_for_card(charge_id: int) -> None:
    """Ask the provider, without transaction or lock, which card has paid; it is saved if it keeps it (O3).

    Without an answer the card stays unnamed and is not saved: the payer enters it again next time. Never raises for
    what the provider does.
    """
    outside_transaction()
    charge = Charge.objects.select_related("held__payer").get(pk=charge_id)
    if not charge.card_amount:
        return
    try:
        outcome = gateway(charge.provider).find_charge(request_of(charge))
    except Exception:
        logger.exception("The card that paid %s is not noted.", charge.key)
        return
    with transaction.atomic():
        Charge.objects.filter(pk=charge.pk, method_label="").update(method_label=outcome.method_label[:60])
        if charge.keep_card and outcome.card:
            save_card(charge.held.payer, charge.provider, outcome.card, at=clock.now())


def fund(charge: Charge, *, at: datetime) -> None:
    """Book a success as what funds its milestone: the card's part clearing → held, reserved credit → held (M3).

    Price and fee together, or nothing. NotBookable if the charge has not succeeded or is booked; AlreadyFunded if
    another one funds this, CreditGone if this one comes late and its credit is spent: then `send_back` it.
    """
    inside_transaction()
    held = charge.held
    with transaction.atomic():
        held_now = HeldFunds.objects.filter(pk=held.pk, amount=0).annotate(asked=F("price") + F("buyer_fee"))
        if not held_now.filter(asked=charge.amount).update(amount=charge.amount, funded_at=at):
            raise AlreadyFunded(_("This is paid already."))
        if charge.credit:
            credit.spend(charge, at=at)
        claim_success(charge, as_="funded")
        source, destination = clearing(charge), held_funds(charge.currency)
        book([Entry(source, destination, charge.card_amount, Transfer.Kind.CHARGE, held, charge)], at)
    held.amount, held.funded_at = charge.amount, at


def claim_success(charge: Charge, *, as_: str) -> None:
    """Claim a success for one booking, as `funded` or `surplus`: whoever comes second gets NotBookable (M7)."""
    unbooked = Charge.objects.filter(pk=charge.pk, status=Status.SUCCEEDED, funded=False, surplus=False)
    if not unbooked.update(**{as_: True}):
        raise NotBookable("This charge has not succeeded, or is booked already.")
    charge.status = Status.SUCCEEDED
    setattr(charge, as_, True)


def cancel_attempts(held: HeldFunds, *, at: datetime) -> None:
    """Ask for every undecided attempt to be canceled, at the provider once this has been committed.

    One that was never asked for, or that no provider is asked about, is canceled here and now, and its credit
    returned. For the others the answer is recorded like any other, by an event or the periodic settlement:
    canceled, or a success all the same, which is surplus (M8).
    """
    inside_transaction()
    for charge in held.charges.undecided().filter(Q(status=Status.CREATED) | Q(credit=F("amount"))):
        mine = Charge.objects.filter(pk=charge.pk, status__in=Charge.UNDECIDED)
        mine = mine if not charge.card_amount else mine.filter(status=Status.CREATED)
        if mine.update(
            status=Status.CANCELED,
            cancel_asked_at=at,
            settled_at=at,
            reason=gettext_noop("Canceled before it was asked for."),
        ):
            credit.return_reserved(charge, at=at)
    for charge in held.charges.undecided().filter(cancel_asked_at=None):
        Charge.objects.filter(pk=charge.pk).update(cancel_asked_at=at)
        afterwards(cancel_charge, charge.pk)


def cancel_charge(charge_id: int) -> None:
    """Ask the provider, without transaction or lock, to cancel an attempt. Never raises for what the provider does."""
    outside_transaction()
    charge = Charge.objects.select_related("held__payer").get(pk=charge_id)
    try:
        gateway(charge.provider).cancel_charge(request_of(charge))
    except GatewayUnavailable:
        logger.warning("No answer about canceling %s; it will be asked again.", charge.key)
    except Exception:
        logger.exception("Canceling %s went wrong; it will be asked again.", charge.key)


def undecided_charges(*, before: datetime) -> models.QuerySet[Charge]:
    """Attempts that may still succeed and that nobody has looked at since `before`, longest neglected first."""
    return Charge.objects.undecided().last_asked_before(before).select_related("held")


def _claim(charge: Charge, at: datetime) -> bool:
    mine = Charge.objects.filter(pk=charge.pk)
    if mine.filter(status=Status.CREATED).update(status=Status.ASKING, asked_at=at):
        return True
    mine.update(asked_at=at)
    return False


def _collect(charge: Charge, provider: Gateway) -> Outcome:
    try:
        return provider.charge(request_of(charge))
    except GatewayError as error:
        return Outcome(State.FAILED, reason=str(error))


def _find_out(charge: Charge, provider: Gateway) -> Outcome:
    charge.refresh_from_db()
    if charge.decided:
        return _recorded(charge)
    request = request_of(charge)
    if charge.cancel_asked_at:
        return provider.cancel_charge(request)
    outcome = provider.find_charge(request)
    if outcome.state != State.UNKNOWN:
        return outcome
    if charge.status == Status.ASKING:
        return _collect(charge, provider)
    logger.error("The provider no longer knows %s, about which it has told us before.", charge.key)
    return Outcome.UNDECIDED


def request_of(charge: Charge) -> ChargeRequest:
    """What is asked of the provider, the same whenever it is asked."""
    return ChargeRequest(
        key=charge.key,
        amount=charge.card_amount,
        currency=charge.currency,
        method=charge.method,
        description=charge.held.description,
        reference=charge.held.reference,
        return_url=charge.return_url,
        began_at=charge.created_at,
        customer=customer_of(charge.held.payer, charge.provider),
        saved=charge.card_id is not None,
        keep=charge.keep_card,
        provider_id=charge.provider_id,
        processing=charge.status == Status.PROCESSING,
    )


def _recorded(charge: Charge) -> Outcome:
    return Outcome(State(charge.status), charge.provider_id, charge.reason, charge.action_url)
