"""What it takes to make every outcome happen at each provider, so that one contract can be tested on all of them."""

import hashlib
import hmac
import uuid
from contextlib import ExitStack
from datetime import timedelta
from typing import Protocol

from django.conf import settings

from marketplace import clock
from payments.gateways import ChargeRequest, Gateway, Outcome, SandboxGateway, StripeGateway
from payments.gateways.sandbox import confirm
from payments.gateways.sandbox_bank import choose_account, settle_payouts
from payments.gateways.sandbox_disputes import decide, take_back
from payments.models import SandboxEvent

from .factories import NOON
from .peer import Peer
from .peer import sign as sign_as_stripe

Signed = tuple[bytes, str]


class Bench(Protocol):
    """A provider with a payer's cards and a seller's bank of each kind."""

    gateway: Gateway

    def asks(self, card: str = "ok", key: str = "key", amount: int = 1000, currency: str = "USD") -> ChargeRequest:
        """A charge to a card: `ok`, `declined`, `authentication`, `processing`, `processing_fails` or `lost`."""

    def authenticate(self, outcome: Outcome, *, approved: bool) -> None:
        """The payer answers their bank."""

    def connect(self, account: str, bank: str = "ok") -> None:
        """The seller names a bank: `ok`, `restricted`, `unsettled`, `lost` or `returned`."""

    def wait(self, outcome: Outcome | None = None) -> None:
        """A while passes: banks decide about this charge, funds settle, banks return this payout."""

    def dispute(self, charge: Outcome, amount: int) -> str:
        """The payer's bank takes back the `amount` that is left of a charge; returns the dispute's number."""

    def decide(self, dispute: str, *, won: bool) -> None:
        """The payer's bank decides about a dispute."""

    def events(self) -> list[Signed]:
        """What the provider has told so far."""

    def sign(self, raw: bytes) -> str:
        """The provider's signature of these bytes."""


class SandboxBench:
    def __init__(self, times: ExitStack) -> None:
        self.gateway: Gateway = SandboxGateway()
        self.times = times

    def asks(self, card: str = "ok", key: str = "key", amount: int = 1000, currency: str = "USD") -> ChargeRequest:
        return ChargeRequest(key, amount, currency, f"card_{card}", "A logo", "order-1/1", "/orders/1/", NOON)

    def authenticate(self, outcome: Outcome, *, approved: bool) -> None:
        confirm(uuid.UUID(outcome.provider_id), approved=approved, at=clock.now())

    def connect(self, account: str, bank: str = "ok") -> None:
        choose_account(uuid.UUID(account), f"bank_{bank}", at=clock.now())

    def wait(self, outcome: Outcome | None = None) -> None:
        self.times.enter_context(clock.at(clock.now() + timedelta(minutes=1)))
        settle_payouts(clock.now())

    def dispute(self, charge: Outcome, amount: int) -> str:
        return str(take_back(uuid.UUID(charge.provider_id), at=clock.now()).pk)

    def decide(self, dispute: str, *, won: bool) -> None:
        decide(uuid.UUID(dispute), won=won, at=clock.now())

    def events(self) -> list[Signed]:
        raws = [event.body.encode() for event in SandboxEvent.objects.order_by("created_at", "key")]
        return [(raw, self.sign(raw)) for raw in raws]

    def sign(self, raw: bytes) -> str:
        return hmac.new(settings.SANDBOX_WEBHOOK_SECRET.encode(), raw, hashlib.sha256).hexdigest()


class StripeBench:
    """Saved cards, which decide at once; the cards that a payer enters on our page are tested in test_stripe.py."""

    NUMBERS = {"declined": "4000000000000002", "authentication": "4000000000003220"}

    def __init__(self, peer: Peer) -> None:
        self.gateway: Gateway = StripeGateway()
        self.peer = peer
        self.customer = self.gateway.open_customer("customer-1")
        self.cards: dict[str, str] = {}
        self.fails = False

    def asks(self, card: str = "ok", key: str = "key", amount: int = 1000, currency: str = "USD") -> ChargeRequest:
        number = self.NUMBERS.get(card, "4242424242424242")
        if number not in self.cards:
            self.cards[number] = self.peer.save_card(self.customer, number)
        if card.startswith("processing"):
            self.peer.process_slowly(charges=1)
            self.fails = card == "processing_fails"
        if card == "lost":
            self.peer.fault("answer_lost", path="POST /v1/payment_intents")
        return ChargeRequest(
            key,
            amount,
            currency,
            self.cards[number],
            "A logo",
            "order-1/1",
            "/orders/1/",
            NOON,
            self.customer,
            saved=True,
        )

    def authenticate(self, outcome: Outcome, *, approved: bool) -> None:
        self.peer.authenticate(outcome.provider_id, approved=approved)

    def connect(self, account: str, bank: str = "ok") -> None:
        self.peer.complete_account(account, "rejected.fraud" if bank == "restricted" else None)
        if bank == "unsettled":
            self.peer.settle_balance(False)
        if bank == "lost":
            self.peer.fault("answer_lost", path="POST /v1/transfers")

    def wait(self, outcome: Outcome | None = None) -> None:
        self.peer.settle_balance()
        if outcome and outcome.provider_id.startswith("pi_"):
            self.peer.finish_charge(outcome.provider_id, succeeded=not self.fails)
        if outcome and outcome.provider_id.startswith("tr_"):
            self.peer.reverse_transfer(outcome.provider_id)

    def dispute(self, charge: Outcome, amount: int) -> str:
        return self.peer.dispute(charge.provider_id, amount)

    def decide(self, dispute: str, *, won: bool) -> None:
        self.peer.close_dispute(dispute, "won" if won else "lost")

    def events(self) -> list[Signed]:
        return [(event.raw, event.signature) for event in self.peer.events()]

    def sign(self, raw: bytes) -> str:
        return sign_as_stripe(raw)
