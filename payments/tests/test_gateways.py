"""The sandbox as a provider, and which gateway is in use."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from payments.checks import refuse_sandbox
from payments.gateways import Gateway, GatewayError, GatewayUnavailable, Outcome, SandboxGateway, State, gateway
from payments.models import SandboxCharge, SandboxEvent, SandboxRefund

from .factories import NOON
from .steps import asks, asks_back

pytestmark = pytest.mark.django_db


def charge(method: str, key: str = "key", amount: int = 100, currency: str = "USD") -> Outcome:
    return gateway().charge(asks(key, amount, currency=currency, method=method, return_url="/orders/7/"))


def test_the_setting_names_the_gateway(settings: Any) -> None:
    assert isinstance(gateway(), SandboxGateway)
    settings.PAYMENT_GATEWAY = "telepathy"
    with pytest.raises(ImproperlyConfigured, match="PAYMENT_GATEWAY is 'telepathy'; choose one of: sandbox"):
        gateway()
    # What the sandbox took before is still the sandbox's.
    assert isinstance(gateway("sandbox"), SandboxGateway)


def test_the_sandbox_never_passes_the_deployment_check(settings: Any) -> None:
    assert [error.id for error in refuse_sandbox(None)] == ["payments.E001"]
    settings.PAYMENT_GATEWAY = "stripe"
    assert refuse_sandbox(None) == []


def test_every_test_card_is_explained() -> None:
    provider: Gateway = gateway()
    assert {card.code: card.explanation for card in provider.payment_methods()} == {
        "card_ok": "Succeeds at once.",
        "card_declined": "Is declined.",
        "card_authentication": "Asks you to confirm the payment on your bank's page.",
        "card_processing": "Is processing for a while, then succeeds.",
        "card_processing_fails": "Is processing for a while, then fails.",
        "card_lost": "Is charged, but the answer gets lost.",
        "card_refund_refused": "Succeeds, but refuses every refund.",
        "card_disputed": "Succeeds, then the payer's bank takes the money back after a while.",
    }
    assert provider.step("KWD") == 1


@pytest.mark.parametrize(
    ("method", "state", "reason"),
    [
        ("card_ok", State.SUCCEEDED, ""),
        ("card_refund_refused", State.SUCCEEDED, ""),
        ("card_disputed", State.SUCCEEDED, ""),
        ("card_declined", State.FAILED, "Your card was declined."),
        ("card_authentication", State.ACTION_NEEDED, ""),
        ("card_processing", State.PROCESSING, ""),
        ("card_processing_fails", State.PROCESSING, ""),
        ("card_from_the_future", State.FAILED, "There is no such card."),
    ],
)
def test_each_card_has_its_outcome_and_keeps_it_when_asked_again(method: str, state: State, reason: str) -> None:
    outcome = charge(method)
    assert (outcome.state, outcome.reason, bool(outcome.action_url)) == (state, reason, method == "card_authentication")
    assert charge(method) == gateway().find_charge(asks("key")) == outcome
    assert str(SandboxCharge.objects.get()) == f"key ({state})"


def test_the_lost_card_charges_and_then_says_nothing_once() -> None:
    with pytest.raises(GatewayUnavailable):
        charge("card_lost")
    assert charge("card_lost").succeeded
    assert SandboxCharge.objects.get().status == "succeeded"


@pytest.mark.parametrize("other", [{"amount": 101}, {"currency": "EUR"}])
def test_a_key_stands_for_one_request(other: dict[str, Any]) -> None:
    charge("card_ok")
    with pytest.raises(GatewayError, match="The key key was used for another amount"):
        charge("card_ok", **other)


def test_what_was_never_asked_for_is_unknown() -> None:
    assert gateway().find_charge(asks("key")) == Outcome(State.UNKNOWN)
    assert gateway().find_refund(asks_back("key", "", 1)) == Outcome(State.UNKNOWN)


@pytest.mark.parametrize(
    ("method", "state"),
    [
        ("card_ok", State.SUCCEEDED),
        ("card_declined", State.FAILED),
        ("card_authentication", State.CANCELED),
        ("card_processing", State.PROCESSING),
    ],
)
def test_only_what_waits_for_the_payer_is_canceled(method: str, state: State) -> None:
    charge(method)
    assert gateway().cancel_charge(asks("key")).state == gateway().cancel_charge(asks("key")).state == state


def test_a_charge_canceled_in_advance_never_charges() -> None:
    assert gateway().cancel_charge(asks("key")).state == State.CANCELED
    assert charge("card_ok").state == State.CANCELED
    assert SandboxCharge.objects.get().amount == 0


def test_the_sandbox_tells_of_every_decision_once() -> None:
    charge("card_ok", "one")
    charge("card_ok", "one")
    charge("card_declined", "two")
    charge("card_authentication", "three")
    gateway().cancel_charge(asks("three"))
    gateway().cancel_charge(asks("three"))
    gateway().refund(asks_back("four", gateway().find_charge(asks("one")).provider_id, 10))
    gateway().refund(asks_back("five", gateway().find_charge(asks("one")).provider_id, 91))
    assert list(SandboxEvent.objects.order_by("key").values_list("key", "kind", "created_at")) == [
        ("five", "refund.refused", NOON),
        ("four", "refund.succeeded", NOON),
        ("one", "charge.succeeded", NOON),
        ("three", "charge.canceled", NOON),
        ("two", "charge.failed", NOON),
    ]
    assert str(SandboxRefund.objects.get(key="four")) == "four (succeeded)"
