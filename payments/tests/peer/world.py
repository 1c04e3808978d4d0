"""What the peer's Stripe knows: localstripe's payments, and beside them what localstripe lacks.

Standard library only: this runs in the process of `edge.py`.
"""

import http.client
import json
import secrets
import time
from collections.abc import Callable
from typing import Any

Fields = dict[str, Any]

# What real test cards say. localstripe gets one that it declines when charged.
DECLINES = {
    "4000000000000002": "generic_decline",
    "4000000000009995": "insufficient_funds",
    "4000000000009987": "lost_card",
    "4000000000000069": "expired_card",
    "4000000000000119": "processing_error",
    "4000000000000341": "generic_decline",
}
# The decline codes that are the code of the error as well; the others come with `card_declined`.
OWN_CODES = {"expired_card", "processing_error"}
DECLINED_BY_LOCALSTRIPE = "4000000000000341"
# Of Stripe's fields for a new payment, those that this peer understands.
INTENT_FIELDS = {
    "allowed_payment_method_types",
    "amount",
    "confirm",
    "currency",
    "customer",
    "description",
    "expand",
    "metadata",
    "payment_method",
    "setup_future_usage",
    "use_stripe_sdk",
}


class Refusal(Exception):
    """An answer with an error: HTTP status and Stripe's error object."""

    def __init__(self, status: int, message: str, *, code: str = "", kind: str = "invalid_request_error", **of: Any):
        super().__init__(message)
        self.status = status
        self.error = {"type": kind, "message": message, **({"code": code} if code else {}), **of}


def number(prefix: str) -> str:
    return prefix + secrets.token_hex(10)


def refuse_half_cents(amount: int, currency: str) -> None:
    """Of three decimals, card networks know two."""
    if currency.upper() in ("KWD", "BHD", "TND") and amount % 10:
        raise Refusal(400, "Invalid amount: the last digit must be 0.", code="parameter_invalid_integer")


class World:
    def __init__(self, upstream_port: int, announce: Callable[[str, Fields, float], None]) -> None:
        self.upstream_port = upstream_port
        self._announce = announce
        self.offset = 0.0
        self.reset(None)

    def reset(self, now: float | None) -> None:
        self.offset = now - time.time() if now else 0.0
        self.intents: dict[str, Fields] = {}
        # What localstripe last said of each: nobody but us changes it.
        self._seen: dict[str, Fields] = {}
        self.cards: dict[str, Fields] = {}
        self.refunds: dict[str, Fields] = {}
        self.disputes: dict[str, Fields] = {}
        self.accounts: dict[str, Fields] = {}
        self.transfers: dict[str, Fields] = {}
        self.settled = True
        # How many of the next charges and refunds the bank does not decide at once.
        self.slow_charges = 0
        self.slow_refunds = 0

    def now(self) -> float:
        return time.time() + self.offset

    def announce(self, kind: str, about: Fields) -> None:
        self._announce(kind, about, self.now())

    def upstream(self, method: str, path: str, fields: Fields | None = None) -> Fields:
        if method == "POST" and path.startswith("/v1/payment_intents/"):
            self._seen.pop(path.split("/")[3], None)
        connection = http.client.HTTPConnection("127.0.0.1", self.upstream_port, timeout=20)
        body = json.dumps(fields) if fields is not None else None
        headers = {"Authorization": "Bearer sk_test_upstream", "Content-Type": "application/json"}
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        raw = answer.read()
        connection.close()
        body = json.loads(raw) if raw else {}
        if answer.status == 404:
            raise Refusal(404, f"No such object: {path}", code="resource_missing")
        if answer.status >= 400:
            error = dict(body.get("error", {}))
            raise Refusal(answer.status, error.pop("message", "Bad request"), code=error.get("code") or "")
        return body

    # Customers and cards

    def create_customer(self, fields: Fields) -> Fields:
        return self.upstream("POST", "/v1/customers", {"metadata": fields.get("metadata", {})})

    def create_card(self, card: Fields) -> str:
        entered = card["number"].replace(" ", "")
        upstream_number = DECLINED_BY_LOCALSTRIPE if entered in DECLINES else entered
        year, month = str(card.get("exp_year", 2034)), str(card.get("exp_month", 12))
        of_upstream = {"number": upstream_number, "exp_month": month, "exp_year": year, "cvc": card.get("cvc", "123")}
        made = self.upstream("POST", "/v1/payment_methods", {"type": "card", "card": of_upstream})
        self.cards[made["id"]] = {"decline": DECLINES.get(entered), "last4": entered[-4:], "detached": False}
        return made["id"]

    def card(self, card_id: str) -> Fields:
        card = self.upstream("GET", f"/v1/payment_methods/{card_id}")
        known = self.cards.setdefault(card_id, {"decline": None, "last4": card["card"]["last4"], "detached": False})
        card["card"]["last4"] = known["last4"]
        return card

    def attach_card(self, card_id: str, fields: Fields) -> Fields:
        self.upstream("POST", f"/v1/payment_methods/{card_id}/attach", {"customer": fields["customer"]})
        return self.card(card_id)

    def detach_card(self, card_id: str) -> Fields:
        card = self.card(card_id)
        if not card["customer"]:
            raise Refusal(400, "The payment method you provided is not attached to a customer.")
        self.upstream("POST", f"/v1/payment_methods/{card_id}/detach", {})
        self.cards[card_id]["detached"] = True
        return self.card(card_id)

    # Payments

    def create_intent(self, fields: Fields) -> Fields:
        if unknown := ", ".join(sorted(fields.keys() - INTENT_FIELDS)):
            code = "payment_method_types_no_longer_supported" if "payment_method_types" in fields else ""
            raise Refusal(400, f"Received unknown parameter: {unknown}", code=code or "parameter_unknown")
        if int(fields["amount"]) < 1:
            raise Refusal(400, "This value must be greater than or equal to 1.", code="parameter_invalid_integer")
        refuse_half_cents(int(fields["amount"]), fields["currency"])
        self._refuse_detached(fields.get("payment_method"))
        known = ("amount", "currency", "customer", "payment_method", "metadata")
        made = self.upstream("POST", "/v1/payment_intents", {name: fields[name] for name in known if name in fields})
        self.intents[made["id"]] = {
            "created": int(self.now()),
            "customer": fields.get("customer"),
            "setup_future_usage": fields.get("setup_future_usage"),
            "description": fields.get("description"),
            "last_payment_error": None,
            "cancellation_reason": None,
            "processing": False,
        }
        self.announce("payment_intent.created", self.intent(made["id"]))
        if fields.get("confirm") == "true":
            return self.confirm(made["id"], fields["payment_method"])
        return self.intent(made["id"])

    def intent(self, intent_id: str, expand: Any = ()) -> Fields:
        ours = self.intents.get(intent_id)
        if ours is None:
            raise Refusal(404, f"No such payment_intent: '{intent_id}'", code="resource_missing")
        if intent_id not in self._seen:
            self._seen[intent_id] = self.upstream("GET", f"/v1/payment_intents/{intent_id}")
        intent = dict(self._seen[intent_id])
        charge = intent.pop("latest_charge")
        shown = {**intent, **{name: value for name, value in ours.items() if "processing" not in name}}
        shown["status"] = "processing" if ours["processing"] else intent["status"]
        shown["amount_received"] = intent["amount"] if shown["status"] == "succeeded" else 0
        if shown["status"] == "requires_payment_method":
            shown["payment_method"] = None
        shown["latest_charge"] = charge and charge["id"]
        if charge and "latest_charge" in expand:
            shown["latest_charge"] = self._charge(shown, charge)
        if shown["payment_method"] and "payment_method" in expand:
            shown["payment_method"] = self.card(shown["payment_method"])
        for ours_alone in ("charges", "invoice", "capture_method"):
            shown.pop(ours_alone, None)
        return shown

    def intents_like(self, fields: Fields) -> list[Fields]:
        since = int(fields.get("created", {}).get("gte", 0))
        chosen = [
            intent_id
            for intent_id, ours in self.intents.items()
            if ours["created"] >= since and fields.get("customer") in (None, ours["customer"])
        ]
        expand = [name.removeprefix("data.") for name in fields.get("expand", [])]
        return [self.intent(intent_id, expand) for intent_id in reversed(chosen)]

    def confirm(self, intent_id: str, card_id: str) -> Fields:
        """The payer's bank is asked about this card."""
        ours, status = self.intents[intent_id], self.intent(intent_id)["status"]
        if status not in ("requires_payment_method", "requires_confirmation"):
            raise self._unexpected(intent_id, "confirm")
        self._refuse_detached(card_id)
        # A null here is what lets localstripe try another card after a declined one.
        changes = {"payment_method": card_id, "latest_charge": None}
        self.upstream("POST", f"/v1/payment_intents/{intent_id}", changes)
        ours["last_payment_error"] = None
        if self.slow_charges:
            self.slow_charges -= 1
            ours["processing"] = True
            self.announce("payment_intent.processing", self.intent(intent_id))
            return self.intent(intent_id)
        return self._decide(intent_id, f"/v1/payment_intents/{intent_id}/confirm", {})

    def authenticate(self, intent_id: str, approved: bool) -> Fields:
        intent = self.intent(intent_id)
        if intent["status"] != "requires_action":
            raise self._unexpected(intent_id, "authenticate")
        asked = {"client_secret": intent["client_secret"], "success": approved}
        return self._decide(intent_id, f"/v1/payment_intents/{intent_id}/_authenticate", asked)

    def finish_charge(self, intent_id: str, succeeded: bool) -> Fields:
        """The bank decides what it has been processing."""
        ours = self.intents[intent_id]
        ours["processing"] = False
        if succeeded:
            return self._decide(intent_id, f"/v1/payment_intents/{intent_id}/confirm", {})
        refused = self.create_card({"number": DECLINED_BY_LOCALSTRIPE})
        try:
            return self.confirm(intent_id, refused)
        except Refusal:
            return self.intent(intent_id)

    def _decide(self, intent_id: str, path: str, asked: Fields) -> Fields:
        card_id = self.upstream("GET", f"/v1/payment_intents/{intent_id}")["payment_method"]
        ours = self.intents[intent_id]
        try:
            self.upstream("POST", path, asked)
        except Refusal as refusal:
            if refusal.status != 402:
                raise
            decline = self.cards[card_id]["decline"] or "insufficient_funds"
            code = decline if decline in OWN_CODES else "card_declined"
            error = {"message": "Your card was declined.", "code": code, "decline_code": decline}
            ours["last_payment_error"] = {"type": "card_error", **error}
            self.announce("payment_intent.payment_failed", self.intent(intent_id))
            raise Refusal(402, **error, kind="card_error", payment_intent=self.intent(intent_id)) from refusal
        intent = self.intent(intent_id)
        if intent["status"] == "succeeded":
            if intent["setup_future_usage"] and intent["customer"]:
                self.attach_card(card_id, {"customer": intent["customer"]})
            self.announce("charge.succeeded", self.intent(intent_id, ["latest_charge"])["latest_charge"])
            self.announce("payment_intent.succeeded", intent)
        elif intent["status"] == "requires_action":
            self.announce("payment_intent.requires_action", intent)
        else:
            message = "We are unable to authenticate your payment method. Please choose a different one and try again."
            code = "payment_intent_authentication_failure"
            ours["last_payment_error"] = {"type": "invalid_request_error", "message": message, "code": code}
            self.announce("payment_intent.payment_failed", self.intent(intent_id))
        return self.intent(intent_id)

    def cancel(self, intent_id: str, fields: Fields) -> Fields:
        cancelable = ("requires_payment_method", "requires_confirmation", "requires_action")
        if self.intent(intent_id)["status"] not in cancelable:
            raise self._unexpected(intent_id, "cancel")
        self.upstream("POST", f"/v1/payment_intents/{intent_id}/cancel", {})
        self.intents[intent_id]["cancellation_reason"] = fields.get("cancellation_reason")
        self.announce("payment_intent.canceled", self.intent(intent_id))
        return self.intent(intent_id)

    def _charge(self, intent: Fields, charge: Fields) -> Fields:
        card = self.card(charge["payment_method"])["card"]
        shown = {name: card[name] for name in ("brand", "last4", "exp_month", "exp_year")}
        charge = {name: value for name, value in charge.items() if name not in ("refunds", "invoice")}
        details = {"type": "card", "card": shown}
        return {**charge, "metadata": intent["metadata"], "payment_method_details": details}

    def _refuse_detached(self, card_id: str | None) -> None:
        if card_id and self.cards.get(card_id, {}).get("detached"):
            message = "The provided PaymentMethod was previously used without Customer attachment or was detached."
            raise Refusal(400, message, code="payment_method_invalid")

    def _unexpected(self, intent_id: str, verb: str) -> Refusal:
        intent = self.intent(intent_id)
        message = f"You cannot {verb} this PaymentIntent because it has a status of {intent['status']}."
        return Refusal(400, message, code="payment_intent_unexpected_state", payment_intent=intent)
