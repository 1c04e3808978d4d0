"""Real threads on real connections: whoever comes second is refused by the database, without the callers' lock."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import close_old_connections, connection, transaction

from marketplace import clock
from payments import services
from payments.gateways import GATEWAYS, GatewayUnavailable, Outcome, SandboxGateway, gateway, sandbox, sandbox_events
from payments.models import (
    Account,
    Charge,
    HeldFunds,
    ProviderEvent,
    Refund,
    SandboxCharge,
    SandboxEvent,
    SandboxRefund,
    Transfer,
)
from payments.services.booking import AccountKey, open_accounts

from .factories import NOON, HeldFundsFactory, after
from .invariants import check_at_rest
from .steps import asks, begin, pay, receive, settle, sweep_charges

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*acts: Callable[[], object]) -> list[str]:
    """Do all acts at the same instant, each in a thread and on a connection of its own; what came of each."""
    ready = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> str:
        # A thread starts without the imagined instant.
        with clock.at(NOON):
            try:
                connection.ensure_connection()
                ready.wait(timeout=20)
                result = act()
            except services.PaymentsError as refusal:
                return type(refusal).__name__
            finally:
                connection.close()
        return "refused" if result is None or result is False else "done"

    with ThreadPoolExecutor(len(acts)) as pool:
        results = list(pool.map(run, acts))
    close_old_connections()
    return sorted(results)


def in_transaction(verb: Callable[[HeldFunds], object], held: HeldFunds) -> Callable[[], object]:
    """The verb in a transaction of its own, on a view of the held funds of its own."""

    def act() -> object:
        with transaction.atomic():
            return verb(HeldFunds.objects.get(pk=held.pk))

    return act


def charge(held: HeldFunds) -> object:
    return services.begin_charge(held, method="card_ok", at=NOON)


def release(held: HeldFunds) -> object:
    return services.release(held, at=NOON)


def refund_all(held: HeldFunds) -> object:
    return services.refund_all(held, at=NOON)


def refund_half(held: HeldFunds) -> object:
    return services.refund_part(held, price=5000, at=NOON)


def test_of_two_attempts_to_pay_one_begins(held: HeldFunds) -> None:
    assert at_once(*[in_transaction(charge, held)] * 4) == ["AttemptUndecided"] * 3 + ["done"]
    assert Charge.objects.count() == 1
    assert sweep_charges(after(days=1)) == 1
    check_at_rest()


def test_asked_for_by_several_at_once_a_charge_is_made_once(held: HeldFunds) -> None:
    attempt = begin(held)
    assert at_once(*[lambda: services.ask_charge(attempt.pk).succeeded] * 4) == ["done"] * 4
    assert SandboxCharge.objects.count() == 1
    assert sweep_charges(after(days=1)) == 1
    check_at_rest()


def test_recorded_by_several_at_once_a_success_funds_once(held: HeldFunds) -> None:
    attempt = begin(held)
    outcome = services.ask_charge(attempt.pk)

    def record() -> bool:
        with transaction.atomic():
            mine = Charge.objects.select_related("held").get(pk=attempt.pk)
            news = services.record_outcome(mine, outcome, at=NOON)
            if news:
                services.fund(mine, at=NOON)
        return news

    assert at_once(*[record] * 4) == ["done"] + ["refused"] * 3
    assert Transfer.objects.count() == 1
    check_at_rest()


def test_the_answer_and_the_event_at_once_fund_once(held: HeldFunds) -> None:
    attempt = begin(held)
    services.ask_charge(attempt.pk)
    at_once(lambda: settle(Charge.objects.get(pk=attempt.pk)), lambda: sandbox_events.deliver_due(NOON))
    # Should the event have been refused by the database, it is delivered again and finds the work done.
    sandbox_events.deliver_due(after(hours=1))
    assert Transfer.objects.count() == 1
    check_at_rest()


def test_of_two_releases_one_pays(held: HeldFunds) -> None:
    pay(held)
    assert at_once(*[in_transaction(release, held)] * 4) == ["NothingHeld"] * 3 + ["done"]
    assert Counter(Transfer.objects.values_list("kind", flat=True)) == {"charge": 1, "earning": 1, "fee": 1}
    check_at_rest()


def test_of_release_and_refund_one_wins() -> None:
    for _ in range(5):
        held = HeldFundsFactory.create()
        pay(held)
        acts = (in_transaction(release, held), in_transaction(refund_all, held))
        assert at_once(*acts) == ["NothingHeld", "done"]
        held.refresh_from_db()
        assert sorted((held.refunded, held.released, held.left)) == [0, 0, 10_550]
    check_at_rest()


def test_of_two_refunds_of_everything_one_is_made(held: HeldFunds) -> None:
    pay(held)
    assert at_once(*[in_transaction(refund_all, held)] * 4) == ["NothingHeld"] * 3 + ["done"]
    assert SandboxRefund.objects.get().amount == 10_550
    check_at_rest()


def test_parts_refunded_at_once_never_exceed_what_is_held(held: HeldFunds) -> None:
    pay(held)
    results = at_once(in_transaction(refund_half, held), in_transaction(refund_half, held))
    # Seen one after the other, the second half would be all the rest, which is no part.
    assert results in (["NothingHeld", "done"], ["BadPart", "done"])
    held.refresh_from_db()
    assert (held.refunded, held.left) == (5275, 5275)
    check_at_rest()


def test_a_surplus_is_sent_back_once(held: HeldFunds) -> None:
    attempt = begin(held)
    outcome = services.ask_charge(attempt.pk)
    with transaction.atomic():
        services.record_outcome(attempt, outcome, at=NOON)

    def send_back() -> object:
        with transaction.atomic():
            return services.send_back(Charge.objects.get(pk=attempt.pk), at=NOON)

    assert at_once(*[send_back] * 3) == ["NotBookable"] * 2 + ["done"]
    assert SandboxRefund.objects.count() == 1
    check_at_rest()


class Silent(SandboxGateway):
    """The provider while the line is dead."""

    def refund(self, key: str, charge_provider_id: str, amount: int) -> Outcome:
        raise GatewayUnavailable("Silence.")


def test_sent_by_several_at_once_a_refund_goes_back_once(held: HeldFunds, monkeypatch: pytest.MonkeyPatch) -> None:
    pay(held)
    with monkeypatch.context() as patch:
        patch.setitem(GATEWAYS, "sandbox", Silent)
        with transaction.atomic():
            refund = services.refund_all(held, at=NOON)
    assert not SandboxRefund.objects.exists()
    assert at_once(*[lambda: services.send_refund(refund.pk) or True] * 4) == ["done"] * 4
    assert SandboxCharge.objects.get().refunded == 10_550
    assert Transfer.objects.filter(kind="refunded").count() == 1
    check_at_rest()


def test_several_sweeps_share_the_work() -> None:
    many = HeldFundsFactory.create_batch(6)
    for held in many:
        pay(held, "card_refund_refused")
        with transaction.atomic():
            services.refund_all(held, at=NOON)
    assert Refund.objects.waiting_for_staff().count() == 6
    Refund.objects.update(status="asking", next_try_at=NOON)
    taken: list[int] = []
    at_once(*[lambda: taken.append(services.settle_refunds(at=after(hours=1)))] * 3)
    assert sum(taken) == 6
    assert Refund.objects.waiting_for_staff().count() == 6
    check_at_rest()


def test_an_event_delivered_twice_at_once_is_recorded_once(held: HeldFunds) -> None:
    begin_and_lose(held)
    event = SandboxEvent.objects.get()
    raw_body = event.body.encode()
    signature = sandbox_events.sign(raw_body)
    assert at_once(*[lambda: receive(raw_body, signature) or True] * 4) == ["done"] * 4
    assert ProviderEvent.objects.count() == 1
    assert Transfer.objects.count() == 1
    check_at_rest()


def begin_and_lose(held: HeldFunds) -> None:
    services.ask_charge(begin(held, "card_lost").pk)


def test_accounts_opened_at_once_are_opened_once(held: HeldFunds) -> None:
    keys = [AccountKey(code, "CHF") for code in ("held", "fees", "refunds_due", "loss")]

    def open_all() -> object:
        with transaction.atomic():
            return open_accounts(keys)

    assert at_once(*[open_all] * 4) == ["done"] * 4
    assert Account.objects.filter(currency="CHF").count() == 4


def test_canceled_and_confirmed_at_once_the_sandbox_does_one_of_both(held: HeldFunds) -> None:
    attempt = pay(held, "card_authentication")
    theirs = SandboxCharge.objects.get()

    at_once(
        lambda: sandbox.confirm(theirs.pk, approved=True, at=NOON),
        lambda: gateway().cancel_charge(asks(attempt.key)),
    )
    theirs.refresh_from_db()
    assert theirs.status in ("succeeded", "canceled")
    assert SandboxEvent.objects.get().kind == f"charge.{theirs.status}"
