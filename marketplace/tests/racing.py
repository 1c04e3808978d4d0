"""What `test_every_race` races: acts of people, the clock and support on an order, and what two of them come to."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import StaffFactory
from marketplace.tests import invariants
from marketplace.tests.test_races import Runner, meet
from orders import services
from orders.guards import Refused
from orders.models import Event, Order
from orders.tests.factories import NOON, THREE_STEPS, cents, fresh, make_accepted, make_delivered, make_offer, statuses
from payments.errors import WithdrawalRefused
from payments.models import Withdrawal
from payments.services import balance
from payments.tests.steps import ask_for, connect, earn
from resolution import services as cases
from resolution.models import Case
from resolution.tests.factories import agreed, opened, reason, rule_cancel_milestone, rule_without_case

Act = Callable[[Order], Any]
SOON = NOON + timedelta(hours=1)


def make_disputed() -> Order:
    """The buyer wants to cancel what was delivered; the seller has not answered."""
    order = make_delivered()
    opened(order)
    return order


MADE = {"delivered": make_delivered, "between": make_accepted, "offered": make_offer, "disputed": make_disputed}


def rule(order: Order) -> None:
    rule_without_case(order, "cancel_order", by=agent(), reason=reason("not_as_described"), note="We looked.")


def rule_on_case(order: Order) -> None:
    rule_cancel_milestone(case_of(order), by=agent(), reason=reason("not_as_described"), note="We looked.")


def dismiss(order: Order) -> None:
    cases.dismiss_case(case_of(order), by=agent(), reason=reason("not_as_described"), note="We looked.")


def edit_offer(order: Order) -> None:
    services.edit_offer(
        order, by=order.seller, title="Longer", brief="Longer.", plan=THREE_STEPS[:2], version=order.version
    )


def agent() -> User:
    return User.objects.get(email="agent@example.org")


def case_of(order: Order) -> Case:
    return Case.objects.select_related("order", "milestone", "reason").get(order=order)


ACTS: dict[str, Act] = {
    "accept": lambda order: services.accept(order.plan[0], by=order.buyer),
    "revise": lambda order: services.request_revision(order.plan[0], by=order.buyer, text="Bluer."),
    "deliver": lambda order: services.deliver(order.plan[0], by=order.seller, message="Bluer."),
    "cancel": lambda order: opened(order),
    "stop": lambda order: services.stop(order, by=order.buyer),
    "start": lambda order: services.start(order.plan[1], by=order.buyer, method="card_ok"),
    "lapse": lambda order: services.settle(order.pk),
    "rule": rule,
    "withdraw": lambda order: ask_for(order.seller, 1_000, at=clock.now()),
    "place": lambda order: services.place(order, by=order.buyer, method="card_ok"),
    "edit offer": edit_offer,
    "withdraw offer": lambda order: services.withdraw_offer(order, by=order.seller),
    "decline offer": lambda order: services.decline_offer(order, by=order.buyer),
    "agree": lambda order: agreed(case_of(order)),
    "disagree": lambda order: cases.decline_case(case_of(order), by=order.seller, text="No."),
    "withdraw case": lambda order: cases.withdraw_case(case_of(order), by=order.buyer),
    "rule on case": rule_on_case,
    "dismiss": dismiss,
    "silence": lambda order: cases.settle_case(case_of(order).pk),
}
CLOCKS = {"lapse", "silence"}
OF_SUPPORT = {"rule", "rule on case", "dismiss"}
# It takes the lock of the purse, so it cannot be held at the order's.
ELSEWHERE = {"withdraw"}


@dataclass(frozen=True)
class Outcome:
    """What two acts came to: which of them were refused, and all that can be seen of the order and its money."""

    refused: tuple[bool, bool]
    order: Any
    version: int
    ending: tuple[str, datetime | None]
    money: Any
    seller: int
    told: tuple[str, ...]
    cases: tuple[str, ...]
    withdrawals: int


def make(state: str, names: tuple[str, str]) -> Order:
    """A fresh order in this state, with an agent, and money for who wants to withdraw."""
    with clock.at(NOON):
        order = MADE[state]()
        if OF_SUPPORT & set(names) and not User.objects.filter(email="agent@example.org").exists():
            StaffFactory.create(email="agent@example.org")
        if "withdraw" in names:
            connect(order.seller)
            earn(order.seller)
    return fresh(order)


def instants(order: Order, names: tuple[str, str], offset: timedelta) -> tuple[datetime, datetime]:
    """When each acts: the clock at the deadline, whoever races it by `offset` from it, else both an hour later."""
    if not CLOCKS & set(names):
        return SOON, SOON
    deadline = case_of(order).answer_by if "silence" in names else order.decide_by
    assert deadline
    first, second = (deadline if name in CLOCKS else deadline + offset for name in names)
    return first, second


def one_after_the_other(state: str, names: tuple[str, str], offset: timedelta, first: int) -> Outcome:
    """The outcome when both act, one of them `first`, and nobody waits for anybody."""
    order = make(state, names)
    results: list[Any] = [None, None]
    for place in (0, 1) if first == 0 else (1, 0):
        with clock.at(instants(order, names, offset)[place]):
            try:
                ACTS[names[place]](fresh(order))
            except (Refused, WithdrawalRefused) as refusal:
                results[place] = refusal
    return outcome(order, results)


def at_once(state: str, names: tuple[str, str], offset: timedelta, first: int, *, held: bool = True) -> Outcome:
    """The outcome of a race. With `held` both wait at the order's lock, in turn; else they meet where they meet."""
    order = make(state, names)
    when = instants(order, names, offset)
    # Each sees the order as its own page did: before the other acted.
    acts = [(lambda name=name: ACTS[name](fresh(order)), when[place]) for place, name in enumerate(names)]
    turn = [0, 1] if first == 0 else [1, 0]
    if held and not ELSEWHERE & set(names):
        met = meet(order, *(acts[place] for place in turn))
    else:
        met = [runner.ended() for runner in [Runner(*acts[place]) for place in turn]]
    results = [met[turn.index(place)] for place in (0, 1)]
    for result in results:
        if isinstance(result, TypeError | NameError):  # the race is written wrongly, which is no answer
            raise result
    unclear = [result for result in results if isinstance(result, Exception) and not is_refusal(result)]
    assert unclear == [], f"no clear refusal: {unclear!r}"
    return outcome(order, results)


def is_refusal(result: Any) -> bool:
    return isinstance(result, Refused | WithdrawalRefused) and bool(str(result))


def outcome(order: Order, results: list[Any]) -> Outcome:
    services.settle_charges()
    ended = fresh(order)
    assert invariants.check() == []
    return Outcome(
        (is_refusal(results[0]), is_refusal(results[1])),
        statuses(order),
        ended.version,
        (ended.closed_because, ended.ended_at),
        cents(order),
        balance(order.seller, "USD"),
        tuple(Event.objects.filter(order=order).order_by("pk").values_list("kind", flat=True)),
        tuple(Case.objects.filter(order=order).order_by("pk").values_list("status", flat=True)),
        Withdrawal.objects.filter(owner=order.seller).count(),
    )
