"""The lists of orders: what stands in them, what waits first, and what can be found (P2)."""

from datetime import timedelta
from typing import Any

import pytest

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import UserFactory
from orders import services
from orders.tests.factories import (
    current,
    make_accepted,
    make_delivered,
    make_offer,
    make_placed,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ana() -> User:
    return UserFactory.create(name="Ana Ruiz")


@pytest.fixture
def theo() -> User:
    return UserFactory.create(name="Theo Lindqvist")


def listed(client: Any, person: User, address: str) -> dict[str, list[tuple[str, str]]]:
    client.force_login(person)
    groups = client.get(address).context["groups"]
    return {heading: [(line.order.number, line.standing.text) for line in lines] for heading, lines in groups}


def test_a_line_says_who_how_far_what_for_and_what_was_not_read(client: Any, ana: User, theo: User) -> None:
    order = make_accepted(buyer=ana, seller=theo)
    services.send_message(order, by=ana, text="Thank you.")
    services.send_message(order, by=theo, text="Ready when you are.")
    services.send_message(order, by=theo, text="One more thing.")
    client.force_login(ana)
    page = client.get("/orders/")
    ((heading, (line,)),) = page.context["groups"]
    assert (heading, line.initials, line.unread, line.done) == ("Waiting for you", "TL", 2, 1)
    assert line.steps == ["done", *["next"] * (len(order.plan) - 1)]
    text = page.content.decode()
    for shown in ("from Theo Lindqvist", order.number, "2<span", "unread messages", "1 of "):
        assert shown in text, shown


def test_lists_are_narrowed_by_state_and_by_words_and_count_what_is_found(client: Any, ana: User, theo: User) -> None:
    waiting = make_delivered(buyer=ana, seller=theo)
    working = make_placed(buyer=ana, seller=UserFactory.create(name="Mia Tanaka"))
    ended = make_offer(buyer=ana, seller=theo)
    services.decline_offer(ended, by=ana)
    whole = {
        "Waiting for you": [(waiting.number, "Waiting for you")],
        "Under way": [(working.number, "Waiting for the seller")],
        "Ended": [(ended.number, "Canceled")],
    }
    assert listed(client, ana, "/orders/") == whole
    for state, heading in (("waiting", "Waiting for you"), ("under-way", "Under way"), ("ended", "Ended")):
        assert listed(client, ana, f"/orders/?state={state}") == {heading: whole[heading]}
    assert listed(client, ana, "/orders/?state=nonsense&after=x") == whole
    assert listed(client, ana, "/orders/?q=tanaka") == {"Under way": whole["Under way"]}
    assert listed(client, ana, f"/orders/?q={ended.number.lower()}") == {"Ended": whole["Ended"]}
    assert listed(client, ana, "/orders/?q=theo&state=ended") == {"Ended": whole["Ended"]}
    assert listed(client, ana, "/orders/?q=ruiz%00") == {}, "the other side's name, not one's own"
    page = client.get("/orders/?q=theo")
    assert (page.context["counts"], page.context["any"]) == (
        {"waiting": "1", "under_way": "0", "ended": "1", "all": "2"},
        True,
    )
    assert listed(client, theo, "/sales/?q=ana")["Ended"] == [(ended.number, "Canceled")]


def test_an_empty_list_says_what_to_do_and_an_empty_search_leads_back(client: Any, ana: User, theo: User) -> None:
    client.force_login(ana)
    assert "You have not ordered anything yet" in client.get("/orders/").content.decode()
    assert "You have not sold anything yet" in client.get("/sales/").content.decode()
    make_offer(buyer=ana, seller=theo)
    assert "Nothing found for “jars”" in client.get("/orders/?q=jars").content.decode()
    assert "No order has ended yet" in client.get("/orders/?state=ended").content.decode()


def test_an_overdue_order_waits_for_nobody_but_the_clock(client: Any, ana: User, theo: User) -> None:
    overdue = make_delivered(buyer=ana, seller=theo)
    assert current(overdue)
    assert overdue.decide_by
    with clock.at(overdue.decide_by + timedelta(seconds=1)):
        offer = make_offer(buyer=ana, seller=theo)
        assert listed(client, ana, "/orders/") == {
            "Waiting for you": [(offer.number, "Waiting for you")],
            "Under way": [(overdue.number, "Being settled")],
        }
