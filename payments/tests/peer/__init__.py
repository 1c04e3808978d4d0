"""A Stripe of our own for the tests: localstripe behind our `edge.py`, two processes beside the test's.

localstripe is under the GPL: it is only ever run, as a program of its own, and never imported. It listens on all
interfaces and writes a file in /tmp by itself; `loopback/sitecustomize.py` keeps it from both.

The fixture `peer` (see `pytest_plugins` in the conftest of the project) makes Stripe the gateway in use, empties the
peer and sets its clock to `clock.now()`, from where it runs on. A test then does what a payer, a bank or bad luck does:

    def test_something(peer: Peer) -> None:
        asked = gateway().charge(...)                     # a new card: state `action_needed`
        peer.confirm(asked.provider_id)                   # the payer enters 4242… on our page
        peer.fault("answer_lost", path="POST /v1/refunds")  # the next refund happens, and its answer gets lost
        for event in peer.events():                       # all events so far, signed as of clock.now()
            gateway().receive(event.raw, event.signature)

Test cards: 4242424242424242 succeeds, 4000000000003220 asks for authentication, 4000008260003178 asks and is declined
then, and the numbers of `DECLINES` in world.py are declined. `peer.save_card(customer, number)` gives a saved card.
With `peer.hook(url)` the events are delivered to an address as well, signed, and again until they are accepted.
"""

import hashlib
import hmac
import json
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from marketplace import clock
from marketplace.embedded.children import Children, last_lines

HERE = Path(__file__).resolve().parent
SECRET_KEY = "sk_test_peer"
PUBLISHABLE_KEY = "pk_test_peer"
WEBHOOK_SECRET = "whsec_peer"


class PeerRefused(Exception):
    """What the test asked the peer to do is not possible, or was declined."""


@dataclass(frozen=True)
class PeerEvent:
    """An event as Stripe would send it now."""

    kind: str
    about: dict[str, Any]
    raw: bytes
    signature: str


def sign(raw: bytes, at: datetime | None = None, secret: str = WEBHOOK_SECRET) -> str:
    """The header `Stripe-Signature` for these bytes."""
    stamp = int((at or clock.now()).timestamp())
    return f"t={stamp},v1={hmac.new(secret.encode(), b'%d.%s' % (stamp, raw), hashlib.sha256).hexdigest()}"


class Peer:
    """The running peer. Payments, refunds and so on are named by the number that the provider gave them."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.js_url = f"{url}/v3/"

    def reset(self, at: datetime | None = None) -> None:
        """Forget everything; its clock runs from `at`, by default from `clock.now()`."""
        self._ask("reset", now=(at or clock.now()).timestamp())

    def hook(self, url: str) -> None:
        """From now on, deliver events to this address."""
        self._ask("webhook", url=url, secret=WEBHOOK_SECRET)

    def fault(self, kind: str, times: int = 1, path: str = "/v1/") -> None:
        """Let the next requests to the API go wrong whose "METHOD /path" contains `path`.

        `never_arrives`: no answer, nothing happened. `answer_lost`: it happened, no answer. `time_out`: it happened,
        and the answer takes longer than anybody waits. `slow`: an answer after a while. `paid_just_now`: the payer
        pays while we cancel. `error_500`, `rate_limited` (429), `in_use` (409, the key is in use), `bad_request`,
        `bare_decline`, `no_balance` (our balance does not suffice): that answer, and nothing happened.
        """
        self._ask("fault", kind=kind, times=times, path=path)

    def process_slowly(self, charges: int = 0, refunds: int = 0) -> None:
        """Let banks take their time for the next charges and refunds: `finish_charge`, `finish_refund` end them."""
        self._ask("slow", charges=charges, refunds=refunds)

    def save_card(self, customer: str, number: str = "4242424242424242") -> str:
        """A card that this customer saved before; returns its number there."""
        return self._ask("card", customer=customer, number=number)["id"]

    def confirm(self, intent: str, number: str = "4242424242424242") -> dict[str, Any]:
        """The payer enters a card on our page. PeerRefused if it is declined."""
        return self._ask("confirm", intent=intent, number=number)

    def authenticate(self, intent: str, *, approved: bool = True) -> dict[str, Any]:
        """The payer answers their bank. PeerRefused if the card is declined then."""
        return self._ask("authenticate", intent=intent, approved=approved)

    def finish_charge(self, intent: str, *, succeeded: bool = True) -> dict[str, Any]:
        """The bank decides about a charge that is processing."""
        return self._ask("finish_charge", intent=intent, succeeded=succeeded)

    def finish_refund(self, refund: str, status: str = "succeeded", reason: str = "expired_or_canceled_card") -> None:
        """The bank decides about a refund: `succeeded`, `failed` (even after it succeeded) or `canceled`."""
        self._ask("finish_refund", refund=refund, status=status, reason=reason)

    def dispute(self, intent: str, amount: int | None = None) -> str:
        """The payer's bank takes a charge back, or a part of it; returns the dispute's number."""
        return self._ask("dispute", intent=intent, amount=amount)["id"]

    def close_dispute(self, dispute: str, status: str) -> None:
        """The bank decides: `won` or `lost`."""
        self._ask("close_dispute", dispute=dispute, status=status)

    def complete_account(self, account: str, disabled_reason: str | None = None) -> None:
        """A seller has given their details; with a reason the account is restricted all the same."""
        self._ask("complete_account", account=account, disabled_reason=disabled_reason)

    def settle_balance(self, settled: bool = True) -> None:
        """Whether the platform's funds have settled; until then transfers are refused for now."""
        self._ask("settle_balance", settled=settled)

    def reverse_transfer(self, transfer: str) -> None:
        self._ask("reverse_transfer", transfer=transfer)

    def asked(self, path: str = "") -> list[dict[str, Any]]:
        """The requests to the API whose "METHOD /path" contains `path`: method, path, key, version, fields."""
        return [asked for asked in self._ask("asked") if path in f"{asked['method']} {asked['path']}"]

    def events(self, *kinds: str) -> list[PeerEvent]:
        """The events since the reset, in their order, signed as of `clock.now()`; of these kinds, or all."""
        chosen = [event for event in self._ask("events") if not kinds or event["type"] in kinds]
        raws = [json.dumps(event).encode() for event in chosen]
        pairs = zip(chosen, raws, strict=True)
        return [PeerEvent(event["type"], event["data"]["object"], raw, sign(raw)) for event, raw in pairs]

    def _ask(self, command: str, **of: Any) -> Any:
        request = urllib.request.Request(f"{self.url}/_edge/{command}", json.dumps(of).encode(), method="POST")
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                raise PeerRefused(error.read().decode()) from None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(children: Children) -> Peer:
    """Start both processes and wait for them."""
    folder = children.folder()
    log, upstream_port, port = folder / "peer.log", _free_port(), _free_port()
    loopback = ["env", f"PYTHONPATH={HERE / 'loopback'}"]
    of_localstripe = ["-m", "localstripe", "--port", str(upstream_port), "--from-scratch"]
    children.start("localstripe", [*loopback, sys.executable, *of_localstripe], cwd=folder, log=log)
    children.start("edge", [sys.executable, HERE / "edge.py", str(upstream_port), str(port)], log=log)
    peer = Peer(f"http://127.0.0.1:{port}")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not children.ended():
        try:
            peer.reset()
        except (OSError, PeerRefused):
            time.sleep(0.05)
        else:
            return peer
    pytest.fail(f"The payment peer does not start:{last_lines(log)}")


@pytest.fixture(scope="session")
def running_peer() -> Iterator[Peer]:
    children = Children()
    try:
        yield start(children)
    finally:
        children.stop()


@pytest.fixture
def peer(running_peer: Peer, settings: Any) -> Peer:
    """Stripe is the gateway in use, and knows nothing yet."""
    settings.PAYMENT_GATEWAY = "stripe"
    settings.STRIPE_API_BASE = running_peer.url
    settings.STRIPE_JS_URL = running_peer.js_url
    settings.STRIPE_SECRET_KEY = SECRET_KEY
    settings.STRIPE_PUBLISHABLE_KEY = PUBLISHABLE_KEY
    settings.STRIPE_WEBHOOK_SECRET = WEBHOOK_SECRET
    settings.STRIPE_TIMEOUT = 10
    running_peer.reset()
    return running_peer
