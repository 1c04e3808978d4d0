"""R1, R2, R4, R5, O15: opening a case, and what it is refused for."""

import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.notifications.models import Notice
from orders import services as orders
from orders.files import check
from orders.guards import Refused, why_not
from orders.locking import Stale
from orders.models import Event, Order, Pause
from orders.phrases import read
from orders.tests.factories import current, deliver, fresh, make_offer, planned, statuses
from payments.services import balance
from resolution import services
from resolution.models import Case, Reason
from resolution.tests.conftest import NOON, OrderIn, after
from resolution.tests.factories import fresh_case, opened, reason

pytestmark = pytest.mark.django_db


def test_opening_freezes_the_order_and_gives_the_other_side_48_hours(in_progress: Order) -> None:
    with clock.at(after(hours=1)):
        case = opened(in_progress, statement="We changed our plans.")

    order = fresh(in_progress)
    assert (case.status, case.side, case.opened_by, case.milestone) == ("open", "buyer", order.buyer, order.plan[0])
    assert (case.opened_at, case.answer_by, case.ended_at) == (after(hours=1), after(hours=49), None)
    assert order.paused_at == after(hours=1)
    assert order.version == in_progress.version + 1
    assert order.acted_at == after(hours=1)
    pause = Pause.objects.get()
    assert (pause.case_number, pause.started_by, pause.started_at, pause.ended_at) == (
        case.number,
        order.buyer,
        after(hours=1),
        None,
    )
    assert re.fullmatch("RC-[2-9A-HJ-NP-TV-Z]{4}-[2-9A-HJ-NP-TV-Z]{4}", case.number)


def test_opening_is_told_to_the_other_side_with_its_reason_and_deadline(in_progress: Order) -> None:
    case = opened(in_progress, statement="We changed our plans.")

    notice = Notice.objects.get(kind="case_opened")
    assert notice.recipient == in_progress.seller
    assert notice.title == "Ana Ruiz opened a case to cancel “Logo”"
    assert notice.text == (
        "Both sides agree\nWe changed our plans.\nUntil Wed 4 Nov 2026, 12:00 (UTC). "
        "If the seller does not answer, it counts as agreed: “Logo” is canceled and $105.50 goes back to the buyer."
    )
    assert notice.url == case.get_absolute_url()


def test_the_deadline_is_told_in_the_recipients_time_zone(in_progress: Order) -> None:
    User.objects.filter(pk=in_progress.seller_id).update(time_zone="Europe/Madrid")
    opened(in_progress)
    text = Notice.objects.get(kind="case_opened").text
    assert text.splitlines()[2].startswith("Until Wed 4 Nov 2026, 13:00 (Europe/Madrid). ")


def test_opening_writes_who_and_why_into_the_activity(in_progress: Order) -> None:
    case = opened(in_progress)
    events = list(Event.objects.filter(order=in_progress, version=in_progress.version + 1).order_by("pk"))
    assert [(event.kind, event.actor, event.at, event.reason) for event in events] == [
        ("case_opened", in_progress.buyer, NOON, "Both sides agree"),
        ("frozen", in_progress.buyer, NOON, case.number),
    ]
    said = {name: read(value) for name, value in events[0].data.items()}
    assert said == {"case": case.number, "what": "cancel “Logo”", "case_from": "new", "case_to": "open"}


@pytest.mark.parametrize(
    ("state", "kind", "silence"),
    [
        ("in_progress", "cancel_milestone", "agreed"),
        ("delivered", "cancel_milestone", "to_support"),
        ("in_revision", "cancel_milestone", "to_support"),
        ("in_progress", "cancel_order", "agreed"),
        ("delivered", "cancel_order", "to_support"),
        ("in_revision", "cancel_order", "to_support"),
        ("between", "cancel_order", "agreed"),
    ],
)
@pytest.mark.parametrize("side", ["buyer", "seller"])
def test_what_silence_means_is_decided_when_the_case_opens(
    order_in: OrderIn, state: str, kind: str, silence: str, side: str
) -> None:
    case = opened(order_in(state), side=side, kind=kind)
    assert (case.on_silence, case.silence(), case.side) == (silence, silence, side)


# R5, literally: code → who may cite it, in which states, in disputes or in proposals.
P, D, R, B = "in_progress", "delivered", "in_revision", "between"
ANY = {P, D, R, B}
IN_DISPUTES, IN_PROPOSALS, IN_BOTH = {"cancel_order"}, {"change_upcoming"}, {"cancel_order", "change_upcoming"}
CITABLE: dict[str, tuple[str, set[str], set[str]]] = {
    "seller_late": ("buyer", {P, R}, IN_DISPUTES),
    "seller_unresponsive": ("buyer", {P, R}, IN_DISPUTES),
    "not_as_described": ("buyer", {D, R}, IN_DISPUTES),
    "unusable_files": ("buyer", {D, R}, IN_DISPUTES),
    "buyer_unresponsive": ("seller", {P, R, B}, IN_DISPUTES),
    "requirements_missing": ("seller", {P, R, B}, IN_BOTH),
    "scope_disagreement": ("both", ANY, IN_BOTH),
    "ordered_by_mistake": ("buyer", {P, B}, IN_DISPUTES),
    "cannot_deliver": ("seller", {P, R, B}, IN_DISPUTES),
    "intellectual_property": ("both", ANY, IN_DISPUTES),
    "fraud_or_abuse": ("both", ANY, IN_DISPUTES),
    "agreed_by_both": ("both", ANY, IN_BOTH),
    "chargeback": ("the clock", {P, D, R}, IN_DISPUTES),
    "more_time_needed": ("seller", {P, R}, IN_PROPOSALS),
    "more_changes_wanted": ("buyer", {D, R}, IN_PROPOSALS),
    "plan_has_changed": ("both", ANY, IN_PROPOSALS),
}


def test_the_valid_reasons_are_rows() -> None:
    assert list(Reason.objects.values_list("code", flat=True)) == list(CITABLE)


@pytest.mark.parametrize("state", [P, D, R, B])
@pytest.mark.parametrize("side", ["buyer", "seller"])
def test_each_side_may_cite_its_reasons_in_their_states_only(order_in: OrderIn, state: str, side: str) -> None:
    order = order_in(state)
    for kind in ("cancel_order", "change_upcoming"):
        may = {
            code
            for code, (who, states, kinds) in CITABLE.items()
            if who in (side, "both") and state in states and kind in kinds
        }
        citable = Reason.objects.citable(side, order.open_milestone, kind)
        assert {row.code for row in citable} == may, kind
        # Late comes with its date: the guard asks for it besides.
        with clock.at(after(days=20)):
            for row in Reason.objects.all():
                case = services.consider(fresh(order), kind, side, now=after(days=20))
                case.reason = row
                refused = why_not(case.open)
                assert (refused is None) == (row.code in may), f"{kind}: {row.code}"


def test_a_reason_that_may_not_be_cited_is_refused_by_name(in_progress: Order) -> None:
    with pytest.raises(Refused) as refused:
        opened(in_progress, code="not_as_described")
    assert str(refused.value) == (
        "“The delivery is not as described” is not a reason that you can give now. Please choose another."
    )
    assert Case.objects.count() == 0
    assert fresh(in_progress).version == in_progress.version


def test_an_inactive_reason_cannot_be_cited(in_progress: Order) -> None:
    Reason.objects.filter(code="agreed_by_both").update(is_active=False)
    with pytest.raises(Refused):
        opened(in_progress)


def test_seller_late_cannot_be_cited_before_the_date_has_passed(in_progress: Order) -> None:
    due = in_progress.plan[0].deliver_by
    assert due == after(days=3)
    with clock.at(after(days=3) - timedelta(seconds=1)), pytest.raises(Refused) as refused:
        opened(in_progress, code="seller_late")
    assert (refused.value.refusal.reason, refused.value.refusal.when) == (
        "The delivery date has not passed, so the seller is not late.",
        due,
    )


def test_late_but_not_very_late_is_an_ordinary_case(in_progress: Order) -> None:
    with clock.at(after(days=4) - timedelta(seconds=1)):
        case = opened(in_progress, code="seller_late")
    assert (case.status, case.on_silence) == ("open", "agreed")


@pytest.mark.parametrize(
    ("kind", "order_status", "steps", "because", "ended"),
    [
        ("cancel_milestone", "active", ["canceled", "planned"], "", None),
        ("cancel_order", "canceled", ["canceled", "not_started"], "canceled_late", after(days=4)),
    ],
)
def test_a_very_late_milestones_case_is_accepted_as_it_is_opened(
    in_progress: Order, kind: str, order_status: str, steps: list[str], because: str, ended: object
) -> None:
    with clock.at(after(days=4)):
        case = opened(in_progress, kind=kind, code="seller_late")

    order = fresh(in_progress)
    assert (case.status, case.ended_at, case.ended_by) == ("accepted", after(days=4), None)
    assert statuses(order) == (order_status, steps)
    assert (order.closed_because, order.ended_at, order.paused_at) == (because, ended, None)
    assert order.plan[0].held.refunded == 10_550
    assert order.decide_by == (after(days=12) if kind == "cancel_milestone" else None)
    assert Pause.objects.count() == 0
    assert balance(order.seller, "USD") == 0
    kinds = Event.objects.filter(version=in_progress.version + 1).order_by("pk").values_list("kind", "actor")
    assert list(kinds)[:3] == [
        ("case_opened", order.buyer_id),
        ("case_accepted", None),
        ("canceled", None),
    ]


def test_an_immediate_acceptance_is_told_to_both(in_progress: Order) -> None:
    with clock.at(after(days=4)):
        case = opened(in_progress, code="seller_late")
    effect = (
        "nothing was delivered, 24 hours past the delivery date, "
        "so “Logo” is canceled and $105.50 goes back to the buyer"
    )
    told = Notice.objects.filter(kind="case_accepted").order_by("pk")
    assert [(notice.recipient, notice.title) for notice in told] == [
        (in_progress.buyer, f"Case {case.number} was accepted: {effect}"),
        (in_progress.seller, f"Case {case.number} was accepted: {effect}"),
    ]
    assert Notice.objects.filter(kind="case_opened").count() == 0


def test_a_very_late_milestone_is_not_canceled_at_once_for_another_reason_or_by_the_seller(order_in: OrderIn) -> None:
    first, second = order_in("in_progress"), order_in("in_progress")
    with clock.at(after(days=9)):
        assert opened(first, code="seller_unresponsive").status == "open"
        assert opened(second, side="seller", code="cannot_deliver").status == "open"


def test_a_late_revision_is_not_very_late_because_something_was_delivered(in_revision: Order) -> None:
    with clock.at(after(days=9)):
        case = opened(in_revision, code="seller_late")
    assert (case.status, case.on_silence) == ("open", "to_support")


def test_one_dispute_at_a_time(in_progress: Order) -> None:
    opened(in_progress)
    for side in ("buyer", "seller"):
        with pytest.raises(Refused) as refused:
            opened(in_progress, side=side, kind="cancel_order")
        assert str(refused.value) == "A case is open on this order already: one at a time."


def test_a_side_opens_two_disputes_about_a_milestone_and_no_third(in_progress: Order) -> None:
    for kind in ("cancel_milestone", "cancel_order"):
        services.withdraw_case(opened(in_progress, kind=kind), by=in_progress.buyer)
    with pytest.raises(Refused) as refused:
        opened(in_progress)
    assert str(refused.value) == ("You have opened two cases about “Logo” already. More only through Customer Support.")
    assert opened(in_progress, side="seller").status == "open"


def test_the_count_begins_anew_with_the_next_milestone(
    in_progress: Order, django_capture_on_commit_callbacks: object
) -> None:
    for _ in range(2):
        services.withdraw_case(opened(in_progress), by=in_progress.buyer)
    deliver(in_progress)
    orders.accept(current(in_progress), by=in_progress.buyer)
    assert opened(in_progress, kind="cancel_order").milestone is None


def test_between_milestones_there_is_no_milestone_to_cancel(between: Order) -> None:
    with pytest.raises(Refused) as refused:
        opened(between)
    assert str(refused.value) == "No milestone is open, so there is none to cancel."


def test_an_offer_has_no_cases() -> None:
    offer = make_offer(plan=[planned()])
    with pytest.raises(Refused) as refused:
        opened(offer, kind="cancel_order")
    assert str(refused.value) == "The offer was not accepted yet."


def test_an_unpaid_order_has_no_cases(django_capture_on_commit_callbacks: object) -> None:
    order = make_offer(plan=[planned()])
    orders.place(order, by=order.buyer, method="card_ok")
    with pytest.raises(Refused) as refused:
        opened(order, kind="cancel_order")
    assert str(refused.value) == "The first milestone is not paid yet."


def test_an_ended_order_has_no_cases(between: Order) -> None:
    orders.stop(between, by=between.buyer)
    with pytest.raises(Refused) as refused:
        opened(between, kind="cancel_order")
    assert str(refused.value) == "The order is completed."


def test_no_case_while_an_attempt_to_pay_is_undecided(between: Order) -> None:
    # Nothing is committed here, so the provider was not asked yet.
    orders.start(between.next_milestone, by=between.buyer, method="card_ok")
    with pytest.raises(Refused) as refused:
        opened(between, kind="cancel_order")
    assert refused.value.refusal.who == "the bank"


def test_only_the_two_sides_open_cases_here(in_progress: Order, stranger: User) -> None:
    with pytest.raises(Refused) as refused:
        services.open_case(in_progress, by=stranger, kind="cancel_order", reason=reason(), statement="?")
    assert str(refused.value) == "Only the buyer and the seller can open a case here."


def test_a_stale_form_opens_nothing(in_progress: Order) -> None:
    seen = in_progress.version
    deliver(in_progress)
    with pytest.raises(Stale):
        opened(in_progress, version=seen)
    assert Case.objects.count() == 0


def test_an_overdue_order_is_settled_before_a_case_opens(delivered: Order) -> None:
    with clock.at(after(days=8)), pytest.raises(Refused) as refused:
        opened(delivered)
    assert str(refused.value) == "The order is completed."
    assert statuses(delivered) == ("completed", ["completed", "not_started"])
    assert fresh(delivered).ended_at == after(days=8)


def test_files_of_a_case_belong_to_its_order(in_progress: Order) -> None:
    file = check(SimpleUploadedFile("brief.txt", b"Blue, not green."))
    case = opened(in_progress, files=[file])
    attachment = case.files.get()
    assert (attachment.order, attachment.name, attachment.uploaded_by, attachment.delivery) == (
        in_progress,
        "brief.txt",
        in_progress.buyer,
        None,
    )


def test_a_due_silence_is_settled_before_another_case_opens(in_progress: Order) -> None:
    first = opened(in_progress)
    with clock.at(after(hours=50)):
        second = opened(in_progress, side="seller", kind="cancel_order")
    assert fresh_case(first).status == "accepted"
    assert statuses(in_progress) == ("active", ["canceled", "planned"])
    assert (second.milestone, second.on_silence) == (None, "agreed")


def test_support_opens_a_case_that_nobody_is_asked_to_answer(in_progress: Order, agent: User) -> None:
    case = services.open_case_by_support(
        in_progress, by=agent, kind="cancel_order", reason=reason("fraud_or_abuse"), statement="Reported twice."
    )
    assert (case.status, case.side, case.answer_by, case.on_silence) == ("escalated", "support", None, "")
    assert case.support_due == after(days=3)
    assert fresh(in_progress).paused_at == NOON
    told = Notice.objects.filter(kind="case_opened").order_by("pk")
    assert [notice.title for notice in told] == ["Customer Support opened a case to cancel the order"] * 2


def test_support_may_open_more_than_two(in_progress: Order, agent: User) -> None:
    for _ in range(3):
        case = services.open_case_by_support(
            in_progress, by=agent, kind="cancel_milestone", reason=reason(), statement="Again."
        )
        services.dismiss_case(case, by=agent, reason=reason(), note="Nothing found.")
    assert Case.objects.filter(status="dismissed").count() == 3


def test_an_agent_opens_no_case_in_their_own_order(order_in: OrderIn, agent: User) -> None:
    order = order_in("in_progress", buyer=agent)
    with pytest.raises(Refused) as refused:
        services.open_case_by_support(order, by=agent, kind="cancel_order", reason=reason(), statement="Mine.")
    assert str(refused.value) == "You are a party in this order; another agent has to decide."
