"""The sandbox's stand-in for the page of the payer's bank."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from payments import services
from payments.models import Charge, HeldFunds, SandboxCharge, SandboxEvent

from .steps import begin, pay

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting(held: HeldFunds) -> Charge:
    return pay(held, "card_authentication")


def page_of(charge: Charge) -> str:
    return reverse("payments:sandbox_authenticate", args=[SandboxCharge.objects.get(key=charge.key).pk])


def test_the_banks_page_says_what_is_to_be_paid(client: Client, waiting: Charge) -> None:
    response = client.get(waiting.action_url)
    text = " ".join(strip_tags(response.content.decode()).split())
    assert response.status_code == 200
    assert "Logo design: first sketches Amount$105.50 Approve the payment Decline" in text
    assert "no-store" in response.headers["Cache-Control"]


@pytest.mark.parametrize(("answer", "status", "funded"), [("approve", "succeeded", True), ("decline", "failed", False)])
def test_the_answer_is_known_here_when_the_payer_comes_back(
    client: Client, waiting: Charge, answer: str, status: str, funded: bool
) -> None:
    response = client.post(waiting.action_url, {"answer": answer})
    assert (response.status_code, response.headers["Location"]) == (302, "/orders/7/")
    waiting.refresh_from_db()
    assert (waiting.status, waiting.funded) == (status, funded)


def test_a_second_answer_changes_nothing(client: Client, waiting: Charge) -> None:
    for answer in ("approve", "decline", "approve"):
        assert client.post(waiting.action_url, {"answer": answer}).status_code == 302
    assert SandboxEvent.objects.count() == 1
    waiting.refresh_from_db()
    assert waiting.status == "succeeded"


@pytest.mark.parametrize(
    ("answer", "said"), [("approve", "this payment was approved"), ("decline", "this payment was declined")]
)
def test_an_answered_page_offers_only_the_way_back(client: Client, waiting: Charge, answer: str, said: str) -> None:
    client.post(waiting.action_url, {"answer": answer})
    page = client.get(waiting.action_url).content.decode()
    assert said in page
    assert "<form" not in page
    assert 'href="/orders/7/"' in page


def test_what_is_processing_has_nothing_to_confirm(client: Client, held: HeldFunds) -> None:
    page = client.get(page_of(pay(held, "card_processing"))).content.decode()
    assert "this payment is still being decided" in page
    assert "<form" not in page


@pytest.mark.parametrize("data", [{}, {"answer": "yes"}, {"answer": ""}])
def test_anything_but_an_answer_is_refused(client: Client, waiting: Charge, data: dict[str, str]) -> None:
    assert client.post(waiting.action_url, data).status_code == 400
    assert SandboxCharge.objects.get().status == "action_needed"


def test_the_answer_needs_the_forms_token(waiting: Charge) -> None:
    assert Client(enforce_csrf_checks=True).post(waiting.action_url, {"answer": "approve"}).status_code == 403
    assert SandboxCharge.objects.get().status == "action_needed"


@pytest.mark.parametrize(
    "url",
    ["https://evil.example/", "//evil.example", "javascript:alert(1)", "\\\\evil.example", "https:///evil.example", ""],
)
def test_the_way_back_never_leaves_the_site(client: Client, held: HeldFunds, url: str) -> None:
    charge = begin(held, "card_authentication")
    Charge.objects.update(return_url=url)
    services.ask_charge(charge.pk)
    assert client.post(page_of(charge), {"answer": "approve"}).headers["Location"] == "/"
    assert 'class="button" href="/"' in client.get(page_of(charge)).content.decode()


def test_a_payment_nobody_began_has_no_page(client: Client, waiting: Charge, settings: Any) -> None:
    assert client.get("/sandbox/authenticate/00000000-0000-0000-0000-000000000000/").status_code == 404
    assert client.get("/sandbox/authenticate/7/").status_code == 404
    settings.PAYMENT_GATEWAY = "stripe"
    assert client.get(waiting.action_url).status_code == 404
    assert client.post(waiting.action_url, {"answer": "approve"}).status_code == 404


def test_a_receiver_that_is_down_does_not_keep_the_payer_at_the_bank(
    client: Client, waiting: Charge, settings: Any
) -> None:
    settings.EVENT_RECEIVER = "payments.tests.steps.refuse_everything"
    assert client.post(waiting.action_url, {"answer": "approve"}).headers["Location"] == "/orders/7/"
    assert SandboxEvent.objects.get().delivered_at is None
