"""What support, finance, strangers, banks, providers and the clock do, each beside what the small model says of it."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.db import transaction
from django.test import TestCase

import payments.services as payments
from marketplace import clock, webhooks
from marketplace.tests import any_marketplace as sides
from marketplace.tests.any_marketplace import AnyMarketplace, reason, wish
from marketplace.tests.model_of_cases import Asked, Marketplace
from orders import services as orders
from payments.gateways import sandbox, sandbox_disputes, sandbox_events
from payments.models import Charge, SandboxCharge, SandboxEvent, Withdrawal
from payments.tasks import deliver_sandbox_events
from resolution import services as cases
from resolution.models.choices import Ruling
from resolution.services import Decision

Act = Callable[[AnyMarketplace], None]


# Support (R6)


def ruled_by(world: AnyMarketplace) -> dict[str, Any]:
    """Nobody rules where they are a party."""
    return {"by": world.agent, "reason": reason("agreed_by_both"), "note": "We looked."}


def decision(world: AnyMarketplace) -> tuple[Decision, Asked]:
    asked = wish(world, world.chance.choice([ruling.value for ruling in Ruling]))
    return Decision(Ruling(asked.kind), price=asked.price, days=asked.days), asked


def rule(world: AnyMarketplace) -> None:
    found, (decided, asked) = world.a_case(), decision(world)
    if found is None:
        return
    case, place = found[0], world.model.cases.index(found[1])
    verb = lambda: cases.rule(case, decided, **ruled_by(world))  # noqa: E731
    world.act(f"rule {asked}", lambda m: m.rule(m.cases[place], asked), verb, by_a_side=False)


def rule_without_case(world: AnyMarketplace) -> None:
    decided, asked = decision(world)
    verb = lambda: cases.rule_without_case(world.order, decided, **ruled_by(world))  # noqa: E731
    world.act(f"rule without a case {asked}", lambda m: m.rule_without_case(asked), verb, by_a_side=False)


def dismiss(world: AnyMarketplace) -> None:
    found = world.a_case()
    if found is None:
        return
    case, place = found[0], world.model.cases.index(found[1])
    verb = lambda: cases.dismiss_case(case, **ruled_by(world))  # noqa: E731
    world.act("dismiss", lambda m: m.dismiss(m.cases[place]), verb, by_a_side=False)


def look_into(world: AnyMarketplace) -> None:
    kind = world.chance.choice(("cancel_milestone", "cancel_order"))
    why = {"reason": reason("fraud_or_abuse"), "statement": "Reported."}
    verb = lambda: cases.open_case_by_support(world.order, by=world.agent, kind=kind, **why)  # noqa: E731
    world.act(f"support opens {kind}", lambda m: m.open_by_support(kind), verb, by_a_side=False)


def rule_as_a_party(world: AnyMarketplace) -> None:
    by = world.chance.choice((world.order.buyer, world.order.seller))
    decided, asked = decision(world)
    verb = lambda: cases.rule_without_case(world.order, decided, **{**ruled_by(world), "by": by})  # noqa: E731
    world.act(f"a party rules {asked}", lambda _: False, verb, by_a_side=False)


# Strangers and finance


def open_as_a_stranger(world: AnyMarketplace) -> None:
    why = {"reason": reason("agreed_by_both"), "statement": "Let me."}
    verb = lambda: cases.open_case(world.order, by=world.stranger, kind="cancel_order", **why)  # noqa: E731
    world.act("a stranger opens a case", lambda _: False, verb, by_a_side=False)


def decide_withdrawal(world: AnyMarketplace) -> None:
    """M6: finance lets it go or not; a second decision about the same withdrawal is refused."""
    asked = Withdrawal.objects.filter(owner=world.order.seller).order_by("-pk").first()
    if asked is None or world.lost or world.taken:
        return
    is_open, approves = asked.status == "requested", world.chance.random() < 0.6

    def verb() -> None:
        with transaction.atomic():
            if approves:
                payments.approve_withdrawal(asked, by=world.finance, at=clock.now())
            else:
                payments.reject_withdrawal(asked, by=world.finance, reason="Who are you?", at=clock.now())

    world.act("finance decides", lambda _: is_open, verb, by_a_side=False, on_order=False)


# The clock: its work may come late, twice or never; what it does is dated when it was due (O7)


def swept(world: AnyMarketplace, what: str, predict: Callable[[Marketplace], Any], verb: Callable[[], Any]) -> None:
    """What nobody asks for is never refused. It does its own work first, and nobody settles the cases before it."""
    world.model.now = world.now
    with clock.at(world.now), TestCase.captureOnCommitCallbacks(execute=True):
        verb()
    predict(world.model)
    world.done += 1
    world.allowed += 1
    world.compare(f"{what} at {world.now}")


def sweep_money(world: AnyMarketplace) -> None:
    def verb() -> None:
        payments.settle_refunds(at=world.now)
        payments.settle_withdrawals(at=world.now)
        payments.clear_earnings(at=world.now)
        payments.issue_documents(at=world.now)
        orders.send_reminders()

    swept(world, "money is swept", lambda _: None, verb)


SWEEPS: dict[str, Act] = {
    "orders": lambda w: swept(w, "orders are swept", lambda m: m.lapse_if_overdue(), orders.settle_due),
    "cases": lambda w: swept(w, "cases are swept", lambda m: m.settle_cases(), cases.settle_due_cases),
    "charges": lambda w: swept(w, "charges are swept", lambda m: m.settle_attempts(), orders.settle_charges),
    "owed": lambda w: swept(w, "what is owed is opened", lambda m: m.open_owed_dispute(), cases.open_owed_disputes),
    "events": lambda w: swept(w, "events arrive", lambda m: m.events_arrive(), deliver_sandbox_events),
    "money": sweep_money,
}


# Banks and the provider (M7, M8, M10)


def answer_bank(world: AnyMarketplace) -> None:
    """The buyer confirms at the bank, or does not; we are told later, by the event or because we ask."""
    waiting = SandboxCharge.objects.filter(status="action_needed").order_by("created_at").last()
    if waiting is None:
        return
    approved = world.chance.random() < 0.7
    charge = Charge.objects.get(key=waiting.key)

    def predict(_: Marketplace) -> None:
        world.attempt_of(charge)[1].bank = "succeeded" if approved else "failed"

    verb = lambda: sandbox.confirm(waiting.pk, approved=approved, at=world.now)  # noqa: E731
    swept(world, f"the bank is told {approved}", predict, verb)


def event_comes_again(world: AnyMarketplace) -> None:
    """An event of any age comes once more, or before those that were written earlier."""
    events = list(SandboxEvent.objects.filter(kind__startswith="charge.").order_by("created_at", "pk"))
    if not events:
        return
    event = world.chance.choice(events)
    raw, charge = event.body.encode(), Charge.objects.get(key=event.key)

    def predict(model: Marketplace) -> None:
        model.event_arrives(*world.attempt_of(charge))

    swept(world, f"{event.kind} comes again", predict, lambda: webhooks.receive(raw, sandbox_events.sign(raw)))


def forged_event(world: AnyMarketplace) -> None:
    events = list(SandboxEvent.objects.order_by("created_at", "pk"))
    if not events:
        return
    raw = world.chance.choice(events).body.replace("amount", "amounts").encode()

    def verb() -> None:
        try:
            webhooks.receive(raw, "0" * 64)
        except webhooks.BadSignature:
            return
        raise AssertionError("a forged event was taken")

    swept(world, "a forged event comes", lambda _: None, verb)


def take_back(world: AnyMarketplace) -> None:
    """The bank takes back what is left of a payment, and tells us."""
    paid = [step for step in world.model.steps if step.paid_by and step.paid_by.card != "card_refund_refused"]
    if not paid or world.taken or world.lost:
        return
    SWEEPS["events"](world)
    step = world.chance.choice(paid)
    charge = Charge.objects.get(held__milestone__pk=world.step_id(step), funded=True)
    theirs = SandboxCharge.objects.get(key=charge.key)

    with clock.at(world.now):
        try:
            world.taken = (step, sandbox_disputes.take_back(theirs.pk, at=world.now).pk)
        except sandbox_disputes.NothingToDispute:
            assert step.back + step.charged_back >= theirs.amount, "the rules say that something is left"
            return

    def predict(model: Marketplace) -> None:
        model.settle_cases()
        model.lapse_if_overdue()
        model.bank_takes_back(step)

    swept(world, "the bank takes a payment back", predict, deliver_sandbox_events)


def decide_chargeback(world: AnyMarketplace) -> None:
    if world.taken is None:
        return
    (step, dispute), won = world.taken, world.chance.random() < 0.6
    SWEEPS["events"](world)
    world.taken = None
    with clock.at(world.now):
        sandbox_disputes.decide(dispute, won=won, at=world.now)

    def predict(model: Marketplace) -> None:
        model.settle_cases()
        model.lapse_if_overdue()
        world.lost = world.lost or (not won and step.ended_at is not None)
        model.bank_decides_dispute(step, won=won)

    swept(world, f"the bank decides, won: {won}", predict, deliver_sandbox_events)


BUYER: dict[str, Act] = {
    act.__name__: act
    for act in (
        sides.place,
        sides.pay,
        sides.start,
        sides.abandon,
        sides.accept,
        sides.accept_and_continue,
        sides.request_revision,
        sides.stop,
        sides.decline,
        sides.come_and_go,
    )
}
SELLER: dict[str, Act] = {
    act.__name__: act for act in (sides.deliver, sides.grant, sides.withdraw_offer, sides.withdraw_money)
}
EITHER: dict[str, Act] = {
    "open": sides.open_case,
    **{name: partial(sides.answer, name=name) for name in ("accept", "decline", "withdraw", "escalate")},
}
SUPPORT: dict[str, Act] = {act.__name__: act for act in (rule, rule_without_case, dismiss, look_into, rule_as_a_party)}
OTHERS: dict[str, Act] = {"stranger": open_as_a_stranger, "finance": decide_withdrawal}
PROVIDER: dict[str, Act] = {
    act.__name__: act for act in (answer_bank, event_comes_again, forged_event, take_back, decide_chargeback)
}

# What leads somewhere by the state that the order is in; everything else is tried all the same.
LIKELY: dict[str, tuple[Act, ...]] = {
    "offered": (sides.place,),
    "awaiting_payment": (sides.pay, sides.pay, sides.abandon, answer_bank, SWEEPS["charges"], SWEEPS["events"]),
    "in_progress": (sides.deliver, sides.deliver, sides.deliver, sides.open_case, rule_without_case, take_back),
    "delivered": (sides.accept, sides.accept_and_continue, sides.request_revision, sides.deliver, sides.open_case),
    "in_revision": (sides.deliver, sides.deliver, sides.accept, sides.open_case, sides.grant),
    "between": (sides.start, sides.start, sides.start, sides.stop, sides.open_case, sides.withdraw_money),
    "frozen": (rule, dismiss, *EITHER.values(), decide_chargeback, SWEEPS["cases"]),
    "ended": (*SWEEPS.values(), sides.withdraw_money, decide_withdrawal, take_back, decide_chargeback),
}


def something_likely(world: AnyMarketplace) -> None:
    model = world.model
    state = "ended" if model.ended_at else "frozen" if model.paused_at else "between"
    if state == "between" and (model.current or model.status == "offered"):
        state = model.current.status if model.current else model.status
    if not model.buyer_is_active:
        sides.come_and_go(world)
    if any(case.status == "open" and not case.is_dispute for case in model.cases) and world.chance.random() < 0.4:
        world.chance.choice(list(EITHER.values()))(world)
    world.chance.choice(LIKELY[state])(world)
