"""Withdrawals: refused with a sentence, decided by finance, and paid once whatever happens on the way (M6, M7)."""

import uuid
from threading import Barrier, Thread
from typing import ClassVar

import pytest
from django.db import IntegrityError, connection, transaction
from pytest_django import DjangoCaptureOnCommitCallbacks

from marketplace.accounts.models import User
from payments import services, tasks
from payments.gateways import (
    GATEWAYS,
    GatewayUnavailable,
    Outcome,
    PayoutRequest,
    SandboxGateway,
    State,
    gateway,
    sandbox_bank,
    sandbox_events,
)
from payments.models import Account, Chargeback, PayoutAccount, SandboxPayout, Transfer, Withdrawal, WithdrawalLimit

from .conftest import Commit
from .factories import NOON, PersonFactory, after
from .invariants import check_at_rest
from .steps import ask_for, asks_out, connect, earn, owe

pytestmark = pytest.mark.django_db


class Line(SandboxGateway):
    """The sandbox behind a line that breaks: before the request arrives, or with an answer of its own."""

    before: ClassVar[list[Exception]] = []
    answers: ClassVar[list[Outcome]] = []
    asked: ClassVar[list[str]] = []

    def payout(self, request: PayoutRequest) -> Outcome:
        self.asked.append("pay")
        if self.before:
            raise self.before.pop(0)
        return self.answers.pop(0) if self.answers else super().payout(request)

    def find_payout(self, request: PayoutRequest) -> Outcome:
        self.asked.append("find")
        return self.answers.pop(0) if self.answers else super().find_payout(request)


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> type[Line]:
    monkeypatch.setitem(GATEWAYS, "sandbox", Line)
    for name in ("before", "answers", "asked"):
        monkeypatch.setattr(Line, name, [])
    return Line


@pytest.fixture
def seller(db: None) -> User:
    """Somebody with $80.00 available and a bank."""
    seller = PersonFactory.create(name="Selma Seller")
    earn(seller)
    connect(seller)
    return seller


@pytest.fixture
def finance(db: None) -> User:
    return PersonFactory.create(name="Fred Finance", is_staff=True)


@pytest.fixture
def requested(seller: User) -> Withdrawal:
    return ask_for(seller)


def approve(withdrawal: Withdrawal, finance: User, commit: Commit) -> Withdrawal:
    with commit():
        services.approve_withdrawal(withdrawal, by=finance, at=NOON)
    return fresh(withdrawal)


def fresh(withdrawal: Withdrawal) -> Withdrawal:
    return Withdrawal.objects.get(pk=withdrawal.pk)


def where(seller: User) -> tuple[int, int, int]:
    """What is available to the seller, in flight, and paid out of the platform."""
    flying = Account.objects.with_balance().filter(code="withdrawals", currency="USD").first()
    paid = Transfer.objects.filter(withdrawal__owner=seller, destination__code="clearing")
    returned = Transfer.objects.filter(withdrawal__owner=seller, source__code="clearing")
    gone = sum(row.amount for row in paid) - sum(row.amount for row in returned)
    return services.balance(seller, "USD"), flying.balance if flying else 0, gone


# Asking for it


def test_a_request_takes_the_amount_out_of_what_is_available(seller: User) -> None:
    withdrawal = ask_for(seller, 5000)
    assert (withdrawal.status, withdrawal.key) == ("requested", f"withdrawal-{seller.pk}-USD-1-5000")
    assert (withdrawal.requested_at, withdrawal.next_try_at, withdrawal.provider) == (NOON, None, "sandbox")
    assert where(seller) == (3000, 5000, 0)
    assert str(withdrawal) == "$50.00 to Selma Seller (Waits for approval)"


@pytest.mark.parametrize(
    ("amount", "why_not"),
    [
        (999, "The least that can be withdrawn is $10.00."),
        (1_000_001, "The most that can be withdrawn at once is $10,000.00."),
        (8001, "Only $80.00 is available."),
        (0, "The least that can be withdrawn is $10.00."),
        (-5000, "The least that can be withdrawn is $10.00."),
    ],
)
def test_an_amount_that_is_too_little_or_too_much_is_refused(seller: User, amount: int, why_not: str) -> None:
    with pytest.raises(services.WithdrawalRefused) as refused:
        ask_for(seller, amount)
    assert str(refused.value) == why_not
    assert not Withdrawal.objects.exists()
    assert where(seller) == (8000, 0, 0)


def test_the_limits_are_those_that_finance_keeps(seller: User) -> None:
    WithdrawalLimit.objects.filter(currency="USD").update(least=6000, greatest=6000)
    for amount, why_not in [(5999, "The least .* \\$60.00"), (6001, "The most .* \\$60.00")]:
        with pytest.raises(services.WithdrawalRefused, match=why_not):
            ask_for(seller, amount)
    assert ask_for(seller, 6000).amount == 6000
    WithdrawalLimit.objects.filter(currency="EUR").delete()
    with pytest.raises(services.WithdrawalRefused, match="Nothing can be withdrawn in EUR at the moment"):
        ask_for(seller, 1, "EUR")


@pytest.mark.parametrize(
    ("kind", "why_not"),
    [
        (None, "The bank account cannot be paid to: waits for details."),
        ("bank_restricted", "The bank account cannot be paid to: restricted by the provider."),
    ],
)
def test_nothing_is_withdrawn_without_an_account_that_can_be_paid_to(kind: str | None, why_not: str) -> None:
    seller = PersonFactory.create()
    earn(seller)
    with pytest.raises(services.WithdrawalRefused, match="Connect a bank account first"):
        ask_for(seller)
    if kind:
        connect(seller, kind)
    else:
        services.connect_payout_account(seller, at=NOON)
    with pytest.raises(services.WithdrawalRefused) as refused:
        ask_for(seller)
    assert str(refused.value) == services.why_not_withdraw(seller, "USD") == why_not


def test_one_is_in_flight_per_currency_at_a_time(seller: User, finance: User, commit: Commit) -> None:
    earn(seller, currency="EUR")
    connect(seller, "bank_processing")
    first = ask_for(seller, 1000)
    why_not = "A withdrawal in USD is under way"
    with pytest.raises(services.WithdrawalRefused, match=why_not):
        ask_for(seller, 1000)
    assert approve(first, finance, commit).status == "sent"
    with pytest.raises(services.WithdrawalRefused, match=why_not):
        ask_for(seller, 1000)
    assert ask_for(seller, 1000, "EUR").status == "requested"
    with commit():
        assert services.record_withdrawal(fresh(first), Outcome(State.SUCCEEDED), at=NOON)
    again = ask_for(seller, 1000)
    assert again.key == f"withdrawal-{seller.pk}-USD-2-1000"
    SandboxPayout.objects.update(status="succeeded")


def test_nothing_is_withdrawn_while_a_debt_is_unpaid(seller: User) -> None:
    owe(seller, 1000, "EUR")
    with pytest.raises(services.WithdrawalRefused, match=r"A debt of €10\.00 has to be paid first"):
        ask_for(seller)


def test_a_deactivated_person_withdraws_nothing(seller: User) -> None:
    as_of_their_session = User.objects.get(pk=seller.pk)
    User.objects.filter(pk=seller.pk).update(is_active=False)
    with pytest.raises(services.WithdrawalRefused, match="deactivated"):
        ask_for(as_of_their_session)


def test_of_two_requests_at_once_one_is_refused(transactional_db: None) -> None:
    seller = PersonFactory.create()
    earn(seller)
    connect(seller)
    start, said = Barrier(2), []

    def ask() -> None:
        start.wait()
        try:
            said.append(ask_for(seller, 5000).status)
        except services.WithdrawalRefused as refusal:
            said.append(str(refusal))
        finally:
            connection.close()

    both = [Thread(target=ask) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert sorted(said) == [
        "A withdrawal in USD is under way; wait until it is paid, or call it off.",
        "requested",
    ]
    assert where(seller) == (3000, 5000, 0)


def test_the_database_lets_one_be_in_flight(requested: Withdrawal) -> None:
    requested.pk, requested.key = None, "another"
    with pytest.raises(IntegrityError, match="one_withdrawal_in_flight"), transaction.atomic():
        requested.save(force_insert=True)


# Deciding about it


def test_its_owner_calls_it_off_until_it_is_decided(seller: User, finance: User, commit: Commit) -> None:
    withdrawal = ask_for(seller)
    with pytest.raises(services.WithdrawalRefused, match="Only who asked"), transaction.atomic():
        services.cancel_withdrawal(withdrawal, by=finance, at=NOON)
    with commit():
        services.cancel_withdrawal(withdrawal, by=seller, at=after(hours=1))
    assert (fresh(withdrawal).status, fresh(withdrawal).decided_at) == ("canceled", after(hours=1))
    assert where(seller) == (8000, 0, 0)
    approved = approve(ask_for(seller), finance, commit)
    for decided in (withdrawal, approved):
        with pytest.raises(services.WithdrawalRefused, match="decided already"), transaction.atomic():
            services.cancel_withdrawal(decided, by=seller, at=NOON)
    assert where(seller) == (3000, 0, 5000)


def test_finance_rejects_with_a_reason(requested: Withdrawal, finance: User, commit: Commit) -> None:
    with pytest.raises(services.WithdrawalRefused, match="Say why"), transaction.atomic():
        services.reject_withdrawal(requested, by=finance, reason=" ", at=NOON)
    with commit():
        services.reject_withdrawal(requested, by=finance, reason="Name does not match.", at=NOON)
    rejected = fresh(requested)
    assert (rejected.status, rejected.reason, rejected.decided_by) == ("rejected", "Name does not match.", finance)
    assert where(rejected.owner) == (8000, 0, 0)
    assert not SandboxPayout.objects.exists()


def test_nobody_decides_about_their_own(requested: Withdrawal, commit: Commit) -> None:
    why_not = "Nobody decides about their own withdrawal"
    with pytest.raises(services.WithdrawalRefused, match=why_not), transaction.atomic():
        services.approve_withdrawal(requested, by=requested.owner, at=NOON)
    with pytest.raises(services.WithdrawalRefused, match=why_not), transaction.atomic():
        services.reject_withdrawal(requested, by=requested.owner, reason="Mine", at=NOON)
    assert fresh(requested).status == "requested"
    with pytest.raises(IntegrityError, match="withdrawal_decided_by_another"), transaction.atomic():
        Withdrawal.objects.update(decided_by=requested.owner)


def test_it_is_decided_once(requested: Withdrawal, finance: User, commit: Commit) -> None:
    approve(requested, finance, commit)
    for decide in (
        lambda: services.approve_withdrawal(requested, by=finance, at=NOON),
        lambda: services.reject_withdrawal(requested, by=finance, reason="Late", at=NOON),
    ):
        with pytest.raises(services.WithdrawalRefused, match="decided already"), commit():
            decide()
    assert SandboxPayout.objects.count() == 1
    check_at_rest()


def test_nothing_is_approved_that_could_not_be_asked_for_any_more(
    requested: Withdrawal, finance: User, commit: Commit
) -> None:
    owner = requested.owner

    def refused() -> str:
        with pytest.raises(services.WithdrawalRefused) as refusal:
            approve(requested, finance, commit)
        return str(refusal.value)

    owe(owner, 1000, "EUR")
    assert refused() == "A debt of €10.00 has to be paid first."
    earn(owner, currency="EUR")
    with commit():
        services.pay_debt(owner, currency="EUR", at=NOON)
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert "deactivated" in refused()
    User.objects.filter(pk=owner.pk).update(is_active=True)
    PayoutAccount.objects.update(status="restricted")
    assert "restricted by the provider" in refused()
    assert fresh(requested).status == "requested"


# Sending it


def test_what_is_approved_is_paid_after_the_commit(requested: Withdrawal, finance: User, commit: Commit) -> None:
    with commit():
        services.approve_withdrawal(requested, by=finance, at=after(minutes=1))
        assert not SandboxPayout.objects.exists()
    paid = fresh(requested)
    assert (paid.status, paid.decided_by, paid.decided_at) == ("paid", finance, after(minutes=1))
    assert (paid.settled_at, paid.next_try_at) == (NOON, None)
    assert paid.provider_id == str(SandboxPayout.objects.get().pk)
    assert where(paid.owner) == (3000, 0, 5000)
    services.send_withdrawal(paid.pk)
    assert services.settle_withdrawals(at=after(days=1)) == 0
    check_at_rest()


def test_an_approval_that_is_rolled_back_pays_nothing(requested: Withdrawal, finance: User, commit: Commit) -> None:
    with commit(), transaction.atomic():
        services.approve_withdrawal(requested, by=finance, at=NOON)
        transaction.set_rollback(True)
    assert (fresh(requested).status, SandboxPayout.objects.count()) == ("requested", 0)


def test_what_is_not_approved_is_not_sent(requested: Withdrawal) -> None:
    services.send_withdrawal(requested.pk)
    assert (fresh(requested).status, SandboxPayout.objects.count()) == ("requested", 0)


def test_a_provider_is_never_asked_inside_a_transaction(requested: Withdrawal, transactional_db: None) -> None:
    for ask in (
        lambda: services.send_withdrawal(requested.pk),
        lambda: services.settle_withdrawals(at=NOON),
        lambda: services.connect_payout_account(requested.owner, at=NOON),
    ):
        with pytest.raises(RuntimeError, match="while a transaction is open"), transaction.atomic():
            ask()


def test_a_crash_before_it_was_asked_for_is_made_good(
    requested: Withdrawal, finance: User, line: type[Line], commit: Commit
) -> None:
    with transaction.atomic():
        services.approve_withdrawal(requested, by=finance, at=NOON)
    assert services.settle_withdrawals(at=after(seconds=29)) == 0
    assert services.settle_withdrawals(at=after(seconds=30)) == 1
    assert (fresh(requested).status, line.asked) == ("paid", ["pay"])
    check_at_rest()


def test_a_crash_after_it_was_claimed_is_made_good(
    requested: Withdrawal, finance: User, line: type[Line], commit: Commit
) -> None:
    with transaction.atomic():
        services.approve_withdrawal(requested, by=finance, at=NOON)
    Withdrawal.objects.update(status="sending", asked_at=NOON)
    assert services.settle_withdrawals(at=after(minutes=1)) == 1
    assert (fresh(requested).status, line.asked) == ("paid", ["find", "pay"])
    check_at_rest()


def test_a_crash_after_it_was_paid_pays_nothing_twice(
    requested: Withdrawal, finance: User, line: type[Line], commit: Commit
) -> None:
    with transaction.atomic():
        services.approve_withdrawal(requested, by=finance, at=NOON)
    Withdrawal.objects.update(status="sending", asked_at=NOON)
    gateway().payout(asks_out(requested.key, requested.account.provider_id, 5000))
    assert services.settle_withdrawals(at=after(minutes=1)) == 1
    assert (fresh(requested).status, line.asked) == ("paid", ["pay", "find"])
    assert SandboxPayout.objects.count() == 1
    check_at_rest()


def test_an_answer_that_gets_lost_pays_nothing_twice(seller: User, finance: User, commit: Commit) -> None:
    connect(seller, "bank_lost")
    withdrawal = approve(ask_for(seller), finance, commit)
    assert (withdrawal.status, where(seller)) == ("sending", (3000, 5000, 0))
    assert services.settle_withdrawals(at=after(minutes=1)) == 1
    assert (fresh(withdrawal).status, where(seller)) == ("paid", (3000, 0, 5000))
    assert SandboxPayout.objects.count() == 1
    check_at_rest()


def test_a_line_that_is_dead_is_tried_later_and_later(
    requested: Withdrawal, finance: User, line: type[Line], commit: Commit
) -> None:
    line.before += [GatewayUnavailable("No answer."), RuntimeError("A bug."), GatewayUnavailable("No answer.")]
    approve(requested, finance, commit)
    waits = []
    for minute in (1, 3, 7):
        services.settle_withdrawals(at=after(minutes=minute))
        waiting = fresh(requested)
        waits.append((waiting.status, waiting.tries, waiting.next_try_at))
    assert waits == [
        ("sending", 1, after(minutes=1, seconds=30)),
        ("sending", 2, after(minutes=4)),
        ("paid", 3, None),
    ]
    check_at_rest()


def test_one_that_always_fails_stands_before_no_other(
    requested: Withdrawal, finance: User, line: type[Line], commit: Commit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("payments.services.sending.BATCH", 1)
    other = PersonFactory.create()
    earn(other)
    connect(other)
    second = ask_for(other)
    with transaction.atomic():
        services.approve_withdrawal(requested, by=finance, at=NOON)
        services.approve_withdrawal(second, by=finance, at=NOON)
    line.before += [RuntimeError("A bug.")]
    assert [services.settle_withdrawals(at=after(minutes=1)) for _ in range(3)] == [1, 1, 0]
    assert (fresh(requested).status, fresh(second).status) == ("sending", "paid")


def test_a_provider_that_is_no_longer_configured_is_waited_for(
    requested: Withdrawal, finance: User, caplog: pytest.LogCaptureFixture
) -> None:
    with transaction.atomic():
        services.approve_withdrawal(requested, by=finance, at=NOON)
    Withdrawal.objects.update(provider="gone")
    assert services.settle_withdrawals(at=after(minutes=1)) == 1
    assert caplog.messages == [f"Withdrawal {requested.key} is set aside for a while."]
    assert (fresh(requested).status, fresh(requested).next_try_at) == ("sending", after(minutes=1, seconds=30))


def test_a_lack_of_settled_funds_is_waited_for(seller: User, finance: User, commit: Commit) -> None:
    connect(seller, "bank_unsettled")
    with transaction.atomic():
        withdrawal = ask_for(seller)
        services.approve_withdrawal(withdrawal, by=finance, at=NOON)
    services.send_withdrawal(withdrawal.pk)
    waiting = fresh(withdrawal)
    assert (waiting.status, waiting.reason) == ("approved", "The payment provider waits for settled funds.")
    assert where(seller) == (3000, 5000, 0)
    assert services.settle_withdrawals(at=after(minutes=1)) == 1
    assert fresh(withdrawal).status == "approved"
    SandboxPayout.objects.update(settles_at=NOON)
    assert services.settle_withdrawals(at=after(hours=1)) == 1
    paid = fresh(withdrawal)
    assert (paid.status, paid.reason, where(seller)) == ("paid", "", (3000, 0, 5000))
    check_at_rest()


def test_what_is_refused_for_good_is_available_again(seller: User, finance: User, commit: Commit) -> None:
    connect(seller, "bank_closed")
    failed = approve(ask_for(seller), finance, commit)
    assert (failed.status, failed.reason, failed.settled_at) == ("failed", "The bank account is closed.", NOON)
    assert where(seller) == (8000, 0, 0)
    connect(seller)
    assert approve(ask_for(seller), finance, commit).status == "paid"
    check_at_rest()


def test_an_account_that_the_provider_does_not_know_is_refused_for_good(
    requested: Withdrawal, finance: User, commit: Commit
) -> None:
    PayoutAccount.objects.update(provider_id="gone")
    failed = approve(requested, finance, commit)
    assert (failed.status, failed.reason, where(failed.owner)) == ("failed", "There is no such account.", (8000, 0, 0))


def test_the_banks_news_come_as_events(
    seller: User,
    finance: User,
    commit: Commit,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    connect(seller, "bank_processing")
    withdrawal = approve(ask_for(seller), finance, commit)
    assert (withdrawal.status, where(seller)) == ("sent", (3000, 5000, 0))
    assert sandbox_bank.settle_payouts(after(seconds=19)) == 0
    assert [sandbox_bank.settle_payouts(after(seconds=20)) for _ in range(2)] == [1, 0]
    with django_capture_on_commit_callbacks(execute=True):
        sandbox_events.deliver_due(after(seconds=20))
    assert (fresh(withdrawal).status, where(seller)) == ("paid", (3000, 0, 5000))
    check_at_rest()


@pytest.mark.parametrize(
    ("state", "status", "places"),
    [("succeeded", "paid", (3000, 0, 5000)), ("failed", "failed", (8000, 0, 0)), ("canceled", "failed", (8000, 0, 0))],
)
def test_an_answer_is_recorded_once(
    requested: Withdrawal, finance: User, line: type[Line], state: State, status: str, places: tuple[int, int, int]
) -> None:
    with transaction.atomic():
        services.approve_withdrawal(requested, by=finance, at=NOON)
    outcome = Outcome(State(state), provider_id="7", reason="So it is.")
    with transaction.atomic():
        assert [services.record_withdrawal(requested, outcome, at=NOON) for _ in range(2)] == [True, False]
        assert not services.record_withdrawal(requested, Outcome(State.PROCESSING), at=NOON)
        assert not services.record_withdrawal(requested, Outcome.UNDECIDED, at=NOON)
    settled = fresh(requested)
    assert (settled.status, settled.reason, settled.provider_id, settled.next_try_at) == (
        status,
        "So it is.",
        "7",
        None,
    )
    assert where(settled.owner) == places
    assert line.asked == []


def test_money_that_comes_back_after_it_was_paid_is_available_again(
    seller: User,
    finance: User,
    commit: Commit,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    connect(seller, "bank_returned")
    withdrawal = approve(ask_for(seller), finance, commit)
    assert (withdrawal.status, where(seller)) == ("paid", (3000, 0, 5000))
    sandbox_bank.settle_payouts(after(seconds=20))
    with django_capture_on_commit_callbacks(execute=True):
        sandbox_events.deliver_due(after(seconds=20))
    returned = fresh(withdrawal)
    assert (returned.status, returned.reason) == ("failed", "The bank sent the money back.")
    assert (where(seller), returned.next_try_at) == ((8000, 0, 0), None)
    check_at_rest()


@pytest.mark.parametrize("way", ["rejected", "called off", "failed", "returned"])
def test_what_comes_back_while_the_bank_decides_is_frozen(
    finance: User,
    commit: Commit,
    way: str,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    seller = PersonFactory.create()
    disputed = earn(seller)
    earn(PersonFactory.create())
    connect(seller, {"failed": "bank_closed", "returned": "bank_returned"}.get(way, "bank_ok"))
    withdrawal = ask_for(seller, 7000)
    if way == "returned":
        approve(withdrawal, finance, commit)
    charge = disputed.charges.get()
    with transaction.atomic():
        taken = services.take_back(charge, provider_id="dp_1", amount=charge.amount, reason="", at=NOON)
    stale = Chargeback.objects.get()
    assert taken.frozen == 1000
    if way == "rejected":
        with transaction.atomic():
            services.reject_withdrawal(withdrawal, by=finance, reason="The bank decides.", at=NOON)
    elif way == "called off":
        with transaction.atomic():
            services.cancel_withdrawal(withdrawal, by=seller, at=NOON)
    elif way == "failed":
        approve(withdrawal, finance, commit)
    else:
        sandbox_bank.settle_payouts(after(seconds=20))
        with django_capture_on_commit_callbacks(execute=True):
            sandbox_events.deliver_due(after(seconds=20))
    taken.refresh_from_db()
    assert (taken.frozen, where(seller)[:2]) == (8000, (0, 0))
    earn(seller)
    with pytest.raises(services.WithdrawalRefused, match=r"Only \$80.00 is available."):
        ask_for(seller, 8001)
    with transaction.atomic():
        services.win(stale, at=after(days=9))
    assert where(seller)[:2] == (16_000, 0)


def test_news_that_only_come_late_are_not_believed(
    requested: Withdrawal, finance: User, line: type[Line], commit: Commit
) -> None:
    """Paid, and then an old «failed» is delivered: the provider says what is true."""
    paid = approve(requested, finance, commit)
    with commit():
        assert not services.record_withdrawal(paid, Outcome(State.FAILED), at=NOON)
    assert (fresh(paid).status, fresh(paid).next_try_at, line.asked) == ("paid", None, ["pay", "find"])
    assert where(paid.owner) == (3000, 0, 5000)
    check_at_rest()


def test_a_doubt_is_settled_when_the_provider_answers_again(
    requested: Withdrawal, finance: User, line: type[Line], commit: Commit
) -> None:
    paid = approve(requested, finance, commit)
    line.answers += [Outcome.UNDECIDED, Outcome(State.UNKNOWN), Outcome(State.FAILED, reason="Sent back.")]
    with commit():
        services.record_withdrawal(paid, Outcome(State.FAILED), at=NOON)
    assert (fresh(paid).status, fresh(paid).next_try_at) == ("paid", after(seconds=30))
    assert [services.settle_withdrawals(at=after(minutes=minute)) for minute in (1, 3)] == [1, 1]
    assert (fresh(paid).status, fresh(paid).reason, where(paid.owner)) == ("failed", "Sent back.", (8000, 0, 0))
    assert services.settle_withdrawals(at=after(days=1)) == 0


def test_money_that_went_after_all_is_taken_back_from_what_is_available(
    requested: Withdrawal, finance: User, line: type[Line], commit: Commit
) -> None:
    line.answers += [Outcome(State.FAILED)]
    failed = approve(requested, finance, commit)
    assert (failed.status, where(failed.owner)) == ("failed", (8000, 0, 0))
    gateway().payout(asks_out(failed.key, failed.account.provider_id, 5000))
    with commit():
        services.record_withdrawal(failed, Outcome(State.SUCCEEDED), at=NOON)
    assert (fresh(failed).status, where(failed.owner)) == ("paid", (3000, 0, 5000))
    check_at_rest()


def test_what_is_not_there_any_more_to_take_back_is_owed(
    requested: Withdrawal, finance: User, line: type[Line], commit: Commit
) -> None:
    line.answers += [Outcome(State.FAILED)]
    failed = approve(requested, finance, commit)
    gateway().payout(asks_out(failed.key, failed.account.provider_id, 5000))
    assert approve(ask_for(failed.owner, 7000), finance, commit).status == "paid"
    with commit():
        services.record_withdrawal(failed, Outcome(State.SUCCEEDED), at=NOON)
    assert (fresh(failed).status, where(failed.owner)) == ("paid", (0, 0, 12_000))
    assert services.balance(failed.owner, "USD", "debt") == -4000
    check_at_rest()


def test_two_workers_that_ask_about_the_same_doubt_book_it_once(
    requested: Withdrawal, finance: User, line: type[Line], commit: Commit, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid = approve(requested, finance, commit)
    SandboxPayout.objects.update(status="failed", reason="Sent back.")
    find, others = Line.find_payout, [paid.pk]

    def find_while_another_worker_does(self: Line, request: PayoutRequest) -> Outcome:
        if others:
            services.send_withdrawal(others.pop())
        return find(self, request)

    monkeypatch.setattr(Line, "find_payout", find_while_another_worker_does)
    with commit():
        services.record_withdrawal(paid, Outcome(State.FAILED), at=NOON)
    assert (fresh(paid).status, where(paid.owner), line.asked) == ("failed", (8000, 0, 0), ["pay", "find", "find"])
    assert Transfer.objects.filter(kind="withdrawal_returned").count() == 1
    check_at_rest()


def test_a_payment_that_nobody_approved_is_an_alarm(
    requested: Withdrawal, caplog: pytest.LogCaptureFixture, commit: Commit
) -> None:
    with commit():
        assert not services.record_withdrawal(requested, Outcome(State.SUCCEEDED), at=NOON)
    assert caplog.messages == [f"The provider says that it paid {requested.key}, which nobody has approved."]
    assert (fresh(requested).status, where(requested.owner)) == ("requested", (3000, 5000, 0))


# What is owed


def test_a_debt_is_paid_from_what_is_available_as_far_as_it_goes() -> None:
    seller = PersonFactory.create()
    connect(seller)
    owe(seller, 10_000)
    earn(seller)
    with transaction.atomic():
        assert services.pay_debt(seller, currency="USD", at=NOON) == 8000
    assert (services.balance(seller, "USD"), services.balance(seller, "USD", "debt")) == (0, -2000)
    with pytest.raises(services.WithdrawalRefused, match="Nothing is available"), transaction.atomic():
        services.pay_debt(seller, currency="USD", at=NOON)
    earn(seller)
    with transaction.atomic():
        assert services.pay_debt(seller, currency="USD", at=NOON) == 2000
    with pytest.raises(services.WithdrawalRefused, match="You owe nothing"), transaction.atomic():
        services.pay_debt(seller, currency="USD", at=NOON)
    assert (services.balance(seller, "USD"), services.balance(seller, "USD", "debt")) == (6000, 0)


# The account


def test_connecting_opens_one_account_and_asks_about_it_afterwards(line: type[Line]) -> None:
    seller = PersonFactory.create()
    account = services.connect_payout_account(seller, at=NOON)
    assert (account.status, account.label, account.is_ready, str(account)) == (
        "incomplete",
        "",
        False,
        "Waits for details",
    )
    sandbox_bank.choose_account(uuid.UUID(account.provider_id), "bank_ok", at=NOON)
    again = services.connect_payout_account(seller, at=after(hours=1))
    assert (again, again.is_ready, again.checked_at) == (account, True, after(hours=1))
    assert str(again) == "Sandbox Bank ending in 6789"
    assert services.payout_account_of(seller) == account
    PayoutAccount.objects.all().delete()
    assert services.connect_payout_account(seller, at=NOON).provider_id == account.provider_id


def test_two_people_have_two_accounts() -> None:
    people = [PersonFactory.create() for _ in range(2)]
    assert len({services.connect_payout_account(person, at=NOON).provider_id for person in people}) == 2


def test_beat_sends_what_was_left(requested: Withdrawal, finance: User) -> None:
    with transaction.atomic():
        services.approve_withdrawal(requested, by=finance, at=after(minutes=-1))
    tasks.settle_withdrawals()
    assert fresh(requested).status == "paid"
    check_at_rest()


def test_an_amount_beyond_cents_works_in_every_currency(finance: User, commit: Commit) -> None:
    seller = PersonFactory.create()
    connect(seller)
    for currency, price, amount in [("JPY", 5000, 4000), ("KWD", 100_000, 80_000)]:
        earn(seller, price, currency=currency)
        assert approve(ask_for(seller, amount, currency), finance, commit).status == "paid"
    check_at_rest()


def test_a_withdrawal_says_where_it_went_whatever_its_owner_chooses_afterwards(seller: User) -> None:
    earn(seller)
    account = connect(seller)
    withdrawal = ask_for(seller)
    with transaction.atomic():
        services.approve_withdrawal(withdrawal, by=PersonFactory.create(), at=NOON)
    services.send_withdrawal(withdrawal.pk)
    sandbox_bank.choose_account(uuid.UUID(account.provider_id), "bank_closed", at=NOON)
    services.refresh_payout_account(account, at=NOON)
    withdrawal.refresh_from_db()
    assert (withdrawal.status, withdrawal.paid_to) == ("paid", "Sandbox Bank ending in 6789")
    assert str(account) == "Sandbox Bank ending in 1113"


def test_a_debt_that_nobody_can_pay_is_borne_by_the_platform_and_its_owner_can_withdraw_again(db: None) -> None:
    seller = PersonFactory.create()
    connect(seller)
    owe(seller, 4000)
    earn(seller, currency="EUR")
    assert services.why_not_withdraw(seller, "EUR") == "A debt of $40.00 has to be paid first."
    with transaction.atomic(), pytest.raises(services.WithdrawalRefused, match="Nobody forgives their own debt"):
        services.forgive_debt(seller, currency="USD", by=seller, at=NOON)
    with transaction.atomic(), pytest.raises(services.WithdrawalRefused, match="Nothing is owed here"):
        services.forgive_debt(seller, currency="EUR", by=PersonFactory.create(), at=NOON)
    with transaction.atomic():
        assert services.forgive_debt(seller, currency="USD", by=PersonFactory.create(), at=NOON) == 4000
    assert services.balance(seller, "USD", "debt") == 0
    assert services.why_not_withdraw(seller, "EUR") == ""
