"""Earnings that wait before they can be withdrawn, and become available when they have waited long enough (M6)."""

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q, QuerySet, Sum

from marketplace.accounts.models import User
from payments.models import Account, HeldFunds, Transfer

from .booking import Entry, book, earnings, earnings_clearing, inside_transaction, lock_purse

logger = logging.getLogger(__name__)

BATCH = 200
Code = Account.Code


def clear_earnings(*, at: datetime) -> int:
    """The sweep: earnings whose date has come become available, dated at that instant; returns how many did.

    All that is due is taken, in batches that other workers skip. Where a batch fails its rows are cleared one by one,
    and one that cannot be is logged and left: it stands before no other.
    """
    return sum(_clear_batch(pks) for pks in _batches(at))


def lock_cleared_purse(owner: User, currency: str, *, at: datetime) -> None:
    """Lock a person's purse, with all in it that is due by now, whether the sweep was there or not (O7).

    Always in this order: held funds, what is available, what is clearing. So nobody who does it waits in a circle.
    """
    inside_transaction()
    due = _due(at).filter(payee=owner, currency=currency).order_by("pk")
    rows = list(due.select_for_update(no_key=True))
    lock_purse(owner.pk, currency)
    _clear(rows)


def _due(at: datetime) -> QuerySet[HeldFunds]:
    return HeldFunds.objects.filter(available_at__lte=at, cleared_at=None)


def _batches(at: datetime) -> Iterator[list[int]]:
    due = _due(at).order_by("available_at", "pk")
    rows = list(due.values_list("available_at", "pk")[:BATCH])
    while rows:
        yield [pk for _, pk in rows]
        date, pk = rows[-1]
        after = Q(available_at__gt=date) | Q(available_at=date, pk__gt=pk)
        rows = list(due.filter(after).values_list("available_at", "pk")[:BATCH])


def _clear_batch(pks: Sequence[int]) -> int:
    try:
        return _claim_and_clear(pks)
    except Exception:
        if len(pks) == 1:
            logger.exception("The earnings of held funds %s could not be cleared.", pks[0])
            return 0
    return sum(_clear_batch([pk]) for pk in pks)


@transaction.atomic
def _claim_and_clear(pks: Sequence[int]) -> int:
    waiting = HeldFunds.objects.filter(pk__in=pks, cleared_at=None).order_by("pk")
    return _clear(list(waiting.select_for_update(skip_locked=True, no_key=True)))


def _clear(many: Sequence[HeldFunds]) -> int:
    """Clear each of these locked rows. First the rows, then the money: whoever freezes an earning does likewise."""
    if not many:
        return 0
    pks = [held.pk for held in many]
    HeldFunds.objects.filter(pk__in=pks).update(cleared_at=F("available_at"))
    waiting = still_clearing(pks)
    entries = [
        Entry(
            earnings_clearing(held.payee_id, held.currency),
            earnings(held.payee_id, held.currency),
            waiting.get(held.pk, 0),
            Transfer.Kind.CLEARED,
            held,
            at=held.available_at,
        )
        for held in many
    ]
    # One call, so that the purses are locked in one fixed order however many owners there are.
    book(entries, max(held.available_at for held in many if held.available_at))
    return len(many)


def still_clearing(pks: Sequence[int]) -> dict[int, int]:
    """What is left in clearing of each: what it earned, less what a chargeback has frozen meanwhile (M10)."""
    into = Sum("amount", filter=Q(destination__code=Code.EARNINGS_CLEARING), default=0)
    out_of = Sum("amount", filter=Q(source__code=Code.EARNINGS_CLEARING), default=0)
    transfers = Transfer.objects.filter(held__in=pks).order_by()
    return dict(transfers.values_list("held").annotate(waiting=into - out_of))
