"""R6: a case's steps are listed with those of its order, by its number, and support takes them in the same way."""

from typing import Any

import pytest
from django.test import Client

from marketplace.accounts.models import User
from marketplace.backoffice.tests.conftest import Desk, logged, page
from orders.tests.factories import fresh, make_delivered, make_placed
from resolution import services
from resolution.models import Case
from resolution.tests.factories import opened, reason

pytestmark = pytest.mark.django_db(transaction=True)

WHY = "They lost their password."
PARTY = "You are a party in this order; another agent has to decide."


def step(case: Case, name: str) -> str:
    return f"/admin/orders/order/{case.order_id}/cases/{case.pk}/on-behalf/{name}/"


def post(desk: Desk, case: Case, name: str, **given: Any) -> Any:
    return desk.client.post(step(case, name), {"why": WHY, "version": fresh(case.order).version, "text": "No."} | given)


def test_they_are_listed_for_the_side_that_may_take_them(desk: Desk) -> None:
    order = make_delivered()
    case = opened(order)
    sides = desk.client.get(page(order)).context["sides"]
    waits = "The case waits for the seller's answer."
    assert [
        [(button.label, str(button.refusal or "")) for button in side.buttons if "/cases/" in button.url]
        for side in sides
    ] == [
        [(f"Case {case.number}: Withdraw the case", ""), (f"Case {case.number}: Take it to Customer Support", waits)],
        [(f"Case {case.number}: Accept", ""), (f"Case {case.number}: Decline", "")],
    ]


def test_accepting_shows_what_it_would_do_and_declining_asks_why(desk: Desk) -> None:
    case = opened(make_delivered())
    shown = desk.client.get(step(case, "accept")).context
    assert [str(movement) for movement in shown["rehearsal"].movements] == ["$126.60 goes back to the buyer"]
    assert Case.objects.get().status == "open"
    answer = post(desk, case, "decline", text=" ")
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["text"])
    answer = post(desk, case, "decline")
    assert (answer.status_code, answer.url, Case.objects.get().status) == (302, page(case.order), "declined")
    said = f"Case {case.number}: Decline, for Theo Lindqvist: {WHY}"
    assert logged() == [("Sam Support", case.order.number, said), ("Sam Support", case.number, said)]
    # What was declined can be taken to support for its opener.
    assert post(desk, case, "escalate", text="Please look.").status_code == 302
    event = case.order.events.get(kind="case_escalated")
    assert (event.actor.name, event.on_behalf_of, Case.objects.get().status) == (
        "Sam Support",
        case.order.buyer,
        "escalated",
    )


def test_what_was_answered_meanwhile_is_shown(desk: Desk) -> None:
    case = opened(make_delivered())
    seen = fresh(case.order).version
    services.withdraw_case(case, by=case.order.buyer)
    answer = post(desk, case, "decline", version=seen)
    assert (answer.status_code, str(answer.context["refusal"])) == (409, "The case was withdrawn.")
    assert answer.context["changes"][0] == f"Ana Ruiz withdrew case {case.number}"
    assert ([answer.context["form"][name].value() for name in ("text", "why")], logged()) == (["No.", WHY], [])


def test_supports_own_case_and_another_orders_have_none(desk: Desk, support: User) -> None:
    theirs, other = opened(make_delivered()), make_placed()
    case = services.open_case_by_support(
        other, by=support, kind="cancel_order", reason=reason("fraud_or_abuse"), statement="We look."
    )
    assert desk.client.get(step(case, "withdraw")).status_code == 404
    assert desk.client.get(step(theirs, "order_again")).status_code == 404
    assert desk.client.get(f"/admin/orders/order/{other.pk}/cases/{theirs.pk}/on-behalf/decline/").status_code == 404


def test_a_party_takes_none(client: Client, superuser: User) -> None:
    case = opened(make_delivered(seller=superuser))
    client.force_login(superuser)
    answer = client.post(step(case, "accept"), {"why": WHY, "version": fresh(case.order).version})
    assert (answer.status_code, str(answer.context["refusal"]), Case.objects.get().status) == (403, PARTY, "open")
