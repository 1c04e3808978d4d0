"""The buttons of a purse: connect a bank, withdraw, call it off, pay what is owed; and the sandbox's bank."""

import pytest
from django.test import Client
from django.utils.html import strip_tags

from marketplace.accounts.models import User
from payments import services
from payments.gateways import (
    GATEWAYS,
    GatewayError,
    GatewayUnavailable,
    PayoutAccountState,
    SandboxGateway,
    sandbox_bank,
)
from payments.models import PayoutAccount, SandboxPayoutAccount, Withdrawal

from .factories import PersonFactory
from .steps import ask_for, connect, earn, owe

pytestmark = pytest.mark.django_db
WITHDRAW = "/earnings/withdraw/USD/"


@pytest.fixture
def seller(db: None) -> User:
    seller = PersonFactory.create()
    earn(seller)
    connect(seller)
    return seller


@pytest.fixture
def browser(client: Client, seller: User) -> Client:
    client.force_login(seller)
    return client


def text(response: object) -> str:
    return " ".join(strip_tags(response.content.decode()).split())


def told(client: Client) -> list[str]:
    return [str(message) for message in client.get("/earnings/").context["messages"]]


def test_a_seller_withdraws_in_two_steps(browser: Client, seller: User) -> None:
    page = browser.get(WITHDRAW)
    assert 'value="80.00"' in page.content.decode()
    assert "At least$10.00 At most at once$10,000.00" in text(page)
    look = browser.post(WITHDRAW, {"amount": "$50"})
    assert look.status_code == 200
    assert "You withdraw$50.00 Available afterwards$30.00 It is paid to Sandbox Bank ending in 6789." in text(look)
    assert not Withdrawal.objects.exists()
    done = browser.post(WITHDRAW, {"amount": "$50", "confirm": "yes"})
    assert (done.status_code, done.headers["Location"]) == (302, "/earnings/")
    assert Withdrawal.objects.get().amount == 5000
    assert told(browser) == ["You asked to withdraw $50.00. We tell you when it is decided."]
    again = browser.post(WITHDRAW, {"amount": "$50", "confirm": "yes"})
    assert (again.status_code, Withdrawal.objects.count()) == (409, 1)


@pytest.mark.parametrize(
    ("typed", "status", "why_not"),
    [
        ("81", 409, "Only $80.00 is available."),
        ("9.99", 409, "The least that can be withdrawn is $10.00."),
        ("1e9", 422, "Enter an amount like 123.45, without signs or letters."),
        ("-5", 422, "Enter an amount like 123.45"),
        ("5\x000", 422, "Null characters are not allowed."),
        ("", 422, "This field is required."),
    ],
)
def test_what_cannot_be_withdrawn_is_said_and_what_was_typed_stays(
    browser: Client, typed: str, status: int, why_not: str
) -> None:
    for data in ({"amount": typed}, {"amount": typed, "confirm": "yes"}):
        response = browser.post(WITHDRAW, data)
        assert (response.status_code, why_not in text(response)) == (status, True)
        if typed.isprintable() and typed:
            assert f'value="{typed}"' in response.content.decode()
    assert not Withdrawal.objects.exists()


def test_the_page_says_at_once_what_stands_in_the_way(client: Client) -> None:
    seller = PersonFactory.create()
    client.force_login(seller)
    assert "Connect a bank account first." in text(client.get(WITHDRAW))
    connect(seller)
    assert "Less is available than the least that can be withdrawn." in text(client.get(WITHDRAW))
    assert 'name="amount"' not in client.get(WITHDRAW).content.decode()
    assert client.get("/earnings/withdraw/XXX/").status_code == 404
    assert client.get("/earnings/debt/usd/").status_code == 404


def test_these_pages_are_for_those_who_are_signed_in(client: Client, seller: User) -> None:
    withdrawal = ask_for(seller)
    for page in (WITHDRAW, f"/earnings/withdrawals/{withdrawal.pk}/cancel/", "/earnings/debt/USD/", "/earnings/bank/"):
        assert client.post(page).headers["Location"] == f"/accounts/login/?next={page}"
    client.force_login(seller)
    assert client.get("/earnings/bank/").status_code == 405


def test_a_seller_calls_off_their_own_withdrawal_and_nobody_elses(browser: Client, seller: User) -> None:
    other = PersonFactory.create()
    earn(other)
    connect(other)
    theirs, mine = ask_for(other), ask_for(seller)
    page = f"/earnings/withdrawals/{mine.pk}/cancel/"
    assert browser.post(f"/earnings/withdrawals/{theirs.pk}/cancel/").status_code == 404
    assert "Your withdrawal of $50.00 is called off" in text(browser.get(page))
    assert browser.post(page).headers["Location"] == "/earnings/"
    assert told(browser) == ["Your withdrawal of $50.00 is called off; the money is available again."]
    assert browser.post(page).status_code == 409
    assert "It was decided already" in text(browser.get(page))
    assert services.balance(seller, "USD") == 8000


def test_a_seller_pays_what_they_owe(client: Client) -> None:
    seller, browser = PersonFactory.create(), client
    browser.force_login(seller)
    connect(seller)
    owe(seller, 10_000)
    earn(seller)
    page = browser.get("/earnings/debt/USD/")
    assert "$80.00 of what is available to you is used to pay what you owe the platform. $20.00 stays owed." in text(
        page
    )
    assert browser.post("/earnings/debt/USD/").headers["Location"] == "/earnings/"
    assert told(browser) == ["You paid $80.00 of what you owed."]
    assert "Nothing is available to pay it from." in text(browser.get("/earnings/debt/USD/"))
    assert browser.post("/earnings/debt/USD/").status_code == 409
    assert "You owe nothing in this currency." in text(browser.get("/earnings/debt/EUR/"))


def test_a_bank_is_connected_on_the_providers_page(client: Client) -> None:
    seller = PersonFactory.create()
    client.force_login(seller)
    page = client.post("/earnings/bank/").headers["Location"]
    account = SandboxPayoutAccount.objects.get()
    assert page == f"/sandbox/bank/{account.pk}/?return=http%3A%2F%2Ftestserver%2Fearnings%2F"
    bank = Client()  # the provider knows no session of ours
    shown = bank.get(page)
    assert [known.label for known in sandbox_bank.ACCOUNTS if known.label not in text(shown)] == []
    assert bank.post(page, {"account": "bank_golden"}).status_code == 400
    assert bank.post(page, {"account": "bank_ok"}).headers["Location"] == "http://testserver/earnings/"
    assert PayoutAccount.objects.get().status == "incomplete"  # its event asks the top to ask; here nobody does
    assert client.post("/earnings/bank/").headers["Location"] == "/earnings/"
    assert told(client) == ["Your bank is connected: Sandbox Bank ending in 6789."]
    assert client.post("/earnings/bank/", {"change": "yes"}).headers["Location"] == page


def test_the_banks_page_is_the_sandboxs_alone(client: Client, seller: User, settings: object) -> None:
    page = f"/sandbox/bank/{SandboxPayoutAccount.objects.get().pk}/"
    assert 'href="/"' in client.get(f"{page}?return=https://evil.example/").content.decode()
    assert client.post(f"{page}?return=//evil.example", {"account": "bank_ok"}).headers["Location"] == "/"
    assert client.get("/sandbox/bank/00000000-0000-0000-0000-000000000000/").status_code == 404
    settings.PAYMENT_GATEWAY = "stripe"
    assert client.get(page).status_code == 404


class Elsewhere(SandboxGateway):
    def payout_account_page(self, provider_id: str, return_url: str) -> str:
        return "https://connect.example/onboarding"


def test_a_page_on_another_site_is_a_link(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(GATEWAYS, "sandbox", Elsewhere)
    page = browser.post("/earnings/bank/", {"change": "yes"})
    assert (page.status_code, 'href="https://connect.example/onboarding"' in page.content.decode()) == (200, True)


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (GatewayUnavailable(), "The payment provider does not answer at the moment. Please try again in a minute."),
        (GatewayError("No."), "The payment provider refused this: No."),
    ],
)
def test_a_provider_that_does_not_answer_breaks_nothing(
    browser: Client, monkeypatch: pytest.MonkeyPatch, failure: Exception, said: str
) -> None:
    class Broken(SandboxGateway):
        def payout_account(self, provider_id: str) -> PayoutAccountState:
            raise failure

    monkeypatch.setitem(GATEWAYS, "sandbox", Broken)
    assert browser.post("/earnings/bank/").headers["Location"] == "/earnings/"
    assert told(browser) == [said]
