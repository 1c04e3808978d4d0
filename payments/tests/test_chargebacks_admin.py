"""Chargebacks in admin: who sees them, who decides about a rest, and who plays the sandbox's bank."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.contrib.messages import get_messages
from django.db import models, transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from payments import services
from payments.models import Account, Chargeback, HeldFunds, SandboxCharge, SandboxDispute

from .factories import NOON, PersonFactory, after
from .steps import ask_for, connect, earn, pay

pytestmark = pytest.mark.django_db


def staff(group: str) -> Client:
    person = PersonFactory.create(is_staff=True)
    person.groups.add(Group.objects.get(name=group))
    client = Client()
    client.force_login(person)
    return client


def page(model: type[models.Model], name: str = "changelist", *args: object) -> str:
    return reverse(f"admin:payments_{model._meta.model_name}_{name}", args=args)


def act(client: Client, row: models.Model, action: str) -> HttpResponse:
    return client.post(page(type(row)), {"action": action, "_selected_action": [row.pk]})


def said(answer: HttpResponse) -> list[str]:
    return [str(message) for message in get_messages(answer.wsgi_request)]


@pytest.fixture
def lost() -> Chargeback:
    """Lost after the seller had withdrawn $50.00 of $80.00: $75.50 is to be decided."""
    seller = PersonFactory.create(name="Selma Seller")
    held = earn(seller)
    connect(seller)
    ask_for(seller, 5000)
    with transaction.atomic():
        chargeback = services.take_back(
            held.charges.get(), provider_id="dp_1", amount=10_550, reason="Fraud.", at=after(days=1)
        )
        services.lose(chargeback, at=after(days=9))
    return chargeback


def balance(code: str) -> int:
    return Account.objects.with_balance().get(code=code).balance


def test_what_waits_for_the_bank_comes_first_then_what_waits_for_staff(lost: Chargeback, held: HeldFunds) -> None:
    pay(held)
    with transaction.atomic():
        charge = held.charges.get()
        won = services.take_back(charge, provider_id="dp_2", amount=100, reason="", at=NOON)
        services.win(won, at=NOON)
        taken = services.take_back(charge, provider_id="dp_3", amount=200, reason="", at=after(days=5))
    rows = staff("Support").get(page(Chargeback)).context["cl"].result_list
    assert list(rows) == [taken, lost, won]


def test_the_page_shows_what_can_be_owed_and_the_ledger_of_the_milestone(lost: Chargeback) -> None:
    html = staff("Finance").get(page(Chargeback, "change", lost.pk)).content.decode()
    shown = ("To be decided", "$75.50", "$50.00", "Chargeback lost", "Earnings frozen", "Selma Seller")
    assert [words for words in shown if words not in html] == []
    assert staff("Finance").post(page(Chargeback, "change", lost.pk), {"rest": 0}).status_code == 403


def test_finance_lets_the_seller_owe_what_they_have_withdrawn_once_and_it_is_logged(lost: Chargeback) -> None:
    finance = staff("Finance")
    assert said(act(finance, lost, "seller_owes_it")) == [
        f"$105.50 of {lost.charge.held.reference} (Lost): The seller owes it: $50.00. The platform bears it: $25.50"
    ]
    assert (balance("debt"), balance("loss"), balance("chargebacks")) == (-5000, -2550, 0)
    logged = [entry.change_message for entry in LogEntry.objects.all()]
    assert logged == ["The seller owes it: $50.00. The platform bears it: $25.50"]
    assert said(act(finance, lost, "platform_bears_it"))[-1].endswith(
        "Nothing is left to decide about this chargeback."
    )
    assert LogEntry.objects.count() == 1


def test_finance_lets_the_platform_bear_it(lost: Chargeback) -> None:
    act(staff("Finance"), lost, "platform_bears_it")
    assert balance("loss") == -7550
    assert not Account.objects.filter(code="debt").exists()


@pytest.mark.parametrize("side", ["payer", "payee"])
def test_nobody_decides_about_a_chargeback_of_their_own(lost: Chargeback, side: str) -> None:
    party = getattr(lost.charge.held, side)
    with pytest.raises(services.OwnMoney, match="Nobody decides about a chargeback of their own"):
        services.decide_rest(lost, rest_as="loss", by=party, at=NOON)
    party.is_staff = True
    party.save()
    party.groups.add(Group.objects.get(name="Finance"))
    client = Client()
    client.force_login(party)
    assert said(act(client, lost, "platform_bears_it"))[-1].endswith("Nobody decides about a chargeback of their own.")
    assert (balance("chargebacks"), LogEntry.objects.count()) == (-7550, 0)


def test_support_sees_it_and_decides_nothing(lost: Chargeback) -> None:
    support = staff("Support")
    assert support.get(page(Chargeback, "change", lost.pk)).status_code == 200
    act(support, lost, "seller_owes_it")
    lost.refresh_from_db()
    assert (lost.rest_decided_at, LogEntry.objects.count()) == (None, 0)


@pytest.mark.parametrize(("action", "status"), [("seller_wins", "won"), ("buyer_wins", "lost")])
def test_with_the_sandbox_finance_plays_the_bank(held: HeldFunds, action: str, status: str) -> None:
    pay(held)
    finance, theirs = staff("Finance"), SandboxCharge.objects.get()
    assert said(act(finance, theirs, "take_back")) == [f"{theirs.key}: taken."]
    assert Chargeback.objects.get().status == "open"
    assert said(act(finance, theirs, "take_back"))[-1].endswith("a bank could take back.")
    dispute = SandboxDispute.objects.get()
    assert finance.get(page(SandboxDispute)).status_code == 200
    assert finance.get(page(SandboxDispute, "change", dispute.pk)).status_code == 200
    act(finance, dispute, action)
    assert Chargeback.objects.get().status == status
    assert said(act(finance, dispute, action))[-1].endswith("The bank has decided already.")


def test_nobody_else_plays_it_and_with_another_provider_nobody_sees_it(held: HeldFunds, settings: Any) -> None:
    pay(held)
    support, theirs = staff("Support"), SandboxCharge.objects.get()
    assert support.get(page(SandboxCharge)).status_code == 200
    act(support, theirs, "take_back")
    assert not SandboxDispute.objects.exists()
    settings.PAYMENT_GATEWAY = "stripe"
    finance = staff("Finance")
    assert finance.get(page(SandboxCharge)).status_code == 403
    assert act(finance, theirs, "take_back").status_code == 403
    assert not SandboxDispute.objects.exists()
