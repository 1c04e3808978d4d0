"""What anybody can do with an order, each act beside what the small model of the rules says of it."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.test import TestCase

import payments.services as payments
from marketplace import clock
from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import StaffFactory, UserFactory
from marketplace.catalog.plans import PlannedMilestone
from marketplace.tests import invariants
from marketplace.tests.model_of_cases import Asked, Marketplace, ModelCase
from marketplace.tests.model_of_rules import FIRST_ANSWER, OFFER, Attempt, Step
from marketplace.tests.what_is_true import WHAT_IS_TRUE
from orders import services as orders
from orders.guards import Refused
from orders.tests.factories import fresh, make_offer, planned
from payments.errors import PaymentsError
from payments.models import Charge, Withdrawal
from payments.tests.steps import connect
from resolution import services as cases
from resolution.models import Case, Reason
from resolution.models import asked as wishes
from resolution.tests.factories import CITED, POSTER

NOON = datetime.fromisoformat("2026-10-20T12:00:00+00:00")
PLAN = (planned("Logo", 12_345, 2, 1), planned("Cards", 4_950, 3, None), planned("Film", 9_999, 2, 0))
HOURS = (1, 1, 5, 12, 24, 25, 47, 48, 49, 72, 168, 192, 721)
# Around each deadline there is: just before it, at it, just after it.
OFFSETS = (timedelta(milliseconds=-50), timedelta(microseconds=-1), timedelta(), timedelta(milliseconds=50))
CARDS = (*["card_ok"] * 5, *FIRST_ANSWER)
DIES = (*[""] * 8, "before asking", "before recording")
PARTS = (1, 333, 1_650, 4_949, 4_950, 12_344, 12_345)
LEAST = 1_000
KINDS = ("cancel_milestone", "cancel_order", "partial_refund", "extend", "extra_revisions", "change_upcoming")
MONEY = ("charged", "held", "back", "seller", "fees", "charged_back")
Predict = Callable[[Marketplace], bool]


class Cast:
    """Made once: each path is undone, so that the next one begins with the same offer."""

    def __init__(self) -> None:
        with clock.at(NOON), TestCase.captureOnCommitCallbacks(execute=True):
            self.order = make_offer(plan=PLAN)
            self.agent, self.finance, self.stranger = StaffFactory(), StaffFactory(), UserFactory()
            connect(self.order.seller, at=NOON)


class AnyMarketplace:
    """One order, its people, the model beside it, and what was done so far."""

    def __init__(self, cast: Cast) -> None:
        self.now, self.done, self.allowed = NOON, 0, 0
        self.chance = random.Random()
        self.order, self.agent, self.finance, self.stranger = cast.order, cast.agent, cast.finance, cast.stranger
        self.order.buyer.is_active = True
        steps = [Step(one.price, one.delivery_days, one.revisions) for one in PLAN]
        self.model = Marketplace(steps, self.now, decide_by=self.now + OFFER, acted_at=self.now)
        self.taken: tuple[Step, Any] | None = None
        self.lost = False

    # Time

    def wait(self, how: int) -> None:
        """Mostly not at all; else some hours, or until just around a deadline."""
        if how < 16:
            return
        if how < 16 + len(HOURS):
            self.now += timedelta(hours=HOURS[how - 16])
            return
        offset = OFFSETS[how % len(OFFSETS)]
        step = self.model.current
        deadlines = [self.model.decide_by, *(case.answer_by for case in self.model.cases if case.is_pending)]
        deadlines += [case.escalate_by for case in self.model.cases if case.status == "declined"]
        if step:
            deadlines += [step.deliver_by, step.very_late_at]
        ahead = sorted(at + offset for at in deadlines if at and at + offset > self.now)
        if ahead:
            self.now = ahead[how % min(2, len(ahead))]

    # One act

    def act(
        self,
        what: str,
        predict: Predict,
        verb: Callable[[], Any],
        *,
        by_a_side: bool = True,
        on_order: bool = True,
        dies: str = "",
    ) -> bool:
        """Do it, and compare: whether it was allowed, and everything that is true afterwards."""
        self.model.now = self.now
        with clock.at(self.now):
            if on_order:
                self.cases_first()
            with TestCase.captureOnCommitCallbacks(execute=not dies) as callbacks:
                refusal = self.tried(verb)
            if dies and refusal:
                for callback in callbacks:
                    callback()
            if dies == "before recording" and not refusal:
                payments.ask_charge(Charge.objects.latest("pk").pk)
        if on_order:
            self.model.settle_cases()
            self.model.lapse_if_overdue()
            if self.owes_cases:
                # The clock's work has ended what a proposal speaks of. Acts on cases have looked at it once more by
                # then; those of `orders` know no case, and leave it to whoever looks next.
                self.settle_cases()
        expected = predict(self.model)
        said = f"{what} at {self.now}: {refusal or 'done'}"
        assert (refusal is None) == expected, f"the rules say {'yes' if expected else 'no'}: {said}"
        if expected and by_a_side:
            self.model.acted_at = self.now
        self.done += 1
        self.allowed += expected
        self.compare(said)
        return expected

    def cases_first(self) -> None:
        """What the pages do before any act on an order (O7)."""
        if self.owes_cases or self.chance.random() < 0.1:
            with TestCase.captureOnCommitCallbacks(execute=True):
                cases.settle_cases_of(self.order.number)

    def settle_cases(self) -> None:
        with clock.at(self.now), TestCase.captureOnCommitCallbacks(execute=True):
            cases.settle_cases_of(self.order.number)
        self.model.settle_cases()

    def tried(self, verb: Callable[[], Any]) -> Exception | None:
        try:
            verb()
        except (Refused, PaymentsError) as refusal:
            return refusal
        return None

    def pays(self, what: str, predict: Predict, verb: Callable[[], Any], dies: str) -> None:
        """As `act`, for what begins an attempt to pay: the process may die between its three steps (M7)."""

        def predicted(model: Marketplace) -> bool:
            allowed = predict(model)
            if allowed:
                self.go_through_steps(model, dies)
            return allowed

        self.act(f"{what}, dies {dies or 'never'}", predicted, verb, dies=dies)

    def go_through_steps(self, model: Marketplace, dies: str) -> None:
        step = model.current
        assert step
        attempt = step.attempts[-1]
        if dies == "before recording":
            model.ask(attempt)
            attempt.asked_at = model.now
        elif not dies:
            model.collect(step, attempt)

    # What is true now

    @property
    def owes_cases(self) -> bool:
        return any(self.model.void_since(case) or self.model.is_silent(case) for case in self.model.cases)

    def compare(self, said: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(WHAT_IS_TRUE, {"order": self.order.pk})
            rows = cursor.fetchall()
        found = {
            name: [row[1:-1] for row in rows if row[0] == name] for name in ("order", "milestone", "case", "money")
        }
        model, steps = self.model, self.model.steps
        order = (model.status, model.because, model.decide_by, model.paused_at, model.acted_at, model.ended_at)
        assert found["order"] == [(*order, *[None] * 3)], f"the order is not what the rules say: {said}"
        milestones = [
            (one.status, "", one.deliver_by, one.very_late_at, None, one.ended_at, one.price, one.granted, one.used)
            for one in steps
        ]
        assert found["milestone"] == milestones, f"the milestones are not what the rules say: {said}"
        told = [
            (one.status, f"{one.asked.kind} {one.side}", one.answer_by, one.escalate_by, None, one.ended_at)
            + (None,) * 3
            for one in model.cases
        ]
        assert found["case"] == told, f"the cases are {found['case']}, by the rules {told}: {said}"
        # Once a bank has taken what was paid out, who bears it is for staff to say: the ledger's own proof holds that.
        asked = MONEY[:3] if self.lost else MONEY
        amounts = {row[1]: row[6] for row in found["money"]}
        money = {name: sum(getattr(one, name) for one in steps) for name in asked}
        assert {name: amounts.get(name, 0) for name in asked} == money, f"the money is elsewhere: {said}"

    # Rows of the model and of the tables, side by side

    def attempt_of(self, charge: Charge) -> tuple[Step, Attempt]:
        keys = list(
            Charge.objects.filter(held__milestone__order=self.order).order_by("pk").values_list("pk", flat=True)
        )
        return self.model.attempts[keys.index(charge.pk)]

    def step_id(self, step: Step | None) -> int:
        """The milestone's number, and that of the last one for a milestone that isn't there."""
        place = next((place for place, one in enumerate(self.model.steps) if one is step), len(self.model.steps) - 1)
        return self.order.milestones.order_by("position").values_list("pk", flat=True)[place]

    def milestone(self, step: Step | None) -> Any:
        return self.order.milestones.get(pk=self.step_id(step))

    def a_case(self) -> tuple[Case, ModelCase] | None:
        """Mostly the last one."""
        if not self.model.cases:
            return None
        last = len(self.model.cases) - 1
        place = last if self.chance.random() < 0.8 else self.chance.randint(0, last)
        return list(self.order.cases.order_by("pk"))[place], self.model.cases[place]

    def person(self, side: str) -> User:
        return {"buyer": self.order.buyer, "seller": self.order.seller}[side]

    @property
    def subject(self) -> Any:
        return self.milestone(self.model.current or self.model.next)

    # In the end

    def holds(self) -> None:
        """Every promise, asked of the tables; and when all has come to rest, every answer is recorded (I15)."""
        with clock.at(self.now):
            assert invariants.with_cases() == []


def reason(code: str) -> Reason:
    return Reason.objects.get(code=code)


def wish(world: AnyMarketplace, kind: str) -> Asked:
    chance = world.chance
    return Asked(
        kind,
        price=chance.choice(PARTS) if kind in ("partial_refund", "split") else 0,
        days=chance.choice((1, 3, 30)) if kind == "extend" else 0,
        revisions=chance.choice((1, 2)) if kind == "extra_revisions" else 0,
        is_about_lateness=kind in ("cancel_milestone", "cancel_order", "partial_refund") and chance.random() < 0.3,
        adds=chance.random() < 0.5,
    )


def in_words_of_services(world: AnyMarketplace, asked: Asked) -> wishes.Asked:
    if asked.kind == "partial_refund":
        return wishes.Asked(amount=asked.price)
    if asked.kind == "extend":
        return wishes.Asked(days=asked.days)
    if asked.kind == "extra_revisions":
        return wishes.Asked(revisions=asked.revisions)
    if asked.kind != "change_upcoming":
        return wishes.NOTHING_MORE
    upcoming = [PlannedMilestone.of(step) for step in orders.planned(fresh(world.order))]
    return wishes.Asked(upcoming=tuple([*upcoming, POSTER] if asked.adds else upcoming[:-1]))


# What the buyer does


def place(world: AnyMarketplace) -> None:
    card, dies, order = world.chance.choice(CARDS), world.chance.choice(DIES), world.order
    world.pays(f"place {card}", lambda m: m.place(card), lambda: orders.place(order, by=order.buyer, method=card), dies)


def pay(world: AnyMarketplace) -> None:
    card, dies, subject = world.chance.choice(CARDS), world.chance.choice(DIES), world.subject
    verb = lambda: orders.pay(subject, by=world.order.buyer, method=card)  # noqa: E731
    world.pays(f"pay {card}", lambda m: m.pay(card), verb, dies)


def start(world: AnyMarketplace) -> None:
    card, dies, following = world.chance.choice(CARDS), world.chance.choice(DIES), world.milestone(world.model.next)
    verb = lambda: orders.start(following, by=world.order.buyer, method=card)  # noqa: E731
    world.pays(f"start {card}", lambda m: m.start(card), verb, dies)


def abandon(world: AnyMarketplace) -> None:
    subject = world.subject
    world.act("abandon", lambda m: m.abandon(), lambda: orders.abandon(subject, by=world.order.buyer))


def accept(world: AnyMarketplace) -> None:
    subject = world.subject
    world.act("accept", lambda m: m.accept(), lambda: orders.accept(subject, by=world.order.buyer))


def accept_and_continue(world: AnyMarketplace) -> None:
    card, subject = world.chance.choice(CARDS), world.subject

    def predict(model: Marketplace) -> bool:
        allowed = model.accept(to_continue=True) and model.start(card)
        if allowed:
            world.go_through_steps(model, "")
        return allowed

    verb = lambda: orders.accept_and_continue(subject, by=world.order.buyer, method=card)  # noqa: E731
    world.act(f"accept and continue {card}", predict, verb)


def request_revision(world: AnyMarketplace) -> None:
    subject, by = world.subject, world.order.buyer
    verb = lambda: orders.request_revision(subject, by=by, text="Bluer.")  # noqa: E731
    world.act("request revision", lambda m: m.request_revision(), verb)


def stop(world: AnyMarketplace) -> None:
    world.act("stop", lambda m: m.stop(), lambda: orders.stop(world.order, by=world.order.buyer))


def decline(world: AnyMarketplace) -> None:
    world.act("decline", lambda m: m.decline(), lambda: orders.decline_offer(world.order, by=world.order.buyer))


def come_and_go(world: AnyMarketplace) -> None:
    """O20: the buyer is deactivated, or activated again."""
    is_active = not world.model.buyer_is_active
    User.objects.filter(pk=world.order.buyer_id).update(is_active=is_active)
    world.order.buyer.is_active = world.model.buyer_is_active = is_active
    world.done += 1


# What the seller does


def deliver(world: AnyMarketplace) -> None:
    subject, by = world.subject, world.order.seller
    world.act("deliver", lambda m: m.deliver(), lambda: orders.deliver(subject, by=by, message="Here it is."))


def grant(world: AnyMarketplace) -> None:
    subject, by = world.subject, world.order.seller
    world.act("grant", lambda m: m.grant_revisions(1), lambda: orders.grant_revisions(subject, by=by, count=1))


def withdraw_offer(world: AnyMarketplace) -> None:
    verb = lambda: orders.withdraw_offer(world.order, by=world.order.seller)  # noqa: E731
    world.act("withdraw the offer", lambda m: m.withdraw_offer(), verb)


def withdraw_money(world: AnyMarketplace) -> None:
    """M6: what is available, and no more; at least what the site's help says; one at a time."""
    amount, owner = world.chance.choice((0, 999, 1_000, 7_999, 9_876, 20_000)), world.order.seller
    asked = Withdrawal.objects.filter(owner=owner).exclude(status__in=("rejected", "canceled", "failed"))
    left = sum(step.seller for step in world.model.steps) - sum(asked.values_list("amount", flat=True))
    allowed = LEAST <= amount <= left and not asked.exclude(status="paid").exists()

    def verb() -> None:
        with transaction.atomic():
            payments.request_withdrawal(owner, currency="USD", amount=amount, at=clock.now())

    if not world.lost and not world.taken:
        world.act(f"withdraw {amount}", lambda _: allowed, verb, by_a_side=False, on_order=False)


# What either side does in the Resolution Center


def open_case(world: AnyMarketplace) -> None:
    kind, side = world.chance.choice(KINDS), world.chance.choice(("buyer", "seller"))
    asked = wish(world, kind)
    code = "seller_late" if asked.is_about_lateness else CITED.get(kind, "agreed_by_both")
    wanted, by = in_words_of_services(world, asked), world.person(side)

    def verb() -> None:
        cases.open_case(world.order, by=by, kind=kind, reason=reason(code), statement="Because.", asked=wanted)

    world.act(f"{side} opens {asked}", lambda m: m.open_case(asked, side), verb)


def answer(world: AnyMarketplace, name: str) -> None:
    found = world.a_case()
    if found is None:
        return
    case, modeled = found
    side = world.chance.choice(("buyer", "seller"))
    more = {"decline": {"text": "No."}, "escalate": {"text": "Please look."}}.get(name, {})
    by, place = world.person(side), world.model.cases.index(modeled)
    verb = lambda: getattr(cases, f"{name}_case")(case, by=by, **more)  # noqa: E731
    world.act(f"{side}: {name} {modeled}", lambda m: getattr(m, f"{name}_case")(m.cases[place], side), verb)
