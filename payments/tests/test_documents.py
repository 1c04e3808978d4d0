"""Receipts and credit notes: one for each booked success and each refund, numbered without gaps, never changed."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from pytest_django import DjangoAssertNumQueries

from payments import services
from payments.gateways import Outcome, State
from payments.models import Charge, Document, HeldFunds
from payments.services.documents import CAME_BACK
from payments.tasks import issue_documents

from .conftest import Commit
from .factories import NOON, HeldFundsFactory, after
from .steps import begin, pay, settle

LATER = after(hours=1)


def numbers() -> list[str]:
    return [str(document) for document in Document.objects.order_by("kind", "number")]


@pytest.mark.django_db
def test_a_charge_gets_a_receipt_that_says_everything(held: HeldFunds, settings: Any) -> None:
    settings.OPERATOR_NAME = "Milepost Ltd"
    settings.OPERATOR_ADDRESS = "1 Example Street\nExample City"
    settings.OPERATOR_TAX_ID = "XX1"
    charge = pay(held)
    Charge.objects.update(method_label="Visa •••• 4242")
    assert services.issue_documents(LATER) == 1
    receipt = Document.objects.get()
    assert (str(receipt), receipt.recipient, receipt.charge, receipt.issued_at) == (
        "R-000001",
        held.payer,
        charge,
        LATER,
    )
    assert receipt.content == {
        "issuer": {"name": "Milepost Ltd", "address": "1 Example Street\nExample City", "tax_id": "XX1"},
        "recipient": "Berta Buyer",
        "seller": "Selma Seller",
        "reference": held.reference,
        "description": "Logo design: first sketches",
        "currency": "USD",
        "fee_rate": 550,
        "happened_at": NOON.isoformat(),
        "purpose": "funded",
        "lines": [
            {"text": "Logo design: first sketches", "amount": 10_000},
            {"text": "Buyer fee (5.5 %)", "amount": 550},
        ],
        "total": 10_550,
        "ways": [{"text": "Visa •••• 4242", "amount": 10_550}],
    }
    assert Charge.objects.get().documented


@pytest.mark.django_db
def test_card_and_credit_are_shown_and_no_fee_where_there_is_none(commit: Commit) -> None:
    held = HeldFundsFactory.create(buyer_fee_rate=0)
    owed = HeldFundsFactory.create(payer=held.payer, price=4_000, buyer_fee_rate=0)
    pay(owed)
    with commit():
        services.refund_all(owed, at=NOON, as_credit=True)
    with transaction.atomic():
        charge = services.begin_charge(held, method="card_ok", at=NOON, use_credit=True)
    settle(charge)
    Charge.objects.update(method_label="")
    with commit():
        services.refund_part(held, price=7_000, at=NOON)
    services.issue_documents(LATER)
    content = Document.objects.get(charge=charge).content
    assert content["ways"] == [{"text": "Card", "amount": 6_000}, {"text": "Credit", "amount": 4_000}]
    assert content["lines"] == [{"text": held.description, "amount": 10_000}]
    back = Document.objects.get(refund__charge=charge).content
    assert back["ways"] == [{"text": "Card", "amount": 6_000}, {"text": "Credit", "amount": 1_000}]
    given = Document.objects.get(refund__held=owed).content
    assert given["ways"] == [{"text": "Credit", "amount": 4_000}]


@pytest.mark.django_db
def test_a_refund_gets_a_credit_note_that_names_the_receipt(held: HeldFunds, commit: Commit) -> None:
    pay(held)
    Charge.objects.update(method_label="")
    with commit():
        refund = services.refund_part(held, price=5_000, at=NOON)
    assert services.issue_documents(LATER) == 2
    note = Document.objects.get(kind="credit_note")
    assert (str(note), note.recipient, note.refund) == ("C-000001", held.payer, refund)
    assert note.content["receipt"] == "R-000001"
    assert note.content["lines"] == [{"text": "Refund: Logo design: first sketches", "amount": 5_275}]
    assert (note.content["total"], note.content["ways"]) == (5_275, [{"text": "Card", "amount": 5_275}])


@pytest.mark.django_db
def test_what_brought_or_returned_no_money_gets_no_paper(held: HeldFunds, commit: Commit) -> None:
    pay(held, "card_declined")
    pay(HeldFundsFactory.create(), "card_authentication")
    refused = HeldFundsFactory.create()
    pay(refused, "card_refund_refused")
    with commit():
        services.refund_all(refused, at=NOON)
    services.issue_documents(LATER)
    assert numbers() == ["R-000001"]
    assert Document.objects.get().charge == refused.charges.get()


@pytest.mark.django_db
def test_surplus_gets_a_receipt_and_a_credit_note(held: HeldFunds, commit: Commit) -> None:
    charge = begin(held)
    outcome = services.ask_charge(charge.pk)
    with commit():
        services.record_outcome(charge, outcome, at=NOON)
        services.send_back(charge, at=NOON)
    services.issue_documents(LATER)
    assert Document.objects.get(kind="receipt").content["purpose"] == "surplus"
    assert services.notes_on(Document.objects.get(kind="receipt")) == [
        "This payment could not be used for its milestone any more, so it goes back to you in full.",
        "$105.50 went back: credit note C-000001.",
    ]
    assert numbers() == ["C-000001", "R-000001"]


@pytest.mark.django_db
def test_nothing_is_documented_twice(held: HeldFunds) -> None:
    pay(held)
    assert [services.issue_documents(LATER) for _ in range(3)] == [1, 0, 0]
    issue_documents()
    assert numbers() == ["R-000001"]


@pytest.mark.django_db
def test_numbers_follow_the_ledger_not_the_order_of_asking(commit: Commit) -> None:
    first, second, third = (HeldFundsFactory.create() for _ in range(3))
    slow = begin(first)
    pay(second)
    settle(slow)
    pay(third)
    for held in (third, first, second):
        held.refresh_from_db()
        with commit():
            services.refund_all(held, at=NOON)
    services.issue_documents(LATER)
    receipts = Document.objects.filter(kind="receipt").order_by("number")
    assert [receipt.charge.held for receipt in receipts if receipt.charge] == [second, first, third]
    notes = Document.objects.filter(kind="credit_note").order_by("number")
    assert [note.refund.held for note in notes if note.refund] == [third, first, second]
    assert [note.content["receipt"] for note in notes] == ["R-000003", "R-000002", "R-000001"]


@pytest.mark.django_db
def test_batches_go_on_where_the_last_one_ended_and_notes_wait_for_receipts(
    commit: Commit, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    monkeypatch.setattr("payments.services.documents.BATCH", 2)
    for _ in range(3):
        held = HeldFundsFactory.create()
        pay(held)
        with commit():
            services.refund_all(held, at=NOON)
    assert services.issue_documents(LATER) == 2
    assert numbers() == ["R-000001", "R-000002"]
    with django_assert_num_queries(12):
        assert services.issue_documents(LATER) == 3
    assert services.issue_documents(LATER) == 1
    assert numbers() == [f"C-00000{n}" for n in (1, 2, 3)] + [f"R-00000{n}" for n in (1, 2, 3)]
    assert [services.missing_numbers(kind) for kind in Document.Kind.values] == [0, 0]


@pytest.mark.django_db
def test_a_crash_leaves_no_hole(held: HeldFunds) -> None:
    pay(held)

    def number_and_be_killed() -> None:
        with transaction.atomic():
            services.issue_documents(LATER)
            raise RuntimeError("The worker is killed.")

    with pytest.raises(RuntimeError):
        number_and_be_killed()
    assert (Document.objects.count(), Charge.objects.get().documented) == (0, False)
    pay(HeldFundsFactory.create())
    services.issue_documents(LATER)
    assert numbers() == ["R-000001", "R-000002"]


@pytest.mark.django_db
def test_what_a_receipt_says_outlives_every_change_of_names(held: HeldFunds) -> None:
    pay(held)
    services.issue_documents(LATER)
    held.payer.name = "Somebody Else"
    held.payer.save()
    assert Document.objects.get().content["recipient"] == "Berta Buyer"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change", [lambda: Document.objects.update(content={}), lambda: Document.objects.all().delete()]
)
def test_the_database_refuses_to_change_or_remove_paper(held: HeldFunds, change: Callable[[], object]) -> None:
    pay(held)
    services.issue_documents(LATER)
    with pytest.raises(DatabaseError, match="of payments_document is refused"), transaction.atomic():
        change()
    assert numbers() == ["R-000001"]


@pytest.mark.django_db
def test_a_refund_that_came_back_keeps_its_note_and_gets_no_second_one(held: HeldFunds, commit: Commit) -> None:
    pay(held)
    with commit():
        refund = services.refund_all(held, at=NOON)
    services.issue_documents(LATER)
    note = Document.objects.select_related("refund").get(kind="credit_note")
    assert (note.refund, services.notes_on(note)) == (refund, [])
    with commit():
        refund.refresh_from_db()
        services.record_refund(refund, Outcome(State.FAILED, reason="Account closed."), LATER, confirmed=True)
    assert services.issue_documents(LATER) == 0
    note = Document.objects.select_related("refund").get(kind="credit_note")
    assert services.notes_on(note) == [CAME_BACK]
    with commit():
        services.turn_into_credit(refund, at=LATER)
    assert services.issue_documents(LATER) == 0
    note = Document.objects.select_related("refund").get(kind="credit_note")
    assert services.notes_on(note) == ["This refund came back once, and was then given again, as credit."]
    assert numbers() == ["C-000001", "R-000001"]


@pytest.mark.django_db
def test_a_receipt_tells_what_went_back_since(held: HeldFunds, commit: Commit) -> None:
    pay(held)
    for price in (5_000, 1_000):
        held.refresh_from_db()
        with commit():
            services.refund_part(held, price=price, at=NOON)
    services.issue_documents(LATER)
    assert services.notes_on(Document.objects.get(kind="receipt")) == [
        "$52.75 went back: credit note C-000001.",
        "$10.55 went back: credit note C-000002.",
    ]


@pytest.mark.django_db(transaction=True)
def test_workers_at_the_same_instant_leave_neither_gaps_nor_doubles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("payments.services.documents.BATCH", 3)
    for _ in range(8):
        pay(HeldFundsFactory.create())
    ready = threading.Barrier(4)

    def work(_: int) -> int:
        try:
            connection.ensure_connection()
            ready.wait(timeout=20)
            return services.issue_documents(LATER)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(work, range(4))) == 8
    assert numbers() == [f"R-00000{n}" for n in range(1, 9)]
    assert Document.objects.values("charge").distinct().count() == 8
