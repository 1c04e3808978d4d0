"""Refunds of PaymentIntents."""

from collections.abc import Mapping
from typing import Any

import stripe
from django.utils.translation import gettext_noop as _

from .base import GatewayUnavailable, Outcome, RefundRequest, State
from .stripe_client import NOT_SETTLED, asking, client, first_answer, if_known, key_of
from .stripe_words import why_not_refunded


def refund(request: RefundRequest) -> Outcome:
    def create(key: str) -> stripe.Refund:
        return client().v1.refunds.create(
            {"payment_intent": request.charge_id, "amount": request.amount, "metadata": {"key": request.key}},
            {"idempotency_key": key},
        )

    with asking():
        try:
            made = first_answer(create, request.key)
        except stripe.InvalidRequestError as error:
            if error.code == NOT_SETTLED:
                # Not refused for good: our balance at Stripe has to be filled first.
                raise GatewayUnavailable(_("Our balance at Stripe does not suffice for the refund.")) from error
            raise
        return outcome_of(made.to_dict())


def find_refund(request: RefundRequest) -> Outcome:
    with asking():
        found = if_known(lambda: _find(request))
        return Outcome(State.UNKNOWN) if found is None else outcome_of(found.to_dict())


def outcome_of(refund: Mapping[str, Any]) -> Outcome:
    """What a Refund says."""
    match refund["status"]:
        case "succeeded":
            return Outcome(State.SUCCEEDED, refund["id"])
        case "failed" | "canceled":
            return Outcome(State.FAILED, refund["id"], why_not_refunded(refund.get("failure_reason")))
        case _:
            return Outcome(State.PROCESSING, refund["id"])


def _find(request: RefundRequest) -> stripe.Refund | None:
    if request.provider_id:
        return client().v1.refunds.retrieve(request.provider_id)
    if not request.charge_id:
        return None
    listed = client().v1.refunds.list({"payment_intent": request.charge_id, "limit": 100})
    return next((refund for refund in listed.auto_paging_iter() if key_of(refund) == request.key), None)
