"""Held funds: agreed, and released to the seller and the platform in one go."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Case, DateTimeField, ExpressionWrapper, F, Value, When

from marketplace.accounts.models import User
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
    return release_each([held], at=at)[0]


def release_each(many: Sequence[HeldFunds], *, at: datetime) -> list[Released]:
    """Release all that is left of each: to the seller the price less commission, to the platform the rest (M3, M5).

    All of them or none. Both amounts follow from what the milestone finally costs, its price less refunded parts.
    The seller's part is available at once, or after the clearing time that was agreed (M6). A constant number of
    queries. The given objects are brought up to date.
    NothingHeld if one was never funded, or was released, refunded in full or charged back.
    """
    inside_transaction()
    refuse_disputed(*many)
    pks = {held.pk for held in many}
    with transaction.atomic():
        spent = F("refunded") + F("charged_back")
        moved = HeldFunds.objects.filter(pk__in=pks, released=0, amount__gt=spent).update(
            released=F("amount") - spent,
            released_at=at,
            available_at=ExpressionWrapper(Value(at) + F("clearing"), output_field=DateTimeField()),
            cleared_at=Case(When(clearing=timedelta(0), then=Value(at)), output_field=DateTimeField()),
        )
        if moved != len(many):
            raise NothingHeld("Nothing is left to release: it was never funded, or went its way already.")
        fresh = HeldFunds.objects.in_bulk(pks)
        paid = {held.pk: Released(held.payout, held.released - held.payout) for held in fresh.values()}
        book((entry for held in fresh.values() for entry in _entries(held, paid[held.pk])), at)
    for held in many:
        held.released, held.released_at = fresh[held.pk].released, at
        held.refunded, held.refunded_price = fresh[held.pk].refunded, fresh[held.pk].refunded_price
        held.available_at, held.cleared_at = fresh[held.pk].available_at, fresh[held.pk].cleared_at
    return [paid[held.pk] for held in many]


def _entries(held: HeldFunds, paid: Released) -> list[Entry]:
    source = held_funds(held.currency)
    seller = (earnings_clearing if held.clearing else earnings)(held.payee_id, held.currency)
    return [
        Entry(source, seller, paid.seller, Transfer.Kind.EARNING, held),
        Entry(source, fees(held.currency), paid.platform, Transfer.Kind.FEE, held),
    ]
