"""R2–R4: accepting, declining, withdrawing and escalating, and what each leaves of the clocks, to the second."""

from datetime import timedelta

import pytest

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.notifications.models import Notice
from orders import services as orders
from orders.guards import Refused
from orders.locking import Stale
from orders.models import Event, Order, Pause
from orders.phrases import read
from orders.tests.factories import current, deliver, fresh, planned, statuses
from payments.services import balance, where_every_cent_is
from resolution import services
from resolution.models import Case
from resolution.tests.conftest import NOON, OrderIn, after
from resolution.tests.factories import declined, fresh_case, opened, reason, rule_cancel_milestone, rule_cancel_order

pytestmark = pytest.mark.django_db


# Accepting


def test_accepting_cancels_the_milestone_and_gives_everything_back(in_progress: Order) -> None:
    case = opened(in_progress)
    with clock.at(after(hours=5)):
        services.accept_case(case, by=in_progress.seller, text="Yes, we did.")

    case, order = fresh_case(case), fresh(in_progress)
    assert (case.status, case.answer, case.ended_at, case.ended_by) == (
        "accepted",
        "Yes, we did.",
        after(hours=5),
        order.seller,
    )
    assert statuses(order) == ("active", ["canceled", "planned"])
    cents = where_every_cent_is([order.plan[0].held.reference])[order.plan[0].held.reference]
    assert (cents.charged, cents.held, cents.refunds_due, cents.seller, cents.fees) == (10_550, 0, 10_550, 0, 0)
    # O13: the buyer has one review window from then.
    assert (order.decide_from, order.decide_by, order.paused_at) == (after(hours=5), after(days=8, hours=5), None)


def test_accepting_writes_its_events_in_their_order(in_progress: Order) -> None:
    case = opened(in_progress)
    services.accept_case(case, by=in_progress.seller)
    events = Event.objects.filter(version=in_progress.version + 2).order_by("pk")
    assert [(event.kind, event.actor, event.reason, event.from_status, event.to_status) for event in events] == [
        ("case_accepted", in_progress.seller, "", "", ""),
        ("resumed", in_progress.seller, case.number, "", ""),
        ("canceled", in_progress.seller, "Both sides agree", "in_progress", "canceled"),
    ]
    assert read(events[0].data["effect"]) == "“Logo” is canceled and $105.50 goes back to the buyer"


def test_accepting_the_end_of_the_order_leaves_out_the_rest(in_progress: Order) -> None:
    services.accept_case(opened(in_progress, kind="cancel_order"), by=in_progress.seller)
    order = fresh(in_progress)
    assert statuses(order) == ("canceled", ["canceled", "not_started"])
    assert (order.closed_because, order.decide_by, order.paused_at) == ("canceled_by_agreement", None, None)
    assert Pause.objects.get().ended_at == NOON


def test_an_order_with_a_completed_milestone_is_completed_even_if_it_is_canceled(between: Order) -> None:
    services.accept_case(opened(between, kind="cancel_order"), by=between.seller)
    order = fresh(between)
    assert statuses(order) == ("completed", ["completed", "not_started"])
    assert order.closed_because == "canceled_by_agreement"
    assert balance(order.seller, "USD") == 8_000


def test_canceling_the_only_milestone_ends_the_order(order_in: OrderIn) -> None:
    order = order_in("delivered", plan=[planned("Logo", 10_000)])
    services.accept_case(opened(order, side="seller"), by=order.buyer)
    assert statuses(order) == ("canceled", ["canceled"])
    assert fresh(order).closed_because == "canceled_by_agreement"


def test_the_seller_can_ask_and_the_buyer_accept(in_revision: Order) -> None:
    case = opened(in_revision, side="seller", code="cannot_deliver")
    services.accept_case(case, by=in_revision.buyer)
    assert statuses(in_revision) == ("active", ["canceled", "planned"])
    assert fresh(in_revision).plan[0].held.refunded == 10_550


def test_accepting_is_told_to_the_opener(in_progress: Order) -> None:
    case = opened(in_progress)
    services.accept_case(case, by=in_progress.seller, text="Fine.")
    notice = Notice.objects.get(kind="case_accepted")
    assert (notice.recipient, notice.title) == (
        in_progress.buyer,
        f"Case {case.number} was accepted: “Logo” is canceled and $105.50 goes back to the buyer",
    )


# Declining: every clock that had not run out gets the pause, and at least 24 hours


def test_declining_adds_the_pause_to_the_delivery_date(in_progress: Order) -> None:
    with clock.at(after(hours=10)):
        case = opened(in_progress)
    with clock.at(after(hours=17, seconds=42)):
        case = services.decline_case(case, by=in_progress.seller, text="No.")

    order = fresh(in_progress)
    paused = timedelta(hours=7, seconds=42)
    assert order.plan[0].deliver_by == after(days=3) + paused
    assert (order.paused_at, order.decide_by) == (None, None)
    assert (case.status, case.ended_at, case.ended_by) == ("declined", after(hours=17, seconds=42), order.seller)
    assert case.escalate_by == after(days=7, hours=17, seconds=42)
    pause = Pause.objects.get()
    assert (pause.ended_at, pause.added_to_deliver_by, pause.added_to_decide_by) == (
        after(hours=17, seconds=42),
        paused,
        None,
    )


def test_declining_adds_the_pause_to_the_buyers_deadline(delivered: Order) -> None:
    with clock.at(after(days=2)):
        case = opened(delivered, code="not_as_described")
    with clock.at(after(days=2, minutes=90)):
        services.decline_case(case, by=delivered.seller, text="It is.")
    assert fresh(delivered).decide_by == after(days=8, minutes=90)


def test_after_a_decline_at_least_24_hours_are_left_to_the_buyer(delivered: Order) -> None:
    with clock.at(after(days=8) - timedelta(seconds=1)):
        case = opened(delivered, side="seller", code="scope_disagreement")
    with clock.at(after(days=9)):
        services.decline_case(case, by=delivered.buyer, text="No.")
    assert fresh(delivered).decide_by == after(days=10)
    assert Pause.objects.get().added_to_decide_by == timedelta(days=2)


def test_after_a_decline_at_least_24_hours_are_left_to_the_seller(in_progress: Order) -> None:
    with clock.at(after(days=3) - timedelta(hours=1)):
        case = opened(in_progress)
    with clock.at(after(days=4)):
        services.decline_case(case, by=in_progress.seller, text="No.")
    assert fresh(in_progress).plan[0].deliver_by == after(days=5)


def test_a_delivery_date_that_had_run_out_is_not_moved(in_progress: Order) -> None:
    with clock.at(after(days=3)):
        case = opened(in_progress)
    with clock.at(after(days=4)):
        services.decline_case(case, by=in_progress.seller, text="No.")
    assert fresh(in_progress).plan[0].deliver_by == after(days=3)
    assert Pause.objects.get().added_to_deliver_by is None


def test_two_pauses_add_up(delivered: Order) -> None:
    for day in (1, 3):
        with clock.at(after(days=day)):
            case = opened(delivered)
        with clock.at(after(days=day, hours=6)):
            services.decline_case(case, by=delivered.seller, text="No.")
    assert fresh(delivered).decide_by == after(days=8, hours=12)


# Withdrawing: exactly the rest


def test_withdrawing_leaves_exactly_the_rest(delivered: Order) -> None:
    with clock.at(after(days=8) - timedelta(seconds=1)):
        case = opened(delivered)
    with clock.at(after(days=9)):
        services.withdraw_case(case, by=delivered.buyer)
    case, order = fresh_case(case), fresh(delivered)
    assert (case.status, case.ended_at, case.ended_by) == ("withdrawn", after(days=9), order.buyer)
    assert order.decide_by == after(days=9, seconds=1)
    with clock.at(after(days=9, seconds=1)):
        assert orders.settle_due() == 1
    assert statuses(order) == ("completed", ["completed", "not_started"])


def test_a_case_that_waits_for_support_can_be_withdrawn(delivered: Order) -> None:
    case = opened(delivered)
    with clock.at(after(hours=49)):
        services.settle_due_cases()
        services.withdraw_case(case, by=delivered.buyer)
    assert fresh_case(case).status == "withdrawn"
    assert fresh(delivered).decide_by == after(days=8, hours=49)


# Escalating


def test_a_declined_case_can_be_taken_to_support_within_7_days(delivered: Order) -> None:
    case = declined(delivered)
    with clock.at(after(days=7) - timedelta(microseconds=1)):
        case = services.escalate_case(case, by=delivered.buyer, text="Please look.")
    assert (case.status, case.escalation, case.ended_at, case.ended_by) == ("escalated", "Please look.", None, None)
    assert case.support_due == after(days=10) - timedelta(microseconds=1)
    assert fresh(delivered).paused_at == after(days=7) - timedelta(microseconds=1)
    assert list(Pause.objects.order_by("pk").values_list("case_number", "ended_at")) == [
        (case.number, NOON),
        (case.number, None),
    ]


def test_after_7_days_a_declined_case_stays_declined(in_progress: Order) -> None:
    case = declined(in_progress)
    with clock.at(after(days=7)), pytest.raises(Refused) as refused:
        services.escalate_case(case, by=in_progress.buyer, text="Please look.")
    assert str(refused.value) == "The time to take this case to Customer Support is over."


def test_a_case_whose_milestone_has_ended_is_not_escalated(delivered: Order) -> None:
    case = declined(delivered)
    orders.accept(current(delivered), by=delivered.buyer)
    with pytest.raises(Refused) as refused:
        services.escalate_case(case, by=delivered.buyer, text="Please look.")
    assert str(refused.value) == "“Logo” is completed."


def test_a_case_of_an_ended_order_is_not_escalated(between: Order) -> None:
    case = declined(between, kind="cancel_order")
    orders.stop(between, by=between.buyer)
    with pytest.raises(Refused) as refused:
        services.escalate_case(case, by=between.buyer, text="Please look.")
    assert str(refused.value) == "The order is completed."


def test_a_case_between_milestones_can_be_escalated_when_the_next_has_started(
    between: Order, django_capture_on_commit_callbacks: object
) -> None:
    case = declined(between, side="seller", kind="cancel_order")
    with django_capture_on_commit_callbacks(execute=True):
        orders.start(between.next_milestone, by=between.buyer, method="card_ok")
    assert services.escalate_case(case, by=between.seller, text="Still.").status == "escalated"


def test_no_escalation_while_an_attempt_to_pay_is_undecided(between: Order) -> None:
    case = declined(between, kind="cancel_order")
    orders.start(between.next_milestone, by=between.buyer, method="card_ok")
    with pytest.raises(Refused) as refused:
        services.escalate_case(case, by=between.buyer, text="Please look.")
    assert refused.value.refusal.who == "the bank"


def test_no_escalation_while_another_case_is_open(in_progress: Order) -> None:
    case = declined(in_progress)
    opened(in_progress, side="seller")
    with pytest.raises(Refused) as refused:
        services.escalate_case(case, by=in_progress.buyer, text="Please look.")
    assert str(refused.value) == "A case is open on this order already: one at a time."


# Who may: the side that opened, the side that answers, nobody else

WRONG_SIDE = [
    ("accept", "buyer", "Only the seller can do this: Accept."),
    ("decline", "buyer", "Only the seller can do this: Decline."),
    ("withdraw", "seller", "Only the buyer can do this: Withdraw the case."),
    ("escalate", "seller", "Only the buyer can do this: Take it to Customer Support."),
    ("accept", "stranger", "Only the seller can do this: Accept."),
    ("decline", "stranger", "Only the seller can do this: Decline."),
    ("withdraw", "stranger", "Only the buyer can do this: Withdraw the case."),
    ("escalate", "stranger", "Only the buyer can do this: Take it to Customer Support."),
]


def do(case: Case, verb: str, by: User) -> Case:
    note = {"by": by, "reason": reason(), "note": "We looked."}
    return {
        "accept": lambda: services.accept_case(case, by=by, text="Yes."),
        "decline": lambda: services.decline_case(case, by=by, text="No."),
        "withdraw": lambda: services.withdraw_case(case, by=by),
        "escalate": lambda: services.escalate_case(case, by=by, text="Look."),
        "cancel_milestone": lambda: rule_cancel_milestone(case, **note),
        "cancel_order": lambda: rule_cancel_order(case, **note),
        "dismiss": lambda: services.dismiss_case(case, **note),
    }[verb]()


@pytest.mark.parametrize(("verb", "who", "refusal"), WRONG_SIDE)
def test_each_button_belongs_to_one_side(in_progress: Order, stranger: User, verb: str, who: str, refusal: str) -> None:
    case = opened(in_progress)
    by = {"buyer": in_progress.buyer, "seller": in_progress.seller, "stranger": stranger}[who]
    with pytest.raises(Refused) as refused:
        do(case, verb, by)
    assert str(refused.value) == refusal
    assert fresh_case(case).status == "open"


@pytest.mark.parametrize("verb", ["accept", "decline", "withdraw", "escalate"])
@pytest.mark.parametrize("who", ["buyer", "seller"])
def test_only_support_ends_what_support_opened(in_progress: Order, agent: User, verb: str, who: str) -> None:
    case = services.open_case_by_support(
        in_progress, by=agent, kind="cancel_milestone", reason=reason(), statement="Reported."
    )
    with pytest.raises(Refused) as refused:
        do(case, verb, getattr(in_progress, who))
    assert str(refused.value) == "Only Customer Support decides this case."


# State × verb, literally. A missing cell fails.

VERBS = ["accept", "decline", "withdraw", "escalate", "cancel_milestone", "cancel_order", "dismiss"]
WAITS = "The case waits for the seller's answer."
SUPPORT = "The case waits for Customer Support."
ENDED = {
    "accepted": "The case was accepted.",
    "declined": "The case was declined.",
    "withdrawn": "The case was withdrawn.",
    "ruled": "Customer Support has decided this case.",
    "dismissed": "Customer Support has dismissed this case.",
}
TABLE = {
    "open": ["accepted", "declined", "withdrawn", WAITS, "ruled", "ruled", "dismissed"],
    "escalated": [SUPPORT, SUPPORT, "withdrawn", SUPPORT, "ruled", "ruled", "dismissed"],
    "accepted": [ENDED["accepted"]] * 7,
    "declined": [*[ENDED["declined"]] * 3, "escalated", *[ENDED["declined"]] * 3],
    "withdrawn": [ENDED["withdrawn"]] * 7,
    "ruled": [ENDED["ruled"]] * 7,
    "dismissed": [ENDED["dismissed"]] * 7,
}
PATHS: dict[str, list[str]] = {
    "open": [],
    "escalated": ["decline", "escalate"],
    "accepted": ["accept"],
    "declined": ["decline"],
    "withdrawn": ["withdraw"],
    "ruled": ["cancel_milestone"],
    "dismissed": ["dismiss"],
}


def test_the_table_has_every_state_and_verb() -> None:
    # What becomes void is a proposal: test_proposals.
    assert set(TABLE) == set(PATHS) == set(Case.Status.values) - {"new", "void"}
    assert {len(row) for row in TABLE.values()} == {len(VERBS)}


@pytest.mark.parametrize("state", TABLE)
@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_in_every_state(delivered: Order, agent: User, state: str, verb: str) -> None:
    who = {"accept": delivered.seller, "decline": delivered.seller, "withdraw": delivered.buyer} | {
        "escalate": delivered.buyer
    }
    case = opened(delivered)
    for step in PATHS[state]:
        do(case, step, who.get(step, agent))
    version = fresh(delivered).version

    expected = TABLE[state][VERBS.index(verb)]
    if expected in Case.Status.values:
        assert do(case, verb, who.get(verb, agent)).status == expected
        assert fresh_case(case).status == expected
        assert fresh(delivered).version == version + 1
        return
    with pytest.raises(Refused) as refused:
        do(case, verb, who.get(verb, agent))
    assert str(refused.value) == expected
    assert (fresh_case(case).status, fresh(delivered).version) == (state, version)


# Stale, and what the clock does first


@pytest.mark.parametrize("verb", ["accept", "decline", "withdraw"])
def test_a_stale_form_does_nothing(in_progress: Order, verb: str) -> None:
    case = opened(in_progress)
    act = {
        "accept": lambda: services.accept_case(case, by=in_progress.seller, version=in_progress.version),
        "decline": lambda: services.decline_case(case, by=in_progress.seller, text="No.", version=in_progress.version),
        "withdraw": lambda: services.withdraw_case(case, by=in_progress.buyer, version=in_progress.version),
    }[verb]
    with pytest.raises(Stale):
        act()
    assert fresh_case(case).status == "open"


def test_whoever_comes_too_late_finds_the_silence_settled(in_progress: Order) -> None:
    case = opened(in_progress)
    with clock.at(after(hours=48)), pytest.raises(Refused) as refused:
        services.decline_case(case, by=in_progress.seller, text="No.")
    assert str(refused.value) == "The case was accepted."
    assert fresh_case(case).ended_at == after(hours=48)
    assert statuses(in_progress) == ("active", ["canceled", "planned"])


def test_in_the_last_microsecond_the_answer_counts(in_progress: Order) -> None:
    case = opened(in_progress)
    with clock.at(after(hours=48) - timedelta(microseconds=1)):
        services.decline_case(case, by=in_progress.seller, text="No.")
    assert statuses(in_progress) == ("active", ["in_progress", "planned"])


def test_what_the_silence_sets_going_is_settled_as_well(in_progress: Order) -> None:
    """Silence cancels the milestone at 48 h, and the buyer's window from then ends 8 days later."""
    case = opened(in_progress)
    with clock.at(after(days=30)), pytest.raises(Refused) as refused:
        services.withdraw_case(case, by=in_progress.buyer)
    assert str(refused.value) == "The case was accepted."
    order = fresh(in_progress)
    assert statuses(order) == ("canceled", ["canceled", "not_started"])
    assert (order.closed_because, order.ended_at) == ("not_continued", after(days=10))


def test_while_frozen_nothing_else_is_possible_but_messages(delivered: Order) -> None:
    opened(delivered)
    frozen = "A case is open: the order is frozen until it ends."
    acts = [
        lambda: orders.accept(current(delivered), by=delivered.buyer),
        lambda: orders.request_revision(current(delivered), by=delivered.buyer, text="Please."),
        lambda: deliver(delivered),
        lambda: orders.grant_revisions(current(delivered), by=delivered.seller, count=1),
        lambda: orders.stop(delivered, by=delivered.buyer),
    ]
    for act in acts:
        with pytest.raises(Refused) as refused:
            act()
        assert str(refused.value) == frozen
    orders.send_message(delivered, by=delivered.buyer, text="Let us talk.")
    with clock.at(after(days=40)):
        assert orders.settle_due() == 0
