"""Chargebacks to the cent: whatever was held, paid, withdrawn or refunded when the bank came (M10, M11)."""

import uuid
from dataclasses import astuple
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from payments import services
from payments.gateways import GatewayError, Outcome, ParsedEvent, State, gateway, sandbox_disputes, sandbox_events
from payments.gateways.base import DisputeState, ParsedDispute
from payments.models import Account, Charge, Chargeback, HeldFunds, Refund, SandboxCharge, SandboxDispute, SandboxEvent
from payments.services import Cents

from .conftest import Commit
from .factories import NOON, HeldFundsFactory, PersonFactory, after
from .invariants import check_at_rest
from .steps import ask_for, asks_back, begin, connect, earn, pay, settle

pytestmark = pytest.mark.django_db

DECIDING = "The buyer's bank has taken the payment back and is deciding; until then nothing can be moved."


def take(held: HeldFunds, amount: int = 0, number: str = "dp_1", **of: Any) -> Chargeback:
    charge = held.charges.get(**{"funded": True, **of})
    with transaction.atomic():
        return services.take_back(charge, provider_id=number, amount=amount or charge.amount, reason="Fraud.", at=NOON)


def win(chargeback: Chargeback) -> bool:
    with transaction.atomic():
        return services.win(chargeback, at=after(days=9))


def lose(chargeback: Chargeback) -> bool:
    with transaction.atomic():
        return services.lose(chargeback, at=after(days=9))


def decide(chargeback: Chargeback, rest_as: str) -> Chargeback:
    return services.decide_rest(chargeback, rest_as=rest_as, by=PersonFactory.create(), at=after(days=10))


def cents(held: HeldFunds) -> Cents:
    return services.where_every_cent_is([held.reference])[held.reference]


def balances(held: HeldFunds) -> dict[str, int]:
    """The seller's purse, and what chargebacks and losses there are, without what is nothing."""
    mine = Account.objects.with_balance().filter(owner=held.payee) | Account.objects.with_balance().filter(
        code__in=["chargebacks", "loss"]
    )
    return {account.code: account.balance for account in mine if account.balance}


def test_what_the_bank_took_is_booked_at_once_and_nothing_of_the_milestone_moves(held: HeldFunds) -> None:
    pay(held)
    before = cents(held)
    chargeback = take(held)
    assert (chargeback.status, chargeback.amount, chargeback.frozen, chargeback.taken_at) == ("open", 10_550, 0, NOON)
    assert str(chargeback) == f"$105.50 of {held.reference} (The bank is deciding)"
    assert balances(held) == {"chargebacks": -10_550}
    assert cents(held) == before == Cents(charged=10_550, held=10_550)


def test_until_the_bank_has_decided_nothing_is_refunded_or_released(held: HeldFunds) -> None:
    pay(held)
    take(held)
    held.refresh_from_db()
    for verb in (
        lambda: services.refund_part(held, price=1000, at=NOON),
        lambda: services.refund_all(held, at=NOON),
        lambda: services.release(held, at=NOON),
    ):
        with transaction.atomic(), pytest.raises(services.Disputed, match=DECIDING):
            verb()
    assert cents(held).held == 10_550


def test_won_all_is_as_before_and_the_milestone_can_be_released(held: HeldFunds) -> None:
    pay(held)
    chargeback = take(held)
    assert win(chargeback)
    assert (chargeback.status, chargeback.settled_at) == ("won", after(days=9))
    assert balances(held) == {}
    held.refresh_from_db()
    with transaction.atomic():
        assert services.release(held, at=after(days=9)) == services.Released(8000, 2550)
    assert cents(held) == Cents(charged=10_550, seller=8000, fees=2550)


def test_lost_what_was_held_stays_away_and_is_not_refunded_a_second_time(held: HeldFunds) -> None:
    pay(held)
    chargeback = take(held)
    assert lose(chargeback)
    assert cents(held) == Cents(charged=10_550, charged_back=10_550)
    assert balances(held) == {}
    assert chargeback.rest == 0
    held.refresh_from_db()
    assert (held.charged_back, held.left) == (10_550, 0)
    with transaction.atomic(), pytest.raises(services.NothingHeld):
        services.refund_all(held, at=NOON)
    with pytest.raises(services.DecidedOtherwise):
        decide(chargeback, "loss")


def test_lost_in_part_the_other_part_goes_back_to_the_card(held: HeldFunds, commit: Commit) -> None:
    pay(held)
    chargeback = take(held, 5000)
    assert lose(chargeback)
    held.refresh_from_db()
    with commit():
        refund = services.refund_all(held, at=NOON)
    assert (refund.amount, refund.card_amount) == (5550, 5550)
    assert Refund.objects.get().status == "succeeded"
    assert cents(held) == Cents(charged=10_550, refunded=5550, charged_back=5000)


def test_what_was_refunded_before_is_the_platforms_loss(commit: Commit) -> None:
    held = HeldFundsFactory.create(price=20_000)
    pay(held)
    with commit():
        services.refund_part(held, price=12_000, at=NOON)
    chargeback = take(held)
    assert lose(chargeback)
    assert (chargeback.rest, balances(held)) == (12_660, {"chargebacks": -12_660})
    assert list(Chargeback.objects.waiting_for_staff()) == [chargeback]
    with pytest.raises(services.NotOwed):
        decide(chargeback, "debt")
    decided = decide(chargeback, "loss")
    assert (decided.rest_as, decided.rest_decided_at) == ("loss", after(days=10))
    assert balances(held) == {"loss": -12_660}
    assert cents(held) == Cents(charged=21_100, refunded=12_660, charged_back=21_100, fees=-12_660)
    assert not Chargeback.objects.waiting_for_staff().exists()
    with pytest.raises(services.DecidedOtherwise):
        decide(chargeback, "loss")


def test_a_refused_refund_is_not_given_another_way_while_the_bank_is_deciding(held: HeldFunds, commit: Commit) -> None:
    pay(held, "card_refund_refused")
    with commit():
        refund = services.refund_all(held, at=NOON)
    refund.refresh_from_db()
    assert refund.status == "refused"
    chargeback = take(held)
    for again in (services.ask_again, services.turn_into_credit):
        with pytest.raises(services.Disputed, match=DECIDING):
            again(refund, at=NOON)
    assert win(chargeback)
    services.turn_into_credit(refund, at=NOON)
    assert cents(held).refunded == 10_550


def test_what_the_provider_refused_to_give_back_and_the_bank_took_is_owed_no_longer(commit: Commit) -> None:
    held = HeldFundsFactory.create()
    pay(held, "card_refund_refused")
    with commit():
        refused = services.refund_all(held, at=NOON)
    assert cents(held) == Cents(charged=10_550, refunds_due=10_550)
    chargeback = take(held)
    lose(chargeback)
    assert (chargeback.rest, cents(held)) == (0, Cents(charged=10_550, charged_back=10_550))
    refused.refresh_from_db()
    assert (refused.status, refused.retried, refused.reason) == (
        "refused",
        True,
        "Taken by the chargeback dp_1 instead.",
    )
    for verb in (services.ask_again, services.turn_into_credit):
        with pytest.raises(services.NotRefused), transaction.atomic():
            verb(refused, at=NOON)


def test_a_refund_under_way_when_the_bank_decides_is_waited_for_and_never_given_twice(commit: Commit) -> None:
    held = HeldFundsFactory.create()
    pay(held, "card_refund_refused")
    with transaction.atomic():
        refund = services.refund_all(held, at=NOON)  # the provider has not been asked yet
    chargeback = take(held)
    lose(chargeback)
    assert (chargeback.rest, cents(held)) == (10_550, Cents(charged=10_550, refunds_due=10_550))
    with pytest.raises(services.Disputed, match="still under way"):
        decide(chargeback, "loss")
    services.send_refund(refund.pk)
    refund.refresh_from_db()
    assert refund.status == "refused"
    for again in (services.ask_again, services.turn_into_credit):
        with pytest.raises(services.NotRefused, match="bank has taken this payment back"):
            again(refund, at=NOON)
    decided = decide(chargeback, "loss")
    assert (decided.rest, cents(held)) == (0, Cents(charged=10_550, charged_back=10_550))


def test_a_partial_dispute_about_a_refused_refund_takes_nothing_from_the_seller(commit: Commit) -> None:
    held = HeldFundsFactory.create()
    pay(held, "card_refund_refused")
    with commit():
        services.refund_part(held, price=5000, at=NOON)
    with transaction.atomic():
        services.release(held, at=NOON)
    chargeback = take(held, 5275)
    assert (chargeback.frozen, balances(held)) == (4000, {"earnings_frozen": 4000, "chargebacks": -5275})
    lose(chargeback)
    assert (chargeback.frozen, chargeback.rest, balances(held)) == (0, 0, {"earnings_available": 4000})
    assert cents(held) == Cents(charged=10_550, seller=4000, fees=1275, charged_back=5275)


def test_a_refund_that_the_provider_contradicts_itself_about_is_left_until_it_has_answered(commit: Commit) -> None:
    held = HeldFundsFactory.create()
    pay(held, "card_refund_refused")
    with commit():
        refund = services.refund_all(held, at=NOON)
    with transaction.atomic():
        assert not services.record_refund(refund, Outcome(State.SUCCEEDED), NOON)
    chargeback = take(held)
    lose(chargeback)
    refund.refresh_from_db()
    assert (refund.doubted, refund.retried, chargeback.rest) == (True, False, 10_550)
    with pytest.raises(services.Disputed, match="still under way"):
        decide(chargeback, "loss")
    services.send_refund(refund.pk)
    assert decide(chargeback, "loss").rest == 0


def test_what_was_frozen_while_clearing_goes_on_clearing_when_it_is_won_in_time() -> None:
    held = earn(PersonFactory.create(), clearing=timedelta(days=14))
    chargeback = take(held)
    assert balances(held) == {"earnings_frozen": 8000, "chargebacks": -10_550}
    win(chargeback)
    assert balances(held) == {"earnings_clearing": 8000}
    services.clear_earnings(at=after(days=14))
    assert balances(held) == {"earnings_available": 8000}


def test_after_the_release_what_the_seller_got_is_frozen_and_comes_back_when_won() -> None:
    held = earn(PersonFactory.create())
    chargeback = take(held)
    assert chargeback.frozen == 8000
    assert balances(held) == {"chargebacks": -10_550, "earnings_frozen": 8000}
    assert cents(held) == Cents(charged=10_550, seller=8000, fees=2550)
    assert win(chargeback)
    assert balances(held) == {"earnings_available": 8000}
    assert cents(held) == Cents(charged=10_550, seller=8000, fees=2550)


def test_after_the_release_lost_the_frozen_earnings_go_and_the_fees_are_the_platforms_loss() -> None:
    held = earn(PersonFactory.create())
    chargeback = take(held)
    assert lose(chargeback)
    assert (chargeback.rest, balances(held)) == (2550, {"chargebacks": -2550})
    with pytest.raises(services.NotOwed):
        decide(chargeback, "debt")
    decide(chargeback, "loss")
    assert balances(held) == {"loss": -2550}
    assert cents(held) == Cents(charged=10_550, charged_back=10_550)


def test_what_was_withdrawn_becomes_the_sellers_debt_and_never_more_than_they_got() -> None:
    seller = PersonFactory.create()
    held = earn(seller)
    connect(seller)
    ask_for(seller, 5000)
    chargeback = take(held)
    assert chargeback.frozen == 3000
    assert lose(chargeback)
    assert chargeback.rest == 7550
    decided = decide(chargeback, "debt")
    assert decided.rest_as == "debt"
    assert balances(held) == {"debt": -5000, "loss": -2550}
    assert cents(held) == Cents(charged=10_550, charged_back=10_550)


def test_the_platform_may_bear_what_the_seller_has_withdrawn() -> None:
    seller = PersonFactory.create()
    held = earn(seller)
    connect(seller)
    ask_for(seller, 8000)
    chargeback = take(held)
    assert chargeback.frozen == 0
    assert lose(chargeback)
    decide(chargeback, "loss")
    assert balances(held) == {"loss": -10_550}
    assert cents(held) == Cents(charged=10_550, seller=8000, fees=-8000, charged_back=10_550)


def test_what_is_still_clearing_is_frozen_there_and_nobody_elses(commit: Commit) -> None:
    seller, days = PersonFactory.create(), timedelta(days=14)
    held, other = earn(seller, clearing=days), earn(seller, clearing=days)
    part = take(other, 3000, "dp_part")
    whole = take(held, number="dp_whole")
    assert (part.frozen, whole.frozen) == (3000, 8000)
    held.refresh_from_db()
    other.refresh_from_db()
    assert (held.cleared_at, other.cleared_at) == (NOON, None)
    assert balances(held) == {"chargebacks": -13_550, "earnings_clearing": 5000, "earnings_frozen": 11_000}
    assert services.clear_earnings(at=after(days=14)) == 1
    assert services.balance(seller, "USD") == 5000
    assert win(whole)
    assert lose(part)
    assert balances(held) == {"earnings_available": 5000, "earnings_clearing": 8000}
    services.clear_earnings(at=after(days=14))
    assert balances(held) == {"earnings_available": 13_000}


def test_a_second_chargeback_takes_from_the_seller_at_most_what_is_left_of_their_pay() -> None:
    seller = PersonFactory.create()
    held = earn(seller)
    earn(seller)
    first = take(held, 6000)
    with transaction.atomic(), pytest.raises(services.Disputed):
        take(held, 4000, "dp_2")
    assert lose(first)
    second = take(held, 4000, "dp_2")
    assert second.frozen == 2000
    assert lose(second)
    with pytest.raises(services.NotOwed):
        decide(second, "debt")
    assert services.balance(seller, "USD") == 8000


def test_of_two_rests_the_seller_owes_together_what_they_were_paid() -> None:
    seller = PersonFactory.create()
    held = earn(seller)
    connect(seller)
    ask_for(seller, 8000)
    first, second = take(held, 5000), None
    assert lose(first)
    second = take(held, 5000, "dp_2")
    assert lose(second)
    decide(first, "debt")
    decide(second, "debt")
    assert balances(held) == {"debt": -8000, "loss": -2000}


def test_news_that_comes_twice_changes_nothing_and_the_first_decision_stands(held: HeldFunds) -> None:
    pay(held)
    chargeback = take(held)
    assert take(held) == chargeback
    assert win(chargeback)
    assert not win(chargeback)
    assert take(held).status == "won"
    with transaction.atomic(), pytest.raises(services.DecidedOtherwise, match=r"\$105.50 was won already"):
        services.lose(chargeback, at=after(days=9))
    assert Chargeback.objects.get().settled_at == after(days=9)


def test_a_payment_that_was_one_too_many_and_went_back_is_all_the_platforms_loss(
    held: HeldFunds, commit: Commit
) -> None:
    first = begin(held, "card_authentication")
    settle(first)
    with commit():
        services.cancel_attempts(held, at=NOON)
    Charge.objects.filter(pk=first.pk).update(status="succeeded", settled_at=NOON)
    SandboxCharge.objects.update(status="succeeded")
    first.refresh_from_db()
    with commit():
        services.send_back(first, at=NOON)
    chargeback = take(held, funded=False, surplus=True)
    held.refresh_from_db()
    services.refuse_disputed(held)
    assert lose(chargeback)
    assert chargeback.rest == 10_550
    with pytest.raises(services.NotOwed):
        decide(chargeback, "debt")
    decide(chargeback, "loss")
    assert cents(held) == Cents(charged=10_550, refunded=10_550, charged_back=10_550, fees=-10_550)


def test_a_charge_that_is_not_in_the_ledger_yet_waits_for_its_booking(held: HeldFunds) -> None:
    charge = begin(held)
    with transaction.atomic(), pytest.raises(services.NotBookable):
        services.take_back(charge, provider_id="dp_1", amount=10_550, reason="", at=NOON)
    assert not Chargeback.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "why_not"),
    [
        ({}, ""),
        ({"provider": "stripe"}, "we never asked this provider for it."),
        ({"currency": "EUR"}, "its currency is EUR, not USD."),
        ({"amount": 10_551}, "its amount is 10551, and 10550 was charged to the card."),
        ({"amount": 0}, "its amount is 0, and 10550 was charged to the card."),
    ],
)
def test_news_that_cannot_be_about_the_charge_says_why(held: HeldFunds, wrong: dict[str, Any], why_not: str) -> None:
    charge = pay(held)
    news = ParsedDispute("dp_1", charge.provider_id, DisputeState.TAKEN)
    details = {"provider": "sandbox", "amount": 10_550, "currency": "USD", **wrong}
    event = ParsedEvent(
        event_id="ev", kind="dispute.taken", outcome=Outcome(State.UNDECIDED), body={}, dispute=news, **details
    )
    assert services.why_not_dispute(charge, event) == why_not


def test_the_part_paid_with_credit_comes_back_as_credit_and_only_the_cards_part_is_the_banks(
    held: HeldFunds, commit: Commit
) -> None:
    earlier = HeldFundsFactory.create(payer=held.payer, price=1000)
    pay(earlier)
    with commit():
        services.refund_all(earlier, at=NOON, as_credit=True)
    with transaction.atomic():
        charge = services.begin_charge(held, method="card_ok", at=NOON, use_credit=True)
    settle(charge)
    charge.refresh_from_db()
    assert charge.card_amount == 10_550 - 1055
    chargeback = take(held, charge.card_amount)
    assert lose(chargeback)
    held.refresh_from_db()
    assert (chargeback.rest, held.left) == (0, 1055)
    with commit():
        refund = services.refund_all(held, at=NOON)
    assert (refund.amount, refund.credit) == (1055, 1055)
    assert services.balance(held.payer, "USD", "credit") == 1055
    assert astuple(cents(held))[:7] == astuple(Cents(charged=10_550, refunded=1055, charged_back=9495))[:7]


# The sandbox's bank


def dispute_of(held: HeldFunds) -> SandboxDispute:
    return SandboxDispute.objects.get(charge__reference=held.reference)


@pytest.mark.parametrize("won", [True, False])
def test_the_disputed_card_is_taken_back_after_a_while_and_its_bank_decides(held: HeldFunds, won: bool) -> None:
    pay(held, "card_disputed")
    assert sandbox_disputes.take_back_due(after(seconds=119)) == 0
    assert sandbox_disputes.take_back_due(after(seconds=120)) == 1
    assert sandbox_disputes.take_back_due(after(seconds=120)) == 0
    assert str(dispute_of(held)) == f"{dispute_of(held).charge_id} (taken)"
    sandbox_events.deliver_due(after(minutes=3))
    assert Chargeback.objects.get().reason == "The cardholder does not recognize this payment."
    check_at_rest()
    sandbox_disputes.decide(dispute_of(held).pk, won=won, at=after(minutes=4))
    with pytest.raises(sandbox_disputes.NothingToDispute):
        sandbox_disputes.decide(dispute_of(held).pk, won=won, at=after(minutes=4))
    sandbox_events.deliver_due(after(minutes=4))
    assert Chargeback.objects.get().status == ("won" if won else "lost")
    assert cents(held) == Cents(charged=10_550, held=10_550 * won, charged_back=10_550 * (not won))
    check_at_rest()


@pytest.mark.parametrize("won", [True, False])
def test_the_banks_news_may_come_in_any_order_and_twice(held: HeldFunds, won: bool) -> None:
    charge = pay(held)
    sandbox_disputes.take_back(uuid.UUID(charge.provider_id), at=NOON)
    sandbox_disputes.decide(dispute_of(held).pk, won=won, at=NOON)
    news = list(SandboxEvent.objects.filter(kind__startswith="dispute.").order_by("-created_at", "kind"))
    assert {event.kind for event in news} == {"dispute.taken", "dispute.won" if won else "dispute.lost"}
    first = sorted(news, key=lambda event: event.kind == "dispute.taken")
    for event in [*first, *first]:
        sandbox_events.deliver(event.body.encode(), sandbox_events.sign(event.body.encode()))
    assert Chargeback.objects.get().status == ("won" if won else "lost")
    assert cents(held) == Cents(charged=10_550, held=10_550 * won, charged_back=10_550 * (not won))
    sandbox_events.deliver_due(after(hours=1))
    check_at_rest()


def test_the_bank_takes_back_once_what_was_not_refunded_and_that_cannot_be_refunded(
    held: HeldFunds, commit: Commit
) -> None:
    charge = pay(held, "card_disputed")
    with commit():
        services.refund_part(held, price=4000, at=NOON)
    assert sandbox_disputes.take_back_due(after(minutes=2)) == 1
    assert dispute_of(held).amount == 10_550 - 4220
    with pytest.raises(sandbox_disputes.NothingToDispute):
        sandbox_disputes.take_back(uuid.UUID(charge.provider_id), at=NOON)
    refused = gateway().refund(asks_back("key", charge.provider_id, 1))
    assert (refused.state, refused.reason) == (State.FAILED, "That is more than is left of the charge.")
    with pytest.raises(GatewayError):
        gateway().refund(asks_back("key", str(uuid.uuid4()), 1))


def test_a_disputed_card_that_was_refunded_in_time_is_left_alone(held: HeldFunds, commit: Commit) -> None:
    pay(held, "card_disputed")
    with commit():
        services.refund_all(held, at=NOON)
    assert sandbox_disputes.take_back_due(after(minutes=2)) == 0
    assert not SandboxDispute.objects.exists()
