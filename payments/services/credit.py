"""Buyer credit: reserved when a charge begins, spent when it succeeds, given instead of a refund (M9).

One purse serves all orders of a payer. Its lock comes after the order's, so two orders never spend the same credit.
"""

from datetime import datetime

from django.db.models import BigIntegerField, Case, F, Q, QuerySet, Sum, When
from django.utils.translation import gettext_noop

from marketplace.accounts.models import User
from payments.errors import CreditGone, Overdrawn
from payments.gateways import Gateway
from payments.models import Account, Charge, HeldFunds, Refund, Transfer

from .booking import (
    AccountKey,
    Code,
    Entry,
    book,
    credit,
    credit_reserved,
    held_funds,
    inside_transaction,
    open_accounts,
    refunds_due,
)

Kind = Transfer.Kind


def part_of_credit(held: HeldFunds, provider: Gateway) -> int:
    """How much of the total the payer's credit pays, under the lock of their purse until the transaction ends.

    As much as there is; what is left for the card is nothing, or what the gateway can charge.
    """
    total, step, least = held.total, provider.step(held.currency), provider.least(held.currency)
    part = min(_locked_balance(credit(held.payer_id, held.currency)), total)
    if part == total:
        return part
    part = max(min(part, total - least), 0)
    return part - part % step


def reserve(charge: Charge, *, at: datetime) -> None:
    """Set the credit part of a charge aside: credit → reserved. Overdrawn if there is not that much."""
    purse, aside = _purse(charge)
    book([Entry(purse, aside, charge.credit, Kind.CREDIT_RESERVED, charge=charge)], at)


def return_reserved(charge: Charge, *, at: datetime) -> None:
    """The attempt failed or was canceled: reserved → credit, in the transaction that records it."""
    purse, aside = _purse(charge)
    book([Entry(aside, purse, charge.credit, Kind.CREDIT_RETURNED, charge=charge)], at)


def spend(charge: Charge, *, at: datetime) -> None:
    """The charge funds its milestone: reserved → held.

    After a late success what was returned is reserved again first; CreditGone if it is not there any more.
    """
    if not is_reserved(charge):
        try:
            reserve(charge, at=at)
        except Overdrawn as gone:
            raise CreditGone(gettext_noop("The credit that was to pay a part of this is not there any more.")) from gone
    _, aside = _purse(charge)
    book([Entry(aside, held_funds(charge.currency), charge.credit, Kind.CREDIT_SPENT, charge.held, charge)], at)


def is_reserved(charge: Charge) -> bool:
    """Whether the credit part of this charge is set aside now: not after it was spent or returned."""
    if not charge.credit:
        return False
    aside = charge.transfers.order_by().aggregate(
        came=Sum("amount", filter=Q(destination__code=Code.CREDIT_RESERVED), default=0),
        went=Sum("amount", filter=Q(source__code=Code.CREDIT_RESERVED), default=0),
    )
    return bool(aside["came"] > aside["went"])


def give(refund: Refund, *, at: datetime) -> None:
    """Refunds due → credit: the credit part of this refund is the payer's to spend here, at once."""
    held = refund.held
    source, destination = refunds_due(held.currency), credit(held.payer_id, held.currency)
    book([Entry(source, destination, refund.credit, Kind.CREDITED, held, refund=refund)], at)


def credit_history(user: User) -> QuerySet[Transfer]:
    """What came into this person's credit and left it, the latest first; `change` is the amount with its sign."""
    own = Account.objects.filter(owner=user, code=Code.CREDIT)
    change = Case(When(destination__in=own, then=F("amount")), default=-F("amount"), output_field=BigIntegerField())
    mine = Transfer.objects.filter(Q(source__in=own) | Q(destination__in=own))
    return mine.annotate(change=change).select_related("held", "charge__held").order_by("-pk")


def _purse(charge: Charge) -> tuple[AccountKey, AccountKey]:
    owner_id, currency = charge.held.payer_id, charge.currency
    return credit(owner_id, currency), credit_reserved(owner_id, currency)


def _locked_balance(key: AccountKey) -> int:
    inside_transaction()
    account_id = open_accounts([key])[key]
    Account.objects.select_for_update(no_key=True).get(pk=account_id)
    return Account.objects.with_balance().get(pk=account_id).balance
