"""Receipts as pages, PDF and CSV for those they are for; in admin for staff, with the exports of finance."""

import csv
import io
from datetime import UTC, datetime

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.db import transaction
from django.test import Client
from django.urls import reverse
from pypdf import PdfReader
from pytest_django import DjangoAssertNumQueries

from marketplace import clock
from marketplace.accounts.models import User
from payments import services
from payments.models import Document, HeldFunds

from .conftest import Commit
from .factories import NOON, HeldFundsFactory, PersonFactory, after
from .steps import ask_for, connect, earn, pay

pytestmark = pytest.mark.django_db
HOSTILE = "=<b>Logo</b> & {nb} **x** ロゴ مرحبا \u202e\u0007 {{ 7|add:7 }}"


def text_of(pdf: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).split())


@pytest.fixture
def buyer(client: Client, commit: Commit) -> User:
    """R-000001 in dollars with C-000001, R-000002 in yen, R-000003 in dinars."""
    buyer: User = PersonFactory.create(name="Berta & <i>Buyer</i>")
    held = HeldFundsFactory.create(payer=buyer, description=HOSTILE)
    pay(held)
    with commit():
        services.refund_part(held, price=5_000, at=NOON)
    for price, currency in ((1_001, "JPY"), (12_345, "KWD")):
        pay(HeldFundsFactory.create(payer=buyer, price=price, currency=currency))
    services.issue_documents(NOON)
    client.force_login(buyer)
    return buyer


def test_the_list_shows_ones_own_newest_first(buyer: User, client: Client) -> None:
    pay(HeldFundsFactory.create())
    services.issue_documents(after(hours=1))
    page = client.get("/documents/").content.decode()
    order = [page.index(f"/documents/{number}/") for number in ("C-000001", "R-000003", "R-000002", "R-000001")]
    assert order == sorted(order)
    assert "R-000004" not in page
    for amount in ("$105.50", "−$52.75", "¥1,056", "KWD 13.024"):
        assert amount in page


def test_the_list_is_of_one_year_in_the_recipients_zone(buyer: User, client: Client) -> None:
    User.objects.filter(pk=buyer.pk).update(time_zone="Pacific/Auckland")
    pay(HeldFundsFactory.create(payer=buyer))
    services.issue_documents(datetime(2026, 12, 31, 12, tzinfo=UTC))
    with clock.at(datetime(2027, 1, 5, tzinfo=UTC)):
        page = client.get("/documents/?year=2027").content.decode()
        assert ("R-000004" in page, "R-000003" in page) == (True, False)
        page = client.get("/documents/?year=2026").content.decode()
        assert ("R-000004" in page, "R-000003" in page) == (False, True)
        assert "Nothing was issued to you in 2025" in client.get("/documents/?year=2025").content.decode()
        assert "2027.csv" not in page
        download = client.get("/documents.csv?year=2027")
    assert download["Content-Disposition"] == 'attachment; filename="documents-2027.csv"'
    assert download.getvalue().count(b"\r\n") == 2
    for nonsense in ("20", "x", "99999", "-1"):
        assert client.get(f"/documents/?year={nonsense}").status_code == 404


def test_the_list_takes_as_many_queries_for_many_as_for_one(
    buyer: User, client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client.get("/documents/")
    for _ in range(2):
        with django_assert_num_queries(5):
            client.get("/documents/")
        pay(HeldFundsFactory.create(payer=buyer))
        services.issue_documents(NOON)


def test_a_receipt_is_shown_as_text_and_never_as_markup(buyer: User, client: Client) -> None:
    page = client.get("/documents/R-000001/").content.decode()
    assert "=&lt;b&gt;Logo&lt;/b&gt; &amp; {nb} **x** ロゴ" in page
    assert "Berta &amp; &lt;i&gt;Buyer&lt;/i&gt;" in page
    for shown in ("Receipt R-000001", "$100.00", "Buyer fee (5.5 %)", "$5.50", "$105.50 USD", "3 Nov 2026"):
        assert shown in page
    assert "$52.75 went back: credit note C-000001." in page
    note = client.get("/documents/C-000001/").content.decode()
    assert "Credit note C-000001" in note
    assert 'href="/documents/R-000001/"' in note


def test_the_pdf_says_the_same_and_marks_what_it_cannot_print(buyer: User, client: Client) -> None:
    response = client.get("/documents/R-000001.pdf")
    assert response["Content-Type"] == "application/pdf"
    assert response["Content-Disposition"] == 'inline; filename="R-000001.pdf"'
    text = text_of(response.content)
    for shown in ("Receipt R-000001", "Berta & <i>Buyer</i>", "=<b>Logo</b> & {nb} **x** \ufffd\ufffd"):
        assert shown in text
    for shown in ("$100.00", "Buyer fee (5.5 %) $5.50", "Paid $105.50 USD", "3 Nov 2026", "{{ 7|add:7 }}"):
        assert shown in text
    assert "ロ" not in text
    assert "For receipt R-000001" in text_of(client.get("/documents/C-000001.pdf").content)


@pytest.mark.parametrize(
    ("number", "amounts"),
    [("R-000002", ["¥1,001", "¥55", "¥1,056 JPY"]), ("R-000003", ["KWD 12.345", "KWD 0.679", "KWD 13.024 KWD"])],
)
def test_currencies_with_other_decimals_are_right_everywhere(
    buyer: User, client: Client, number: str, amounts: list[str]
) -> None:
    text, page = text_of(client.get(f"/documents/{number}.pdf").content), client.get(f"/documents/{number}/")
    for amount in amounts:
        assert amount in text
        assert amount in page.content.decode()


@pytest.mark.parametrize(
    "text",
    [
        "W" * 300,
        "語" * 300,
        "\u0301" * 50,
        "👩‍👩‍👧‍👦 🇪🇸",
        "אבג abc دهو",
        "a\u00adb\u200bc\ufeff",
        "\t\n\r\v\x1f",
        "हिन्दी ไทย 한국어",
        "\U0010ffff",
    ],
)
def test_no_text_breaks_the_pdf(client: Client, text: str) -> None:
    buyer = PersonFactory.create(name=text[:80] or "x")
    pay(HeldFundsFactory.create(payer=buyer, description=text))
    services.issue_documents(NOON)
    client.force_login(buyer)
    assert "Paid $105.50 USD" in text_of(client.get("/documents/R-000001.pdf").content)


def test_only_the_recipient_sees_it(buyer: User, client: Client) -> None:
    seller = HeldFunds.objects.filter(payer=buyer)[0].payee
    addresses = ["/documents/R-000001/", "/documents/R-000001.pdf"]
    for stranger in (seller, PersonFactory.create(), PersonFactory.create(is_staff=True, is_superuser=True)):
        client.force_login(stranger)
        assert [client.get(address).status_code for address in addresses] == [404, 404]
        assert "R-000001" not in client.get("/documents/").content.decode()
        assert client.get("/documents.csv").getvalue().count(b"\r\n") == 1
    client.logout()
    for address in (*addresses, "/documents/", "/documents.csv"):
        assert client.get(address).headers["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("number", ["R-000009", "R-1", "R-0000001", "X-000001", "C-000002", "R-٠٠٠٠٠١", "R-999999999"])
def test_other_numbers_have_no_page(buyer: User, client: Client, number: str) -> None:
    assert client.get(f"/documents/{number}/").status_code == 404
    assert client.get(f"/documents/{number}.pdf").status_code == 404


def test_the_table_of_documents_adds_up_and_is_no_formula(buyer: User, client: Client) -> None:
    text = client.get("/documents.csv").getvalue().decode().removeprefix("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [(row["Number"], row["Currency"], row["Amount"]) for row in rows] == [
        ("C-000001", "USD", "-52.75"),
        ("R-000003", "KWD", "13.024"),
        ("R-000002", "JPY", "1056"),
        ("R-000001", "USD", "105.50"),
    ]
    assert rows[-1]["Description"] == "'" + HOSTILE


@pytest.fixture
def finance(client: Client) -> Client:
    person = PersonFactory.create(is_staff=True)
    person.groups.add(Group.objects.get(name="Finance"))
    client.force_login(person)
    return client


EXPORT = "/admin/payments/document/export/"
ASKED = {"rows": "transfers", "first_day": "2026-11-03", "last_day": "2026-11-03"}


def exported(client: Client, **asked: str) -> list[dict[str, str]]:
    response = client.post(EXPORT, ASKED | asked)
    assert response.status_code == 200
    text = response.getvalue().decode().removeprefix("\ufeff")
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("group", ["Finance", "Support"])
def test_staff_look_at_documents_and_see_that_no_number_is_missing(buyer: User, client: Client, group: str) -> None:
    person = PersonFactory.create(is_staff=True)
    person.groups.add(Group.objects.get(name=group))
    client.force_login(person)
    page = client.get(reverse("admin:payments_document_changelist")).content.decode()
    assert "Numbers follow one another without a gap." in page
    for shown in ("R-000001", "C-000001", "$105.50", "¥1,056", "Berta &amp; &lt;i&gt;Buyer&lt;/i&gt;"):
        assert shown in page
    assert (EXPORT in page) == (group == "Finance")
    document = Document.objects.first()
    assert document
    address = reverse("admin:payments_document_change", args=[document.pk])
    assert client.get(address).status_code == 200
    assert client.post(address, {"number": 7}).status_code == 403
    assert client.get(EXPORT).status_code == (200 if group == "Finance" else 403)
    assert client.post(EXPORT, ASKED).status_code == (200 if group == "Finance" else 403)


def test_a_missing_number_raises_an_alarm(buyer: User, finance: Client) -> None:
    receipt = Document.objects.get(kind="receipt", number=1)
    pay(HeldFundsFactory.create(payer=buyer))
    charge = HeldFunds.objects.latest("pk").charges.get()
    Document.objects.create(
        kind="receipt", number=6, recipient=buyer, charge=charge, issued_at=NOON, content=receipt.content
    )
    page = finance.get(reverse("admin:payments_document_changelist")).content.decode()
    assert "Receipt: 2 numbers missing in the sequence." in page


def test_finance_exports_the_transfers_of_some_days(buyer: User, finance: Client) -> None:
    with transaction.atomic():
        services.release(HeldFunds.objects.get(currency="JPY"), at=after(days=1))
    rows = exported(finance)
    first = rows[0]
    assert (first["Kind"], first["Currency"], first["Amount"], first["From"]) == (
        "Charged",
        "USD",
        "105.50",
        "Clearing",
    )
    assert {row["Date (UTC)"][:10] for row in rows} == {"2026-11-03"}
    assert [row["Amount"] for row in rows if row["Currency"] == "KWD"] == ["13.024"]
    later = exported(finance, first_day="2026-11-04", last_day="2026-11-04")
    assert [(row["Kind"], row["Amount"]) for row in later] == [("Paid to the seller", "801"), ("Platform fee", "255")]
    assert len(exported(finance, last_day="2026-11-04")) == len(rows) + 2
    entry = LogEntry.objects.order_by("pk")[0]
    assert (entry.user.groups.get().name, entry.change_message) == (
        "Finance",
        "Exported transfers from 2026-11-03 to 2026-11-03 as CSV.",
    )
    assert LogEntry.objects.count() == 3


def test_finance_exports_withdrawals(finance: Client) -> None:
    seller = PersonFactory.create(name="@SUM(A1)", email="selma@example.com")
    earn(seller)
    connect(seller)
    ask_for(seller, 5_000)
    (row,) = exported(finance, rows="withdrawals")
    assert (row["Seller"], row["E-mail"], row["Amount"]) == ("'@SUM(A1)", "selma@example.com", "50.00")
    assert (row["State"], row["Decided by"]) == ("Waits for approval", "")
    assert exported(finance, rows="withdrawals", first_day="2026-11-01", last_day="2026-11-02") == []


@pytest.mark.parametrize(
    "wrong",
    [{"rows": "users"}, {"first_day": ""}, {"first_day": "2026-11-04"}, {"last_day": "9999-12-31"}, {"last_day": "x"}],
)
def test_an_export_of_nonsense_is_refused_and_not_logged(finance: Client, wrong: dict[str, str]) -> None:
    assert finance.post(EXPORT, ASKED | wrong).status_code == 422
    assert not LogEntry.objects.exists()


def test_exports_read_rows_as_they_are_sent(
    buyer: User, finance: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    exported(finance)
    with django_assert_num_queries(7):
        rows = exported(finance)
    pay(HeldFundsFactory.create())
    with django_assert_num_queries(7):
        assert len(exported(finance)) == len(rows) + 1
