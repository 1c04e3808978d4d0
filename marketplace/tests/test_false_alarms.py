"""The checker stays silent about whatever may happen: a false alarm at night hides the real one."""

from collections.abc import Callable, Generator

import pytest
from django.db import connection, transaction

from marketplace import clock
from marketplace.proof import prove
from marketplace.proof.operations import SANDBOX
from marketplace.proof.proving import ALWAYS
from payments import services
from payments.gateways import Outcome, SandboxGateway, State
from payments.models import Document, Refund, Transfer
from payments.tests.factories import NOON, HeldFundsFactory, PersonFactory
from payments.tests.steps import ask_for, connect, earn, pay, settle

pytestmark = [pytest.mark.django_db, pytest.mark.breaks_promises]
BOOKED_TWICE = ("I7 no movement is booked twice", "I7 what a chargeback froze")


@pytest.fixture(autouse=True)
def _noon() -> Generator[None, None, None]:
    with clock.at(NOON):
        yield
    assert alarms() == []


def alarms() -> list[str]:
    """Without the sandbox's own book: here its answers are made up."""
    promises = [promise for promise in ALWAYS if promise not in SANDBOX]
    return [str(result) for result in prove(NOON, promises) if not result.holds]


def kinds(kind: str) -> int:
    return Transfer.objects.filter(kind=kind).count()


def answer(refund: Refund, state: State) -> None:
    refund.refresh_from_db()
    with transaction.atomic():
        settled = refund.status in (Refund.Status.SUCCEEDED, Refund.Status.REFUSED)
        assert services.record_refund(refund, Outcome(state, "r1"), NOON, confirmed=settled)


def refund_with_credit() -> Refund:
    """$40.00 of the $105.50 that go back are credit, given at once; the card's part is not sent yet."""
    payer = PersonFactory.create()
    before = HeldFundsFactory.create(payer=payer, price=4_000, buyer_fee_rate=0)
    pay(before)
    held = HeldFundsFactory.create(payer=payer)
    with transaction.atomic():
        services.refund_all(before, at=NOON, as_credit=True)
        charge = services.begin_charge(held, method="card_ok", at=NOON, use_credit=True)
    settle(charge)
    held.refresh_from_db()
    with transaction.atomic():
        refund = services.refund_all(held, at=NOON)
    services.issue_documents(NOON)
    return refund


def noted(refund: Refund) -> list[int]:
    notes = Document.objects.filter(refund__charge=refund.charge).order_by("number")
    return [note.content["total"] for note in notes]


def test_earnings_frozen_in_two_parts_as_a_withdrawal_comes_back() -> None:
    seller = PersonFactory.create()
    held = earn(seller)
    connect(seller)
    withdrawal = ask_for(seller)
    with transaction.atomic():
        charge = held.charges.get()
        taken = services.take_back(charge, provider_id="dp_1", amount=10_550, reason="", at=NOON)
    with transaction.atomic():
        services.cancel_withdrawal(withdrawal, by=seller, at=NOON)
    taken.refresh_from_db()
    assert (kinds("frozen"), taken.frozen, alarms()) == (2, 8_000, [])
    with transaction.atomic():
        services.win(taken, at=NOON)


def test_a_refund_that_succeeded_came_back_and_succeeded() -> None:
    held = HeldFundsFactory.create()
    pay(held)
    with transaction.atomic():
        refund = services.refund_all(held, at=NOON)
    for state in (State.SUCCEEDED, State.FAILED, State.SUCCEEDED):
        answer(refund, state)
        services.issue_documents(NOON)
        assert alarms() == []
    assert (kinds("refunded"), kinds("refund_returned"), noted(refund)) == (2, 1, [10_550])


def test_a_withdrawal_that_was_paid_came_back_and_was_paid(monkeypatch: pytest.MonkeyPatch) -> None:
    seller = PersonFactory.create()
    earn(seller)
    connect(seller)
    withdrawal = ask_for(seller)
    with transaction.atomic():
        services.approve_withdrawal(withdrawal, by=PersonFactory.create(), at=NOON)
    services.send_withdrawal(withdrawal.pk)
    for state in (State.FAILED, State.SUCCEEDED):
        monkeypatch.setattr(SandboxGateway, "find_payout", lambda gateway, request, said=state: Outcome(said))
        with transaction.atomic():
            services.record_withdrawal(withdrawal, Outcome(state), at=NOON)
        services.send_withdrawal(withdrawal.pk)
        assert alarms() == []
    assert (kinds("paid_out"), kinds("withdrawal_returned")) == (2, 1)


@pytest.mark.parametrize(("instead", "by_card"), [(services.turn_into_credit, 0), (services.ask_again, 6_550)])
def test_the_credit_of_a_refund_whose_card_part_was_refused_has_its_own_note(
    instead: Callable[..., Refund], by_card: int
) -> None:
    refund = refund_with_credit()
    answer(refund, State.FAILED)
    # It may have succeeded after all, so nothing is numbered before staff have acted.
    assert (services.issue_documents(NOON), noted(refund)) == (0, [])
    again = instead(refund, at=NOON)
    services.issue_documents(NOON)
    assert noted(refund)[0] == 4_000
    if by_card:
        answer(again, State.SUCCEEDED)
        services.issue_documents(NOON)
    assert noted(refund) == [4_000, 6_550]
    first, second = Document.objects.filter(refund__charge=refund.charge).order_by("number")
    assert first.content["ways"] == [{"text": "Credit", "amount": 4_000}]
    assert [way["amount"] for way in second.content["ways"]] == [6_550]
    assert (services.notes_on(first), services.notes_on(second)) == ([], [])
    assert services.missing_numbers("credit_note") == 0


@pytest.mark.parametrize("documented", [True, False])
def test_a_refund_that_came_back_before_or_after_its_note(documented: bool) -> None:
    refund = refund_with_credit()
    answer(refund, State.SUCCEEDED)
    if documented:
        services.issue_documents(NOON)
    answer(refund, State.FAILED)
    services.issue_documents(NOON)
    assert alarms() == []
    services.turn_into_credit(refund, at=NOON)
    services.issue_documents(NOON)
    assert noted(refund) == ([10_550] if documented else [4_000, 6_550])


@pytest.mark.parametrize("kind", ["frozen", "refunded", "paid_out", "credited"])
def test_what_is_booked_twice_is_still_noticed(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if kind == "frozen":
        test_earnings_frozen_in_two_parts_as_a_withdrawal_comes_back()
    elif kind == "paid_out":
        test_a_withdrawal_that_was_paid_came_back_and_was_paid(monkeypatch)
    elif kind == "refunded":
        test_a_refund_that_succeeded_came_back_and_succeeded()
    else:
        test_a_refund_that_came_back_before_or_after_its_note(documented=True)
    with transaction.atomic():
        booked = Transfer.objects.filter(kind=kind).latest("pk")
        booked.pk = None
        booked.save(force_insert=True)
        broken = [alarm for alarm in alarms() if alarm.startswith(BOOKED_TWICE)]
        transaction.set_rollback(True)
    assert len(broken) == 1


def test_a_note_over_too_much_or_too_little_is_noticed() -> None:
    refund = refund_with_credit()
    answer(refund, State.SUCCEEDED)
    services.issue_documents(NOON)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("ALTER TABLE payments_document DISABLE TRIGGER refuse_change")
            cursor.execute(
                "UPDATE payments_document SET content = jsonb_set(content, '{total}', '5') WHERE kind = 'credit_note'"
            )
        broken = [alarm for alarm in alarms() if alarm.startswith("M11 receipt less credit notes")]
        transaction.set_rollback(True)
    assert len(broken) == 1
