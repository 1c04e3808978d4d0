"""O20: a deactivated seller's open milestone becomes a dispute for support at once; a buyer's clocks run on."""

import pytest
from django.test import Client

from marketplace.accounts.models import User
from marketplace.backoffice.tests.conftest import logged
from orders.tests.factories import fresh, make_accepted, make_placed
from resolution.models import Case
from resolution.services import open_owed_disputes

pytestmark = pytest.mark.django_db(transaction=True)

USERS = "/admin/accounts/user/"


def deactivate(client: Client, *people: User) -> list[str]:
    answer = client.post(
        USERS, {"action": "deactivate", "_selected_action": [person.pk for person in people]}, follow=True
    )
    return [str(message) for message in answer.context["messages"]]


@pytest.fixture
def root(client: Client, superuser: User) -> Client:
    client.force_login(superuser)
    return client


def test_a_deactivated_sellers_open_milestones_become_disputes_at_once(root: Client) -> None:
    open_one = make_placed()
    make_accepted(seller=open_one.seller)
    assert deactivate(root, open_one.seller) == [
        "Theo Lindqvist was deactivated.",
        "1 case was opened for support about the open milestones of Theo Lindqvist.",
    ]
    case = Case.objects.get()
    assert (case.order, case.status, case.side, case.reason.code) == (open_one, "escalated", "clock", "cannot_deliver")
    assert fresh(open_one).paused_at is not None
    assert [what for _, _, what in logged()] == [
        "The account was deactivated.",
        "1 case was opened for support about the open milestones of Theo Lindqvist.",
    ]
    assert open_owed_disputes() == 0


def test_a_deactivated_buyers_orders_go_on(root: Client) -> None:
    order = make_placed()
    assert deactivate(root, order.buyer) == ["Ana Ruiz was deactivated."]
    assert (Case.objects.count(), fresh(order).paused_at) == (0, None)


def test_who_was_inactive_before_gets_no_second_case(root: Client) -> None:
    order = make_placed()
    deactivate(root, order.seller)
    assert deactivate(root, order.seller) == []
    assert Case.objects.count() == 1


def test_nobody_is_deactivated_without_the_right(client: Client, support: User) -> None:
    client.force_login(support)
    order = make_placed()
    assert client.post(USERS, {"action": "deactivate", "_selected_action": [order.seller_id]}).status_code == 403
    assert (User.objects.get(pk=order.seller_id).is_active, Case.objects.count()) == (True, 0)
