"""Money in the admin: looked at by those who may, edited by nobody."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import models, transaction
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks

from payments import services
from payments.models import Account, Charge, HeldFunds, ProviderEvent, Refund, SandboxCharge, Transfer

from .conftest import Commit
from .factories import NOON, HeldFundsFactory, PersonFactory
from .steps import pay

pytestmark = pytest.mark.django_db
SHOWN = [Account, Charge, HeldFunds, ProviderEvent, Refund, Transfer]


def address(model: type[models.Model], page: str, *args: object) -> str:
    return reverse(f"admin:payments_{model._meta.model_name}_{page}", args=args)


@pytest.fixture
def superuser(client: Client) -> Client:
    client.force_login(PersonFactory.create(is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def some_of_everything(held: HeldFunds, commit: Commit) -> Refund:
    pay(held, "card_refund_refused")
    with commit():
        refund = services.refund_part(held, price=5000, at=NOON)
    ProviderEvent.objects.create(provider="sandbox", event_id="1", kind="k", body={}, received_at=NOON)
    refund.refresh_from_db()
    return refund


@pytest.mark.parametrize("model", SHOWN)
def test_everything_can_be_looked_at_and_nothing_edited(
    superuser: Client, some_of_everything: Refund, model: type[models.Model]
) -> None:
    row = model._default_manager.first()
    assert row
    assert superuser.get(address(model, "changelist")).status_code == 200
    assert superuser.get(address(model, "change", row.pk)).status_code == 200
    assert superuser.post(address(model, "change", row.pk), {"amount": 1}).status_code == 403
    assert superuser.get(address(model, "add")).status_code == 403
    assert superuser.post(address(model, "add"), {}).status_code == 403
    assert superuser.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("model", SHOWN)
def test_searching_and_the_bulk_actions_change_nothing(
    superuser: Client, some_of_everything: Refund, model: type[models.Model]
) -> None:
    assert superuser.get(address(model, "changelist"), {"q": "order"}).status_code in (200, 302)
    before = model._default_manager.count()
    data = {"action": "delete_selected", "_selected_action": list(model._default_manager.values_list("pk", flat=True))}
    superuser.post(address(model, "changelist"), data | {"post": "yes"})
    assert model._default_manager.count() == before


def test_amounts_are_shown_in_their_currency(superuser: Client, some_of_everything: Refund) -> None:
    held = HeldFunds.objects.get()
    for page, amount in [
        (address(Account, "changelist"), "−$105.50"),
        (address(Account, "change", Account.objects.get(code="refunds_due").pk), "$52.75"),
        (address(Transfer, "changelist"), "$105.50"),
        (address(HeldFunds, "changelist"), "$52.75"),
        (address(HeldFunds, "change", held.pk), "$100.00"),
        (address(Charge, "changelist"), "$105.50"),
        (address(Refund, "change", some_of_everything.pk), "$52.75"),
    ]:
        assert amount in superuser.get(page).content.decode(), page


@pytest.mark.parametrize("model", SHOWN)
def test_lists_take_as_many_queries_for_many_rows_as_for_one(
    superuser: Client, some_of_everything: Refund, django_assert_num_queries: DjangoAssertNumQueries, model: Any
) -> None:
    expected = {Account: 5, Charge: 5, HeldFunds: 5, ProviderEvent: 7, Refund: 5, Transfer: 5}[model]
    superuser.get(address(model, "changelist"))
    with django_assert_num_queries(expected):
        superuser.get(address(model, "changelist"))
    for currency in ("USD", "EUR", "USD"):
        held = HeldFundsFactory.create(currency=currency)
        pay(held)
        with transaction.atomic():
            services.refund_all(held, at=NOON)
    with django_assert_num_queries(expected):
        superuser.get(address(model, "changelist"))


def ask_again(client: Client, *refunds: Refund) -> list[str]:
    data = {"action": "ask_provider_again", "_selected_action": [refund.pk for refund in refunds]}
    response = client.post(address(Refund, "changelist"), data, follow=True)
    return [str(message) for message in response.context["messages"]]


def test_staff_ask_the_provider_again(
    superuser: Client,
    some_of_everything: Refund,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    # The bank has changed its mind.
    SandboxCharge.objects.update(method="card_ok")
    refused = some_of_everything
    with django_capture_on_commit_callbacks(execute=True):
        assert ask_again(superuser, refused) == [f"{refused.key}: the provider is being asked again."]
    logged = LogEntry.objects.get()
    assert (logged.object_id, logged.change_message) == (str(refused.pk), "the provider is being asked again.")
    again = Refund.objects.get(attempt=2)
    assert (again.status, again.amount) == ("succeeded", refused.amount)
    why_not = "Only a refund that was refused, and that nothing was done about since, can be given again."
    assert sorted(ask_again(superuser, refused, again)) == [f"{refused.key}/2: {why_not}", f"{refused.key}: {why_not}"]
    assert (Refund.objects.count(), LogEntry.objects.count()) == (2, 1)


def test_asking_again_takes_its_own_permission(client: Client, some_of_everything: Refund) -> None:
    staff = PersonFactory.create(is_staff=True)
    client.force_login(staff)
    assert client.get(address(Refund, "changelist")).status_code == 403
    staff.user_permissions.add(Permission.objects.get(codename="view_refund"))
    assert "ask_provider_again" not in client.get(address(Refund, "changelist")).content.decode()
    ask_again(client, some_of_everything)
    assert Refund.objects.count() == 1
    staff.user_permissions.add(Permission.objects.get(codename="ask_refund_again"))
    assert "ask_provider_again" in client.get(address(Refund, "changelist")).content.decode()
    assert ask_again(client, some_of_everything) == [f"{some_of_everything.key}: the provider is being asked again."]
    assert Refund.objects.count() == 2


def test_staff_turn_a_refused_refund_into_credit(client: Client, some_of_everything: Refund) -> None:
    staff = PersonFactory.create(is_staff=True)
    client.force_login(staff)
    staff.user_permissions.add(Permission.objects.get(codename="view_refund"))
    data = {"action": "turn_into_credit", "_selected_action": [some_of_everything.pk]}
    client.post(address(Refund, "changelist"), data)
    assert Refund.objects.count() == 1
    staff.user_permissions.add(Permission.objects.get(codename="turn_refund_into_credit"))
    response = client.post(address(Refund, "changelist"), data, follow=True)
    assert [str(message) for message in response.context["messages"]] == [
        f"{some_of_everything.key}: given to the buyer as credit. Both sides are told."
    ]
    assert LogEntry.objects.get().change_message == "given to the buyer as credit. Both sides are told."
    assert services.balance(some_of_everything.held.payer, "USD", "credit") == some_of_everything.amount
