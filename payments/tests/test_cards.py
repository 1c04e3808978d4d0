"""Saved cards: kept with consent, chosen by their owner only, and forgotten for good."""

from datetime import date
from typing import ClassVar

import pytest
from django.db import transaction
from django.test import Client

from marketplace.accounts.models import User
from payments import services
from payments.gateways import GATEWAYS, ChargeRequest, GatewayUnavailable, KeptCard, Outcome, SandboxGateway, State
from payments.models import Charge, HeldFunds, SandboxCharge, SavedCard
from payments.money import display
from payments.services import charging

from .conftest import Commit
from .factories import NOON, HeldFundsFactory, PersonFactory, after
from .steps import settle

pytestmark = pytest.mark.django_db


class Vault(SandboxGateway):
    """The sandbox as a provider that keeps cards under numbers of its own."""

    card: ClassVar[KeptCard | None] = None
    asked: ClassVar[list[ChargeRequest]] = []
    forgotten: ClassVar[list[tuple[str, str]]] = []
    silent: ClassVar[list[bool]] = []

    def charge(self, request: ChargeRequest) -> Outcome:
        self.asked.append(request)
        return self._kept(super().charge(request))

    def find_charge(self, request: ChargeRequest) -> Outcome:
        if self.silent:
            raise GatewayUnavailable
        return self._kept(super().find_charge(request))

    def _kept(self, outcome: Outcome) -> Outcome:
        return Outcome(outcome.state, outcome.provider_id, method_label="Visa ending in 4242", card=self.card)

    def forget_card(self, customer: str, card_id: str) -> None:
        if self.silent:
            raise GatewayUnavailable
        self.forgotten.append((customer, card_id))


@pytest.fixture(autouse=True)
def vault(monkeypatch: pytest.MonkeyPatch) -> type[Vault]:
    monkeypatch.setitem(GATEWAYS, "sandbox", Vault)
    monkeypatch.setattr(Vault, "card", KeptCard("card_ok", "Visa ending in 4242", "2030-12"))
    for name in ("asked", "forgotten", "silent"):
        monkeypatch.setattr(Vault, name, [])
    return Vault


def begin(held: HeldFunds, method: str = "card_ok", *, keep_card: bool = True, use_credit: bool = False) -> Charge:
    with transaction.atomic():
        return services.begin_charge(held, method=method, at=NOON, keep_card=keep_card, use_credit=use_credit)


def saved(owner: User, **of: object) -> SavedCard:
    details = {"provider": "sandbox", "provider_id": "card_ok", "label": "Visa ending in 4242", "created_at": NOON}
    return SavedCard.objects.create(owner=owner, **{**details, **of})


def test_a_card_is_saved_once_with_consent_and_pays_the_next_time(held: HeldFunds, vault: type[Vault]) -> None:
    settle(begin(held))
    [card] = services.usable_cards(held.payer)
    assert (card.provider_id, card.label, card.expires_on) == ("card_ok", "Visa ending in 4242", date(2030, 12, 31))
    settle(begin(HeldFundsFactory.create(payer=held.payer)))
    assert list(services.usable_cards(held.payer)) == [card]
    charge = begin(HeldFundsFactory.create(payer=held.payer), f"saved-{card.pk}")
    assert (charge.card, charge.method, charge.method_label) == (card, "card_ok", "Visa ending in 4242")
    assert not charge.keep_card  # it is kept already
    settle(charge)
    assert [(asked.saved, asked.keep, asked.customer) for asked in vault.asked] == [
        (False, True, f"customer-{held.payer_id}"),
        (False, True, f"customer-{held.payer_id}"),
        (True, False, f"customer-{held.payer_id}"),
    ]


def test_without_consent_no_card_is_saved(held: HeldFunds) -> None:
    charge = begin(held, keep_card=False)
    settle(charge)
    charge.refresh_from_db()
    assert (charge.status, charge.method_label) == ("succeeded", "Visa ending in 4242")
    assert not SavedCard.objects.exists()


def test_a_card_that_the_provider_does_not_keep_is_not_saved(
    held: HeldFunds, commit: Commit, vault: type[Vault]
) -> None:
    vault.card = None
    charge = begin(held)
    outcome = services.ask_charge(charge.pk)
    with commit():
        services.record_outcome(charge, outcome, at=NOON)
        services.fund(charge, at=NOON)
    assert not SavedCard.objects.exists()


@pytest.mark.parametrize(("silent", "cards"), [(False, ["Visa ending in 4242"]), (True, [])])
def test_after_an_event_without_the_card_the_provider_is_asked_for_it(
    held: HeldFunds, commit: Commit, vault: type[Vault], silent: bool, cards: list[str]
) -> None:
    charge = begin(held)
    services.ask_charge(charge.pk)  # and its answer got lost
    vault.silent = [True] * silent
    with commit():
        services.record_outcome(charge, Outcome(State.SUCCEEDED), at=NOON)
        services.fund(charge, at=NOON)
    assert [card.label for card in services.usable_cards(held.payer)] == cards
    assert Charge.objects.get().funded


def test_a_card_without_an_expiry_is_usable_and_an_expired_one_is_not(held: HeldFunds) -> None:
    forever = saved(held.payer)
    today = saved(held.payer, provider_id="today", expires_on=NOON.date())
    expired = saved(held.payer, provider_id="expired", expires_on=date(2026, 11, 2))
    removed = saved(held.payer, provider_id="removed", removed_at=NOON)
    other = saved(held.payer, provider="stripe")
    foreign = saved(PersonFactory.create())
    assert list(services.usable_cards(held.payer)) == [today, forever]
    unusable = [expired.pk, removed.pk, other.pk, foreign.pk, 0, "x", "-1", "²", "9" * 30, ""]
    for pk in unusable:
        with pytest.raises(services.UnknownMethod):
            begin(held, f"saved-{pk}")
    assert not Charge.objects.exists()


def test_a_removed_card_is_forgotten_at_the_provider_after_the_commit(
    held: HeldFunds, commit: Commit, vault: type[Vault]
) -> None:
    card = saved(held.payer)
    with commit():
        services.forget_card(card, at=after(days=1))
        assert vault.forgotten == []
    assert vault.forgotten == [(f"customer-{held.payer_id}", "card_ok")]
    assert (card.removed_at, list(services.usable_cards(held.payer))) == (after(days=1), [])
    with commit():
        services.forget_card(card, at=after(days=2))
    assert len(vault.forgotten) == 1
    vault.card = KeptCard("card_ok", "Visa ending in 4242")
    settle(begin(held))  # saved again, it is another row
    assert list(SavedCard.objects.order_by("pk").values_list("expires_on", "removed_at")) == [
        (None, after(days=1)),
        (None, None),
    ]


def test_a_silent_provider_keeps_nobody_from_removing_a_card(
    held: HeldFunds, commit: Commit, vault: type[Vault]
) -> None:
    card = saved(held.payer)
    vault.silent = [True]
    with commit():
        services.forget_card(card, at=NOON)
    assert list(services.usable_cards(held.payer)) == []


def test_a_payment_with_credit_alone_keeps_no_card(held: HeldFunds, commit: Commit) -> None:
    settle(begin(held, keep_card=False))
    with commit():
        services.refund_all(held, at=NOON, as_credit=True)
    charge = begin(HeldFundsFactory.create(payer=held.payer), use_credit=True)
    assert (charge.card_amount, charge.keep_card) == (0, False)
    settle(charge)
    charging.ask_for_card(charge.pk)  # there is none, so nobody is asked
    assert not SavedCard.objects.exists()
    assert SandboxCharge.objects.count() == 1


def test_the_page_shows_cards_and_credit_to_their_owner(client: Client, held: HeldFunds, commit: Commit) -> None:
    saved(held.payer, expires_on=date(2030, 12, 31))
    saved(PersonFactory.create(), label="Visa ending in 9999")
    settle(begin(held, keep_card=False))
    with commit():
        services.refund_all(held, at=NOON, as_credit=True)
    begin(HeldFundsFactory.create(payer=held.payer, description="Logo: final", price=100), use_credit=True)
    client.force_login(held.payer)
    page = client.get("/cards/").content.decode()
    for text in ("Visa ending in 4242", "expires 12/2030", "$104.44", "$1.06", "Refunded as credit", "+$105.50"):
        assert text in page
    for text in ("Used for a payment", "Logo: final", display(-106, "USD")):
        assert text in page
    assert "9999" not in page


def test_a_card_that_cannot_be_used_any_more_is_shown_and_can_be_removed(client: Client, held: HeldFunds) -> None:
    expired = saved(held.payer, provider_id="expired", label="Visa ending in 1111", expires_on=date(2026, 10, 31))
    elsewhere = saved(held.payer, provider="stripe", provider_id="pm_1", label="Visa ending in 2222")
    client.force_login(held.payer)
    assert list(services.usable_cards(held.payer)) == []
    page = client.get("/cards/").content.decode()
    assert ("expired 10/2026 · no longer usable" in page, page.count("no longer usable")) == (True, 2)
    for card in (expired, elsewhere):
        assert f"{card.label} was removed." in client.post(f"/cards/{card.pk}/remove/", follow=True).content.decode()
    assert list(services.kept_cards(held.payer)) == []


def test_the_page_says_that_there_is_nothing_yet(client: Client) -> None:
    client.force_login(PersonFactory.create())
    page = client.get("/cards/").content.decode()
    assert "No card is saved." in page
    assert "You have no credit." in page


def test_only_the_owner_removes_a_card_and_only_by_posting(client: Client, held: HeldFunds) -> None:
    card = saved(held.payer)
    address = f"/cards/{card.pk}/remove/"
    assert client.post(address).status_code == 302  # to the page that signs in
    client.force_login(PersonFactory.create())
    assert client.post(address).status_code == 404
    client.force_login(held.payer)
    assert client.get(address).status_code == 405
    assert list(services.usable_cards(held.payer)) == [card]
    page = client.post(address, follow=True)
    assert "Visa ending in 4242 was removed. It can no longer be charged." in page.content.decode()
    assert list(services.usable_cards(held.payer)) == []
    assert client.post(address).status_code == 404
