"""Earnings wait until their clearing time is over, whether the sweep is there or not (M6, O7)."""

from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection, transaction

from marketplace.accounts.models import User
from payments import services, tasks
from payments.models import Account, HeldFunds, Transfer
from payments.services import clearing

from .factories import NOON, HeldFundsFactory, PersonFactory, after
from .steps import ask_for, connect, earn, pay

pytestmark = pytest.mark.django_db
WEEKS = timedelta(days=14)


@pytest.fixture
def seller(db: None) -> User:
    return PersonFactory.create(name="Selma Seller")


def purse(seller: User) -> tuple[int, int, int]:
    """What is available, clearing and frozen, in dollars' cents."""
    (has,) = [balance for balance in services.purse(seller) if balance.currency == "USD"]
    return has.available, has.clearing, has.frozen


def charge_back(held: HeldFunds, amount: int) -> None:
    charge = held.charges.get()
    with transaction.atomic():
        services.take_back(charge, provider_id=charge.key, amount=amount, reason="", at=NOON)


def test_without_a_clearing_time_earnings_are_available_at_once(seller: User) -> None:
    held = earn(seller)
    assert (held.clearing, held.available_at, held.cleared_at) == (timedelta(0), NOON, NOON)
    assert purse(seller) == (8000, 0, 0)
    assert services.clear_earnings(at=after(days=99)) == 0


def test_with_one_they_wait_until_then_and_not_a_moment_longer(seller: User) -> None:
    held = earn(seller, clearing=WEEKS)
    assert (held.available_at, held.cleared_at) == (NOON + WEEKS, None)
    assert purse(seller) == (0, 8000, 0)
    assert services.clear_earnings(at=NOON + WEEKS - timedelta(microseconds=1)) == 0
    assert purse(seller) == (0, 8000, 0)
    assert services.clear_earnings(at=NOON + WEEKS) == 1
    assert purse(seller) == (8000, 0, 0)


def test_what_the_sweep_does_late_is_dated_when_it_was_due_and_done_once(seller: User) -> None:
    held = earn(seller, clearing=WEEKS)
    assert [services.clear_earnings(at=after(days=20)) for _ in range(2)] == [1, 0]
    held.refresh_from_db()
    moved = held.transfers.get(kind="cleared")
    assert (held.cleared_at, moved.created_at, moved.amount) == (NOON + WEEKS, NOON + WEEKS, 8000)
    assert purse(seller) == (8000, 0, 0)


def test_what_is_swept_together_is_dated_each_when_it_was_due(seller: User) -> None:
    first, last = earn(seller, clearing=timedelta(days=1)), earn(seller, clearing=WEEKS)
    assert services.clear_earnings(at=after(days=20)) == 2
    dates = [held.transfers.get(kind="cleared").created_at for held in (first, last)]
    assert dates == [after(days=1), NOON + WEEKS]


def test_a_sweep_takes_all_that_is_due_in_batches(seller: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clearing, "BATCH", 2)
    others = [PersonFactory.create() for _ in range(2)]
    for number, payee in enumerate([seller, *others, seller, seller]):
        earn(payee, clearing=WEEKS, at=after(hours=number))
    assert services.clear_earnings(at=NOON + WEEKS + timedelta(hours=3)) == 4
    assert purse(seller) == (16_000, 8000, 0)


def test_one_that_cannot_be_cleared_stands_before_no_other(
    seller: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(clearing, "BATCH", 2)
    poisonous = earn(seller, clearing=WEEKS)
    others = [earn(PersonFactory.create(), clearing=WEEKS, at=after(hours=hour)) for hour in (1, 2, 3)]
    # More than there is: the ledger refuses to take it out.
    HeldFunds.objects.filter(pk=poisonous.pk).update(payee=PersonFactory.create())
    assert services.clear_earnings(at=after(days=20)) == 3
    assert [record.message for record in caplog.records] == [
        f"The earnings of held funds {poisonous.pk} could not be cleared."
    ]
    assert HeldFunds.objects.filter(cleared_at=None).get() == poisonous
    assert [purse(held.payee) for held in others] == [(8000, 0, 0)] * 3
    HeldFunds.objects.filter(pk=poisonous.pk).update(payee=seller)


def test_what_a_chargeback_froze_meanwhile_stays_frozen(seller: User) -> None:
    charge_back(earn(seller, clearing=WEEKS), 10_550)
    charge_back(earn(seller, clearing=WEEKS), 3000)
    assert purse(seller) == (0, 5000, 11_000)
    assert services.clear_earnings(at=NOON + WEEKS) == 1
    assert purse(seller) == (5000, 0, 11_000)


def test_a_withdrawal_first_clears_what_is_due_for_its_owner_alone(seller: User) -> None:
    connect(seller)
    mine, later = earn(seller, clearing=WEEKS), earn(seller, clearing=2 * WEEKS)
    theirs = earn(PersonFactory.create(), clearing=WEEKS)
    with pytest.raises(services.WithdrawalRefused, match=r"Only \$0\.00 is available"):
        ask_for(seller, 8000, at=after(days=13))
    ask_for(seller, 8000, at=after(days=15))
    assert purse(seller) == (0, 8000, 0)
    cleared = HeldFunds.objects.in_bulk([mine.pk, later.pk, theirs.pk])
    assert [cleared[held.pk].cleared_at for held in (mine, later, theirs)] == [NOON + WEEKS, None, None]


def test_a_sweep_and_a_withdrawal_at_once_clear_it_once(transactional_db: None) -> None:
    seller = PersonFactory.create()
    connect(seller)
    for hour in range(3):
        earn(seller, clearing=WEEKS, at=after(hours=hour))
    start, said = Barrier(3), []

    def at_once(act: Callable[[], object]) -> Thread:
        def run() -> None:
            start.wait()
            try:
                said.append(act())
            finally:
                connection.close()

        return Thread(target=run)

    def sweep() -> int:
        return services.clear_earnings(at=after(days=15))

    def ask() -> str:
        return ask_for(seller, 24_000, at=after(days=15)).status

    threads = [at_once(act) for act in (sweep, ask, sweep)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert "requested" in said
    assert purse(seller) == (0, 0, 0)
    assert Transfer.objects.filter(kind="cleared").count() == 3


def test_a_hold_opens_every_account_that_its_release_needs(seller: User) -> None:
    """So that sweeps that release many at once open none, and cannot deadlock."""
    held = HeldFundsFactory.create(payee=seller, clearing=WEEKS)
    pay(held)
    before = Account.objects.count()
    with transaction.atomic():
        services.release(held, at=NOON)
    assert Account.objects.count() == before


def test_beat_clears(seller: User) -> None:
    earn(seller, clearing=timedelta(seconds=1), at=after(seconds=-5))
    tasks.clear_earnings()
    assert purse(seller) == (8000, 0, 0)
