"""What every payment provider looks like from here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Protocol

from django.db import connection

MAX_NUMBER = 200  # characters of whatever a provider calls something by, as in our columns


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
class KeptCard:
    """A card that the provider keeps for the payer: its number there, what people call it, the month it expires."""

    provider_id: str
    label: str
    expires: str = ""  # "2030-12"


@dataclass(frozen=True)
class Outcome:
    """The answer about one charge, refund or payout. For a refund, `failed` means refused for good.

    `method_label` names the card that paid; `card` is set when the provider keeps it for the next time.
    """

    UNDECIDED: ClassVar["Outcome"]

    state: State
    provider_id: str = ""
    reason: str = ""
    action_url: str = ""
    method_label: str = ""
    card: KeptCard | None = None

    @property
    def succeeded(self) -> bool:
        return self.state == State.SUCCEEDED

    @property
    def decided(self) -> bool:
        return self.state in (State.SUCCEEDED, State.FAILED, State.CANCELED)


Outcome.UNDECIDED = Outcome(State.UNDECIDED, reason="The payment provider did not answer.")


@dataclass(frozen=True)
class ChargeRequest:
    """What a charge asks of a provider. Its key derives from our own row: repeated, it is the same request.

    `method` is the code of one of `payment_methods()`, or with `saved` the provider's number of a saved card.
    `keep` is the payer's consent to keep the card. `provider_id` is the charge's number there, once known.
    `processing` says that the bank was deciding when we last heard: where it declined, the charge is over.
    """

    key: str
    amount: int
    currency: str
    method: str
    description: str
    reference: str
    return_url: str
    began_at: datetime
    customer: str = ""
    saved: bool = False
    keep: bool = False
    provider_id: str = ""
    processing: bool = False


@dataclass(frozen=True)
class RefundRequest:
    """What a refund asks: give back `amount` of the charge that the provider knows as `charge_id`."""

    key: str
    charge_id: str
    amount: int
    currency: str
    began_at: datetime
    provider_id: str = ""


@dataclass(frozen=True)
class PayoutRequest:
    """What a withdrawal asks: pay `amount` to the account that the provider knows as `account_id`."""

    key: str
    account_id: str
    amount: int
    currency: str
    began_at: datetime
    provider_id: str = ""


@dataclass(frozen=True)
class PayoutAccountState:
    """What the provider says about a seller's account. `status` is a value of `PayoutAccount.Status`."""

    provider_id: str
    status: str
    label: str = ""


@dataclass(frozen=True)
class PaymentMethod:
    """A way to pay that the payer can choose; the sandbox's are its test cards."""

    code: str
    label: str
    number: str
    explanation: str


class DisputeState(StrEnum):
    """What a payer's bank does with a charge."""

    TAKEN = "taken"
    WON = "won"
    LOST = "lost"


@dataclass(frozen=True)
class ParsedDispute:
    """News of a chargeback: about the charge that the provider knows as `charge_id`."""

    provider_id: str
    charge_id: str
    state: DisputeState


@dataclass(frozen=True)
class ParsedEvent:
    """A verified event. At most one of keys, dispute and account is set; without one, it is about nothing of ours.

    `payout_account` is the provider's number of a seller's account whose state should be asked for again.
    """

    provider: str
    event_id: str
    kind: str
    outcome: Outcome
    amount: int
    currency: str
    body: Mapping[str, Any]
    charge_key: str | None = None
    refund_key: str | None = None
    payout_key: str | None = None
    dispute: ParsedDispute | None = None
    payout_account: str = ""

    def __post_init__(self) -> None:
        """Raises BadEvent for a number of the provider's that no column takes: it can be neither stored nor found."""
        numbers: list[object] = [self.event_id, self.outcome.provider_id, self.payout_account]
        if self.dispute:
            numbers += [self.dispute.provider_id, self.dispute.charge_id]
        if not all(isinstance(number, str) and len(number) <= MAX_NUMBER for number in numbers):
            raise BadEvent("A number of the provider's is not a text or too long.")


class GatewayError(Exception):
    """The provider refused to do what was asked; nothing happened there."""


class GatewayUnavailable(Exception):
    """No answer. What was asked may have happened or not: ask again with the same key."""


class BadSignature(Exception):
    """These bytes do not come from the provider."""


class BadEvent(Exception):
    """Signed by the provider, but not an event that can be read."""


class NotSettled(GatewayError):
    """The provider's balance lacks settled funds for this payout; ask again later (M6)."""


class Gateway(Protocol):
    """A payment provider. Every call may raise GatewayUnavailable; none may be made inside a transaction.

    `charge`, `refund` and `payout` are idempotent by their key: repeated, they answer what happened the first time.
    Amounts are minor units of the currency. A charge that the card declines is an answer (`failed`), not an exception.
    """

    name: ClassVar[str]
    signature_header: ClassVar[str]

    def step(self, currency: str) -> int:
        """The minor units that every amount in this currency must be a multiple of."""

    def least(self, currency: str) -> int:
        """The least amount that can be charged in this currency."""

    def payment_methods(self) -> Sequence[PaymentMethod]:
        """What the payer can choose from, besides their saved cards."""

    def open_customer(self, key: str) -> str:
        """Make the payer known to the provider; returns their number there. Idempotent by key."""

    def forget_card(self, customer: str, card_id: str) -> None:
        """Let the provider forget a saved card; one that it does not know is forgotten already."""

    def charge(self, request: ChargeRequest) -> Outcome:
        """Collect the amount. GatewayError if the request itself is refused."""

    def find_charge(self, request: ChargeRequest) -> Outcome:
        """What became of this charge; `unknown` if it never arrived."""

    def cancel_charge(self, request: ChargeRequest) -> Outcome:
        """Cancel what can still be canceled, and answer what the charge is now.

        A charge that never arrived is canceled in advance: should it arrive late, it does not charge.
        """

    def refund(self, request: RefundRequest) -> Outcome:
        """Give back a part of a charge, or all. GatewayError if the request itself is refused."""

    def find_refund(self, request: RefundRequest) -> Outcome:
        """What became of this refund; `unknown` if it never arrived."""

    def open_payout_account(self, key: str) -> PayoutAccountState:
        """Open a seller's account, to be completed on the page of `payout_account_page`. Idempotent by key."""

    def payout_account(self, provider_id: str) -> PayoutAccountState:
        """What the provider says about the account now. GatewayError if it knows none."""

    def payout_account_page(self, provider_id: str, return_url: str) -> str:
        """The address where the seller gives the provider their details; `return_url` is absolute."""

    def payout(self, request: PayoutRequest) -> Outcome:
        """Pay to a seller's account. GatewayError if refused for good, NotSettled if only for now."""

    def find_payout(self, request: PayoutRequest) -> Outcome:
        """What became of this payout; `unknown` if it never arrived."""

    def receive(self, raw_body: bytes, signature: str) -> ParsedEvent:
        """Verify and read an event; of a kind that means nothing to us, too. Raises BadSignature or BadEvent."""

    def reread(self, body: Mapping[str, Any]) -> ParsedEvent:
        """Read the stored body of an event that was verified when it came. Raises BadEvent."""


def outside_transaction() -> None:
    """Refuse to go on while a transaction is open: a provider is never called under a lock (M7).

    The transaction that a TestCase wraps around a test does not count, as with `atomic(durable=True)`.
    """
    blocks = connection.atomic_blocks
    if blocks and not blocks[-1]._from_testcase:  # type: ignore[attr-defined]  # noqa: SLF001
        raise RuntimeError("A payment provider was to be called while a transaction is open.")
