"""Held funds: agreed, and released to the seller and the platform in one go."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from marketplace.accounts.models import User
from marketplace.rows import written
from payments import gateways, money
from payments.errors import NotChargeable, NothingHeld
from payments.models import HeldFunds, Transfer
from payments.pricing import why_not_charge

from .booking import (
    Entry,
    book,
    earnings,
    earnings_clearing,
    fees,
    held_funds,
    inside_transaction,
    open_accounts,
    refunds_due,
)
from .disputed import refuse_disputed

# What is not there any more, or is in the hands of the payer's bank, is not moved.
_RELEASE = """
    UPDATE payments_heldfunds AS held SET
        released = held.amount - held.refunded - held.charged_back,
        released_at = due.at,
        available_at = due.at + held.clearing,
        cleared_at = CASE WHEN held.clearing = interval '0' THEN due.at END
    FROM json_to_recordset(%s::json) AS due (id bigint, at timestamptz)
    WHERE held.id = due.id AND held.released = 0 AND held.amount > held.refunded + held.charged_back
        AND NOT EXISTS (
            SELECT FROM payments_charge AS charge JOIN payments_chargeback AS taken ON taken.charge_id = charge.id
            WHERE charge.held_id = held.id AND charge.funded AND taken.status = 'open'
        )
    RETURNING held.id, held.refunded, held.refunded_price, held.released, held.available_at, held.cleared_at
"""


@dataclass(frozen=True)
class Released:
    """What a release paid, in minor units."""

    seller: int
    platform: int


def hold(
    *,
    reference: str,
    description: str,
    payer: User,
    payee: User,
    price: int,
    currency: str,
    buyer_fee_rate: int,
    commission_rate: int,
    clearing: timedelta = timedelta(0),
) -> HeldFunds:
    """Make a place for the money of `reference`; nothing is charged yet. Price in minor units, rates in basis points.

    After the release the payee's earnings wait for `clearing` before they can be withdrawn (M6).
    ValueError if the currency is not dealt in, NotChargeable if the gateway in use cannot charge the price (M1).
    IntegrityError if the reference has its place already.
    """
    inside_transaction()
    money.exponent(currency)
    why_not = why_not_charge(price, currency)
    if why_not:
        raise NotChargeable(why_not)
    step = gateways.gateway().step(currency)
    held = HeldFunds.objects.create(
        reference=reference,
        description=description[:300],
        payer=payer,
        payee=payee,
        currency=currency,
        price=price,
        buyer_fee=money.fee(price, buyer_fee_rate, step),
        buyer_fee_rate=buyer_fee_rate,
        commission_rate=commission_rate,
        step=step,
        clearing=clearing,
    )
    # Opened now, under this one lock: a sweep that releases many at once then opens none, so sweeps cannot deadlock.
    open_accounts(
        [
            *(held_funds(currency), refunds_due(currency), fees(currency), earnings(payee.pk, currency)),
            *([earnings_clearing(payee.pk, currency)] if clearing else []),
        ]
    )
    return held


def release(held: HeldFunds, *, at: datetime) -> Released:
    """Release all that is left: see `release_each`."""
    return release_each([(held, at)])[0]


def release_each(many: Sequence[tuple[HeldFunds, datetime]]) -> list[Released]:
    """Release all that is left of each, at its instant: to the seller the price less commission, to the platform the
    rest (M3, M5).

    All of them or none. Both amounts follow from what the milestone finally costs, its price less refunded parts.
    The seller's part is available at once, or after the clearing time that was agreed (M6). A constant number of
    queries. The given objects are brought up to date.
    Disputed while the payer's bank decides about one of them (M10). NothingHeld if one was never funded, or was
    released, refunded in full or charged back.
    """
    inside_transaction()
    if not many:
        return []
    # Of several some may have been moved before one is found that cannot be.
    with transaction.atomic() if len(many) > 1 else nullcontext():
        return _release(many)


def _release(many: Sequence[tuple[HeldFunds, datetime]]) -> list[Released]:
    moved = {pk: row for pk, *row in written(_RELEASE, [{"id": held.pk, "at": at} for held, at in many])}
    if len(moved) != len(many):
        refuse_disputed(*(held for held, _ in many))
        raise NothingHeld("Nothing is left to release: it was never funded, or went its way already.")
    paid = []
    for held, at in many:
        held.refunded, held.refunded_price, held.released, held.available_at, held.cleared_at = moved[held.pk]
        held.released_at = at
        paid.append(Released(held.payout, held.released - held.payout))
    entries = (entry for (held, at), each in zip(many, paid, strict=True) for entry in _entries(held, each, at))
    book(entries, max(at for _, at in many))
    return paid


def _entries(held: HeldFunds, paid: Released, at: datetime) -> list[Entry]:
    source = held_funds(held.currency)
    seller = (earnings_clearing if held.clearing else earnings)(held.payee_id, held.currency)
    return [
        Entry(source, seller, paid.seller, Transfer.Kind.EARNING, held, at=at),
        Entry(source, fees(held.currency), paid.platform, Transfer.Kind.FEE, held, at=at),
    ]
