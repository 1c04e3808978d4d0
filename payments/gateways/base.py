"""What every payment provider looks like from here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Protocol

from django.db import connection


class State(StrEnum):
    """What a provider says about an operation, or that it did not say anything."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ACTION_NEEDED = "action_needed"
    PROCESSING = "processing"
    CANCELED = "canceled"
    UNDECIDED = "undecided"  # no answer: it may have happened or not
    UNKNOWN = "unknown"  # an answer: the provider has never heard of this key


@dataclass(frozen=True)
class Outcome:
    """The answer about one charge or refund. For a refund, `failed` means refused for good."""

    UNDECIDED: ClassVar["Outcome"]

    state: State
    provider_id: str = ""
    reason: str = ""
    action_url: str = ""

    @property
    def succeeded(self) -> bool:
        return self.state == State.SUCCEEDED

    @property
    def decided(self) -> bool:
        return self.state in (State.SUCCEEDED, State.FAILED, State.CANCELED)


Outcome.UNDECIDED = Outcome(State.UNDECIDED, reason="The payment provider did not answer.")


@dataclass(frozen=True)
class PaymentMethod:
    """A way to pay that the payer can choose; the sandbox's are its test cards."""

    code: str
    label: str
    number: str
    explanation: str


@dataclass(frozen=True)
class ParsedEvent:
    """A verified event. At most one of the two keys is set; without one, it is about nothing of ours."""

    provider: str
    event_id: str
    kind: str
    charge_key: str | None
    refund_key: str | None
    outcome: Outcome
    amount: int
    currency: str
    body: Mapping[str, Any]


class GatewayError(Exception):
    """The provider refused to do what was asked; nothing happened there."""


class GatewayUnavailable(Exception):
    """No answer. What was asked may have happened or not: ask again with the same key."""


class BadSignature(Exception):
    """These bytes do not come from the provider."""


class BadEvent(Exception):
    """Signed by the provider, but not an event that can be read."""


class Gateway(Protocol):
    """A payment provider. Every call may raise GatewayUnavailable; none may be made inside a transaction.

    `charge` and `refund` are idempotent by their key: repeated, they answer what happened the first time. Amounts
    are minor units of the currency. A charge that the card declines is an answer (`failed`), not an exception.
    """

    name: ClassVar[str]

    def step(self, currency: str) -> int:
        """The minor units that every amount in this currency must be a multiple of."""

    def payment_methods(self) -> Sequence[PaymentMethod]:
        """What the payer can choose from."""

    def charge(
        self, key: str, amount: int, currency: str, method: str, description: str, reference: str, return_url: str
    ) -> Outcome:
        """Collect `amount`. GatewayError if the request itself is refused."""

    def find_charge(self, key: str) -> Outcome:
        """What became of the charge with this key; `unknown` if it never arrived."""

    def cancel_charge(self, key: str) -> Outcome:
        """Cancel what can still be canceled, and answer what the charge is now.

        A charge with a key that never arrived is canceled in advance: should it arrive late, it does not charge.
        """

    def refund(self, key: str, charge_provider_id: str, amount: int) -> Outcome:
        """Give back `amount` of a charge. GatewayError if the request itself is refused."""

    def find_refund(self, key: str) -> Outcome:
        """What became of the refund with this key; `unknown` if it never arrived."""

    def receive(self, raw_body: bytes, signature: str) -> ParsedEvent:
        """Verify and read an event. Raises BadSignature or BadEvent."""


def outside_transaction() -> None:
    """Refuse to go on while a transaction is open: a provider is never called under a lock (M7).

    The transaction that a TestCase wraps around a test does not count, as with `atomic(durable=True)`.
    """
    blocks = connection.atomic_blocks
    if blocks and not blocks[-1]._from_testcase:  # type: ignore[attr-defined]  # noqa: SLF001
        raise RuntimeError("A payment provider was to be called while a transaction is open.")
