"""Whatever both sides, support, the bank and the clock do with cases, in whatever order: no promise is broken.

At every step the button and the verb agree, a refusal changes nothing, and in the end nobody is stuck.
"""

import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import transaction
from django.test import TestCase
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import StaffFactory
from marketplace.catalog.plans import PlannedMilestone
from marketplace.tests import invariants
from orders import services as orders
from orders.actions import WHO, subject_of
from orders.actions import why_not_now as why_no_step
from orders.guards import Refusal, Refused, why_not
from orders.models import Milestone, Order
from orders.operating import operated_by
from orders.tests.factories import fresh, make_offer, planned
from orders.tests.steps import SERVICES
from payments.models import Chargeback
from payments.services import settle_refunds
from payments.tasks import deliver_sandbox_events
from resolution import services
from resolution.actions import why_not_now
from resolution.locking import case_of
from resolution.models import Case, Reason
from resolution.models.asked import NOTHING_MORE, Asked
from resolution.models.choices import DISPUTES, PROPOSALS, Kind, Ruling
from resolution.services import Decision, consider, kind_for
from resolution.sides import WHO as WHO_ANSWERS
from resolution.tests.conftest import NOON
from resolution.tests.factories import bank

# The everyday profile is short; `CASE_PATHS=2000` walks for as long as one likes.
PATHS = int(os.environ.get("CASE_PATHS", "12"))
PLAN = (planned("Logo", 12_345, 2, 1), planned("Cards", 4_950, 3, None), planned("Film", 9_999, 2, 0))
METHODS = ("card_ok", "card_ok", "card_ok", "card_declined", "card_authentication", "card_processing", "card_lost")
CHARGES_THE_BUYER = ("place", "pay", "start", "accept_and_continue")
# Around every window there is: reminders, silence, least rest, very late, revision, support, escalation, review.
HOURS = (*(0, 0, 1, 1, 5, 12) * 3, 24, 25, 47, 48, 49, 72, 168, 192, 721)


@dataclass
class World:
    """An order at work, its two sides and an agent of support; `chance` chooses what a step leaves open."""

    order: Order
    agent: User
    chance: random.Random = field(default_factory=random.Random)

    @property
    def now(self) -> datetime:
        return clock.now()

    def fresh(self) -> Order:
        return fresh(self.order)

    def latest(self, kinds: tuple[str, ...]) -> Case | None:
        """The last dispute or proposal, on the rows of its order; sometimes an earlier one."""
        found = list(self.order.cases.filter(kind__in=kinds).order_by("-pk").values_list("pk", flat=True))
        if not found:
            return None
        pk = found[0] if self.chance.random() < 0.9 else self.chance.choice(found)
        return case_of(self.fresh(), pk, self.now)

    def owed(self) -> bool:
        """Whether the clock comes first, so that what a page shows now is not yet what an act will find."""
        return self.fresh().is_overdue(self.now) or Case.objects.filter(order=self.order).due(self.now).exists()

    def person(self, side: str) -> User:
        return {"buyer": self.order.buyer, "seller": self.order.seller}[side]


def press(world: World, what: str, offered: Refusal | None, act: Callable[[], Any]) -> None:
    """What the button offered must come true, and what it greyed is refused in those words and changes nothing."""
    owed, version = world.owed(), world.fresh().version
    answer: Refusal | None = None
    try:
        act()
    except Refused as refused:
        answer = refused.refusal
    if owed:
        return
    assert str(answer) == str(offered), f"{what}: what the verb answers, and what the button said"
    if answer:
        assert world.fresh().version == version, f"{what}: refused, and yet it changed something"


def take_step(world: World, name: str, *, on_behalf: bool = False) -> None:
    """A button of the order, pressed by its side or by support for it."""
    order, method = world.fresh(), world.chance.choice(METHODS)
    offered = why_no_step(order, name, world.now)

    def act() -> None:
        SERVICES[name](order, subject_of(order, name), method=method)

    if not on_behalf:
        press(world, name, offered, act)
    elif name in CHARGES_THE_BUYER:
        with pytest.raises(Refused):
            operated(world, act)
    else:
        press(world, f"{name} on behalf", offered, lambda: operated(world, act))


def operated(world: World, act: Callable[[], Any]) -> None:
    with operated_by(world.agent, world.order, why="They called us."):
        act()


def open_one(world: World, kind: Kind, *, on_behalf: bool = False) -> None:
    """Either side opens a case, mostly with what it may cite and ask for, sometimes not."""
    chance, order = world.chance, world.fresh()
    side = chance.choice(("buyer", "seller"))
    citable = Reason.objects.citable(side, order.open_milestone, kind)
    among = list(citable) if citable and chance.random() < 0.9 else list(Reason.objects.all())
    reason, asked = chance.choice(among), asked_for(world, kind)
    case = consider(order, kind, side, now=world.now, asked=asked)
    button = why_not(consider(order, kind, side, now=world.now).open)
    case.reason = reason
    offered = why_not(case.open)
    assert offered or not button, f"{kind}: greyed as “{button}”, and yet possible"

    def act() -> None:
        services.open_case(
            world.order, by=world.person(side), kind=kind, reason=reason, statement="Because.", asked=asked
        )

    press(world, f"open {kind}", offered, partial(operated, world, act) if on_behalf else act)


def asked_for(world: World, kind: Kind) -> Asked:
    chance, order = world.chance, world.fresh()
    if kind == Kind.PARTIAL_REFUND:
        return Asked(amount=chance.choice((1, 333, 1_650, 4_949, 4_950, 12_344, 12_345)))
    if kind == Kind.EXTEND:
        return Asked(days=chance.choice((1, 3, 30)))
    if kind == Kind.EXTRA_REVISIONS:
        return Asked(revisions=chance.choice((1, 2)))
    if kind != Kind.CHANGE_UPCOMING:
        return NOTHING_MORE
    upcoming = [PlannedMilestone.of(step) for step in orders.planned(order)]
    extra = planned("Poster", chance.choice((1, 5_000, 7_777)), 4, 1)
    changed: tuple[list[PlannedMilestone], ...] = (
        [*upcoming, extra],
        upcoming[:-1],
        upcoming,
        [extra],
        [],
        list(reversed(upcoming)),
        [extra] * 18,
    )
    return Asked(upcoming=tuple(chance.choice(changed)))


def answer(world: World, name: str, kinds: tuple[str, ...], *, on_behalf: bool = False) -> None:
    """A button of a case: pressed by the side whose it is, or, sometimes, by the other one."""
    case = world.latest(kinds)
    if case is None:
        return
    side = case.answering_side if WHO_ANSWERS[name] == "answerer" else case.side
    if side not in ("buyer", "seller") or world.chance.random() < 0.05:
        side = world.chance.choice(("buyer", "seller"))
    offered, by = why_not_now(case, side, name), world.person(side)
    acts: dict[str, Callable[[], Any]] = {
        "accept": lambda: services.accept_case(case, by=by, text="Yes."),
        "decline": lambda: services.decline_case(case, by=by, text="No."),
        "withdraw": lambda: services.withdraw_case(case, by=by),
        "escalate": lambda: services.escalate_case(case, by=by, text="Please look."),
    }
    act = partial(operated, world, acts[name]) if on_behalf else acts[name]
    press(world, f"{name} {'dispute' if case.is_dispute else 'proposal'}{' on behalf' * on_behalf}", offered, act)


def take_what_is_offered(world: World) -> None:
    """Any button that is not greyed, of either side."""
    order = world.fresh()
    acts: list[Callable[[], None]] = [
        partial(take_step, world, name)
        for name in WHO
        if name != "order_again" and why_no_step(order, name, world.now) is None
    ]
    for kinds in (DISPUTES, PROPOSALS):
        case = order.cases.filter(kind__in=kinds).order_by("-pk").first()
        for name in WHO_ANSWERS if case else ():
            case = case_of(order, case.pk, world.now)
            if any(why_not_now(case, side, name) is None for side in ("buyer", "seller")):
                acts.append(partial(answer, world, name, kinds))
    if acts:
        world.chance.choice(acts)()


def write(world: World) -> None:
    case = world.latest((*DISPUTES, *PROPOSALS))
    if case:
        by = world.chance.choice((world.order.buyer, world.order.seller, world.agent))
        press(world, "write", services.why_not_write(case), lambda: services.write_in_case(case, by=by, text="Listen."))


def decision(world: World, ruling: Ruling) -> Decision:
    chance = world.chance
    price = chance.choice((1, 333, 1_650, 4_950, 12_344, 12_345)) if ruling == Ruling.SPLIT else 0
    return Decision(
        ruling, price=price, days=chance.choice((1, 5)), as_credit=ruling != Ruling.EXTEND and chance.random() < 0.2
    )


def rule_on(world: World, ruling: Ruling) -> None:
    """Support decides the last dispute; sometimes they try a proposal, which is not theirs."""
    case = world.latest(PROPOSALS if world.chance.random() < 0.1 else DISPUTES)
    if case is None:
        return
    decided = decision(world, ruling)
    offered = why_not(case.rule) or decided.why_not(case.order)
    press(world, f"rule {ruling}", offered, lambda: services.rule(case, decided, **ruled_by(world)))


def rule_without(world: World, ruling: Ruling) -> None:
    order, decided = world.fresh(), decision(world, ruling)
    case = consider(order, kind_for(decided), Case.Side.SUPPORT, now=world.now)
    offered = why_not(case.open_for_support) or decided.why_not(order)
    press(
        world,
        f"rule {ruling} without a case",
        offered,
        lambda: services.rule_without_case(world.order, decided, **ruled_by(world)),
    )


def dismiss(world: World) -> None:
    case = world.latest(PROPOSALS if world.chance.random() < 0.1 else DISPUTES)
    if case:
        press(world, "dismiss", why_not(case.dismiss), lambda: services.dismiss_case(case, **ruled_by(world)))


def look_into(world: World) -> None:
    order, kind = world.fresh(), world.chance.choice((Kind.CANCEL_MILESTONE, Kind.CANCEL_ORDER))
    offered = why_not(consider(order, kind, Case.Side.SUPPORT, now=world.now).open_for_support)
    said: dict[str, Any] = {"reason": Reason.objects.get(code="fraud_or_abuse"), "statement": "Reported."}
    press(
        world,
        "open by support",
        offered,
        lambda: services.open_case_by_support(world.order, by=world.agent, kind=kind, **said),
    )


def ruled_by(world: World) -> dict[str, Any]:
    reason = world.chance.choice(list(Reason.objects.for_rulings()))
    return {"by": world.agent, "reason": reason, "note": "We looked at the files."}


def charge_back(world: World) -> None:
    """The buyer's bank takes the open milestone's payment back, or decides about one that it took."""
    taken = Chargeback.objects.filter(settled_at=None).select_related("charge__held__milestone").first()
    if taken:
        position = taken.charge.held.milestone.position
        bank(
            world.order,
            world.chance.choice(("won", "lost")),
            position=position,
            number=taken.provider_id,
            amount=taken.amount,
        )
        return
    milestone = world.fresh().open_milestone
    if milestone and not Chargeback.objects.filter(charge__held=milestone.held).exists():
        bank(world.order, "taken", position=milestone.position, number=f"dp_{milestone.position}")


def sweep(_world: World) -> None:
    """Everything that beat does, in one of its orders."""
    services.settle_due_cases()
    orders.settle_due()
    services.settle_due_cases()
    orders.settle_charges()
    orders.send_reminders()
    services.open_owed_disputes()
    settle_refunds(at=clock.now())
    deliver_sandbox_events()


CASES, STEPS, BACK = (*DISPUTES[:3], *PROPOSALS), tuple(WHO), ("accept", "decline", "withdraw", "escalate")
ACTS: dict[str, Callable[[World], object]] = {
    **{name: partial(take_step, name=name) for name in STEPS},
    **{f"{name} on behalf": partial(take_step, name=name, on_behalf=True) for name in STEPS},
    **{f"open {kind}": partial(open_one, kind=kind) for kind in CASES},
    **{f"{name} dispute": partial(answer, name=name, kinds=DISPUTES) for name in BACK},
    **{f"{name} proposal": partial(answer, name=name, kinds=PROPOSALS) for name in BACK},
    "open on behalf": lambda world: open_one(world, world.chance.choice(CASES), on_behalf=True),
    "answer on behalf": lambda world: answer(world, world.chance.choice(BACK), (*DISPUTES, *PROPOSALS), on_behalf=True),
    "something offered": take_what_is_offered,
    "write": write,
    **{f"rule {ruling}": partial(rule_on, ruling=ruling) for ruling in Ruling},
    **{f"rule {ruling} without a case": partial(rule_without, ruling=ruling) for ruling in Ruling},
    "dismiss": dismiss,
    "open by support": look_into,
    "message": lambda world: orders.send_message(world.order, by=world.order.seller, text="Hello"),
    "sweep": sweep,
    "settle cases": lambda _: services.settle_due_cases(),
    "settle orders": lambda _: orders.settle_due(),
    "owed": lambda _: services.open_owed_disputes(),
    "events": lambda _: deliver_sandbox_events(),
    "bank": charge_back,
}
# What leads somewhere is tried more often than what ends the order or is mostly refused.
OFTEN = (
    *("something offered",) * 40,
    *("deliver", "request_revision", "start", "sweep"),
    *[f"open {kind}" for kind in CASES] * 3,
    *("decline dispute", "escalate dispute", "accept proposal"),
    *("dismiss", "rule split", "rule extend", "rule complete"),
)
PATH = st.lists(
    st.tuples(st.sampled_from((*OFTEN, *ACTS)), st.integers(0, 2**16), st.sampled_from(HOURS)), min_size=10, max_size=26
)


def come_to_an_end(world: World, now: datetime) -> None:
    """With nobody but the clock, the bank and support every order ends."""
    for days in (31, 62, 93, 124):
        with clock.at(now + timedelta(days=days)), TestCase.captureOnCommitCallbacks(execute=True):
            sweep(world)
            order = world.fresh()
            waiting = order.cases.pending().first()
            current = order.current
            working = current and current.status in Milestone.WORKING
            assert order.has_ended or waiting or working, "nobody waits for the clock"
            if Chargeback.objects.filter(settled_at=None).exists():
                charge_back(world)
        with clock.at(now + timedelta(days=days, hours=1)), TestCase.captureOnCommitCallbacks(execute=True):
            waiting = world.order.cases.pending().first()
            if waiting:
                services.rule(waiting, Decision(Ruling.CANCEL_ORDER), **ruled_by(world))
    assert world.fresh().has_ended
    assert not world.order.cases.filter(status__in=Case.PENDING).exists()


@pytest.mark.django_db
@settings(
    max_examples=PATHS,
    deadline=None,
    derandomize=PATHS == 12,
    # A path that fails is short enough to read; making it shorter takes longer than the suite may.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(path=PATH)
def test_no_order_of_acts_on_cases_breaks_a_promise(path: list[tuple[str, int, int]]) -> None:
    # Undone after each example: thousands of them are as quick as one.
    before = transaction.savepoint()
    try:
        walk(path)
    finally:
        transaction.savepoint_rollback(before)


def walk(path: list[tuple[str, int, int]]) -> None:
    now = NOON
    with clock.at(now), TestCase.captureOnCommitCallbacks(execute=True):
        world = World(make_offer(plan=PLAN), StaffFactory.create(name="Sam Support"))
        orders.place(world.order, by=world.order.buyer, method="card_ok")
    for name, seed, hours in path:
        now += timedelta(hours=hours)
        world.chance.seed(seed)
        with clock.at(now):
            with TestCase.captureOnCommitCallbacks(execute=True):
                ACTS[name](world)
            assert invariants.with_cases() == [], f"after {name} at {now}"
    come_to_an_end(world, now)
    with clock.at(now + timedelta(days=125)):
        assert (invariants.with_cases(), invariants.at_rest()) == ([], [])
