from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, models, transaction
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from payments import services
from payments.models import Account, HeldFunds, Transfer, Withdrawal
from payments.services.booking import AccountKey, Entry, book, earnings, open_accounts, withdrawals

from .factories import NOON, HeldFundsFactory, PersonFactory
from .steps import ask_for, connect, earn, pay

pytestmark = pytest.mark.django_db
Code = Account.Code


def refused(act: Callable[[], object]) -> str:
    """Do what the database must refuse, and say with what words it did."""
    with pytest.raises(IntegrityError) as error, transaction.atomic():
        act()
    return str(error.value).splitlines()[0]


def a_transfer(held: HeldFunds) -> Transfer:
    pay(held)
    return Transfer.objects.get()


def book_one(source: AccountKey, destination: AccountKey, amount: int) -> None:
    with transaction.atomic():
        book([Entry(source, destination, amount, Transfer.Kind.FEE)], NOON)


def test_a_charge_is_one_transfer_of_price_and_fee_from_clearing_to_held(held: HeldFunds) -> None:
    transfer = a_transfer(held)
    assert (str(transfer.source), str(transfer.destination)) == ("Clearing USD (sandbox)", "Held funds USD")
    assert (str(transfer), transfer.held, transfer.created_at) == ("10550 USD charge", held, NOON)


def test_the_database_refuses_to_change_a_transfer(held: HeldFunds) -> None:
    transfer = a_transfer(held)
    words = "The ledger is append-only: UPDATE of payments_transfer is refused."
    assert refused(lambda: Transfer.objects.filter(pk=transfer.pk).update(amount=1)) == words
    assert refused(transfer.save) == words


def test_the_database_refuses_to_remove_a_transfer(held: HeldFunds) -> None:
    transfer = a_transfer(held)
    assert refused(transfer.delete) == "The ledger is append-only: DELETE of payments_transfer is refused."


def test_the_database_refuses_to_empty_the_ledger() -> None:
    with connection.cursor() as cursor:
        # Off in tests for the sake of their flushes; the change goes with this test's transaction.
        cursor.execute("ALTER TABLE payments_transfer ENABLE TRIGGER refuse_truncate")
        words = refused(lambda: cursor.execute("TRUNCATE payments_transfer CASCADE"))
        assert words == "The ledger is append-only: TRUNCATE of payments_transfer is refused."
        words = refused(lambda: cursor.execute("TRUNCATE payments_account CASCADE"))
        assert words == "The ledger is append-only: TRUNCATE of payments_transfer is refused."
        cursor.execute("ALTER TABLE payments_transfer DISABLE TRIGGER refuse_truncate")


def test_the_database_refuses_to_change_or_remove_an_account(held: HeldFunds) -> None:
    account = Account.objects.get(code=Code.FEES)
    words = "The ledger is append-only: {} of payments_account is refused."
    assert refused(lambda: Account.objects.update(currency="EUR")) == words.format("UPDATE")
    assert refused(account.delete) == words.format("DELETE")


def test_somebody_with_an_account_cannot_be_removed(held: HeldFunds) -> None:
    with pytest.raises(models.ProtectedError):
        held.payee.delete()


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"amount": 0}, "transfer_moves_something"),
        ({"amount": -5}, "transfer_moves_something"),
        ({"destination": "held"}, "transfer_leaves_its_source"),
        ({"currency": "EUR"}, "transfer_source_currency"),
        ({"destination": "euro fees"}, "transfer_destination_currency"),
        ({"held": "euro"}, "transfer_held_currency"),
    ],
)
def test_the_database_refuses_a_transfer_that_is_not_sound(
    held: HeldFunds, change: dict[str, object], constraint: str
) -> None:
    euro = HeldFundsFactory.create(currency="EUR")
    rows: dict[object, object] = {
        "held": Account.objects.get(code=Code.HELD, currency="USD"),
        "euro fees": Account.objects.get(code=Code.FEES, currency="EUR"),
    }
    sound = {"destination": Account.objects.get(code=Code.FEES, currency="USD"), "held": held, "currency": "USD"}
    if "held" in change:
        change = {"held": euro}
    elif "destination" in change:
        change = {"destination": rows[change["destination"]]}
    fields = {"source": rows["held"], "amount": 1, "kind": "fee", "created_at": NOON, **sound, **change}
    assert constraint in refused(lambda: Transfer.objects.create(**fields))


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"code": "fees", "currency": "USD"}, "one_account_of_each_kind"),
        ({"code": "debt", "currency": "USD"}, "personal_accounts_have_owners"),
        ({"code": "loss", "currency": "USD", "owner": True}, "personal_accounts_have_owners"),
        ({"code": "clearing", "currency": "USD"}, "clearing_has_a_provider"),
        ({"code": "loss", "currency": "USD", "provider": "sandbox"}, "clearing_has_a_provider"),
        ({"code": "loss", "currency": "usd"}, "account_currency_is_iso"),
    ],
)
def test_the_database_refuses_an_account_that_is_not_sound(
    held: HeldFunds, fields: dict[str, object], constraint: str
) -> None:
    if "owner" in fields:
        fields = fields | {"owner": held.payee}
    assert constraint in refused(lambda: Account.objects.create(**fields))


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"amount": 1, "funded_at": NOON}, "held_funded_in_full_or_not_at_all"),
        ({"amount": 10_550}, "held_funded_in_full_or_not_at_all"),
        ({"funded_at": NOON}, "held_funded_in_full_or_not_at_all"),
        ({"refunded": 1}, "held_never_overspent"),
        ({"released": -1, "released_at": NOON}, "held_never_overspent"),
        ({"amount": 10_550, "funded_at": NOON, "charged_back": 10_551}, "held_never_overspent"),
        (
            {"amount": 10_550, "funded_at": NOON, "released": 10_549, "released_at": NOON},
            "held_released_once_and_in_full",
        ),
        ({"amount": 10_550, "funded_at": NOON, "released": 10_550}, "held_released_once_and_in_full"),
        ({"refunded_price": 10_001}, "held_refunded_price_in_price"),
        ({"price": 0}, "held_has_a_price"),
        ({"commission_rate": 10_000}, "held_rates_below_all"),
        ({"currency": "us"}, "held_currency_is_iso"),
    ],
)
def test_the_database_refuses_held_funds_that_do_not_add_up(
    held: HeldFunds, change: dict[str, object], constraint: str
) -> None:
    assert constraint in refused(lambda: HeldFunds.objects.filter(pk=held.pk).update(**change))


def test_nobody_holds_money_for_themselves(held: HeldFunds) -> None:
    words = refused(lambda: HeldFunds.objects.filter(pk=held.pk).update(payee=held.payer))
    assert "held_for_somebody_else" in words


def test_a_transfer_of_zero_is_not_written() -> None:
    book_one(AccountKey(Code.HELD, "USD"), AccountKey(Code.FEES, "USD"), 0)
    assert not Transfer.objects.exists()


def test_money_moves_only_inside_a_transaction() -> None:
    assert connection.in_atomic_block
    connection.in_atomic_block = False
    try:
        with pytest.raises(TransactionManagementError, match="Money moves only inside its caller's transaction"):
            book([], NOON)
    finally:
        connection.in_atomic_block = True


@pytest.mark.parametrize("code", ["earnings_clearing", "earnings_available", "earnings_frozen", "credit"])
def test_a_purse_cannot_be_overdrawn(held: HeldFunds, code: str) -> None:
    purse = AccountKey(code, "USD", held.payee_id)
    book_one(AccountKey(Code.LOSS, "USD"), purse, 500)
    with pytest.raises(services.Overdrawn, match=r"Only \$5\.00 is left of (Seller earnings|Buyer credit)"):
        book_one(purse, AccountKey(Code.WITHDRAWALS, "USD"), 501)
    book_one(purse, AccountKey(Code.LOSS, "USD"), 500)
    assert services.balance(held.payee, "USD", code) == 0


def test_the_platform_cannot_overdraw_its_fees() -> None:
    with pytest.raises(services.Overdrawn, match=r"Only \$0\.00 is left"):
        book_one(AccountKey(Code.FEES, "USD"), AccountKey(Code.LOSS, "USD"), 1)


def test_two_withdrawals_that_end_do_not_wait_for_each_other() -> None:
    seller = PersonFactory.create()
    earn(seller)
    connect(seller)
    withdrawal = ask_for(seller)
    Withdrawal.objects.update(status="canceled")
    kind = Transfer.Kind.WITHDRAWAL_RETURNED
    with CaptureQueriesContext(connection) as asked, transaction.atomic():
        book([Entry(withdrawals("USD"), earnings(seller.pk, "USD"), 5_000, kind, withdrawal=withdrawal)], NOON)
    assert [query["sql"] for query in asked if "FOR NO KEY UPDATE" in query["sql"]] == []


def test_two_transfers_out_of_one_purse_are_refused_together(held: HeldFunds) -> None:
    purse, loss = AccountKey(Code.EARNINGS_AVAILABLE, "USD", held.payee_id), AccountKey(Code.LOSS, "USD")
    book_one(loss, purse, 500)
    entry = Entry(purse, loss, 300, Transfer.Kind.FEE)
    with pytest.raises(services.Overdrawn), transaction.atomic():
        book([entry, entry], NOON)
    book_one(purse, loss, 500)


@pytest.mark.parametrize(
    ("code", "owner", "provider"),
    [("clearing", False, "sandbox"), ("chargebacks", False, ""), ("debt", True, ""), ("loss", False, "")],
)
def test_clearing_chargebacks_debt_and_loss_may_be_overdrawn(
    held: HeldFunds, code: str, owner: bool, provider: str
) -> None:
    source = AccountKey(code, "USD", held.payee_id if owner else None, provider)
    book_one(source, AccountKey(Code.FEES, "USD"), 100)
    assert Account.objects.with_balance().get(code=code).balance == -100
    book_one(AccountKey(Code.FEES, "USD"), source, 100)  # or no promise would hold: nobody was charged back


def test_accounts_are_opened_once_and_found_again(
    held: HeldFunds, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    key = AccountKey(Code.CREDIT, "USD", held.payer_id)
    first = open_accounts([key, key])
    with django_assert_num_queries(1):
        assert open_accounts([key]) == first


def test_a_purse_shows_every_currency(held: HeldFunds, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    seller = held.payee
    yen = HeldFundsFactory.create(payee=seller, currency="JPY", price=1001)
    for each in (held, yen):
        pay(each)
        with transaction.atomic():
            services.release(each, at=NOON)
    with django_assert_num_queries(1):
        assert services.purse(seller) == [
            services.Balance("JPY", available=801),
            services.Balance("USD", available=8000),
        ]
    assert services.balance(seller, "JPY") == 801
    assert services.balance(seller, "EUR") == 0
    assert services.purse(PersonFactory.create()) == []


def test_where_every_cent_is_takes_one_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    untouched, paid, released = HeldFundsFactory.create_batch(3)
    for each in (paid, released):
        pay(each)
    with transaction.atomic():
        services.release(released, at=NOON)
    references = [untouched.reference, paid.reference, released.reference, "nobody"]
    with django_assert_num_queries(1):
        cents = services.where_every_cent_is(references)
    assert cents == {
        untouched.reference: services.Cents(),
        paid.reference: services.Cents(charged=10_550, held=10_550),
        released.reference: services.Cents(charged=10_550, seller=8000, fees=2550),
        "nobody": services.Cents(),
    }
