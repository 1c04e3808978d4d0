"""Charges as PaymentIntents: what is asked of Stripe, and what its answer means.

Each carries in its metadata our key and the `flow`: `new`, a card that the payer enters on our page; `saved`, a card
that they saved before; `never`, an intent that only occupies the key of a charge that was canceled in advance.
A declined new card can be followed by another on the same page; a declined saved card ends its charge, and so does
a bank that declines after it took its time: the payer has left the page by then, and begins anew.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import stripe
from django.urls import reverse
from django.utils.translation import gettext_noop as _
from stripe.params import PaymentIntentCreateParams, PaymentIntentListParams

from .base import ChargeRequest, GatewayError, GatewayUnavailable, KeptCard, Outcome, State
from .stripe_client import asking, client, if_known, is_repeated, key_of, since
from .stripe_words import DECLINED, card_label, why_declined

NEW_CARD = "new_card"
NEW, SAVED, NEVER = "new", "saved", "never"
FINISH_PAGE = "finish_payment"
# How Stripe remembers that we canceled an intent because its saved card was declined.
_AFTER_A_DECLINE = "abandoned"
_ON_REQUEST = "requested_by_customer"
_WAITING = ("requires_payment_method", "requires_confirmation", "requires_action")


def charge(request: ChargeRequest) -> Outcome:
    with asking():
        try:
            intent = client().v1.payment_intents.create(_terms(request), {"idempotency_key": request.key})
        except stripe.CardError as error:
            return _ended_by_decline(_intent_of(error), why_declined(_error_of(error)))
        except stripe.IdempotencyError as error:
            occupied = _find(request)
            if occupied is None or _flow(occupied) != NEVER:
                raise GatewayError(f"The key {request.key} was used for another amount.") from error
            return _concluded(occupied)
        if intent.last_response and is_repeated(intent.last_response.headers):
            intent = _retrieve(intent.id)
        return _concluded(intent)


def find_charge(request: ChargeRequest) -> Outcome:
    with asking():
        intent = _find(request)
        return Outcome(State.UNKNOWN) if intent is None else _concluded(intent, was_processing=request.processing)


def cancel_charge(request: ChargeRequest) -> Outcome:
    with asking():
        intent = _find(request) or _occupied(request)
        return outcome_of(_canceled(intent, _ON_REQUEST).to_dict())


def client_secret(provider_id: str) -> str:
    """What the payer's browser needs to finish this charge."""
    with asking():
        return client().v1.payment_intents.retrieve(provider_id).client_secret or ""


def outcome_of(intent: Mapping[str, Any]) -> Outcome:
    """What a PaymentIntent says; from an event it lacks the card, of which `charge.succeeded` tells."""
    provider_id, metadata = intent["id"], intent.get("metadata") or {}
    error = intent.get("last_payment_error")
    reason = why_declined(error) if error else ""
    match intent["status"]:
        case "succeeded":
            keep = bool(intent.get("setup_future_usage"))
            return paid_by(intent.get("latest_charge"), provider_id, keep=keep)
        case "processing":
            return Outcome(State.PROCESSING, provider_id)
        case "canceled" if intent.get("cancellation_reason") == _AFTER_A_DECLINE:
            return Outcome(State.FAILED, provider_id, reason or DECLINED)
        case "canceled":
            return Outcome(State.CANCELED, provider_id, _("Canceled."))
        case _:
            action_url = reverse(FINISH_PAGE, args=[metadata["key"]])
            return Outcome(State.ACTION_NEEDED, provider_id, reason, action_url)


def paid_by(charged: Any, provider_id: str, *, keep: bool) -> Outcome:
    """A success, with the card as far as Stripe's Charge tells of it."""
    details = charged.get("payment_method_details") if isinstance(charged, Mapping) else None
    card = (details or {}).get("card")
    if not card:
        return Outcome(State.SUCCEEDED, provider_id)
    label, expires = card_label(card), f"{card['exp_year']}-{card['exp_month']:02}"
    kept = KeptCard(charged["payment_method"], label, expires) if keep else None
    return Outcome(State.SUCCEEDED, provider_id, method_label=label, card=kept)


def _terms(request: ChargeRequest) -> PaymentIntentCreateParams:
    keep = request.keep and not request.saved and bool(request.customer)
    terms = _bare_terms(request, SAVED if request.saved else NEW, {"keep": "yes"} if keep else {})
    terms["description"] = request.description
    terms["expand"] = ["latest_charge"]
    if request.saved:
        # The payer is present (O3): what their bank asks them, they answer on our page.
        terms["payment_method"], terms["confirm"], terms["use_stripe_sdk"] = request.method, True, True
    if keep:
        terms["setup_future_usage"] = "on_session"
    return terms


def _bare_terms(request: ChargeRequest, flow: str, also: dict[str, str]) -> PaymentIntentCreateParams:
    terms: PaymentIntentCreateParams = {
        "amount": request.amount,
        "currency": request.currency.lower(),
        "allowed_payment_method_types": ["card"],
        "metadata": {"key": request.key, "reference": request.reference, "flow": flow, **also},
    }
    if request.customer:
        terms["customer"] = request.customer
    return terms


def _find(request: ChargeRequest) -> stripe.PaymentIntent | None:
    if request.provider_id:
        return if_known(lambda: _retrieve(request.provider_id))
    terms: PaymentIntentListParams = {
        "created": {"gte": since(request.began_at)},
        "limit": 100,
        "expand": ["data.latest_charge"],
    }
    if request.customer:
        terms["customer"] = request.customer
    listed = client().v1.payment_intents.list(terms)
    return next((intent for intent in listed.auto_paging_iter() if key_of(intent) == request.key), None)


def _occupied(request: ChargeRequest) -> stripe.PaymentIntent:
    """Use the key of a charge that never arrived for an intent that never collects, so that it is refused if it does.

    GatewayUnavailable if it arrived just now: the next time it is found.
    """
    try:
        return client().v1.payment_intents.create(_bare_terms(request, NEVER, {}), {"idempotency_key": request.key})
    except stripe.IdempotencyError as error:
        raise GatewayUnavailable("The charge arrived while it was being canceled.") from error


def _concluded(intent: stripe.PaymentIntent, *, was_processing: bool = False) -> Outcome:
    """The outcome, once nothing can confirm any more what is over for us."""
    if (_flow(intent) == SAVED or was_processing) and intent.status == "requires_payment_method":
        error = intent.last_payment_error
        return _ended_by_decline(intent, why_declined(error.to_dict()) if error else DECLINED)
    if _flow(intent) == NEVER:
        intent = _canceled(intent, _ON_REQUEST)
    return outcome_of(intent.to_dict())


def _ended_by_decline(intent: stripe.PaymentIntent, reason: str) -> Outcome:
    outcome = outcome_of(_canceled(intent, _AFTER_A_DECLINE).to_dict())
    return replace(outcome, reason=reason) if outcome.state == State.FAILED else outcome


def _canceled(intent: stripe.PaymentIntent, reason: Any) -> stripe.PaymentIntent:
    """The intent after what can be canceled has been; what is over, or with the bank, stays as it is."""
    if intent.status not in _WAITING:
        return intent
    try:
        return client().v1.payment_intents.cancel(
            intent.id, {"cancellation_reason": reason, "expand": ["latest_charge"]}
        )
    except stripe.InvalidRequestError as error:
        if error.code != "payment_intent_unexpected_state":
            raise
    return _retrieve(intent.id)


def _retrieve(provider_id: str) -> stripe.PaymentIntent:
    return client().v1.payment_intents.retrieve(provider_id, {"expand": ["latest_charge"]})


def _flow(intent: stripe.PaymentIntent) -> str:
    return str(intent.metadata.to_dict().get("flow", ""))


def _error_of(error: stripe.CardError) -> dict[str, Any]:
    return error.error.to_dict() if error.error else {}


def _intent_of(error: stripe.CardError) -> stripe.PaymentIntent:
    if error.error is None or error.error.payment_intent is None:
        raise error
    return error.error.payment_intent
