"""Paying with a real card form in a real Chromium: entered, declined, authenticated, saved, and used again (O3, O4)."""

import time
from collections.abc import Callable, Generator

import pytest
from django.test import Client
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

import orders.services
from marketplace.accounts.tests.factories import PASSWORD, UserFactory
from marketplace.tests import axe, invariants
from marketplace.tests.browsing import DESKTOP, PHONE, Person
from orders.models import Order
from orders.tests.factories import cents, current, deliver, make_offer
from payments.models import Charge, SavedCard
from payments.services import Cents
from payments.tests.peer import Peer

pytestmark = pytest.mark.django_db(transaction=True)

Pay = Callable[[str], None]
CSP = "content-security-policy"


@pytest.fixture
def buyer(browser: Browser, live_server: LiveServer, peer: Peer, width: int) -> Generator[Person, None, None]:
    """The buyer of an offer, signed in; the peer tells our webhook what happens."""
    peer.hook(f"{live_server.url}/webhooks/stripe/")
    ana = Person(browser, live_server.url, width=width)
    ana.open("/accounts/login/")
    ana.fill(login="ana@example.org", password=PASSWORD)
    ana.press("Sign in")
    yield ana
    ana.close()
    # A declined card is an answer with status 402, of which the browser complains.
    declined = [complaint for complaint in ana.complaints if "402" in complaint or "localstripe" in complaint]
    assert [complaint for complaint in ana.complaints if complaint not in declined] == []
    assert invariants.check() == []


@pytest.fixture
def offer(transactional_db: None) -> Order:
    return make_offer(buyer=UserFactory.create(name="Ana Ruiz", email="ana@example.org", password=PASSWORD))


def enter_card(person: Person, number: str) -> None:
    person.page.locator("[data-stripe='number']").fill(number)
    person.page.locator("[data-go]").click()


def answer_bank(person: Person, words: str) -> None:
    with person.page.expect_navigation():
        person.page.get_by_role("button", name=words).click()


def wait_for(what: Callable[[], bool]) -> None:
    for _ in range(100):
        if what():
            return
        time.sleep(0.1)
    pytest.fail("It did not happen within ten seconds.")


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_a_card_is_declined_another_authenticated_saved_and_used_for_the_next_milestone(
    offer: Order, buyer: Person, peer: Peer
) -> None:
    # The offer is accepted with a new card, which the buyer lets the provider keep.
    buyer.open(f"/orders/{offer.number}/place/")
    buyer.page.get_by_label("Save this card for the next milestone").check()
    buyer.pay("Card You enter the card on the next page.", "Accept the offer · pay $126.60")
    charge = Charge.objects.get()
    assert buyer.page.url.endswith(f"/payments/{charge.key}/finish/")
    assert (buyer.overflow, axe.violations(buyer.page)) == (0, [])

    # A declined card says why, and leaves the same attempt open for another one.
    enter_card(buyer, "4000000000000002")
    expect(buyer.page.locator("[data-problem]")).to_have_text("Your card was declined.")
    enter_card(buyer, "4000000000003220")
    answer_bank(buyer, "Complete authentication")
    buyer.is_told("The payment went through.")
    assert cents(offer) == Cents(charged=12_660, held=12_660)
    # Where the webhook was first, which knows nothing of the card, the provider is asked for it a moment later.
    wait_for(lambda: SavedCard.objects.filter(label="Visa ending in 3220").count() == 1)
    assert Charge.objects.get().method_label == "Visa ending in 3220"

    # The next milestone is paid with the saved card. Its bank asks again, and this time the buyer says no.
    deliver(offer)
    orders.services.accept(current(offer), by=offer.buyer)
    start = f"/orders/{offer.number}/milestones/{offer.milestones.get(position=2).pk}/start/"
    buyer.open(start)
    buyer.pay("Visa ending in 3220, saved", "Start the next milestone · pay $158.25")
    assert "Visa ending in 3220" in buyer.page.inner_text("main")
    assert (buyer.overflow, axe.violations(buyer.page)) == (0, [])
    buyer.page.locator("[data-go]").click()
    answer_bank(buyer, "Fail authentication")
    failed = Charge.objects.get(held__reference__endswith=str(current(offer).pk))
    assert failed.status == Charge.Status.FAILED
    buyer.is_told(f"The payment failed: {failed.reason} Nothing was charged; you can try again.")

    # They try again, and their bank lets it through.
    buyer.open(start.replace("/start/", "/pay/"))
    buyer.pay("Visa ending in 3220, saved", "Pay $158.25")
    buyer.page.locator("[data-go]").click()
    answer_bank(buyer, "Complete authentication")
    buyer.is_told("The payment went through.")
    assert cents(offer) == Cents(charged=12_660 + 15_825, held=15_825, seller=9_600, fees=3_060)
    assert not [asked for asked in peer.asked() if "off_session" in asked["fields"]]


@pytest.mark.parametrize("width", [DESKTOP])
def test_only_the_page_that_finishes_a_payment_lets_the_providers_script_in(
    offer: Order, buyer: Person, peer: Peer, live_server: LiveServer, client: Client
) -> None:
    buyer.open(f"/orders/{offer.number}/place/")
    buyer.pay("Card You enter the card on the next page.", "Accept the offer · pay $126.60")
    finish = buyer.page.url.removeprefix(live_server.url)
    client.force_login(offer.buyer)

    def policy(path: str) -> dict[str, str]:
        directives = client.get(path).headers[CSP].split("; ")
        return dict(directive.split(" ", 1) for directive in directives)

    ours = policy(f"/orders/{offer.number}/")
    assert ours["default-src"] == "'self'"
    assert "script-src" not in ours
    assert policy(finish) == {
        **ours,
        "script-src": f"'self' {peer.url}",
        "frame-src": f"{peer.url} https://hooks.stripe.com",
        "connect-src": f"'self' {peer.url}",
    }
    # Nobody else's attempt exists, and one that was given up leads back to the order.
    client.force_login(offer.seller)
    assert client.get(finish).status_code == 404
    buyer.open(f"/orders/{offer.number}/")
    buyer.open(f"/orders/{offer.number}/milestones/{current(offer).pk}/abandon/")
    buyer.press("Use another card")
    buyer.open(finish)
    buyer.is_told("This attempt to pay was given up. Nothing was charged.")
    assert buyer.page.url == f"{live_server.url}/orders/{offer.number}/"


@pytest.mark.parametrize("width", [DESKTOP])
def test_a_payment_that_went_through_in_another_tab_is_found_and_a_silent_provider_told_of(
    offer: Order, buyer: Person, peer: Peer, client: Client
) -> None:
    buyer.open(f"/orders/{offer.number}/place/")
    buyer.pay("Card You enter the card on the next page.", "Accept the offer · pay $126.60")
    finish = buyer.page.url.removeprefix(buyer.page.url.split("/payments/")[0])
    buyer.page.wait_for_load_state("networkidle")  # the page asks the provider too: the fault is for our question
    client.force_login(offer.buyer)
    peer.fault("error_500", path="GET /v1/payment_intents")
    silent = client.get(finish)
    assert silent.status_code == 503
    assert "does not answer at the moment" in silent.text

    peer.hook("http://127.0.0.1:9/")  # our webhook hears nothing
    peer.confirm(Charge.objects.get().provider_id)
    with buyer.page.expect_navigation(url=f"**/orders/{offer.number}/"):
        buyer.open(finish)
    buyer.is_told("The payment went through.")
    assert cents(offer) == Cents(charged=12_660, held=12_660)
