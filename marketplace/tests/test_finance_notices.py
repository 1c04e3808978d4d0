"""Finance hears of what waits for it, each thing once."""

from collections.abc import Generator

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import UserFactory
from marketplace.notifications.models import Notice
from marketplace.tasks import tell_finance
from marketplace.tests import invariants
from orders.tests.factories import NOON, cancel_order, make_placed
from payments.models import Account, Refund
from payments.tests.steps import ask_for, connect, earn, owe

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _noon() -> Generator[None, None, None]:
    """At noon; in the end every promise holds."""
    with clock.at(NOON):
        yield
    assert invariants.check() == []


@pytest.fixture
def finance(transactional_db: None) -> User:
    person: User = UserFactory(is_staff=True)
    person.groups.add(Group.objects.get(name="Finance"))
    return person


def told(person: User) -> list[str]:
    return list(
        Notice.objects.filter(recipient=person, kind="finance").order_by("pk").values_list("own_title", flat=True)
    )


def test_finance_is_told_once_of_each_thing_that_waits_for_it(finance: User, client: Client) -> None:
    cancel_order(make_placed(method="card_refund_refused"))
    seller = UserFactory(name="Selma Seller")
    earn(seller)
    connect(seller)
    ask_for(seller)
    for _ in range(2):
        tell_finance()
    refund = Refund.objects.get()
    assert told(finance) == [
        f"A refund was refused: {refund}",
        "A withdrawal waits: $50.00 to Selma Seller (Waits for approval)",
    ]
    client.force_login(finance)
    for notice in Notice.objects.filter(recipient=finance, kind="finance"):
        assert client.get(notice.url).status_code == 200


def test_finance_forgives_a_debt_in_admin_and_support_does_not(finance: User, client: Client) -> None:
    seller = UserFactory(name="Selma Seller")
    connect(seller)
    owe(seller, 4000)
    account = Account.objects.get(code="debt")
    chosen = {"action": "forgive", "_selected_action": [account.pk]}
    support = UserFactory(is_staff=True)
    support.groups.add(Group.objects.get(name="Support"))
    client.force_login(support)
    client.post("/admin/payments/account/", chosen)
    assert Account.objects.with_balance().get(pk=account.pk).balance == -4000
    client.force_login(finance)
    done = client.post("/admin/payments/account/", chosen, follow=True)
    assert "$40.00 is forgiven." in done.text
    assert Account.objects.with_balance().get(pk=account.pk).balance == 0
    assert "Nothing is owed here." in client.post("/admin/payments/account/", chosen, follow=True).text
