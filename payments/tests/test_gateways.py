"""Which gateway is in use, what configuration it needs, and what only the sandbox does.

What every gateway does is in test_contract.py.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as project
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError
from django.db import transaction

from payments import services
from payments.checks import refuse_mixed_money, refuse_play_money, refuse_wrong_stripe_keys
from payments.gateways import GATEWAYS, GatewayUnavailable, Outcome, SandboxGateway, State, StripeGateway, gateway
from payments.models import PayoutAccount, SandboxCharge, SandboxEvent, SandboxRefund

from .factories import NOON, PersonFactory
from .steps import ask_for, asks, asks_back, connect, earn

STRIPE = {
    "PAYMENT_GATEWAY": "stripe",
    "STRIPE_SECRET_KEY": "sk_test_1",
    "STRIPE_PUBLISHABLE_KEY": "pk_test_1",
    "STRIPE_WEBHOOK_SECRET": "whsec_1",
}


def charge(method: str, key: str = "key") -> Outcome:
    return SandboxGateway().charge(asks(key, 100, method=method, return_url="/orders/7/"))


def test_the_setting_names_the_gateway(settings: Any) -> None:
    assert isinstance(gateway(), SandboxGateway)
    settings.PAYMENT_GATEWAY = "stripe"
    assert isinstance(gateway(), StripeGateway)
    # What the sandbox took before is still the sandbox's.
    assert isinstance(gateway("sandbox"), SandboxGateway)
    with pytest.raises(ImproperlyConfigured, match="PAYMENT_GATEWAY is 'telepathy'; choose one of: sandbox, stripe"):
        gateway("telepathy")


def test_a_start_knows_the_gateways_that_there_are() -> None:
    assert set(project.PAYMENT_GATEWAYS) == set(GATEWAYS) == {known.name for known in GATEWAYS.values()}


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        (STRIPE, ""),
        ({**STRIPE, "STRIPE_WEBHOOK_SECRET": ""}, "which needs what is not set: STRIPE_WEBHOOK_SECRET."),
        (
            {"PAYMENT_GATEWAY": "stripe"},
            "which needs what is not set: STRIPE_SECRET_KEY, STRIPE_PUBLISHABLE_KEY, STRIPE_WEBHOOK_SECRET.",
        ),
        ({"PAYMENT_GATEWAY": "telepathy"}, "PAYMENT_GATEWAY is 'telepathy'; choose one of: sandbox, stripe."),
    ],
)
def test_a_start_with_half_a_configuration_fails_with_what_is_missing(
    environment: dict[str, str], complaint: str
) -> None:
    start = subprocess.run(
        [sys.executable, "-c", "import marketplace.settings"],
        cwd=project.BASE_DIR,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    last_line = start.stderr.strip().split("\n")[-1]
    assert (start.returncode, complaint in last_line) == (int(bool(complaint)), True), start.stderr


@pytest.mark.parametrize(
    ("check", "changes", "found"),
    [
        (refuse_play_money, {"PAYMENT_GATEWAY": "sandbox"}, ["payments.E001"]),
        (refuse_play_money, {}, ["payments.E004"]),
        (refuse_play_money, {"STRIPE_SECRET_KEY": "rk_live_1"}, []),
        (refuse_wrong_stripe_keys, {}, []),
        (refuse_wrong_stripe_keys, {"PAYMENT_GATEWAY": "sandbox", "STRIPE_SECRET_KEY": "sk_live_1"}, []),
        (refuse_wrong_stripe_keys, {"STRIPE_SECRET_KEY": "sk_live_1"}, ["payments.E003"]),
        (refuse_wrong_stripe_keys, {"STRIPE_PUBLISHABLE_KEY": "pk_live_1"}, ["payments.E003"]),
        (refuse_wrong_stripe_keys, {"STRIPE_PUBLISHABLE_KEY": "nonsense"}, ["payments.E003"]),
        (refuse_wrong_stripe_keys, {"STRIPE_SECRET_KEY": "sk_live_1", "STRIPE_PUBLISHABLE_KEY": "pk_live_1"}, []),
        (
            refuse_wrong_stripe_keys,
            {"STRIPE_SECRET_KEY": "sk_live_1", "STRIPE_PUBLISHABLE_KEY": "pk_live_1", "DEBUG": True},
            ["payments.E002"],
        ),
    ],
)
def test_the_checks_find_keys_that_do_not_belong_here(
    settings: Any, check: Callable[[None], list[Any]], changes: dict[str, Any], found: list[str]
) -> None:
    for name, value in {**STRIPE, **changes}.items():
        setattr(settings, name, value)
    assert [error.id for error in check(None)] == found


@pytest.mark.django_db
def test_play_money_never_leaves_by_a_real_provider(settings: Any) -> None:
    seller = PersonFactory.create()
    settings.PAYMENT_GATEWAY = "stripe"
    assert refuse_mixed_money(None, databases=["default"]) == []
    settings.PAYMENT_GATEWAY = "sandbox"
    earn(seller)
    connect(seller)
    requested = ask_for(seller)
    assert refuse_mixed_money(None, databases=["default"]) == []
    settings.PAYMENT_GATEWAY = "stripe"
    refused = "This database holds the sandbox's play money; real money needs a database of its own."
    with pytest.raises(SystemCheckError, match=refused):
        call_command("migrate", "--check", skip_checks=False)
    with pytest.raises(CommandError, match="The demo is paid with the sandbox's test cards"):
        call_command("demo")
    ready = {"provider_id": "acct_1", "status": "ready", "created_at": NOON, "checked_at": NOON}
    PayoutAccount.objects.create(owner=seller, provider="stripe", **ready)
    assert services.why_not_withdraw(seller, "USD") == refused
    with transaction.atomic(), pytest.raises(services.WithdrawalRefused, match=refused):
        services.approve_withdrawal(requested, by=PersonFactory.create(), at=NOON)


@pytest.mark.django_db
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
def test_each_test_card_has_its_outcome(method: str, state: State, reason: str) -> None:
    outcome = charge(method)
    assert (outcome.state, outcome.reason, bool(outcome.action_url)) == (state, reason, method == "card_authentication")
    assert str(SandboxCharge.objects.get()) == f"key ({state})"


def test_every_test_card_is_explained() -> None:
    assert {card.code: card.explanation for card in SandboxGateway().payment_methods()} == {
        "card_ok": "Succeeds at once.",
        "card_declined": "Is declined.",
        "card_authentication": "Asks you to confirm the payment on your bank's page.",
        "card_processing": "Is processing for a while, then succeeds.",
        "card_processing_fails": "Is processing for a while, then fails.",
        "card_lost": "Is charged, but the answer gets lost.",
        "card_refund_refused": "Succeeds, but refuses every refund.",
        "card_disputed": "Succeeds, then the payer's bank takes the money back after a while.",
    }


@pytest.mark.django_db
def test_the_lost_card_loses_its_answer_once() -> None:
    with pytest.raises(GatewayUnavailable):
        charge("card_lost")
    assert charge("card_lost").succeeded


@pytest.mark.django_db
def test_a_charge_canceled_in_advance_is_kept_without_an_amount() -> None:
    SandboxGateway().cancel_charge(asks("key"))
    assert SandboxCharge.objects.get().amount == 0


@pytest.mark.django_db
def test_the_sandbox_tells_of_every_decision_once() -> None:
    provider = SandboxGateway()
    charge("card_ok", "one")
    charge("card_ok", "one")
    charge("card_declined", "two")
    charge("card_authentication", "three")
    provider.cancel_charge(asks("three"))
    provider.cancel_charge(asks("three"))
    provider.refund(asks_back("four", provider.find_charge(asks("one")).provider_id, 10))
    provider.refund(asks_back("five", provider.find_charge(asks("one")).provider_id, 91))
    assert list(SandboxEvent.objects.order_by("key").values_list("key", "kind", "created_at")) == [
        ("five", "refund.refused", NOON),
        ("four", "refund.succeeded", NOON),
        ("one", "charge.succeeded", NOON),
        ("three", "charge.canceled", NOON),
        ("two", "charge.failed", NOON),
    ]
    assert str(SandboxRefund.objects.get(key="four")) == "four (succeeded)"
