"""Each role at every address: what is answered, and that nothing was changed but by what the tables mark.

Every day each refusal is asked for, and each page is opened by the first role that may. With DOORS=all the others open
it as well, and the two sides of an order, who are strangers to admin, knock at all of its doors too.
"""

import os
from typing import Any

import pytest
from django.template import Template
from django.urls import resolve

from marketplace.accounts.models import User
from marketplace.tests.doors import (
    ROLES,
    Door,
    address,
    admin_money,
    admin_rows,
    all_routes,
    back_office,
    cases,
    money,
    order_acts,
    order_pages,
    people,
    site,
)
from marketplace.tests.doors.data import World
from marketplace.tests.doors.walking import Walker
from orders.models import Order
from orders.models.order import OrderQuerySet

pytestmark = pytest.mark.django_db

TABLES = (site, people, order_pages, order_acts, cases, money, back_office, admin_money, admin_rows)
DOORS: list[Door] = [door for table in TABLES for door in table.DOORS]
ROUTES = all_routes()
EVERY_CELL = os.environ.get("DOORS") == "all"


def is_of_every_day(door: Door, role: str) -> bool:
    if door.name.startswith("admin") and role in ("buyer", "seller"):
        return False
    return door.cells[role] != "200" or role == opened_first(door)


def opened_first(door: Door) -> str:
    return next(role for role, cell in door.cells.items() if cell == "200")


def test_every_address_has_a_row_and_every_row_an_address() -> None:
    assert {door.name for door in DOORS} == set(ROUTES)
    methods: dict[str, set[str]] = {}
    for door in DOORS:
        methods.setdefault(door.name, set()).add(door.method)
    assert [name for name, found in methods.items() if not found >= {"GET", "POST"}] == []
    assert len({str(door) for door in DOORS}) == len(DOORS)


def test_only_posts_change_anything_and_refusals_never_do() -> None:
    cells = [(str(door), role, cell) for door in DOORS for role, cell in door.cells.items()]
    assert [cell for cell in cells if cell[2].endswith("!") and not cell[0].startswith("POST ")] == []
    assert [cell for cell in cells if cell[2].endswith("!") and cell[2][0] in "45"] == []
    assert [cell for cell in cells if cell[2].startswith("5")] == []


@pytest.mark.parametrize("role", ROLES)
def test_each_door_opens_for_whom_it_should_and_changes_only_what_it_should(role: str, walker: Walker) -> None:
    wrong = []
    for door in filter(lambda door: EVERY_CELL or is_of_every_day(door, role), DOORS):
        found = walker.cell(door, role, ROUTES[door.name])
        if found != door.cells[role]:
            wrong.append(f"{door}: {found}, not {door.cells[role]}")
    assert wrong == [], "\n".join(wrong)


def test_only_what_others_send_comes_without_the_token_of_a_form(world: World) -> None:
    """The events of providers and the mail programs' button to unsubscribe; whoever sends them proves it otherwise."""
    free = set()
    for door in DOORS:
        path = address(ROUTES[door.name], world.of(door.thing, ROUTES[door.name])).partition("?")[0]
        if getattr(resolve(path).func, "csrf_exempt", False):
            free.add(door.name)
    assert free == {"webhook", "notifications:stop"}


def test_a_door_that_was_left_open_would_be_noticed(walker: Walker, monkeypatch: pytest.MonkeyPatch) -> None:
    door = Door("POST", "orders:accept", "delivered", {})
    assert walker.cell(door, "stranger", ROUTES[door.name]) == "404"
    monkeypatch.setattr(OrderQuerySet, "of", lambda orders, user: orders)
    monkeypatch.setattr(Order, "side_of", lambda order, user: "buyer")
    assert walker.cell(door, "stranger", ROUTES[door.name]) != "404"


def test_a_page_that_writes_when_it_is_read_would_be_noticed(walker: Walker, monkeypatch: pytest.MonkeyPatch) -> None:
    door = Door("GET", "help", "-", {})
    assert walker.cell(door, "buyer", ROUTES[door.name]) == "200"
    drawn = Template.render

    def counting(template: Template, *args: Any, **kwargs: Any) -> str:
        User.objects.filter(email="ana@example.com").update(about="Was here.")
        return str(drawn(template, *args, **kwargs))

    monkeypatch.setattr(Template, "render", counting)
    assert walker.cell(door, "buyer", ROUTES[door.name]) == "200!"
