"""R6: support takes a side's step of a case for it; the activity names both, and both sides are told."""

from collections.abc import Callable

import pytest

from marketplace.accounts.models import User
from marketplace.notifications.models import Notice
from orders.activity import sentence
from orders.guards import Refused
from orders.models import Order
from orders.operating import operated_by
from orders.tests.factories import fresh
from resolution import services
from resolution.models import Case
from resolution.tests.factories import declined, fresh_case, opened, reason

pytestmark = pytest.mark.django_db

WHY = "They lost their password."


def open_for_buyer(order: Order) -> Case:
    return services.open_case(
        order, by=order.buyer, kind="cancel_milestone", reason=reason(), statement="We agreed on the phone."
    )


# The case that is found, the step, whose it is, what the case becomes, what the activity says, and the heading.
STEPS: dict[str, tuple[Callable[[Order], Case | None], Callable[[Order, Case], Case], str, str, str, str]] = {
    "open": (
        lambda order: None,
        lambda order, case: open_for_buyer(order),
        "buyer",
        "open",
        "opened case {} to cancel “Logo”: Both sides agree",
        "{actor} opened a case to cancel “Logo”",
    ),
    "accept": (
        opened,
        lambda order, case: services.accept_case(case, by=order.seller, text="Fine."),
        "seller",
        "accepted",
        "accepted case {}: “Logo” is canceled and $105.50 goes back to the buyer",
        "Case {number} was accepted: “Logo” is canceled and $105.50 goes back to the buyer",
    ),
    "decline": (
        opened,
        lambda order, case: services.decline_case(case, by=order.seller, text="No."),
        "seller",
        "declined",
        "declined case {}",
        "{actor} declined case {number}",
    ),
    "withdraw": (
        opened,
        lambda order, case: services.withdraw_case(case, by=order.buyer),
        "buyer",
        "withdrawn",
        "withdrew case {}",
        "{actor} withdrew case {number}: the order goes on",
    ),
    "escalate": (
        declined,
        lambda order, case: services.escalate_case(case, by=order.buyer, text="Please look."),
        "buyer",
        "escalated",
        "took case {} to Customer Support",
        "{actor} took case {number} to Customer Support",
    ),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_step_of_a_case_is_the_sides_own_act_and_names_the_agent(step: str, in_progress: Order, agent: User) -> None:
    find, take, role, becomes, said, title = STEPS[step]
    order, found = in_progress, find(in_progress)
    side, other = (order.buyer, order.seller) if role == "buyer" else (order.seller, order.buyer)
    before = order.events.count()
    with operated_by(agent, order, why=WHY):
        case = fresh_case(take(order, found or Case()))
    assert (case.status, case.opened_by) == (becomes, order.buyer)
    written = order.events.order_by("pk").select_related("actor", "milestone")[before:]
    assert {(event.actor, event.on_behalf_of_id, event.data["why"]) for event in written} == {(agent, side.pk, WHY)}
    event = next(event for event in written if event.kind.startswith("case_"))
    told = f"Customer Support, for {side.name}, {said.format(case.number)}. Why: {WHY}"
    assert sentence(event, fresh(order), None) == told
    notices = Notice.objects.filter(key=f"event:{event.pk}").select_related("recipient")
    mine, theirs = "Customer Support, for you,", f"Customer Support, for {side.name},"
    assert {notice.recipient: notice.title for notice in notices} == {
        side: title.format(actor=mine, number=case.number),
        other: title.format(actor=theirs, number=case.number),
    }
    # Who did it and why is in the text too, where the heading speaks of the outcome.
    assert all(notice.text.splitlines()[0].endswith(f"Why: {WHY}") for notice in notices)


def test_the_other_side_cannot_be_answered_for(in_progress: Order, agent: User) -> None:
    case = opened(in_progress)
    with operated_by(agent, in_progress, why=WHY), pytest.raises(Refused) as refused:
        services.accept_case(case, by=in_progress.buyer)
    assert str(refused.value) == "Only the seller can do this: Accept."
    assert fresh_case(case).status == "open"
