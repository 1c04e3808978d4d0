import uuid
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from payments import gateways, services
from payments.models import HeldFunds, Transfer

from .conftest import Commit
from .factories import NOON, HeldFundsFactory, PersonFactory, after
from .invariants import check_at_rest, check_held, share
from .steps import pay

pytestmark = pytest.mark.django_db


def to_the_cent(amount: str, currency: str) -> int:
    return int(Decimal(amount).scaleb({"USD": 2, "JPY": 0, "KWD": 3}[currency]))


@pytest.mark.parametrize(
    ("price", "currency", "pays", "seller", "platform"),
    [
        ("100.00", "USD", "105.50", "80.00", "25.50"),
        ("33.33", "USD", "35.16", "26.66", "8.50"),
        ("3.00", "USD", "3.17", "2.40", "0.77"),
        ("1001", "JPY", "1056", "801", "255"),
        ("12.345", "KWD", "13.024", "9.876", "3.148"),
    ],
)
def test_an_accepted_milestone_comes_out_to_the_cent(
    price: str, currency: str, pays: str, seller: str, platform: str
) -> None:
    held = HeldFundsFactory.create(price=to_the_cent(price, currency), currency=currency)
    charge = pay(held)
    assert charge.amount == held.amount == to_the_cent(pays, currency)
    with transaction.atomic():
        released = services.release(held, at=after(days=2))
    assert released == services.Released(to_the_cent(seller, currency), to_the_cent(platform, currency))
    assert services.where_every_cent_is([held.reference])[held.reference] == services.Cents(
        charged=charge.amount, seller=released.seller, fees=released.platform
    )
    assert services.balance(held.payee, currency) == released.seller
    assert (held.left, held.released_at) == (0, after(days=2))
    check_at_rest()


@pytest.mark.parametrize(
    ("price", "part", "pays", "back", "seller", "platform"),
    [
        (20_000, 12_000, 21_100, 12_660, 6400, 2040),
        (4950, 1650, 5222, 1740, 2640, 842),
    ],
)
def test_a_part_refunded_and_the_rest_accepted_comes_out_to_the_cent(
    commit: Commit, price: int, part: int, pays: int, back: int, seller: int, platform: int
) -> None:
    held = HeldFundsFactory.create(price=price)
    assert pay(held).amount == pays
    with commit():
        refund = services.refund_part(held, price=part, at=NOON)
        assert refund.amount == back
        assert services.release(held, at=NOON) == services.Released(seller, platform)
    assert services.where_every_cent_is([held.reference])[held.reference] == services.Cents(
        charged=pays, seller=seller, fees=platform, refunded=back
    )
    check_at_rest()


def test_what_a_step_of_the_gateway_cannot_charge_is_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    class InTens(gateways.SandboxGateway):
        def step(self, currency: str) -> int:
            return 10

    monkeypatch.setitem(gateways.GATEWAYS, "sandbox", InTens)
    with pytest.raises(services.NotChargeable, match=r"Prices in KWD go in steps of KWD 0\.010"):
        HeldFundsFactory.create(price=12_345, currency="KWD")
    held = HeldFundsFactory.create(price=12_340, currency="KWD")
    assert (held.buyer_fee, held.total) == (680, 13_020)
    pay(held)
    with transaction.atomic():
        assert services.refund_part(held, price=5550, at=NOON).amount == 5550 + 680 - 370
        with pytest.raises(services.BadPart):
            services.refund_part(held, price=5, at=NOON)
        services.release(held, at=NOON)


@pytest.mark.parametrize("price", [0, -1])
def test_a_price_of_nothing_is_not_held(price: int) -> None:
    with pytest.raises(services.NotChargeable, match="A price is above zero"):
        HeldFundsFactory.create(price=price)


def test_a_currency_that_nobody_deals_in_is_not_held(db: None) -> None:
    with pytest.raises(ValueError, match="not a currency we deal in"):
        HeldFundsFactory.create(currency="XXX")


def test_a_reference_has_one_place_for_its_money(held: HeldFunds) -> None:
    with pytest.raises(IntegrityError, match="reference"):
        HeldFundsFactory.create(reference=held.reference)


def test_nothing_is_released_that_was_never_funded(held: HeldFunds) -> None:
    with pytest.raises(services.NothingHeld), transaction.atomic():
        services.release(held, at=NOON)
    assert not Transfer.objects.exists()


def test_held_funds_are_released_once(held: HeldFunds) -> None:
    pay(held)
    with transaction.atomic():
        services.release(held, at=NOON)
        with pytest.raises(services.NothingHeld):
            services.release(held, at=NOON)
    assert Transfer.objects.count() == 3


def test_nothing_is_released_after_all_was_refunded(held: HeldFunds, commit: Commit) -> None:
    pay(held)
    with commit():
        services.refund_all(held, at=NOON)
    with pytest.raises(services.NothingHeld), transaction.atomic():
        services.release(held, at=NOON)


def test_of_several_all_are_released_or_none() -> None:
    paid, unpaid = HeldFundsFactory.create_batch(2)
    pay(paid)
    with transaction.atomic():
        with pytest.raises(services.NothingHeld):
            services.release_each([(paid, NOON), (unpaid, NOON)])
        # Refused and caught, it has left nothing behind in the transaction that goes on.
        assert services.release(paid, at=NOON) == services.Released(8000, 2550)


def test_one_given_twice_is_refused(held: HeldFunds) -> None:
    pay(held)
    with pytest.raises(services.NothingHeld), transaction.atomic():
        services.release_each([(held, NOON)] * 2)


def test_releasing_many_takes_as_many_queries_as_releasing_one(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    seller = PersonFactory.create()
    many = [*HeldFundsFactory.create_batch(7), *HeldFundsFactory.create_batch(3, payee=seller)]
    for held in many:
        pay(held)
    # Claim, accounts, transfers; of several in a savepoint, whatever their number.
    with transaction.atomic(), django_assert_num_queries(3):
        services.release(many[0], at=NOON)
    with transaction.atomic(), django_assert_num_queries(5):
        released = services.release_each([(held, NOON) for held in many[1:]])
    assert released == [services.Released(8000, 2550)] * 9
    assert services.balance(seller, "USD") == 24_000


def test_a_commission_of_everything_pays_the_platform_alone() -> None:
    held = HeldFundsFactory.create(price=1, buyer_fee_rate=0, commission_rate=9999)
    pay(held)
    with transaction.atomic():
        assert services.release(held, at=NOON) == services.Released(0, 1)
    assert list(held.transfers.values_list("kind", flat=True)) == ["charge", "fee"]


def test_without_fees_the_seller_gets_everything() -> None:
    held = HeldFundsFactory.create(price=1, buyer_fee_rate=0, commission_rate=0)
    pay(held)
    with transaction.atomic():
        assert services.release(held, at=NOON) == services.Released(1, 0)
    assert list(held.transfers.values_list("kind", flat=True)) == ["charge", "earning"]


RATES = st.sampled_from([250, 550, 725, 1250, 2000])


@examples(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    price=st.integers(min_value=1, max_value=10**9),
    currency=st.sampled_from(["USD", "JPY", "KWD"]),
    buyer_fee_rate=RATES,
    commission_rate=RATES,
    parts=st.lists(st.integers(min_value=1, max_value=10**9), max_size=4),
    accepted=st.booleans(),
)
def test_parts_refunded_and_the_rest_released_sum_to_what_was_charged(
    db: None, price: int, currency: str, buyer_fee_rate: int, commission_rate: int, parts: list[int], accepted: bool
) -> None:
    held = HeldFundsFactory.create(
        reference=f"example-{uuid.uuid4()}",
        payer=PersonFactory.create(),
        price=price,
        currency=currency,
        buyer_fee_rate=buyer_fee_rate,
        commission_rate=commission_rate,
    )
    charged = pay(held).amount
    assert charged == price + share(price, buyer_fee_rate)
    back, left = 0, price
    with transaction.atomic():
        for part in parts:
            if part >= left:
                with pytest.raises(services.BadPart):
                    services.refund_part(held, price=part, at=NOON)
                continue
            expected = part + share(left, buyer_fee_rate) - share(left - part, buyer_fee_rate)
            assert services.refund_part(held, price=part, at=NOON).amount == expected
            back, left = back + expected, left - part
        if accepted:
            released = services.release(held, at=NOON)
            assert released.seller == left - share(left, commission_rate)
            assert released.platform == share(left, buyer_fee_rate) + share(left, commission_rate)
            assert charged == back + released.seller + released.platform
        else:
            assert services.refund_all(held, at=NOON).amount == charged - back
    held.refresh_from_db()
    assert held.left == 0
    check_held(held)
