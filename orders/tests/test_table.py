"""The table of state × action × role, asked in four places: guard, button, service and page."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.utils.html import escape

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import UserFactory
from orders import services
from orders.actions import LABELS, RULES, WHO, actions, subject_of, url_of, why_not_now
from orders.guards import Refused
from orders.locking import lock, touch
from orders.models import Order
from orders.operating import operated_by
from orders.services import verb
from orders.tests.answers import NEVER, NOT_DUE, OK, ROLES, Answer, Overdue
from orders.tests.factories import (
    ONE_STEP,
    deliver,
    freeze,
    fresh,
    make_accepted,
    make_delivered,
    make_in_revision,
    make_offer,
    make_ordered,
    make_placed,
    start_next,
)
from orders.tests.rows import rows
from orders.tests.steps import SERVICES
from orders.tests.table import ACTIONS, BUYERS, NOT_OPERATED, OPERATED, SELLERS, STATES, SUPPORTS, TABLE

pytestmark = pytest.mark.django_db(transaction=True)


def awaiting_next_payment() -> Order:
    order = make_accepted()
    start_next(order, method="card_declined")
    return order


def delivered_no_revision_left() -> Order:
    order = make_in_revision()
    deliver(order)
    return order


def completed() -> Order:
    order = make_accepted()
    services.stop(order, by=order.buyer)
    return order


def canceled() -> Order:
    order = make_offer()
    services.decline_offer(order, by=order.buyer)
    return order


MADE: dict[str, Callable[[], Order]] = {
    "offered": make_offer,
    "awaiting_first_payment": lambda: make_ordered(method="card_declined"),
    "payment_action_needed": lambda: make_ordered(method="card_authentication"),
    "payment_processing": lambda: make_ordered(method="card_processing"),
    "in_progress": make_placed,
    "delivered": make_delivered,
    "delivered_last": lambda: make_delivered(plan=ONE_STEP),
    "in_revision": make_in_revision,
    "delivered_no_revision_left": delivered_no_revision_left,
    "between": make_accepted,
    "awaiting_next_payment": awaiting_next_payment,
    "frozen": lambda: freeze(make_delivered()),
    "completed": completed,
    "canceled": canceled,
    "overdue_delivered": make_delivered,
}

# What support's rulings call, under the lock and with the clocks running again, as the Resolution Center does.
RULINGS: dict[str, Callable[..., None]] = {
    "complete": lambda order, milestone, **who: services.complete_milestone(order, milestone, **who),
    "cancel_milestone": lambda order, milestone, **who: services.cancel_milestone(
        order, milestone, because="canceled_by_support", **who
    ),
    "cancel_order": lambda order, _, **who: services.cancel_order(order, because="canceled_by_support", **who),
}


@verb
def rule(order_id: int, name: str, *, by: User) -> None:
    order, now = lock(order_id)
    milestone = subject_of(order, name)
    touch(order, by=None, now=now)
    if order.paused_at:
        services.resume(order, by=by, at=now)
    RULINGS[name](order, milestone, by=by, at=now, reason="Scope disagreement")


def tried(act: Callable[[], Any]) -> Any:
    """Do it for real, and undo it: what it returned, or what it was refused with."""
    with transaction.atomic():
        try:
            return act()
        except Refused as refused:
            return refused
        finally:
            transaction.set_rollback(True)


class Cells:
    """One state of an order, with somebody in every role."""

    def __init__(self, state: str) -> None:
        self.state = state
        self.order = fresh(MADE[state]())
        self.instant = clock.now() + timedelta(days=9 if state == "overdue_delivered" else 0)
        self.people: dict[str, User] = {
            "buyer": self.order.buyer,
            "seller": self.order.seller,
            "stranger": UserFactory(),
            "support": enlisted("Support"),
            "finance": enlisted("Finance"),
            "superuser": UserFactory(is_staff=True, is_superuser=True),
        }
        self.clients = {}
        for role, person in self.people.items():
            self.clients[role] = Client()
            self.clients[role].force_login(person)

    def check(self) -> None:
        with clock.at(self.instant):
            before = rows()
            for name, row in TABLE[self.state].items():
                for role, answer in zip(ROLES, row, strict=True):
                    self.check_cell(name, role, answer)
                if name in OPERATED:
                    self.check_twin(name, row[ROLES.index(WHO[name])])
                assert rows() == before, f"{self.state}: {name} changed something although it was refused or undone"

    def check_cell(self, name: str, role: str, answer: Answer) -> None:
        cell = f"{self.state} × {name} × {role}"
        if name in ("look", "message"):
            return self.check_page_of_all(cell, name, role, answer)
        if name == "settle":
            settled = tried(lambda: services.settle(fresh(self.order).pk)) if role == "clock" else None
            assert settled == {OK: True, NOT_DUE: False, NEVER: None}[answer], cell
            return None
        if name in RULINGS:
            return self.check_ruling(cell, name, role, answer)
        if answer == NEVER:
            assert role == "clock", cell
        elif isinstance(answer, int):
            self.check_not_theirs(cell, name, role, answer)
        else:
            self.check_own_button(cell, name, role, answer)
        return None

    def check_page_of_all(self, cell: str, name: str, role: str, answer: Answer) -> None:
        if answer == NEVER:
            return
        url = self.order.get_absolute_url()
        if name == "look":
            status = self.clients[role].get(url).status_code
        else:
            status = tried(lambda: self.clients[role].post(f"{url}messages/", {"text": "Hello"})).status_code
        assert status == {OK: {"look": 200, "message": 302}[name]}.get(answer, answer), cell

    def check_ruling(self, cell: str, name: str, role: str, answer: Answer) -> None:
        if answer == NEVER:
            assert role not in ("support", "superuser"), cell
            assert name not in WHO, f"{cell}: people have no door to it"
            return
        result = tried(lambda: rule(self.order.pk, name, by=self.people[role]))
        expected = answer.act if isinstance(answer, Overdue) else answer
        assert said(result) == expected, cell

    def check_not_theirs(self, cell: str, name: str, role: str, status: int) -> None:
        page = tried(lambda: self.request("post", role, name))
        assert page.status_code == status, cell
        if status == 403:
            assert f"Only the {WHO[name]} can do this: {LABELS[name]}." in page.content.decode(), cell
            assert self.request("get", role, name).status_code == 403, cell
            assert name not in {action.name for action in actions(self.order, role, clock.now())}, cell

    def check_own_button(self, cell: str, name: str, role: str, answer: Answer) -> None:
        on_page, on_act = answer if isinstance(answer, Overdue) else (answer, answer)
        order = self.order
        refusal = why_not_now(order, name, clock.now())
        assert (refusal.reason if refusal else OK) == on_page, f"{cell}: guard"
        button = next(action for action in actions(order, role, clock.now()) if action.name == name)
        assert (button.reason if not button.allowed else OK) == on_page, f"{cell}: button"

        page = self.request("get", role, name)
        # An offer's form is a page of its own kind, and says with its status what it refuses.
        assert page.status_code == (409 if name == "edit_offer" and on_page != OK else 200), f"{cell}: page"
        if on_page != OK:
            assert escape(on_page) in page.content.decode(), f"{cell}: page"

        result = tried(lambda: SERVICES[name](order, subject_of(order, name)))
        assert said(result) == on_act, f"{cell}: service"

        posted = tried(lambda: self.request("post", role, name))
        assert posted.status_code == (302 if on_act == OK else 409), f"{cell}: post"
        if on_act != OK and on_page == on_act:
            assert escape(on_act) in posted.content.decode(), f"{cell}: post"

    def check_twin(self, name: str, answer: Answer) -> None:
        """Support is answered what the side is answered; nobody else has a door to it."""
        cell = f"{self.state} × {name} × support for the {WHO[name]}"
        on_page, on_act = answer if isinstance(answer, Overdue) else (answer, answer)
        url = f"/admin/orders/order/{self.order.pk}/on-behalf/{name}/"
        page = self.clients["support"].get(url)
        refusal = page.context.get("refusal")  # the builder of an offer has none
        assert (page.status_code, str(refusal) if refusal else OK) == (200, on_page), f"{cell}: page"

        def act() -> Any:
            with operated_by(self.people["support"], self.order, why="Asked on the phone."):
                return SERVICES[name](self.order, subject_of(self.order, name))

        assert said(tried(act)) == on_act, f"{cell}: service"
        if name == "stop":
            doors = {role: self.clients[role].get(url).status_code for role in self.people if role != "support"}
            assert doors == {"buyer": 302, "seller": 302, "stranger": 302, "finance": 403, "superuser": 200}, cell

    def request(self, method: str, role: str, name: str) -> HttpResponse:
        order = self.order
        data = {} if method == "get" else {"version": order.version, **POSTED}
        return getattr(self.clients[role], method)(url_of(order, name), data)


def enlisted(group: str) -> User:
    person = UserFactory(is_staff=True)
    person.groups.add(Group.objects.get(name=group))
    return person


POSTED = {
    "method": "card_ok",
    "message": "Here it is.",
    "text": "The rest.",
    "count": "1",
    "title": "Shorter",
    "plan-TOTAL_FORMS": "1",
    "plan-INITIAL_FORMS": "0",
    "plan-0-title": "Film",
    "plan-0-price": "100.00",
    "plan-0-delivery_days": "3",
    "plan-0-revisions": "1",
}


def said(result: Any) -> str:
    return str(result.refusal) if isinstance(result, Refused) else OK


def test_the_table_has_every_cell() -> None:
    assert {state: set(cells) for state, cells in TABLE.items()} == {state: set(ACTIONS) for state in STATES}
    assert {len(row) for cells in TABLE.values() for row in cells.values()} == {len(ROLES)}
    assert set(MADE) == set(STATES)


def test_the_table_has_every_action_of_the_code() -> None:
    """A rule without a button is noticed, and a button without a rule."""
    assert dict.fromkeys(BUYERS, "buyer") | dict.fromkeys(SELLERS, "seller") == WHO
    assert set(LABELS) == set(RULES) == set(SERVICES) == {*BUYERS, *SELLERS}
    assert set(RULINGS) == set(SUPPORTS)
    assert {*OPERATED, *NOT_OPERATED} == set(WHO)


@pytest.mark.parametrize("state", TABLE)
def test_each_cell_has_one_answer_in_all_places(state: str) -> None:
    Cells(state).check()
