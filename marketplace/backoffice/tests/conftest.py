"""The cast of the back office, at noon; every test ends with the proof that no promise is broken."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.test import Client

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import StaffFactory
from marketplace.tests import invariants
from orders.models import Order
from orders.tests.factories import NOON
from resolution.models import Case
from resolution.tests.factories import reason

NOTE = "The phone layout is missing.\nI looked at both deliveries."


@pytest.fixture(autouse=True)
def _noon() -> Generator[None, None, None]:
    with clock.at(NOON):
        yield


@pytest.fixture(autouse=True)
def _invariants_hold(request: pytest.FixtureRequest) -> Generator[None, None, None]:
    yield
    if request.node.get_closest_marker("django_db"):
        assert invariants.check() == []


def agent(group: str = "Support", **details: Any) -> User:
    person = StaffFactory.create(**details)
    person.groups.add(Group.objects.get(name=group))
    return person


@pytest.fixture
def support(db: None) -> User:
    return agent(name="Sam Support")


@pytest.fixture
def superuser(db: None) -> User:
    return User.objects.create_superuser("root@example.org", name="Root")


@dataclass(frozen=True)
class Desk:
    """A browser of a signed-in member of staff. Each ruling: what it would do, and doing it."""

    client: Client

    def rehearse(self, url: str, *, code: str = "not_as_described", note: str = NOTE, **more: str) -> Any:
        return self.client.post(url, {"reason": reason(code).pk, "note": note, **more})

    def confirm(
        self, url: str, *, version: int | str, code: str = "not_as_described", note: str = NOTE, **more: str
    ) -> Any:
        return self.rehearse(url, code=code, note=note, version=str(version), confirm="yes", **more)

    def rule(self, url: str, **details: Any) -> Any:
        """Both steps, as a person takes them."""
        seen = self.rehearse(url, **details)
        assert seen.status_code == 200
        return self.confirm(url, version=seen.context["rehearsal"].version, **details)


@pytest.fixture
def desk(client: Client, support: User) -> Desk:
    client.force_login(support)
    return Desk(client)


def page(order: Order) -> str:
    return f"/admin/orders/order/{order.pk}/change/"


def ruling(order: Order, name: str) -> str:
    return f"/admin/orders/order/{order.pk}/rule/{name}/"


def cancel_milestone(order: Order) -> str:
    return ruling(order, "cancel_milestone")


def cancel_order(order: Order) -> str:
    return ruling(order, "cancel_order")


def open_case(order: Order) -> str:
    return f"/admin/orders/order/{order.pk}/open-case/"


def case_page(case: Case, what: str = "change") -> str:
    return f"/admin/resolution/case/{case.pk}/{what}/"


def logged() -> list[tuple[str, str, str]]:
    """Django's own log: who, on what, what."""
    entries = LogEntry.objects.select_related("user").order_by("pk")
    return [(entry.user.name, entry.object_repr, entry.get_change_message()) for entry in entries]
