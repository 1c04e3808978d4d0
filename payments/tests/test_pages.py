"""The seller's earnings, and the sandbox's stand-in for the bank's page."""

from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags
from pytest_django import DjangoAssertNumQueries

from payments import services
from payments.models import Charge, HeldFunds, SandboxCharge, SandboxEvent

from .factories import HeldFundsFactory, PersonFactory, after
from .steps import begin, pay

pytestmark = pytest.mark.django_db


def rows(html: str) -> list[list[str]]:
    """The table rows of a page, as the texts of their cells."""
    cells = [row.split("</td>")[:-1] for row in html.split("<tr>")[1:] if "<td" in row]
    return [[" ".join(strip_tags(cell).split()) for cell in row] for row in cells]


def release(held: HeldFunds, **length: float) -> None:
    pay(held)
    with transaction.atomic():
        services.release(held, at=after(**length))


def test_earnings_show_what_was_earned_and_what_is_in_progress(client: Client) -> None:
    seller = PersonFactory.create()
    sketches, final, animation = (
        HeldFundsFactory.create(payee=seller, description=text, price=price, currency=currency)
        for text, price, currency in [("Sketches", 10_000, "USD"), ("Final", 20_000, "USD"), ("Voice", 1001, "JPY")]
    )
    release(sketches, hours=1)
    pay(final)
    with transaction.atomic():
        services.refund_part(final, price=12_000, at=after(hours=1))
    release(animation, days=2)
    release(HeldFundsFactory.create(description="Somebody else's"))
    HeldFundsFactory.create(payee=seller, description="Not paid yet")
    refunded = HeldFundsFactory.create(payee=seller, description="Canceled")
    pay(refunded)
    with transaction.atomic():
        services.refund_all(refunded, at=after(hours=1))
    client.force_login(seller)
    response = client.get(reverse("payments:earnings"))
    assert response.status_code == 200
    assert rows(response.content.decode()) == [
        ["Final", "3 Nov", "$80.00", "$16.00", "$64.00"],
        ["Voice", "5 Nov", "¥1,001", "¥200", "¥801"],
        ["Sketches", "3 Nov", "$100.00", "$20.00", "$80.00"],
    ]
    assert response.context["balances"] == [
        services.Balance("JPY", available=801),
        services.Balance("USD", available=8000),
    ]


def test_earnings_start_with_nothing(client: Client) -> None:
    client.force_login(PersonFactory.create())
    page = client.get("/earnings/").content.decode()
    assert rows(page) == []
    assert "Nothing yet. What you earn appears here" in page
    assert "No milestone is completed yet." in page


def test_earnings_are_for_those_who_are_signed_in(client: Client) -> None:
    assert client.get("/earnings/").headers["Location"] == "/accounts/login/?next=/earnings/"
    client.force_login(PersonFactory.create())
    assert client.post("/earnings/").status_code == 405


def test_earnings_are_paged(client: Client) -> None:
    seller = PersonFactory.create()
    for number in range(51):
        release(HeldFundsFactory.create(payee=seller, description=f"Milestone {number}"), minutes=number)
    client.force_login(seller)
    first, second = (rows(client.get(f"/earnings/?page={page}").content.decode()) for page in (1, 2))
    assert [len(first), first[0][0], len(second), second[0][0]] == [50, "Milestone 50", 1, "Milestone 0"]
    assert rows(client.get("/earnings/?page=nonsense").content.decode()) == first


def test_earnings_take_as_many_queries_for_many_milestones_as_for_few(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    seller = PersonFactory.create()
    client.force_login(seller)
    for number in range(1, 5):
        release(HeldFundsFactory.create(payee=seller, currency=["USD", "EUR"][number % 2]))
        pay(HeldFundsFactory.create(payee=seller))
        if number in (1, 4):
            # Session, viewer, count, balances, in progress, released, unread notices.
            with django_assert_num_queries(7):
                client.get("/earnings/")


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
