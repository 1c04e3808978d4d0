from decimal import Decimal

import pytest
from django.template import Context, Template
from hypothesis import example, given
from hypothesis import strategies as st

from payments import money

from .invariants import share

RATES = [250, 550, 725, 1250, 2000]
currencies = st.sampled_from(sorted(money.CURRENCIES))
amounts = st.integers(min_value=0, max_value=money.GREATEST)


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        (15_825, "USD", "$158.25"),
        (115_825, "USD", "$1,158.25"),
        (1001, "JPY", "¥1,001"),
        (12_345, "KWD", "KWD 12.345"),
        (-100, "USD", "−$1.00"),
        (5, "EUR", "€0.05"),
        (0, "KRW", "₩0"),
        (-12_345, "TND", "−TND 12.345"),
    ],
)
def test_an_amount_is_displayed_in_its_currency(amount: int, currency: str, shown: str) -> None:
    assert money.display(amount, currency) == shown
    page = Template("{% load money %}{{ amount|money:currency }}")
    assert page.render(Context({"amount": amount, "currency": currency})) == shown


@pytest.mark.parametrize(
    ("typed", "currency", "amount"),
    [
        ("158.25", "USD", 15_825),
        (" $1,158.25 ", "USD", 115_825),
        ("USD 12", "USD", 1200),
        ("12.5", "USD", 1250),
        (".5", "USD", 50),
        ("5.", "USD", 500),
        ("¥1,001", "JPY", 1001),
        ("1001", "KRW", 1001),
        ("KWD 12.345", "KWD", 12_345),
        ("0", "USD", 0),
        ("12.3", "KWD", 12_300),
    ],
)
def test_what_people_type_is_understood(typed: str, currency: str, amount: int) -> None:
    assert money.parse(typed, currency) == amount


@pytest.mark.parametrize(
    ("typed", "currency", "refusal"),
    [
        ("12.345", "USD", "USD has at most 2 decimals: enter an amount like 123.45."),
        ("1.500", "EUR", "EUR has at most 2 decimals: enter an amount like 123.45."),
        ("10.0", "JPY", "JPY has no decimals: enter an amount like 12345."),
        ("1.2345", "KWD", "KWD has at most 3 decimals: enter an amount like 12.345."),
        ("100000000000000.01", "JPY", "JPY has no decimals: enter an amount like 12345."),
        ("1000000000000.01", "USD", "That is more than we can handle: at most $1,000,000,000,000.00."),
        ("9" * 5000, "USD", "That is more than we can handle: at most $1,000,000,000,000.00."),
        *(
            (typed, "USD", "Enter an amount like 123.45, without signs or letters.")
            for typed in ["", ".", "-5", "+5", "1e3", "NaN", "ten", "1,00", "1,23,456", "1 000", "٣", "5\x00", "€5"]
        ),
    ],
)
def test_what_cannot_be_understood_is_refused_with_a_sentence(typed: str, currency: str, refusal: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011  the whole text is compared
        money.parse(typed, currency)
    assert str(error.value) == refusal


def test_a_currency_nobody_deals_in_is_refused() -> None:
    for ask in (money.exponent, lambda currency: money.parse("1", currency), lambda c: money.display(1, c)):
        with pytest.raises(ValueError, match="'XXX' is not a currency we deal in"):
            ask("XXX")


@given(amounts, currencies)
def test_what_a_form_shows_is_read_back_as_the_same_amount(amount: int, currency: str) -> None:
    assert money.parse(money.plain(amount, currency), currency) == amount
    assert money.parse(money.display(amount, currency), currency) == amount
    assert Decimal(money.exact(-amount, currency)) == -Decimal(amount).scaleb(-money.exponent(currency))


@given(price=st.integers(min_value=0, max_value=10**12), rate=st.sampled_from(RATES))
@example(price=1, rate=5000)
@example(price=20, rate=250)
@example(price=100, rate=550)
def test_a_fee_is_half_up_to_the_minor_unit(price: int, rate: int) -> None:
    assert money.fee(price, rate) == share(price, rate)


@given(
    price=st.integers(min_value=0, max_value=10**12),
    rate=st.integers(min_value=0, max_value=9999),
    step=st.sampled_from([1, 5, 10, 100]),
)
def test_a_fee_is_rounded_to_the_step_that_the_gateway_can_charge(price: int, rate: int, step: int) -> None:
    fee = money.fee(price, rate, step)
    assert fee % step == 0
    exactly = Decimal(price) * rate / 10_000
    assert -Decimal(step) / 2 < fee - exactly <= Decimal(step) / 2


@pytest.mark.parametrize(("price", "rate", "step"), [(-1, 550, 1), (1, -1, 1), (1, 10_000, 1), (1, 550, 0)])
def test_a_fee_that_makes_no_sense_is_refused(price: int, rate: int, step: int) -> None:
    with pytest.raises(ValueError, match="No fee of"):
        money.fee(price, rate, step)
