"""Whatever payers, sellers, finance, banks and crashes do, in whatever order: every promise about money holds.

Each step is one act of somebody, and after each all invariants are checked. Processes die between the steps of an
operation, and events come late, twice, in any order, or never.
"""

import os
import random
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.tests import invariants
from payments import services
from payments.errors import PaymentsError
from payments.gateways import sandbox, sandbox_bank, sandbox_disputes, sandbox_events
from payments.models import (
    Charge,
    Chargeback,
    HeldFunds,
    Refund,
    SandboxCharge,
    SandboxDispute,
    SandboxEvent,
    Withdrawal,
)

from .factories import NOON, HeldFundsFactory, PersonFactory
from .invariants import check_at_rest
from .steps import connect, receive

CARDS = [card.code for card in sandbox.CARDS]
BANKS = [account.code for account in sandbox_bank.ACCOUNTS if account.code != "bank_restricted"]
# The everyday profile is short; `MONEY_PATHS=2000` walks for as long as one likes.
PATHS = int(os.environ.get("MONEY_PATHS", "12"))


@dataclass
class World:
    """One payer and one seller who also buy from each other, three milestones each way, and somebody of finance."""

    currency: str
    ana: User
    theo: User
    finance: User
    helds: list[HeldFunds]
    chance: random.Random

    def held(self) -> HeldFunds:
        return HeldFunds.objects.get(pk=self.chance.choice(self.helds).pk)

    def amount(self, greatest: int = 12_000) -> int:
        return self.chance.randint(1, greatest)


def one_of(world: World, rows: list[object]) -> object | None:
    return world.chance.choice(rows) if rows else None


def charge(world: World, *, dies: str = "") -> None:
    """Somebody pays; the process may die before the provider is asked, or before its answer is recorded."""
    held, method = world.held(), world.chance.choice(CARDS)
    use_credit, keep = world.chance.random() < 0.5, world.chance.random() < 0.3
    with transaction.atomic():
        attempt = services.begin_charge(
            held, method=method, at=clock.now(), return_url="/", use_credit=use_credit, keep_card=keep
        )
    if dies == "before asking":
        return
    if dies == "before recording":
        services.ask_charge(attempt.pk)
        return
    settle_or_send_back(attempt)


def settle_or_send_back(attempt: Charge) -> None:
    """What the order does with an answer: it funds what waits for it, everything else goes back (M8)."""
    outcome = services.ask_charge(attempt.pk)
    with transaction.atomic():
        now = clock.now()
        attempt = Charge.objects.select_related("held__payer").get(pk=attempt.pk)
        if services.record_outcome(attempt, outcome, at=now) and outcome.succeeded:
            try:
                services.fund(attempt, at=now)
            except (services.AlreadyFunded, services.CreditGone):
                services.send_back(attempt, at=now)


def settle_charges(world: World) -> None:
    for attempt in services.undecided_charges(before=clock.now()):
        settle_or_send_back(attempt)


def answer_bank(world: World) -> None:
    waiting = one_of(world, list(SandboxCharge.objects.filter(status="action_needed").order_by("created_at", "key")))
    if isinstance(waiting, SandboxCharge):
        sandbox.confirm(waiting.pk, approved=world.chance.random() < 0.7, at=clock.now())


def in_one(verb: Callable[..., object], world: World, **of: object) -> None:
    with transaction.atomic():
        verb(world.held(), at=clock.now(), **of)


def refund_part(world: World) -> None:
    in_one(services.refund_part, world, price=world.amount(), as_credit=world.chance.random() < 0.3)


def staff_and_refunds(world: World) -> None:
    refused = one_of(world, list(Refund.objects.waiting_for_staff().order_by("pk")))
    if isinstance(refused, Refund):
        verb = world.chance.choice((services.ask_again, services.turn_into_credit))
        with transaction.atomic():
            verb(refused, at=clock.now())


def request_withdrawal(world: World) -> None:
    owner = world.chance.choice((world.ana, world.theo))
    if world.chance.random() < 0.2:
        account = services.payout_account_of(owner)
        assert account
        sandbox_bank.choose_account(uuid.UUID(account.provider_id), world.chance.choice(BANKS), at=clock.now())
    with transaction.atomic():
        services.request_withdrawal(owner, currency=world.currency, amount=world.amount(), at=clock.now())


def decide_withdrawal(world: World, *, dies: bool = False) -> None:
    asked = one_of(world, list(Withdrawal.objects.waiting_for_finance()))
    if not isinstance(asked, Withdrawal):
        return
    what = world.chance.random()
    with transaction.atomic():
        if what < 0.7:
            services.approve_withdrawal(asked, by=world.finance, at=clock.now())
        elif what < 0.85:
            services.reject_withdrawal(asked, by=world.finance, reason="Who are you?", at=clock.now())
        else:
            services.cancel_withdrawal(asked, by=asked.owner, at=clock.now())
        if dies:
            transaction.set_rollback(True)


def take_back(world: World) -> None:
    taken = one_of(world, list(SandboxCharge.objects.filter(status="succeeded").order_by("created_at", "key")))
    if isinstance(taken, SandboxCharge):
        with suppress(sandbox_disputes.NothingToDispute):
            sandbox_disputes.take_back(taken.pk, at=clock.now())


def decide_dispute(world: World) -> None:
    dispute = one_of(world, list(SandboxDispute.objects.order_by("created_at", "pk")))
    if isinstance(dispute, SandboxDispute):
        with suppress(sandbox_disputes.NothingToDispute):
            sandbox_disputes.decide(dispute.pk, won=world.chance.random() < 0.5, at=clock.now())


def decide_rest(world: World) -> None:
    lost = one_of(world, list(Chargeback.objects.waiting_for_staff()))
    if isinstance(lost, Chargeback):
        rest_as = world.chance.choice(("debt", "loss"))
        services.decide_rest(lost, rest_as=rest_as, by=world.finance, at=clock.now())


def pay_debt(world: World) -> None:
    with transaction.atomic():
        services.pay_debt(world.chance.choice((world.ana, world.theo)), currency=world.currency, at=clock.now())


def an_event(world: World, *, lost: bool = False) -> None:
    """One event, of any age, comes once more, or for the first time, or never."""
    event = one_of(world, list(SandboxEvent.objects.order_by("created_at", "key", "kind")))
    if not isinstance(event, SandboxEvent):
        return
    if lost:
        SandboxEvent.objects.filter(pk=event.pk).update(delivered_at=clock.now())
        return
    raw = event.body.encode()
    with suppress(PaymentsError):  # it comes too early, and will be delivered again
        receive(raw, sandbox_events.sign(raw))


def sweep(world: World) -> None:
    now = clock.now()
    sandbox.settle_processing(now)
    sandbox_bank.settle_payouts(now)
    sandbox_events.deliver_due(now)
    settle_charges(world)
    services.settle_refunds(at=now)
    services.settle_withdrawals(at=now)
    services.clear_earnings(at=now)
    services.issue_documents(at=now)


ACTS: dict[str, Callable[[World], None]] = {
    "pay": charge,
    "pay, and die before asking": partial(charge, dies="before asking"),
    "pay, and die before recording": partial(charge, dies="before recording"),
    "answer the bank": answer_bank,
    "give up attempts": partial(in_one, services.cancel_attempts),
    "refund a part": refund_part,
    "refund all": partial(in_one, services.refund_all),
    "refund all as credit": partial(in_one, services.refund_all, as_credit=True),
    "release": partial(in_one, services.release),
    "staff look at refused refunds": staff_and_refunds,
    "request a withdrawal": request_withdrawal,
    "decide a withdrawal": decide_withdrawal,
    "decide a withdrawal, and die": partial(decide_withdrawal, dies=True),
    "a bank takes a charge back": take_back,
    "a bank decides": decide_dispute,
    "staff decide who bears a rest": decide_rest,
    "pay a debt": pay_debt,
    "an event comes again": an_event,
    "an event gets lost": partial(an_event, lost=True),
    "sweep": sweep,
}
OFTEN = (
    "pay",
    "pay",
    "release",
    "release",
    "sweep",
    "request a withdrawal",
    "decide a withdrawal",
    "an event comes again",
)
STEPS = st.tuples(st.sampled_from((*OFTEN, *ACTS)), st.integers(0, 2**16), st.sampled_from((0, 0, 1, 20, 600, 90_000)))


def make_world(currency: str) -> World:
    ana, theo = PersonFactory.create(name="Ana"), PersonFactory.create(name="Theo")
    helds = [
        HeldFundsFactory.create(payer=payer, payee=payee, currency=currency, price=price, clearing=clearing)
        for payer, payee in ((ana, theo), (theo, ana))
        for price, clearing in ((10_000, timedelta()), (12_345, timedelta(days=1)), (4_950, timedelta()))
    ]
    for person in (ana, theo):
        connect(person)
    return World(currency, ana, theo, PersonFactory.create(), helds, random.Random())


@pytest.mark.django_db(transaction=True)
@settings(
    max_examples=PATHS,
    deadline=None,
    derandomize=PATHS == 12,
    # A path that fails is short enough to read; making it shorter takes longer than the suite may.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(currency=st.sampled_from(("USD", "JPY", "KWD")), path=st.lists(STEPS, min_size=12, max_size=30))
def test_no_order_of_events_breaks_a_promise(currency: str, path: list[tuple[str, int, int]]) -> None:
    now: datetime = NOON
    with clock.at(now):
        world = make_world(currency)
    for name, seed, seconds in path:
        now += timedelta(seconds=seconds)
        world.chance.seed(seed)
        with clock.at(now):
            with suppress(PaymentsError):
                ACTS[name](world)
            assert invariants.check() == [], f"after {name} at {now}"
    # Whatever is still under way comes to its end, once every bank has decided and every event has come.
    for dispute in SandboxDispute.objects.filter(status="taken"):
        sandbox_disputes.decide(dispute.pk, won=False, at=now)
    for days in (1, 2, 3, 4):
        with clock.at(now + timedelta(days=days)):
            for waiting in SandboxCharge.objects.filter(status="action_needed"):
                sandbox.confirm(waiting.pk, approved=True, at=clock.now())
            SandboxEvent.objects.update(next_try_at=now)
            sweep(world)
    check_at_rest()
    assert invariants.check() == []
