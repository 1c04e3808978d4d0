"""M10: an open milestone waits for the bank that took its payment back, and ends or goes on as it decides."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.notifications.models import Notice
from orders import services as orders
from orders.activity import sentence
from orders.guards import Refused, why_not
from orders.models import Event, Order
from orders.phrases import read
from orders.services.endings import pay_seller
from orders.tests.factories import (
    activity,
    cents,
    current,
    ending,
    fresh,
    planned,
    refund_part,
    start_next,
    statuses,
    told,
)
from payments.errors import Disputed
from payments.gateways import sandbox_disputes
from payments.models import Chargeback, ProviderEvent, Refund, SandboxDispute
from payments.services import Cents, decide_rest
from payments.tasks import deliver_sandbox_events
from payments.tests.factories import PersonFactory
from payments.tests.steps import ask_for, connect
from resolution import services
from resolution.models import Case
from resolution.services import chargebacks
from resolution.tests.conftest import OrderIn, after
from resolution.tests.factories import bank, fresh_case, opened, reason, rule_cancel_milestone, rule_cancel_order

pytestmark = pytest.mark.django_db

BANK = "The buyer's bank has taken the payment back and is deciding; until then nobody else can."
STATEMENT = (
    "The buyer's bank has taken $105.50 for “Logo” back and is deciding who is right. "
    "It says: The cardholder does not know this payment."
)


def outcome(name: str) -> tuple[str, bool]:
    event = ProviderEvent.objects.get(event_id=name)
    return event.outcome, event.applied_at is not None


# An open milestone


@pytest.mark.parametrize("state", ["in_progress", "delivered", "in_revision"])
def test_taken_the_order_is_frozen_and_a_case_waits_for_the_bank(order_in: OrderIn, state: str) -> None:
    order = order_in(state)
    version = order.version
    with clock.at(after(hours=1)):
        bank(order, "taken")
    case, order = Case.objects.get(), fresh(order)
    assert (case.kind, case.side, case.opened_by, case.reason.code) == ("chargeback", "clock", None, "chargeback")
    assert (case.status, case.standing) == ("escalated", "Waits for the buyer's bank")
    assert (case.opened_at, case.support_due) == (after(hours=1), after(hours=1) + timedelta(days=80))
    assert case.statement == STATEMENT
    assert (order.paused_at, order.version) == (after(hours=1), version + 1)
    assert statuses(order) == ("active", [state, "planned"])
    assert cents(order) == Cents(charged=10_550, held=10_550)
    assert [line[0] for line in activity(order)][-3:] == ["chargeback_taken", "case_opened", "frozen"]
    assert outcome("ev_dp_1_taken") == ("told the order: chargeback taken", True)


def test_both_sides_are_told_once_what_the_bank_did(in_progress: Order) -> None:
    Notice.objects.all().delete()
    bank(in_progress, "taken")
    notices = list(Notice.objects.order_by("pk"))
    assert [(notice.recipient, notice.kind) for notice in notices] == [
        (in_progress.buyer, "chargeback_taken"),
        (in_progress.seller, "chargeback_taken"),
    ]
    assert notices[0].title == "The buyer's bank took the payment for “Logo” back"
    assert notices[0].text.splitlines()[:2] == [
        "The buyer's bank took $105.50 for “Logo” back and is deciding; the order is frozen until then.",
        "Until the bank has decided, nothing of it is refunded or paid out.",
    ]


def test_while_the_bank_is_deciding_nobody_cancels_refunds_or_completes(delivered: Order, agent: User) -> None:
    bank(delivered, "taken")
    case, logo = Case.objects.get(), current(delivered)
    ruling = {"by": agent, "reason": reason("fraud_or_abuse"), "note": "I looked."}
    for ruled in (rule_cancel_milestone, rule_cancel_order, services.dismiss_case):
        with pytest.raises(Refused, match=BANK):
            ruled(case, **ruling)
    with pytest.raises(Refused, match=BANK):
        refund_part(logo, by=agent, price=1000, reason="Scope disagreement")
    for act in (logo.cancel, logo.complete):
        refusal = why_not(act)
        assert refusal is not None
        assert (refusal.reason, refusal.who) == (BANK, "the buyer's bank")
    with pytest.raises(Refused, match="A case is open: the order is frozen"):
        orders.accept(logo, by=delivered.buyer)
    # Should a guard ever be forgotten, the money itself refuses.
    with transaction.atomic(), pytest.raises(Disputed):
        pay_seller(logo, at=after())
    with clock.at(after(days=30)):
        assert orders.settle_due() == 0
    assert (fresh_case(case).status, cents(delivered)) == ("escalated", Cents(charged=10_550, held=10_550))


def test_won_the_case_ends_and_each_clock_gets_exactly_the_pause(delivered: Order) -> None:
    until = delivered.decide_by
    assert until == after(days=8)
    with clock.at(after(hours=5)):
        bank(delivered, "taken")
    with clock.at(after(days=20, hours=5)):
        bank(delivered, "won")
    case, order = Case.objects.get(), fresh(delivered)
    assert (case.status, case.standing) == ("dismissed", "The bank decided for the seller")
    assert (case.ended_at, case.ended_by) == (after(days=20, hours=5), None)
    assert (order.paused_at, order.decide_by) == (None, after(days=28))
    assert statuses(order) == ("active", ["delivered", "planned"])
    assert [line[0] for line in activity(order)][-3:] == ["chargeback_won", "case_settled", "resumed"]
    with clock.at(after(days=21)):
        orders.accept(current(order), by=order.buyer)
    assert cents(order) == Cents(charged=10_550, seller=8000, fees=2550)


def test_won_a_clock_that_had_almost_run_out_has_at_least_a_day(delivered: Order) -> None:
    with clock.at(after(days=8) - timedelta(minutes=1)):
        bank(delivered, "taken")
    with clock.at(after(days=50)):
        bank(delivered, "won")
    assert fresh(delivered).decide_by == after(days=51)


def test_lost_the_milestone_is_canceled_nothing_is_refunded_twice_and_the_next_one_can_start(
    in_progress: Order, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    bank(in_progress, "taken")
    with clock.at(after(days=30)):
        bank(in_progress, "lost")
        case, order = Case.objects.get(), fresh(in_progress)
        assert (case.status, case.ruling, case.standing) == (
            "ruled",
            "cancel_milestone",
            "The bank decided for the buyer",
        )
        assert statuses(order) == ("active", ["canceled", "planned"])
        assert (order.paused_at, order.decide_by) == (None, after(days=38))
        assert cents(order) == Cents(charged=10_550, charged_back=10_550)
        assert not Refund.objects.exists()
        assert activity(order)[-4:] == [
            ("chargeback_lost", None, "Logo", "", ""),
            ("case_settled", None, "Logo", "", ""),
            ("resumed", None, "", "", ""),
            ("canceled_by_bank", None, "Logo", "in_progress", "canceled"),
        ]
        assert Event.objects.get(kind="canceled_by_bank").reason == "the bank gave the payment back to the buyer"
        assert told(order)[-4:] == [
            ("chargeback_lost", "buyer"),
            ("chargeback_lost", "seller"),
            ("canceled_by_bank", "buyer"),
            ("canceled_by_bank", "seller"),
        ]
    with clock.at(after(days=31)), django_capture_on_commit_callbacks(execute=True):
        start_next(order)
    assert statuses(order) == ("active", ["canceled", "in_progress"])


def test_lost_in_part_the_rest_of_what_is_held_is_refunded(
    in_progress: Order, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    bank(in_progress, "taken", amount=6000)
    with django_capture_on_commit_callbacks(execute=True):
        bank(in_progress, "lost", amount=6000)
    assert Refund.objects.get().amount == 4550
    assert cents(in_progress) == Cents(charged=10_550, charged_back=6000, refunded=4550)
    event = Event.objects.get(kind="canceled_by_bank")
    assert event.reason == "the bank gave the payment back to the buyer, and $45.50 more is refunded"


def test_lost_at_the_last_milestone_the_order_ends_like_a_dispute_that_support_decided(order_in: OrderIn) -> None:
    order = order_in("delivered", plan=(planned("Logo", 10_000, 3, 2),))
    bank(order, "taken")
    with clock.at(after(days=30)):
        bank(order, "lost")
    assert ending(order) == ("canceled", "canceled_by_support", after(days=30))
    assert cents(order) == Cents(charged=10_550, charged_back=10_550)


def test_lost_first_is_taken_first_and_what_comes_later_or_twice_changes_nothing(in_progress: Order) -> None:
    bank(in_progress, "lost")
    version = fresh(in_progress).version
    for news, name in (("taken", ""), ("lost", ""), ("lost", "again")):
        bank(in_progress, news, name=name)
    assert statuses(in_progress) == ("active", ["canceled", "planned"])
    assert (Case.objects.get().status, Chargeback.objects.get().status) == ("ruled", "lost")
    assert fresh(in_progress).version == version
    assert outcome("ev_dp_1_taken") == outcome("again") == ("changed nothing: known already", True)


def test_news_that_contradicts_the_bank_or_is_about_something_else_books_nothing(in_progress: Order) -> None:
    bank(in_progress, "won")
    bank(in_progress, "lost")
    assert outcome("ev_dp_1_lost") == (
        "refused: The chargeback of $105.50 was won already, and is now lost?",
        False,
    )
    bank(in_progress, "taken", amount=10_551, number="dp_2")
    assert outcome("ev_dp_2_taken") == (
        "refused: its amount is 10551, and 10550 was charged to the card.",
        False,
    )
    assert (Chargeback.objects.get().status, fresh(in_progress).paused_at) == ("won", None)


# A case that was open when the bank came


def test_a_case_that_is_open_goes_to_support_and_goes_on_when_the_bank_decides_for_the_seller(
    delivered: Order, agent: User
) -> None:
    case = opened(delivered)
    bank(delivered, "taken")
    case = fresh_case(case)
    assert (Case.objects.count(), case.status, case.kind) == (1, "escalated", "cancel_milestone")
    assert [line[0] for line in activity(delivered)][-2:] == ["chargeback_taken", "case_escalated"]
    with pytest.raises(Refused, match=BANK):
        services.withdraw_case(case, by=delivered.buyer)
    with clock.at(after(days=20)):
        bank(delivered, "won")
        case = fresh_case(case)
        assert (case.status, case.support_due) == ("escalated", after(days=23))
        assert fresh(delivered).paused_at == after()
        ruled = rule_cancel_milestone(case, by=agent, reason=reason("not_as_described"), note="I looked.")
    assert ruled.status == "ruled"
    assert statuses(delivered) == ("active", ["canceled", "planned"])


def test_a_case_that_support_had_ends_when_the_bank_decides_for_the_buyer(delivered: Order, agent: User) -> None:
    case = services.open_case_by_support(
        delivered, by=agent, kind="cancel_order", reason=reason("fraud_or_abuse"), statement="We look into it."
    )
    bank(delivered, "taken")
    bank(delivered, "lost")
    case = fresh_case(case)
    assert (case.status, case.ruling, case.ended_by) == ("ruled", "cancel_milestone", None)
    assert case.note == "The buyer's bank decided for the buyer and gave them the payment back."
    assert statuses(delivered) == ("active", ["canceled", "planned"])


# A milestone that has ended


def test_a_completed_milestone_stays_and_no_case_is_opened(between: Order) -> None:
    bank(between, "taken")
    order = fresh(between)
    assert (statuses(order), order.paused_at, Case.objects.count()) == (
        ("active", ["completed", "planned"]),
        None,
        0,
    )
    event = Event.objects.get(kind="chargeback_taken")
    assert sentence(event, order, None) == (
        "The buyer's bank took $105.50 for “Logo” back and is deciding; "
        "$80.00 of the seller's earnings is frozen until then"
    )
    assert told(order)[-2:] == [("chargeback_taken", "buyer"), ("chargeback_taken", "seller")]
    bank(order, "lost")
    assert statuses(order) == ("active", ["completed", "planned"])
    assert cents(order) == Cents(charged=10_550, fees=2550, charged_back=8000)
    assert Chargeback.objects.get().rest == 2550


@pytest.mark.parametrize(
    ("withdrawn", "rest_as", "said"),
    [
        (8000, "debt", "the seller owes $80.00, the platform bears $25.50"),
        (8000, "loss", "the platform bears $105.50"),
        (0, "loss", "the platform bears $25.50"),
    ],
)
def test_both_sides_are_told_once_who_bears_the_rest(between: Order, withdrawn: int, rest_as: str, said: str) -> None:
    if withdrawn:
        connect(between.seller)
        ask_for(between.seller, withdrawn)
    for news in ("taken", "lost"):
        bank(between, news)
    assert services.tell_decided_rests() == 0
    decide_rest(Chargeback.objects.get(), rest_as=rest_as, by=PersonFactory.create(), at=after(days=1))
    assert (services.tell_decided_rests(), services.tell_decided_rests()) == (1, 0)
    assert read(Event.objects.get(kind="chargeback_borne").data["shares"]) == said
    assert told(between)[-2:] == [("chargeback_borne", "buyer"), ("chargeback_borne", "seller")]


def test_a_rest_that_cannot_be_told_keeps_no_other_from_it(
    between: Order, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for news in ("taken", "lost"):
        bank(between, news)
    decide_rest(Chargeback.objects.get(), rest_as="loss", by=PersonFactory.create(), at=after(days=1))

    def poison(order_id: int) -> object:
        raise ValueError("Poison.")

    with monkeypatch.context() as poisoned:
        poisoned.setattr(chargebacks, "lock_as_it_is", poison)
        assert services.tell_decided_rests() == 0
    assert "could not be told" in caplog.text
    assert services.tell_decided_rests() == 1


def test_a_chargeback_of_a_completed_milestone_leaves_the_one_in_work_alone(
    between: Order, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        start_next(between)
    bank(between, "taken")
    assert (fresh(between).paused_at, Case.objects.count()) == (None, 0)
    bank(between, "won")
    assert statuses(between) == ("active", ["completed", "in_progress"])
    assert cents(between).seller == 8000
    assert ending(between)[1] == ""


# Through the sandbox, as a newcomer plays it


def test_the_sandbox_plays_a_chargeback_through_to_its_end(
    order_in: OrderIn, client: Client, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    order = order_in("in_progress", method="card_disputed")
    with clock.at(after(minutes=3)):
        deliver_sandbox_events()
        client.force_login(order.seller)
        case = Case.objects.get()
        page = client.get(case.get_absolute_url()).content.decode()
        assert "Waiting for the buyer" in page
        assert "The order stays frozen until the buyer&#x27;s bank has decided." in page
        assert "decides about “Logo”" in client.get(order.get_absolute_url()).content.decode()
        assert "Frozen: the case waits for the buyer&#x27;s bank" in client.get("/sales/").content.decode()
    with clock.at(after(minutes=9)):
        sandbox_disputes.decide(SandboxDispute.objects.get().pk, won=False, at=after(minutes=9))
        deliver_sandbox_events()
        page = client.get(order.get_absolute_url()).content.decode()
        assert "“Logo” was canceled: the bank gave the payment back to the buyer" in page
        assert "The bank decided for the buyer" in client.get(case.get_absolute_url()).content.decode()
    assert statuses(order) == ("active", ["canceled", "planned"])
    assert cents(order) == Cents(charged=10_550, charged_back=10_550)
