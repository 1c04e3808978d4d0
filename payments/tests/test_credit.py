"""Buyer credit: given, reserved, spent and returned; never spent twice, and the last to go back."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import close_old_connections, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketplace import clock
from marketplace.accounts.models import User
from payments import services
from payments.gateways import GATEWAYS, Outcome, SandboxGateway, State
from payments.models import Account, Charge, HeldFunds, Refund, SandboxCharge, SandboxRefund, Transfer

from .conftest import Commit
from .factories import NOON, HeldFundsFactory, PersonFactory, after
from .invariants import check_at_rest, check_held
from .steps import asks, pay, settle

pytestmark = pytest.mark.django_db


class Careful(SandboxGateway):
    """The sandbox as a provider that charges no less than $0.50."""

    def least(self, currency: str) -> int:
        return 50


@pytest.fixture(autouse=True)
def _careful(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(GATEWAYS, "sandbox", Careful)


@pytest.fixture
def payer(db: None) -> User:
    return PersonFactory.create(name="Berta Buyer")


def give(payer: User, amount: int, commit: Commit) -> None:
    """So much credit, in the way that anybody gets it: refunded as credit. Without fees, to have round numbers."""
    held = HeldFundsFactory.create(payer=payer, price=amount, buyer_fee_rate=0)
    pay(held)
    with commit():
        services.refund_all(held, at=NOON, as_credit=True)


def begin(held: HeldFunds, method: str = "card_ok") -> Charge:
    with transaction.atomic():
        return services.begin_charge(held, method=method, at=NOON, return_url="/orders/7/", use_credit=True)


def buy(payer: User, price: int = 10_000, method: str = "card_ok") -> tuple[HeldFunds, Charge]:
    held = HeldFundsFactory.create(payer=payer, price=price)
    charge = begin(held, method)
    settle(charge)
    charge.refresh_from_db()
    return held, charge


def purse(payer: User) -> tuple[int, int]:
    """What is there and what is set aside, in cents."""
    return services.balance(payer, "USD", "credit"), services.balance(payer, "USD", "credit_reserved")


def cents(held: HeldFunds) -> services.Cents:
    return services.where_every_cent_is([held.reference])[held.reference]


def test_a_refund_as_credit_is_there_at_once_and_no_provider_is_asked(payer: User, commit: Commit) -> None:
    held = HeldFundsFactory.create(payer=payer)
    pay(held)
    with commit():
        part = services.refund_part(held, price=4000, at=after(hours=1), as_credit=True)
        assert purse(payer) == (4220, 0)
    with commit():
        rest = services.refund_all(held, at=after(hours=2), as_credit=True)
    assert [(row.amount, row.credit, row.status, row.settled_at) for row in (part, rest)] == [
        (4220, 4220, "succeeded", after(hours=1)),
        (6330, 6330, "succeeded", after(hours=2)),
    ]
    assert (purse(payer), SandboxRefund.objects.count()) == ((10_550, 0), 0)
    assert cents(held) == services.Cents(charged=10_550, refunded=10_550, as_credit=10_550)
    assert services.settle_refunds(at=after(days=1)) == 0
    check_at_rest()


def test_credit_pays_first_and_the_card_pays_the_rest(payer: User, commit: Commit) -> None:
    give(payer, 4000, commit)
    held = HeldFundsFactory.create(payer=payer)
    charge = begin(held)
    assert (charge.amount, charge.credit, charge.card_amount, purse(payer)) == (10_550, 4000, 6550, (0, 4000))
    settle(charge)
    assert SandboxCharge.objects.get(key=charge.key).amount == 6550
    assert (purse(payer), cents(held)) == ((0, 0), services.Cents(charged=10_550, held=10_550, with_credit=4000))
    assert list(charge.transfers.values_list("kind", "amount", "held")) == [
        ("credit_reserved", 4000, None),
        ("credit_spent", 4000, held.pk),
        ("charge", 6550, held.pk),
    ]
    check_at_rest()


def test_credit_that_is_not_asked_for_stays(payer: User, commit: Commit) -> None:
    give(payer, 4000, commit)
    charge = pay(HeldFundsFactory.create(payer=payer))
    assert (charge.credit, purse(payer)) == (0, (4000, 0))


def test_credit_of_another_currency_or_person_pays_nothing(payer: User, commit: Commit) -> None:
    give(payer, 4000, commit)
    for held in (HeldFundsFactory.create(payer=payer, currency="EUR"), HeldFundsFactory.create()):
        assert begin(held).credit == 0
    assert purse(payer) == (4000, 0)


def test_credit_alone_pays_without_a_provider(payer: User, commit: Commit) -> None:
    give(payer, 20_000, commit)
    asked = SandboxCharge.objects.count()
    held, charge = buy(payer)
    assert (charge.status, charge.credit, charge.provider_id) == ("succeeded", 10_550, "")
    assert (purse(payer), SandboxCharge.objects.count()) == ((9450, 0), asked)
    assert cents(held) == services.Cents(charged=10_550, held=10_550, with_credit=10_550)
    with commit():
        refund = services.refund_all(held, at=after(hours=1))
    assert (refund.status, refund.credit, purse(payer)) == ("succeeded", 10_550, (20_000, 0))
    check_at_rest()


@pytest.mark.parametrize(
    ("balance", "part"),
    [
        (10_549, 10_500),  # a card pays no less than 50 cents
        (10_501, 10_500),
        (10_500, 10_500),
        (10_499, 10_499),
        (10_550, 10_550),
        (10_551, 10_550),
    ],
)
def test_what_is_left_for_the_card_can_be_charged(payer: User, commit: Commit, balance: int, part: int) -> None:
    give(payer, balance, commit)
    charge = begin(HeldFundsFactory.create(payer=payer))
    assert (charge.credit, purse(payer)) == (part, (balance - part, part))


def test_a_total_below_what_a_card_can_pay_is_paid_with_credit_alone_or_not_at_all(
    payer: User, commit: Commit, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as earlier:  # agreed before the gateway had this limit
        earlier.setattr(Careful, "least", lambda self, currency: 1)
        give(payer, 30, commit)
        more, less = (HeldFundsFactory.create(payer=payer, price=price) for price in (40, 20))
    assert (begin(more).credit, begin(less).credit) == (0, 21)
    # Amounts stay multiples of what the gateway can charge.
    give(payer, 91, commit)
    monkeypatch.setattr(Careful, "step", lambda self, currency: 10)
    held = HeldFundsFactory.create(payer=payer, price=1000)
    assert (begin(held).credit, purse(payer)) == (100, (0, 121))


@pytest.mark.parametrize(
    ("method", "status"), [("card_declined", "failed"), ("card_authentication", "canceled"), ("card_ok", "canceled")]
)
def test_credit_comes_back_when_the_attempt_does_not_succeed(
    payer: User, commit: Commit, method: str, status: str
) -> None:
    give(payer, 4000, commit)
    held = HeldFundsFactory.create(payer=payer)
    charge = begin(held, method)
    if method != "card_ok":  # left as it was begun, for nobody asked yet
        settle(charge)
    if status == "canceled":
        with commit():
            services.cancel_attempts(held, at=after(hours=1))
        settle(charge, after(hours=1))
    charge.refresh_from_db()
    assert (charge.status, purse(payer)) == (status, (4000, 0))
    with commit():
        services.cancel_attempts(held, at=after(hours=2))
    assert purse(payer) == (4000, 0)
    assert [row.change for row in services.credit_history(payer)] == [4000, -4000, 4000]
    check_at_rest()


def test_credit_that_a_crash_left_reserved_is_spent_by_the_sweep(payer: User, commit: Commit) -> None:
    give(payer, 20_000, commit)
    held = HeldFundsFactory.create(payer=payer)
    charge = begin(held)
    assert services.ask_charge(charge.pk).succeeded  # and the process died before recording it
    assert purse(payer) == (9450, 10_550)
    [left] = services.undecided_charges(before=after(minutes=1))
    assert settle(left, after(minutes=1))
    assert (purse(payer), cents(held).held) == ((9450, 0), 10_550)


def test_a_purchase_with_credit_alone_that_was_canceled_meanwhile_charges_nothing(payer: User, commit: Commit) -> None:
    give(payer, 20_000, commit)
    held = HeldFundsFactory.create(payer=payer)
    charge = begin(held)
    outcome = services.ask_charge(charge.pk)
    with commit():
        services.cancel_attempts(held, at=NOON)
    with commit():
        assert not services.record_outcome(charge, outcome, at=NOON)
    charge.refresh_from_db()
    assert (charge.status, purse(payer), cents(held)) == ("canceled", (20_000, 0), services.Cents())


def fails_then_succeeds(payer: User, commit: Commit) -> tuple[HeldFunds, Charge]:
    """An attempt paid in part with credit that failed, and whose success is recorded all the same."""
    held = HeldFundsFactory.create(payer=payer)
    charge = begin(held, "card_processing")
    settle(charge)
    with commit():
        services.record_outcome(charge, Outcome(State.FAILED, charge.provider_id), at=after(seconds=1))
    assert purse(payer) == (4000, 0)
    return held, charge


def takes_it_late(charge: Charge) -> Outcome:
    """The bank of the sandbox takes the money after its time."""
    with clock.at(after(minutes=1)):
        return SandboxGateway().find_charge(asks(charge.key))


def test_a_late_success_funds_when_the_credit_is_still_there(payer: User, commit: Commit) -> None:
    give(payer, 4000, commit)
    held, charge = fails_then_succeeds(payer, commit)
    outcome = takes_it_late(charge)
    with commit():
        assert services.record_outcome(charge, outcome, at=after(minutes=1))
        services.fund(charge, at=after(minutes=1))
    assert (purse(payer), cents(held)) == ((0, 0), services.Cents(charged=10_550, held=10_550, with_credit=4000))
    check_at_rest()


def test_a_late_success_goes_back_when_the_credit_is_spent(payer: User, commit: Commit) -> None:
    give(payer, 4000, commit)
    held, charge = fails_then_succeeds(payer, commit)
    buy(payer)
    outcome = takes_it_late(charge)
    with commit():
        assert services.record_outcome(charge, outcome, at=after(minutes=1))
        with pytest.raises(services.CreditGone):
            services.fund(charge, at=after(minutes=1))
        refund = services.send_back(charge, at=after(minutes=1))
    refund.refresh_from_db()
    assert (refund.amount, refund.credit, refund.status) == (6550, 0, "succeeded")
    assert (held.amount, cents(held)) == (0, services.Cents(charged=6550, refunded=6550))
    check_at_rest()


def test_a_surplus_gives_the_card_and_the_credit_their_parts_back(payer: User, commit: Commit) -> None:
    give(payer, 4000, commit)
    held = HeldFundsFactory.create(payer=payer)
    charge = begin(held)
    outcome = services.ask_charge(charge.pk)
    with commit():
        services.record_outcome(charge, outcome, at=NOON)
        refund = services.send_back(charge, at=NOON)
        assert (purse(payer), cents(held).refunds_due) == ((4000, 0), 6550)
    refund.refresh_from_db()
    assert (refund.amount, refund.credit, refund.status) == (6550, 0, "succeeded")
    assert cents(held) == services.Cents(charged=6550, refunded=6550)
    check_at_rest()


def test_what_was_paid_with_credit_alone_is_no_surplus(payer: User, commit: Commit) -> None:
    give(payer, 20_000, commit)
    charge = begin(HeldFundsFactory.create(payer=payer))
    with commit(), pytest.raises(services.NotBookable):
        services.send_back(charge, at=NOON)
    assert purse(payer) == (9450, 10_550)


def test_refunds_fill_the_card_first_and_then_the_credit(payer: User, commit: Commit) -> None:
    give(payer, 4000, commit)
    held, _ = buy(payer)  # $40 with credit, $65.50 by card
    split = []
    for price in (3000, 4000, None):
        with commit():
            refund = services.refund_part(held, price=price, at=NOON) if price else services.refund_all(held, at=NOON)
        refund.refresh_from_db()
        split.append((refund.card_amount, refund.credit, refund.status))
    assert split == [(3165, 0, "succeeded"), (3385, 835, "succeeded"), (0, 3165, "succeeded")]
    assert (purse(payer), cents(held).as_credit) == ((4000, 0), 4000)
    check_at_rest()


# Price, refunded part, and what comes of it: pays, back, seller, platform (M4).
FIGURES = [
    ("USD", 10_000, 0, 10_550, 0, 8000, 2550),
    ("USD", 3333, 0, 3516, 0, 2666, 850),
    ("USD", 300, 0, 317, 0, 240, 77),
    ("USD", 20_000, 12_000, 21_100, 12_660, 6400, 2040),
    ("USD", 4950, 1650, 5222, 1740, 2640, 842),
    ("JPY", 1001, 0, 1056, 0, 801, 255),
    ("KWD", 12_345, 0, 13_024, 0, 9876, 3148),
]


@pytest.mark.parametrize(("currency", "price", "part", "pays", "back", "seller", "platform"), FIGURES)
@pytest.mark.parametrize(("percent", "as_credit"), [(1, False), (50, False), (50, True), (99, False), (100, False)])
def test_the_figures_come_out_whatever_part_is_credit(
    payer: User,
    commit: Commit,
    monkeypatch: pytest.MonkeyPatch,
    currency: str,
    price: int,
    part: int,
    pays: int,
    back: int,
    seller: int,
    platform: int,
    percent: int,
    as_credit: bool,
) -> None:
    monkeypatch.setitem(GATEWAYS, "sandbox", SandboxGateway)
    credit = pays * percent // 100
    if credit:
        first = HeldFundsFactory.create(payer=payer, price=credit, buyer_fee_rate=0, currency=currency)
        pay(first)
        with commit():
            services.refund_all(first, at=NOON, as_credit=True)
    held = HeldFundsFactory.create(payer=payer, price=price, currency=currency)
    charge = begin(held)
    settle(charge)
    assert (charge.amount, charge.credit) == (pays, credit)
    given = 0
    if part:
        with commit():
            given = services.refund_part(held, price=part, at=NOON, as_credit=as_credit).credit
    with commit():
        services.release(held, at=NOON)
    assert given == (back if as_credit else max(back - (pays - credit), 0))
    assert cents(held) == services.Cents(
        charged=pays, seller=seller, fees=platform, refunded=back, with_credit=credit, as_credit=given
    )


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    balance=st.integers(50, 12_000),
    parts=st.lists(st.tuples(st.integers(1, 4000), st.booleans()), max_size=4),
    release=st.booleans(),
)
def test_whatever_is_refunded_the_card_and_the_credit_get_their_own(
    payer: User, commit: Commit, balance: int, parts: list[tuple[int, bool]], release: bool
) -> None:
    buyer = PersonFactory.create()
    give(buyer, balance, commit)
    held, charge = buy(buyer)
    for price, as_credit in parts:
        if price < held.left_price:
            with commit():
                services.refund_part(held, price=price, at=NOON, as_credit=as_credit)
            check_held(held)
    with commit():
        (services.release if release else services.refund_all)(held, at=NOON)
    check_held(held)
    to_card = sum(refund.card_amount for refund in Refund.objects.filter(charge=charge))
    assert to_card <= charge.card_amount
    assert purse(buyer)[0] == balance - charge.credit + held.refunded - to_card


def test_staff_turn_a_refused_refund_into_credit(payer: User, commit: Commit) -> None:
    give(payer, 4000, commit)
    held, _ = buy(payer, method="card_refund_refused")
    with commit():
        refund = services.refund_all(held, at=NOON)
    refund.refresh_from_db()
    # The credit part is back already; what the card should have got waits.
    assert (refund.status, refund.credit, purse(payer), cents(held).refunds_due) == ("refused", 4000, (4000, 0), 6550)
    with commit():
        credited = services.turn_into_credit(refund, at=after(hours=1))
    assert (credited.attempt, credited.amount, credited.credit, credited.status) == (2, 6550, 6550, "succeeded")
    assert list(Refund.objects.turned_into_credit()) == [credited]
    assert (purse(payer), cents(held).refunds_due) == ((10_550, 0), 0)
    assert not Refund.objects.waiting_for_staff().exists()
    for verb in (services.turn_into_credit, services.ask_again):
        for row in (refund, credited):
            with pytest.raises(services.NotRefused):
                verb(row, at=after(hours=2))
    # Nobody was asked for it, so nobody can say that it failed.
    with commit():
        assert not services.record_refund(credited, Outcome(State.FAILED), after(hours=3))
    credited.refresh_from_db()
    assert (credited.status, credited.doubted) == ("succeeded", False)
    check_at_rest()


def test_credit_is_never_reserved_twice(payer: User, commit: Commit) -> None:
    """Even if the purse had no lock, the ledger would refuse what is not there (M2)."""
    give(payer, 4000, commit)
    charge = begin(HeldFundsFactory.create(payer=payer))
    with pytest.raises(services.Overdrawn), transaction.atomic():
        services.charging.credit.reserve(charge, at=NOON)


@pytest.mark.django_db(transaction=True)
def test_two_orders_never_spend_the_same_credit() -> None:
    payer = PersonFactory.create()
    first = HeldFundsFactory.create(payer=payer, price=4000, buyer_fee_rate=0)
    pay(first)
    with transaction.atomic():
        services.refund_all(first, at=NOON, as_credit=True)
    orders = [HeldFundsFactory.create(payer=payer) for _ in range(4)]
    ready = threading.Barrier(len(orders))

    def buy_at_once(held: HeldFunds) -> int:
        with clock.at(NOON):
            try:
                connection.ensure_connection()
                ready.wait(timeout=20)
                charge = begin(held)
                settle(charge)
                return charge.credit
            finally:
                connection.close()

    with ThreadPoolExecutor(len(orders)) as pool:
        parts = sorted(pool.map(buy_at_once, orders))
    close_old_connections()
    assert parts == [0, 0, 0, 4000]
    assert purse(payer) == (0, 0)
    assert Account.objects.filter(owner=payer, code="credit").count() == 1
    assert Transfer.objects.filter(kind="credit_spent").count() == 1
    check_at_rest()
