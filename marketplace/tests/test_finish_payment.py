"""The page that finishes a payment, where the provider says no more than that it cannot be."""

import pytest
from django.test import Client

from payments.gateways import GatewayError, GatewayUnavailable, StripeGateway
from payments.models import Charge
from payments.tests.factories import HeldFundsFactory
from payments.tests.steps import begin


@pytest.mark.django_db
@pytest.mark.parametrize("error", [GatewayError, GatewayUnavailable])
def test_a_provider_that_refuses_or_is_silent_is_told_of(
    client: Client, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def refuse(gateway: StripeGateway, provider_id: str) -> str:
        raise error("No such payment.")

    monkeypatch.setattr(StripeGateway, "client_secret", refuse)
    charge = begin(HeldFundsFactory.create())
    Charge.objects.update(provider="stripe", provider_id="pi_1", status="action_needed")
    client.force_login(charge.held.payer)
    assert client.get(f"/payments/{charge.key}/finish/").status_code == 503
