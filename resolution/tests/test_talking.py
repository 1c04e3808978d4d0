"""R1, R6: what both sides and support say in a case, and what support notes for itself."""

from collections.abc import Callable

import pytest
from django.db import IntegrityError, transaction

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.notifications.models import Notice
from orders.models import Order
from orders.tests.factories import checked_file, fresh
from orders.tests.rows import refused
from resolution import services
from resolution.models import Case, SupportNote
from resolution.tests.conftest import after
from resolution.tests.factories import agreed, declined, fresh_case, opened, reason, rule

pytestmark = pytest.mark.django_db

PARTY = "You are a party in this order; another agent has to decide."


@pytest.mark.parametrize(
    ("who", "others", "title"),
    [
        ("buyer", ["seller"], "Ana Ruiz wrote in case {}"),
        ("seller", ["buyer"], "Theo Lindqvist wrote in case {}"),
        ("support", ["buyer", "seller"], "Customer Support wrote in case {}"),
    ],
)
def test_what_somebody_writes_is_told_to_the_others(
    in_progress: Order, agent: User, who: str, others: list[str], title: str
) -> None:
    case = opened(in_progress)
    people = {"buyer": in_progress.buyer, "seller": in_progress.seller, "support": agent}
    version = fresh(in_progress).version
    with clock.at(after(hours=3)):
        message = services.write_in_case(case, by=people[who], text="Look at this.", files=[checked_file()])
    assert (message.author, message.sent_at, message.files.get().name) == (people[who], after(hours=3), "logo.png")
    notices = Notice.objects.filter(kind="case_message").order_by("pk")
    assert [(notice.recipient, notice.title, notice.text) for notice in notices] == [
        (people[other], title.format(case), "Look at this.") for other in others
    ]
    order = fresh(in_progress)
    assert (order.version, order.acted_at) == (version, case.opened_at if who == "support" else after(hours=3))


def test_the_second_half_of_a_double_click_says_nothing_twice(in_progress: Order) -> None:
    case = opened(in_progress)
    first = services.write_in_case(case, by=in_progress.buyer, text="Hello", seen=0)
    assert services.write_in_case(case, by=in_progress.buyer, text="Hello", seen=0) == first
    assert services.write_in_case(case, by=in_progress.buyer, text="Hello", seen=1) != first
    assert services.write_in_case(case, by=in_progress.seller, text="Hello", seen=0) != first


OVER: dict[str, tuple[Callable[[Order, User], Case], str]] = {
    "accepted": (lambda order, _: agreed(opened(order)), "The case was accepted."),
    "withdrawn": (
        lambda order, _: services.withdraw_case(opened(order), by=order.buyer),
        "The case was withdrawn.",
    ),
    "ruled": (
        lambda order, agent: rule(opened(order), by=agent, reason=reason(), note="We looked."),
        "Customer Support has decided this case.",
    ),
    "a declined proposal": (
        lambda order, _: declined(order, kind="change_upcoming"),
        "The case was declined.",
    ),
}


@pytest.mark.parametrize("how", OVER)
def test_nothing_is_said_in_a_case_that_is_over(in_progress: Order, agent: User, how: str) -> None:
    end, why = OVER[how]
    case = end(in_progress, agent)
    for by in (in_progress.buyer, in_progress.seller, agent):
        with refused(why):
            services.write_in_case(case, by=by, text="But…")


def test_a_declined_dispute_is_talked_about_as_long_as_it_can_go_to_support(in_progress: Order) -> None:
    case = declined(in_progress)
    assert services.write_in_case(case, by=in_progress.seller, text="Let us talk.").pk
    with clock.at(after(days=7)), refused("The case was declined."):
        services.write_in_case(fresh_case(case), by=in_progress.seller, text="Let us talk.")


def test_support_notes_for_itself_with_or_without_a_case(in_progress: Order, agent: User) -> None:
    case = opened(in_progress)
    services.note_for_support(in_progress, by=agent, text="They called twice.")
    services.note_for_support(in_progress, by=agent, text="See the files.", case=case)
    assert list(SupportNote.objects.order_by("pk").values_list("text", "author", "case")) == [
        ("They called twice.", agent.pk, None),
        ("See the files.", agent.pk, case.pk),
    ]
    assert not Notice.objects.filter(own_text__contains="called").exists()


@pytest.mark.parametrize("side", ["buyer", "seller"])
def test_an_agent_notes_nothing_about_their_own_order(in_progress: Order, side: str) -> None:
    with refused(PARTY):
        services.note_for_support(in_progress, by=getattr(in_progress, side), text="Mine.")
    assert SupportNote.objects.count() == 0


# What the database refuses of a case: kind, what is changed behind the application's back, and the constraint.
REFUSED = [
    ("partial_refund", {"asked_amount": None}, "case_asks_for_an_amount"),
    ("partial_refund", {"asked_amount": 0}, "case_asks_for_an_amount"),
    ("extend", {"asked_days": None}, "case_asks_for_days"),
    ("extend", {"asked_days": 0}, "case_asks_for_days"),
    ("extra_revisions", {"asked_revisions": None}, "case_asks_for_revisions"),
    ("change_upcoming", {"asked_upcoming": None}, "case_asks_for_a_change"),
    ("change_upcoming", {"upcoming_from": None}, "case_asks_for_a_change"),
    ("cancel_milestone", {"asked_amount": 5}, "case_asks_for_an_amount"),
    ("cancel_milestone", {"asked_days": 5}, "case_asks_for_days"),
    ("cancel_milestone", {"asked_revisions": 5}, "case_asks_for_revisions"),
    ("cancel_milestone", {"upcoming_from": 2}, "case_asks_for_a_change"),
    ("cancel_milestone", {"milestone": None}, "case_names_its_milestone"),
    ("cancel_milestone", {"answer_by": None}, "case_open_until_answered"),
    ("cancel_milestone", {"on_silence": ""}, "case_open_until_answered"),
    ("cancel_milestone", {"status": "escalated"}, "case_escalated_is_due"),
    ("cancel_milestone", {"status": "declined", "ended_at": after()}, "case_declined_may_go_on"),
    ("cancel_milestone", {"status": "dismissed", "ended_at": after()}, "case_ruled_with_reason_and_note"),
    ("cancel_milestone", {"ruling": "split"}, "case_ruling_when_ruled"),
    ("cancel_milestone", {"status": "accepted"}, "case_ended_as_a_whole"),
    ("cancel_milestone", {"ended_at": after()}, "case_ended_as_a_whole"),
    ("cancel_milestone", {"side": "clock"}, "case_opened_by_its_side"),
    ("extend", {"status": "escalated", "support_due": after()}, "case_support_decides_disputes"),
]


def test_the_database_refuses_a_case_that_says_too_little_or_too_much(in_revision: Order) -> None:
    for kind in dict.fromkeys(kind for kind, _, _ in REFUSED):
        # Not in the instant of the delivery, which would make an extension void.
        with clock.at(after(minutes=1)):
            case = opened(in_revision, side="seller" if kind == "extend" else "buyer", kind=kind)
        for wrong, constraint in ((wrong, constraint) for name, wrong, constraint in REFUSED if name == kind):
            with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
                Case.objects.filter(pk=case.pk).update(**wrong)
        services.withdraw_case(case, by=case.opened_by)
