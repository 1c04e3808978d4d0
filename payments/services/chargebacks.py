"""Chargebacks: booked when the provider takes the money, settled when the payer's bank has decided (M10).

All of it runs under the lock of the storey above, but for `decide_rest`, which concerns nobody's milestone any more.
The bank decides once: what the provider says first counts, and a contradiction is refused with `DecidedOtherwise`.
"""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import F, Q, Sum

from payments.errors import DecidedOtherwise, Disputed, NotBookable, NotOwed
from payments.gateways import ParsedEvent
from payments.models import Account, Charge, Chargeback, HeldFunds, Transfer
from payments.money import display

from .balances import balance
from .booking import (
    AccountKey,
    Entry,
    book,
    clearing,
    earnings,
    earnings_clearing,
    held_funds,
    inside_transaction,
    lock_purse,
    refunds_due,
)

Code, Kind, Status, Rest = Account.Code, Transfer.Kind, Chargeback.Status, Chargeback.Rest


def why_not_dispute(charge: Charge, event: ParsedEvent) -> str:
    """Why news of a chargeback can't be about this charge; empty when it can. Such an event books nothing."""
    if charge.provider != event.provider:
        return "we never asked this provider for it."
    if event.currency != charge.currency:
        return f"its currency is {event.currency}, not {charge.currency}."
    if not 0 < event.amount <= charge.card_amount:
        return f"its amount is {event.amount}, and {charge.card_amount} was charged to the card."
    return ""


def take_back(charge: Charge, *, provider_id: str, amount: int, reason: str, at: datetime) -> Chargeback:
    """The provider has taken `amount` for the payer's bank: chargebacks → clearing. Idempotent by its number there.

    Where the milestone was released, up to what it paid the seller is frozen meanwhile: from earnings that are
    clearing, else from what is available, as far as there is something. Row and transfers appear together.
    NotBookable if the charge itself is not in the ledger yet; Disputed if the bank is deciding about another one.
    """
    inside_transaction()
    known = Chargeback.objects.filter(provider=charge.provider, provider_id=provider_id).first()
    if known:
        return known
    if not charge.funded and not charge.surplus:
        raise NotBookable("What this charge brought is not in the ledger yet.")
    try:
        with transaction.atomic():
            chargeback = Chargeback.objects.create(
                charge=charge,
                provider=charge.provider,
                provider_id=provider_id,
                amount=amount,
                reason=reason[:300],
                taken_at=at,
            )
            book([_entry(chargeback, _chargebacks(charge.currency), clearing(charge), amount, Kind.CHARGEBACK)], at)
            _freeze(chargeback, at)
    except IntegrityError as error:
        raise Disputed("The bank is deciding about another chargeback of this charge.") from error
    return chargeback


def win(chargeback: Chargeback, *, at: datetime) -> bool:
    """The bank decided for the seller and the provider gave the money back: all as if nothing had happened.

    Clearing → chargebacks, frozen → available. False if that is known. DecidedOtherwise if it was lost before.
    """
    inside_transaction()
    if not _decide(chargeback, Status.WON, at):
        return False
    charge, currency = chargeback.charge, chargeback.currency
    payee = charge.held.payee_id
    won = _entry(chargeback, clearing(charge), _chargebacks(currency), chargeback.amount, Kind.CHARGEBACK_WON)
    available = earnings(payee, currency)
    unfrozen = _entry(chargeback, _frozen(payee, currency), available, chargeback.frozen, Kind.UNFROZEN)
    book([won, unfrozen], at)
    return True


def lose(chargeback: Chargeback, *, at: datetime) -> bool:
    """The bank decided for the buyer: the money stays away, from what is still held or was frozen.

    What neither covers becomes `rest` and waits for staff. What is held beyond the chargeback is the caller's to
    refund. False if that is known. DecidedOtherwise if it was won before.
    """
    inside_transaction()
    if not _decide(chargeback, Status.LOST, at):
        return False
    charge, currency = chargeback.charge, chargeback.currency
    held = HeldFunds.objects.get(pk=charge.held_id)
    from_held = min(chargeback.amount, held.left) if charge.funded else 0
    if from_held:
        # Nobody else changes these counters under the caller's lock; the database holds them to M5 all the same.
        HeldFunds.objects.filter(pk=held.pk).update(charged_back=F("charged_back") + from_held)
    source, destination = held_funds(currency), _chargebacks(currency)
    frozen = _frozen(held.payee_id, currency)
    book(
        [
            _entry(chargeback, source, destination, from_held, Kind.CHARGEBACK_LOST),
            _entry(chargeback, frozen, destination, chargeback.frozen, Kind.CHARGEBACK_LOST),
        ],
        at,
    )
    rest = chargeback.amount - from_held - chargeback.frozen
    chargeback.rest = rest - _settle_refused_refunds(chargeback, rest, at)
    chargeback.save(update_fields=["rest"])
    return True


def _settle_refused_refunds(chargeback: Chargeback, rest: int, at: datetime) -> int:
    """What the provider refused to give back and the bank has now taken is owed to the payer no longer.

    Refunds due → chargebacks, whole refunds only; returns how much, in minor units.
    """
    settled = 0
    for refund in chargeback.charge.refunds.waiting_for_staff().order_by("pk"):
        if refund.card_amount > rest - settled:
            continue
        reason = f"Taken by the chargeback {chargeback.provider_id} instead."[:300]
        if refund.charge.refunds.filter(pk=refund.pk, retried=False).update(retried=True, reason=reason):
            owed, taken = refunds_due(chargeback.currency), _chargebacks(chargeback.currency)
            book([_entry(chargeback, owed, taken, refund.card_amount, Kind.CHARGEBACK_LOST)], at)
            settled += refund.card_amount
    return settled


def decide_rest(chargeback: Chargeback, *, rest_as: str, at: datetime) -> Chargeback:
    """For staff, once: who bears the rest of a lost chargeback (M10). Returns the row as it is now.

    `debt`: the seller owes it, at most what the milestone paid them and was not taken back yet; whatever is beyond
    is the platform's loss in any case. `loss`: the platform bears it. Debt or loss → chargebacks.
    DecidedOtherwise if nothing is left to decide, NotOwed if the seller was paid nothing for it.
    """
    with transaction.atomic():
        # Held funds first: two chargebacks of one milestone must not count the same pay twice.
        held_id = Charge.objects.values_list("held_id", flat=True).get(chargebacks=chargeback)
        held = HeldFunds.objects.select_for_update(no_key=True).get(pk=held_id)
        chargeback = Chargeback.objects.select_related("charge__held").get(pk=chargeback.pk)
        if not Chargeback.objects.waiting_for_staff().filter(pk=chargeback.pk).exists():
            raise DecidedOtherwise("Nothing is left to decide about this chargeback.")
        owed = min(chargeback.rest, owable(chargeback)) if rest_as == Rest.DEBT else 0
        if rest_as == Rest.DEBT and not owed:
            raise NotOwed("The seller was paid nothing for this that they could owe: the platform bears it.")
        chargeback.rest_as, chargeback.rest_decided_at = Rest(rest_as), at
        chargeback.save(update_fields=["rest_as", "rest_decided_at"])
        currency, destination = held.currency, _chargebacks(held.currency)
        debt, loss = AccountKey(Code.DEBT, currency, held.payee_id), AccountKey(Code.LOSS, currency)
        book(
            [
                _entry(chargeback, debt, destination, owed, Kind.CHARGEBACK_LOST),
                _entry(chargeback, loss, destination, chargeback.rest - owed, Kind.CHARGEBACK_LOST),
            ],
            at,
        )
    return chargeback


def owable(chargeback: Chargeback) -> int:
    """What the seller can owe of this charge: what its milestone paid them and no chargeback took back yet.

    Nothing of surplus, for which nobody was paid.
    """
    if not chargeback.charge.funded:
        return 0
    sellers = (Code.EARNINGS_FROZEN, Code.DEBT)
    sums = Transfer.objects.filter(held=chargeback.charge.held_id).aggregate(
        paid=Sum("amount", filter=Q(kind=Kind.EARNING), default=0),
        taken=Sum("amount", filter=Q(kind=Kind.CHARGEBACK_LOST, source__code__in=sellers), default=0),
    )
    return int(sums["paid"] - sums["taken"])


def owed_for(chargeback: Chargeback) -> int:
    """What became the seller's debt for this chargeback."""
    debts = chargeback.transfers.filter(kind=Kind.CHARGEBACK_LOST, source__code=Code.DEBT)
    return int(debts.order_by().aggregate(owed=Sum("amount", default=0))["owed"])


def _freeze(chargeback: Chargeback, at: datetime) -> None:
    # The row, what is available, what is clearing: in the order of the sweep that ends the clearing of earnings.
    held = HeldFunds.objects.select_for_update(no_key=True).select_related("payee").get(pk=chargeback.charge.held_id)
    wanted = min(chargeback.amount, owable(chargeback)) if held.released else 0
    if not wanted:
        return
    lock_purse(held.payee_id, held.currency)
    waiting = _in_clearing(held)
    from_clearing = min(wanted, waiting)
    from_available = min(wanted - from_clearing, balance(held.payee, held.currency))
    if waiting and from_clearing == waiting:
        HeldFunds.objects.filter(pk=held.pk, cleared_at=None).update(cleared_at=at)
    chargeback.frozen = from_clearing + from_available
    chargeback.save(update_fields=["frozen"])
    frozen = _frozen(held.payee_id, held.currency)
    clearing_purse, purse = earnings_clearing(held.payee_id, held.currency), earnings(held.payee_id, held.currency)
    book(
        [
            _entry(chargeback, clearing_purse, frozen, from_clearing, Kind.FROZEN),
            _entry(chargeback, purse, frozen, from_available, Kind.FROZEN),
        ],
        at,
    )


def _in_clearing(held: HeldFunds) -> int:
    """What this milestone earned and still waits: not all that the seller has in clearing is of this one."""
    into = Sum("amount", filter=Q(destination__code=Code.EARNINGS_CLEARING), default=0)
    out_of = Sum("amount", filter=Q(source__code=Code.EARNINGS_CLEARING), default=0)
    return int(held.transfers.order_by().aggregate(waiting=into - out_of)["waiting"])


def _decide(chargeback: Chargeback, status: str, at: datetime) -> bool:
    """Claim the decision, which is made once. False if it was made before and the same way."""
    undecided = Chargeback.objects.undecided().filter(pk=chargeback.pk)
    if undecided.update(status=status, settled_at=at):
        chargeback.status, chargeback.settled_at = status, at
        return True
    chargeback.refresh_from_db()
    if chargeback.status != status:
        amount = display(chargeback.amount, chargeback.currency)
        raise DecidedOtherwise(f"The chargeback of {amount} was {chargeback.status} already, and is now {status}?")
    return False


def _entry(
    chargeback: Chargeback, source: AccountKey, destination: AccountKey, amount: int, kind: Transfer.Kind
) -> Entry:
    charge = chargeback.charge
    return Entry(source, destination, amount, kind, charge.held, charge, chargeback=chargeback)


def _chargebacks(currency: str) -> AccountKey:
    return AccountKey(Code.CHARGEBACKS, currency)


def _frozen(payee_id: int, currency: str) -> AccountKey:
    return AccountKey(Code.EARNINGS_FROZEN, currency, payee_id)
