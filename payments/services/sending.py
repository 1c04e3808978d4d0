"""Approved withdrawals leave: steps 2 and 3 of money in three steps (M6, M7)."""

import logging
from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from marketplace import clock
from marketplace.afterwards import afterwards
from payments.backoff import next_try
from payments.gateways import (
    Gateway,
    GatewayError,
    GatewayUnavailable,
    NotSettled,
    Outcome,
    PayoutRequest,
    State,
    gateway,
    outside_transaction,
)
from payments.models import Account, Transfer, Withdrawal

from .balances import balance
from .booking import AccountKey, Entry, book, debt, earnings, inside_transaction, withdrawals
from .chargebacks import freeze_what_is_missing, lock_disputed_purse

logger = logging.getLogger(__name__)

BATCH = 200
FIRST_RETRY = timedelta(seconds=30)

Status = Withdrawal.Status
_TAKEN_FROM: dict[State, Collection[Status]] = {
    State.SUCCEEDED: Withdrawal.UNSETTLED,
    State.FAILED: Withdrawal.UNSETTLED,
    State.CANCELED: Withdrawal.UNSETTLED,
    State.PROCESSING: (Status.APPROVED, Status.SENDING),
}
_STATUS = {
    State.SUCCEEDED: Status.PAID,
    State.FAILED: Status.FAILED,
    State.CANCELED: Status.FAILED,
    State.PROCESSING: Status.SENT,
}
_SETTLED = (Status.PAID, Status.FAILED)


def send_withdrawal(withdrawal_id: int) -> None:
    """Steps 2 and 3, without transaction or lock: ask the provider, then record what it said.

    Asked for again, it first finds out what became of it. While the provider lacks settled funds it goes back to
    *approved*, and without an answer it stays as it is: `settle_withdrawals` asks again, for as long as it takes.
    Never raises for what the provider does.
    """
    outside_transaction()
    withdrawal = Withdrawal.objects.select_related("account").get(pk=withdrawal_id)
    if withdrawal.next_try_at is None:
        return
    asked_before = withdrawal.asked_at is not None
    mine = Withdrawal.objects.filter(pk=withdrawal.pk)
    sending = {"status": Status.SENDING, "asked_at": clock.now(), "paid_to": str(withdrawal.account)}
    claimed = mine.filter(status=Status.APPROVED).update(**sending)
    provider = gateway(withdrawal.provider)
    try:
        outcome = _pay(withdrawal, provider) if claimed and not asked_before else _find_out(withdrawal, provider)
    except NotSettled as refusal:
        # Only for now: nothing has happened there.
        reason = str(refusal)[:300]
        mine.filter(status__in=(Status.APPROVED, Status.SENDING)).update(status=Status.APPROVED, reason=reason)
        return
    except GatewayUnavailable:
        logger.warning("No answer about %s; it will be asked again.", withdrawal.key)
        return
    except Exception:
        logger.exception("Asking about %s went wrong; it will be asked again.", withdrawal.key)
        return
    with transaction.atomic():
        if withdrawal.status in _SETTLED:
            _record_answer(withdrawal, outcome, at=clock.now())
        else:
            record_withdrawal(withdrawal, outcome, at=clock.now())


def record_withdrawal(withdrawal: Withdrawal, outcome: Outcome, *, at: datetime) -> bool:
    """Record what the provider said: paid, withdrawals → clearing; failed, withdrawals → available (M6).

    False if that changes nothing. News that contradict what is settled may only have come late or out of order: they
    are not believed, but the provider is asked after the commit, and what it says then counts.
    """
    inside_transaction()
    taken_from = _TAKEN_FROM.get(outcome.state)
    if taken_from is None:
        return False
    mine = Withdrawal.objects.filter(pk=withdrawal.pk)
    # First the row, then the money: whoever comes second changes nothing.
    with transaction.atomic():
        if _STATUS[outcome.state] == Status.FAILED:
            lock_disputed_purse(withdrawal.owner_id, withdrawal.currency)
        if not mine.filter(status__in=taken_from).update(**_news(outcome, at)):
            _doubt(withdrawal, outcome, at)
            return False
        withdrawal.refresh_from_db()
        if withdrawal.status == Status.PAID:
            _book_from_flight(withdrawal, _clearing(withdrawal), Transfer.Kind.PAID_OUT, at)
        elif withdrawal.status == Status.FAILED:
            available = earnings(withdrawal.owner_id, withdrawal.currency)
            _book_from_flight(withdrawal, available, Transfer.Kind.WITHDRAWAL_RETURNED, at)
            freeze_what_is_missing(withdrawal.owner_id, withdrawal.currency, at=at)
    if withdrawal.status == Status.FAILED:
        logger.warning("The provider did not pay %s: %s", withdrawal.key, withdrawal.reason)
    return True


def settle_withdrawals(*, at: datetime) -> int:
    """The sweep: steps 2 and 3 again for what a crash, a silent provider or a lack of funds left; returns how many.

    They are claimed for a while, longer each time, so that several workers share the work and one that always fails
    stands before no other.
    """
    outside_transaction()
    with transaction.atomic():
        due = list(Withdrawal.objects.to_settle(at).select_for_update(skip_locked=True, no_key=True)[:BATCH])
        claimed = Withdrawal.objects.filter(pk__in=[withdrawal.pk for withdrawal in due])
        claimed.update(next_try_at=next_try(at, FIRST_RETRY), tries=F("tries") + 1)
    for withdrawal in due:
        try:
            send_withdrawal(withdrawal.pk)
        except Exception:
            logger.exception("Withdrawal %s is set aside for a while.", withdrawal.key)
    return len(due)


def _pay(withdrawal: Withdrawal, provider: Gateway) -> Outcome:
    try:
        return provider.payout(_request_of(withdrawal))
    except NotSettled:
        raise
    except GatewayError as error:
        return Outcome(State.FAILED, reason=str(error))


def _find_out(withdrawal: Withdrawal, provider: Gateway) -> Outcome:
    outcome = provider.find_payout(_request_of(withdrawal))
    if outcome.state != State.UNKNOWN:
        return outcome
    if withdrawal.status in (Status.APPROVED, Status.SENDING):
        return _pay(withdrawal, provider)
    logger.error("The provider no longer knows %s, about which it has told us before.", withdrawal.key)
    return Outcome.UNDECIDED


def _request_of(withdrawal: Withdrawal) -> PayoutRequest:
    return PayoutRequest(
        key=withdrawal.key,
        account_id=withdrawal.account.provider_id,
        amount=withdrawal.amount,
        currency=withdrawal.currency,
        began_at=withdrawal.requested_at,
        provider_id=withdrawal.provider_id,
    )


def _doubt(withdrawal: Withdrawal, outcome: Outcome, at: datetime) -> None:
    """Let the provider be asked about a settled withdrawal if it now says the opposite of what was recorded."""
    mine = Withdrawal.objects.filter(pk=withdrawal.pk)
    if outcome.succeeded and mine.exclude(status__in=(*Withdrawal.UNSETTLED, *_SETTLED)).exists():
        logger.error("The provider says that it paid %s, which nobody has approved.", withdrawal.key)
    settled = mine.filter(status__in=_SETTLED)
    doubted = settled.exclude(status=_STATUS[outcome.state]) if outcome.decided else settled.none()
    if doubted.update(next_try_at=at + FIRST_RETRY, tries=0):
        logger.warning("The provider contradicts what it said about %s; it is being asked.", withdrawal.key)
        afterwards(send_withdrawal, withdrawal.pk)


def _record_answer(withdrawal: Withdrawal, outcome: Outcome, at: datetime) -> None:
    """What the provider says when it is asked about a settled withdrawal counts, unless that has changed meanwhile."""
    if not outcome.decided:
        return
    lock_disputed_purse(withdrawal.owner_id, withdrawal.currency)
    before, mine = withdrawal.status, Withdrawal.objects.filter(pk=withdrawal.pk)
    if before == _STATUS[outcome.state]:
        mine.filter(status=before).update(next_try_at=None)
        return
    if not mine.filter(status=before).update(**_news(outcome, at)):
        return
    withdrawal.refresh_from_db()
    if withdrawal.status == Status.FAILED:
        logger.warning("%s was paid and has come back: %s", withdrawal.key, withdrawal.reason)
        _book_return(withdrawal, at)
    else:
        logger.error("%s was paid after all: its owner has had the money twice.", withdrawal.key)
        _book_after_all(withdrawal, at)


def _news(outcome: Outcome, at: datetime) -> dict[str, object]:
    return {
        "status": _STATUS[outcome.state],
        "reason": outcome.reason[:300],
        **({"provider_id": outcome.provider_id} if outcome.provider_id else {}),
        **({"settled_at": at, "next_try_at": None} if outcome.decided else {}),
    }


def _clearing(withdrawal: Withdrawal) -> AccountKey:
    return AccountKey(Account.Code.CLEARING, withdrawal.currency, provider=withdrawal.provider)


def _book_from_flight(withdrawal: Withdrawal, to: AccountKey, kind: Transfer.Kind, at: datetime) -> None:
    book([Entry(withdrawals(withdrawal.currency), to, withdrawal.amount, kind, withdrawal=withdrawal)], at)


def _book_return(withdrawal: Withdrawal, at: datetime) -> None:
    """It was paid and has come back: clearing → available."""
    available = earnings(withdrawal.owner_id, withdrawal.currency)
    kind = Transfer.Kind.WITHDRAWAL_RETURNED
    book([Entry(_clearing(withdrawal), available, withdrawal.amount, kind, withdrawal=withdrawal)], at)
    freeze_what_is_missing(withdrawal.owner_id, withdrawal.currency, at=at)


def _book_after_all(withdrawal: Withdrawal, at: datetime) -> None:
    """It was given back, yet the money went: that is owed, and paid at once as far as something is available."""
    owner, currency = withdrawal.owner, withdrawal.currency
    owed, available = debt(owner.pk, currency), earnings(owner.pk, currency)
    there = min(withdrawal.amount, balance(owner, currency))
    book(
        [
            Entry(owed, _clearing(withdrawal), withdrawal.amount, Transfer.Kind.PAID_OUT, withdrawal=withdrawal),
            Entry(available, owed, there, Transfer.Kind.DEBT_PAID),
        ],
        at,
    )
