"""Chargebacks: booked when the provider takes the money, settled when the payer's bank has decided (M10).

All of it runs under the lock of the storey above, but for `decide_rest`, which concerns nobody's milestone any more.
The bank decides once: what the provider says first counts, and a contradiction is refused with `DecidedOtherwise`.
"""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import F, Q, Sum
from django.utils.translation import gettext as _

from marketplace.accounts.models import User
from payments.errors import DecidedOtherwise, Disputed, NotBookable, NotOwed, OwnMoney
from payments.gateways import ParsedEvent
from payments.models import Account, Charge, Chargeback, HeldFunds, Refund, Transfer
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
from .clearing import still_clearing

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

    Clearing → chargebacks, frozen → where it came from. False if that is known. DecidedOtherwise if it was lost before.
    """
    inside_transaction()
    if not _decide(chargeback, Status.WON, at):
        return False
    source, destination = clearing(chargeback.charge), _chargebacks(chargeback.currency)
    won = _entry(chargeback, source, destination, chargeback.amount, Kind.CHARGEBACK_WON)
    book([won, *_unfreeze(chargeback, chargeback.frozen, at)], at)
    return True


def lose(chargeback: Chargeback, *, at: datetime) -> bool:
    """The bank decided for the buyer: the money stays away.

    It comes from what the provider refused to give back, then from what is still held, then from what was frozen,
    of which the seller gets back what is not needed. What none of them covers becomes `rest` and waits for staff.
    What is held beyond the chargeback is the caller's to refund. False if that is known. DecidedOtherwise if it was
    won before.
    """
    inside_transaction()
    if not _decide(chargeback, Status.LOST, at):
        return False
    charge, currency = chargeback.charge, chargeback.currency
    rest = chargeback.amount - _settle_refused_refunds(chargeback, chargeback.amount, at)
    held = HeldFunds.objects.get(pk=charge.held_id)
    from_held = min(rest, held.left) if charge.funded else 0
    if from_held:
        # Nobody else changes these counters under the caller's lock; the database holds them to M5 all the same.
        HeldFunds.objects.filter(pk=held.pk).update(charged_back=F("charged_back") + from_held)
    rest -= from_held
    from_frozen = min(rest, chargeback.frozen)
    not_needed = _unfreeze(chargeback, chargeback.frozen - from_frozen, at)
    destination, frozen = _chargebacks(currency), _frozen(held.payee_id, currency)
    book(
        [
            _entry(chargeback, held_funds(currency), destination, from_held, Kind.CHARGEBACK_LOST),
            _entry(chargeback, frozen, destination, from_frozen, Kind.CHARGEBACK_LOST),
            *not_needed,
        ],
        at,
    )
    chargeback.frozen, chargeback.rest = from_frozen, rest - from_frozen
    chargeback.save(update_fields=["frozen", "rest"])
    return True


def _settle_refused_refunds(chargeback: Chargeback, most: int, at: datetime) -> int:
    """What the provider refused to give back and the bank has now taken is owed to the payer no longer.

    Refunds due → chargebacks, whole refunds only, at most `most`; returns how much, in minor units. One about which
    the provider is being asked once more is left alone until it has answered.
    """
    settled = 0
    for refund in chargeback.charge.refunds.waiting_for_staff().order_by("pk"):
        if refund.card_amount > most - settled:
            continue
        mine = Refund.objects.filter(pk=refund.pk, status=Refund.Status.REFUSED, retried=False, doubted=False)
        reason = f"Taken by the chargeback {chargeback.provider_id} instead."[:300]
        if mine.update(retried=True, reason=reason):
            owed, taken = refunds_due(chargeback.currency), _chargebacks(chargeback.currency)
            book([_entry(chargeback, owed, taken, refund.card_amount, Kind.CHARGEBACK_LOST)], at)
            settled += refund.card_amount
    return settled


def decide_rest(chargeback: Chargeback, *, rest_as: str, by: User, at: datetime) -> Chargeback:
    """For staff, once: who bears the rest of a lost chargeback (M10). Returns the row as it is now.

    `debt`: the seller owes it, at most what the milestone paid them and was not taken back yet; whatever is beyond
    is the platform's loss in any case. `loss`: the platform bears it. Debt or loss → chargebacks.
    OwnMoney for the payer and the payee of the milestone, DecidedOtherwise if nothing is left to decide, NotOwed if the
    seller was paid nothing for it.
    """
    with transaction.atomic():
        # Held funds first: two chargebacks of one milestone must not count the same pay twice.
        held_id = Charge.objects.values_list("held_id", flat=True).get(chargebacks=chargeback)
        held = HeldFunds.objects.select_for_update(no_key=True).get(pk=held_id)
        if by.pk in (held.payer_id, held.payee_id):
            raise OwnMoney(_("Nobody decides about a chargeback of their own."))
        chargeback = Chargeback.objects.select_related("charge__held").get(pk=chargeback.pk)
        if not Chargeback.objects.waiting_for_staff().filter(pk=chargeback.pk).exists():
            raise DecidedOtherwise(_("Nothing is left to decide about this chargeback."))
        if chargeback.charge.refunds.under_way().exists():
            # Given back or not, it changes what the rest is.
            raise Disputed(_("A refund of this payment is still under way: who bears the rest is decided after it."))
        chargeback.rest -= _settle_refused_refunds(chargeback, chargeback.rest, at)
        owed = min(chargeback.rest, owable(chargeback)) if rest_as == Rest.DEBT else 0
        if rest_as == Rest.DEBT and chargeback.rest and not owed:
            raise NotOwed(_("Nothing that the seller was paid for this is left to owe: the platform bears the rest."))
        chargeback.rest_as, chargeback.rest_decided_at = Rest(rest_as), at
        chargeback.save(update_fields=["rest", "rest_as", "rest_decided_at"])
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
    wanted = min(chargeback.amount, owable(chargeback)) - chargeback.frozen if held.released else 0
    if wanted <= 0:
        return
    lock_purse(held.payee_id, held.currency)
    waiting = still_clearing([held.pk]).get(held.pk, 0)
    from_clearing = min(wanted, waiting)
    from_available = min(wanted - from_clearing, balance(held.payee, held.currency))
    if waiting and from_clearing == waiting:
        HeldFunds.objects.filter(pk=held.pk, cleared_at=None).update(cleared_at=at)
    chargeback.frozen += from_clearing + from_available
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


def _unfreeze(chargeback: Chargeback, amount: int, at: datetime) -> list[Entry]:
    """What was frozen goes back where it came from: to what is clearing while that time is not over."""
    charge, currency = chargeback.charge, chargeback.currency
    held = HeldFunds.objects.get(pk=charge.held_id)
    frozen = Sum("amount", filter=Q(kind=Kind.FROZEN, source__code=Code.EARNINGS_CLEARING), default=0)
    still_clearing = held.available_at is not None and at < held.available_at
    to_clearing = min(amount, chargeback.transfers.aggregate(total=frozen)["total"]) if still_clearing else 0
    if to_clearing:
        HeldFunds.objects.filter(pk=held.pk).update(cleared_at=None)
    source, payee = _frozen(held.payee_id, currency), held.payee_id
    return [
        _entry(chargeback, source, earnings_clearing(payee, currency), to_clearing, Kind.UNFROZEN),
        _entry(chargeback, source, earnings(payee, currency), amount - to_clearing, Kind.UNFROZEN),
    ]


def _decide(chargeback: Chargeback, status: str, at: datetime) -> bool:
    """Claim the decision, which is made once. False if it was made before and the same way."""
    undecided = Chargeback.objects.undecided().filter(pk=chargeback.pk)
    if undecided.update(status=status, settled_at=at):
        # More may have been frozen since it was read: see `freeze_what_is_missing`.
        chargeback.refresh_from_db()
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


def lock_disputed_purse(owner_id: int, currency: str) -> list[Chargeback]:
    """Lock a person's purse, and before it the chargebacks that the bank is deciding about, which it returns.

    Always in this order: chargebacks, held funds, the purse. Whoever gives a withdrawal back locks this first.
    """
    inside_transaction()
    open_ones = Chargeback.objects.undecided().filter(
        charge__held__payee=owner_id, charge__held__currency=currency, charge__funded=True
    )
    locked = list(open_ones.select_related("charge__held").order_by("pk").select_for_update(of=("self",), no_key=True))
    held = HeldFunds.objects.filter(pk__in=[chargeback.charge.held_id for chargeback in locked]).order_by("pk")
    list(held.select_for_update(no_key=True))
    lock_purse(owner_id, currency)
    return locked


def freeze_what_is_missing(owner_id: int, currency: str, *, at: datetime) -> None:
    """A withdrawal came back: freeze what open chargebacks could not set aside while the money was on its way (M10)."""
    for chargeback in lock_disputed_purse(owner_id, currency):
        _freeze(chargeback, at)
