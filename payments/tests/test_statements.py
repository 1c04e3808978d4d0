"""A seller's year: every line, and sums that make the closing balance of the opening one."""

import csv
import io
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from django.test import Client
from pypdf import PdfReader
from pytest_django import DjangoAssertNumQueries

from marketplace import clock
from marketplace.accounts.models import User
from payments import services
from payments.models import Chargeback, HeldFunds, Transfer
from payments.services.booking import AccountKey, Entry, book
from payments.views import statements as pages

from .factories import NOON, HeldFundsFactory, PersonFactory
from .steps import ask_for, connect, earn, pay

pytestmark = pytest.mark.django_db
YEAR = services.year_in(UTC, 2026)


def charge_back(held: HeldFunds, amount: int) -> Chargeback:
    charge = held.charges.select_related("held").get()
    with transaction.atomic():
        return services.take_back(charge, provider_id=f"dp_{charge.pk}", amount=amount, reason="", at=NOON)


@pytest.fixture
def seller() -> User:
    seller: User = PersonFactory.create(name="Selma Seller")
    return seller


@pytest.fixture
def busy(seller: User, client: Client) -> User:
    """$80.00 from last year; $170.00 and ¥801 earned, $220.00 withdrawn, $20.00 frozen, $30.00 owed, $10.00 paid."""
    first = earn(seller, at=datetime(2025, 7, 1, tzinfo=UTC))
    second = earn(seller, 20_000, description='=Logo <b>&</b> "ロゴ"')
    earn(seller, 1_001, currency="JPY", description="Voice")
    connect(seller)
    ask_for(seller, 22_000)
    charge_back(first, 2_000)
    lost = charge_back(second, 3_000)
    with transaction.atomic():
        services.lose(lost, at=NOON)
    services.decide_rest(lost, rest_as="debt", by=PersonFactory.create(), at=NOON)
    earn(seller, 1_250)
    with transaction.atomic():
        services.pay_debt(seller, currency="USD", at=NOON)
    client.force_login(seller)
    return seller


def test_opening_and_movements_make_the_closing_balance_to_the_cent(busy: User) -> None:
    yen, dollars = services.statements(busy, *YEAR)
    assert (yen.currency, yen.opening.total, yen.earned, yen.closing.total) == ("JPY", 0, 801, 801)
    assert (yen.price, yen.commission, yen.milestones, yen.others) == (1_001, 200, 1, [])
    assert (dollars.opening.total, dollars.opening.available) == (8_000, 8_000)
    assert (dollars.price, dollars.commission, dollars.earned, dollars.milestones) == (21_250, 4_250, 17_000, 2)
    assert [(other.label, other.added) for other in dollars.others] == [
        ("Chargeback lost", -3_000),
        ("Withdrawal requested", -22_000),
    ]
    assert [(inner.kind, inner.within) for inner in dollars.inner] == [("debt_paid", 1_000), ("frozen", 2_000)]
    assert dollars.closing.parts == [("frozen", 2_000), ("owed", -2_000)]
    for sums in (yen, dollars):
        assert sums.opening.total + sum(movement.added for movement in sums.movements) == sums.closing.total
    for balance in services.purse(busy):
        sums = {"JPY": yen, "USD": dollars}[balance.currency]
        assert sums.closing.available == balance.available
        assert (sums.closing.frozen, sums.closing.debt) == (balance.frozen, balance.debt)


def test_years_follow_one_another_without_a_seam(busy: User) -> None:
    before, after = services.statements(busy, *services.year_in(UTC, 2025)), services.statements(busy, *YEAR)
    assert [sums.closing.total for sums in before] == [8_000]
    assert [sums.opening.total for sums in after] == [0, 8_000]


def test_a_year_begins_and_ends_at_the_sellers_midnight(seller: User) -> None:
    # 2025 in Madrid for half an hour more than in UTC it has left.
    earn(seller, at=datetime(2025, 12, 31, 23, 30, tzinfo=UTC))
    madrid = ZoneInfo("Europe/Madrid")
    assert services.statements(seller, *services.year_in(madrid, 2026))[0].earned == 8_000
    assert services.statements(seller, *services.year_in(UTC, 2026))[0].earned == 0
    assert services.years_of(seller, madrid, NOON) == [2026]
    assert services.years_of(seller, UTC, NOON) == [2026, 2025]


def test_lines_tell_each_transfer_in_the_order_of_the_ledger(busy: User) -> None:
    lines = list(services.statement_lines(busy, *YEAR))
    assert [(line.kind, line.amount, line.added, line.price, line.commission) for line in lines] == [
        ("earning", 16_000, 16_000, 20_000, 4_000),
        ("earning", 801, 801, 1_001, 200),
        ("withdrawal", 22_000, -22_000, None, None),
        ("frozen", 2_000, 0, None, None),
        ("chargeback_lost", 3_000, -3_000, None, None),
        ("earning", 1_000, 1_000, 1_250, 250),
        ("debt_paid", 1_000, 0, None, None),
    ]
    assert lines[3].description == "available to frozen: Logo design: first sketches"
    assert [line.is_milestone for line in lines[1:3]] == [True, False]


def test_a_refunded_part_is_not_counted_as_paid(seller: User) -> None:
    held = HeldFundsFactory.create(payee=seller, price=20_000)
    pay(held)
    with transaction.atomic():
        services.refund_part(held, price=12_000, at=NOON)
        services.release(held, at=NOON)
    (sums,) = services.statements(seller, *YEAR)
    assert (sums.price, sums.commission, sums.earned) == (8_000, 1_600, 6_400)


def test_credit_of_a_buyer_who_also_sells_is_no_earning(seller: User) -> None:
    with transaction.atomic():
        book(
            [Entry(AccountKey("loss", "USD"), AccountKey("credit", "USD", seller.pk), 500, Transfer.Kind.CREDITED)],
            NOON,
        )
    assert services.statements(seller, *YEAR) == []


def test_the_page_shows_sums_and_lines(busy: User, client: Client) -> None:
    page = client.get("/earnings/statements/2026/").content.decode()
    assert "Statement of earnings 2026, so far" in page
    for shown in ("$80.00", "$170.00", "−$220.00", "−$30.00", "¥801", "available to frozen"):
        assert shown in page
    assert "=Logo &lt;b&gt;&amp;&lt;/b&gt; &quot;ロゴ&quot;" in page
    assert "so far" not in client.get("/earnings/statements/2025/").content.decode()


def test_the_years_are_listed_and_others_do_not_exist(busy: User, client: Client) -> None:
    page = client.get("/earnings/statements/").content.decode()
    assert "/earnings/statements/2026/" in page
    assert "/earnings/statements/2025/" in page
    for year in (2024, 2027, 99_999, 0):
        for ending in ("/", ".pdf", ".csv"):
            assert client.get(f"/earnings/statements/{year}{ending}").status_code == 404


def test_who_earned_nothing_has_an_empty_statement(client: Client) -> None:
    client.force_login(PersonFactory.create())
    assert "Nothing was earned" in client.get("/earnings/statements/2026/").content.decode()
    assert client.get("/earnings/statements/2026.pdf").content.startswith(b"%PDF")


def test_a_stranger_is_sent_to_sign_in(client: Client) -> None:
    for address in ("/earnings/statements/", "/earnings/statements/2026/", "/earnings/statements/2026.csv"):
        assert client.get(address).headers["Location"].startswith("/accounts/login/")


def test_the_pdf_says_the_same(busy: User, client: Client) -> None:
    response = client.get("/earnings/statements/2026.pdf")
    assert response["Content-Type"] == "application/pdf"
    assert response["Content-Disposition"] == 'inline; filename="statement-2026.pdf"'
    text = " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(response.content)).pages).split())
    for shown in ("Selma Seller", "Opening balance", "$80.00", "$170.00", "−$220.00", "¥801", "=Logo <b>&</b>"):
        assert shown in text


def test_the_table_adds_up_and_is_no_formula(busy: User, client: Client) -> None:
    text = client.get("/earnings/statements/2026.csv").getvalue().decode().removeprefix("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    dollars = [row for row in rows if row["Currency"] == "USD"]
    assert (dollars[0]["What"], dollars[0]["Amount"]) == ("Opening balance", "80.00")
    assert (dollars[-1]["What"], dollars[-1]["Amount"]) == ("Closing balance", "0.00")
    changes = [row["Change of balance"] for row in dollars[1:-1]]
    assert changes == ["160.00", "-220.00", "0.00", "-30.00", "10.00", "0.00"]
    assert dollars[1]["Description"] == '\'=Logo <b>&</b> "ロゴ"'
    assert [(row["Paid by the buyer"], row["Commission"]) for row in rows if row["What"] == "Paid to the seller"] == [
        ("200.00", "40.00"),
        ("1001", "200"),
        ("12.50", "2.50"),
    ]


def test_a_long_year_is_cut_on_the_page_but_not_in_the_table(
    busy: User, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "MOST_LINES", 2)
    page = client.get("/earnings/statements/2026/").content.decode()
    assert "This lists the first 2 movements." in page
    assert "available to frozen" not in page
    pdf = client.get("/earnings/statements/2026.pdf").content
    assert "first 2 movements" in PdfReader(io.BytesIO(pdf)).pages[0].extract_text()
    assert client.get("/earnings/statements/2026.csv").getvalue().count(b"\r\n") == 1 + 2 + 7 + 2


def test_a_long_statement_takes_as_many_queries_as_a_short_one(
    busy: User, client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client.get("/earnings/statements/2026/")
    for _ in range(2):
        with django_assert_num_queries(14):
            client.get("/earnings/statements/2026/")
        earn(busy, at=NOON + timedelta(hours=1), currency="EUR")


def test_a_past_year_is_complete(busy: User, client: Client) -> None:
    with clock.at(datetime(2027, 1, 1, 0, 0, 1, tzinfo=UTC)):
        assert "so far" not in client.get("/earnings/statements/2026/").content.decode()
