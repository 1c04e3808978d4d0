"""Chargebacks reach their order: an open milestone waits for the bank, and ends if the bank takes its payment (M10)."""

import logging
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_noop as noop

import payments.services as payments
from orders.activity import record
from orders.locking import lock_as_it_is, locked_milestone, touch
from orders.models import Event, Milestone, Order
from orders.phrases import Amount, Phrase, Value
from orders.services import cancel_charged_back, freeze
from payments.gateways import ParsedDispute, ParsedEvent
from payments.gateways.base import DisputeState
from payments.models import Charge, Chargeback
from resolution.activity import move_case
from resolution.locking import case_of, lock_order
from resolution.models import Case, Reason
from resolution.services.opening import consider, open_for_support
from resolution.services.outcomes import go_on, unfreeze
from resolution.services.verbs import case_verb
from resolution.words import taken_back

logger = logging.getLogger(__name__)

BATCH = 200
Kind = Event.Kind


@case_verb
def record_chargeback(charge_pk: int, event: ParsedEvent) -> None:
    """The one door for what a payer's bank does with a charge: taken, won or lost, as `event.dispute` says (M10).

    Money, case, order, activity and the provider's event are recorded together; an event that was applied before, or
    that says what is known, changes nothing. Won or lost before it was taken is taken first. News that cannot be
    about this charge, or that contradicts the bank's first decision, books nothing: it is logged as an error, and the
    event says "refused: …".
    Raises `NotBookable` while the charge itself is not in the ledger, and `Disputed` while the bank is deciding about
    another chargeback of it: then the event has to be delivered again.
    """
    assert event.dispute
    charge = Charge.objects.select_related("held").get(pk=charge_pk)
    milestone = Milestone.objects.get(held=charge.held_id)
    order, now = lock_order(milestone.order_id)
    charge.refresh_from_db()
    stored = payments.record_event(event, at=now)
    if stored is None:
        return
    why_not = payments.why_not_dispute(charge, event)
    if why_not:
        payments.refuse_event(event, why_not)
        return
    try:
        is_news = _apply(order, locked_milestone(order, milestone.pk), charge, event.dispute, event, now)
    except payments.DecidedOtherwise as refusal:
        payments.refuse_event(event, str(refusal))
        return
    outcome = f"told the order: chargeback {event.dispute.state}" if is_news else "changed nothing: known already"
    payments.mark_applied(stored, outcome=outcome, at=now)


def tell_decided_rests() -> int:
    """Tell both sides who bears what a lost chargeback left, as staff decided in admin; returns how many were told.

    `payments` knows no order, so the orders' side looks for itself.
    """
    decided = Chargeback.objects.filter(rest_decided_at__isnull=False).order_by("-rest_decided_at")[:BATCH]
    rows = list(decided.values_list("pk", "charge__held"))
    told = _told_of([held_id for _, held_id in rows])
    return sum(_try_to_tell_rest(pk) for pk, _ in rows if pk not in told)


def _try_to_tell_rest(chargeback_pk: int) -> bool:
    try:
        return _tell_rest(chargeback_pk)
    except Exception:
        # It is found again the next time; meanwhile it keeps no other from being told.
        logger.exception("Who bears the rest of chargeback %s could not be told.", chargeback_pk)
        return False


@transaction.atomic
def _tell_rest(chargeback_pk: int) -> bool:
    chargeback = Chargeback.objects.select_related("charge__held").get(pk=chargeback_pk)
    milestone = Milestone.objects.get(held=chargeback.charge.held_id)
    order, now = lock_as_it_is(milestone.order_id)
    # Under the lock once more: another worker may have told it meanwhile.
    if chargeback.pk in _told_of([chargeback.charge.held_id]):
        return False
    touch(order, by=None, now=now)
    order.save()
    owed = payments.owed_for(chargeback)
    borne = chargeback.rest - owed
    values: dict[str, Value] = {"owed": Amount(owed, order.currency), "borne": Amount(borne, order.currency)}
    if owed and borne:
        shares = Phrase(noop("the seller owes {owed}, the platform bears {borne}"), values)
    else:
        shares = Phrase(noop("the seller owes {owed}") if owed else noop("the platform bears {borne}"), values)
    _record(Kind.CHARGEBACK_BORNE, order, locked_milestone(order, milestone.pk), chargeback, now, shares=shares)
    return True


def _told_of(held_ids: list[int]) -> set[int]:
    events = Event.objects.filter(kind=Kind.CHARGEBACK_BORNE, milestone__held__in=held_ids)
    return set(events.values_list("data__chargeback", flat=True))


def _apply(
    order: Order, milestone: Milestone, charge: Charge, dispute: ParsedDispute, event: ParsedEvent, now: datetime
) -> bool:
    """Book what is news and tell it; False if nothing is."""
    known = Chargeback.objects.filter(provider=charge.provider, provider_id=dispute.provider_id).first()
    chargeback = known or payments.take_back(
        charge, provider_id=dispute.provider_id, amount=event.amount, reason=event.outcome.reason, at=now
    )
    # An open milestone whose own payment the bank took; not one that was paid once more, nor one that has ended.
    concerns_work = charge.funded and milestone.is_open
    if not known:
        touch(order, by=None, now=now)
        _taken(order, milestone, chargeback, concerns_work, now)
    if dispute.state == DisputeState.TAKEN:
        return not known
    decide = payments.win if dispute.state == DisputeState.WON else payments.lose
    if not decide(chargeback, at=now):
        return False
    if known:
        touch(order, by=None, now=now)
    if dispute.state == DisputeState.WON:
        _won(order, milestone, chargeback, concerns_work, now)
    else:
        _lost(order, milestone, chargeback, concerns_work, now)
    order.save()
    return True


def _taken(order: Order, milestone: Milestone, chargeback: Chargeback, concerns_work: bool, now: datetime) -> None:
    """Tell it; where the milestone is open, its order is frozen and a case waits for the bank."""
    meanwhile = None
    if concerns_work:
        meanwhile = Phrase(noop("; the order is frozen until then"))
    elif chargeback.frozen:
        frozen = Amount(chargeback.frozen, order.currency)
        meanwhile = Phrase(noop("; {amount} of the seller's earnings is frozen until then"), {"amount": frozen})
    order.save()
    _record(Kind.CHARGEBACK_TAKEN, order, milestone, chargeback, now, meanwhile=meanwhile)
    if not concerns_work:
        return
    case = _pending(order, now)
    if case:
        # It goes on when the bank has decided for the seller; until then support can't decide either.
        if case.status == Case.Status.OPEN:
            move_case(case.wait_for_bank, now, kind=Kind.CASE_ESCALATED, by=None, at=now)
        else:
            case.wait_for_bank(now)
            case.save()
        return
    case = consider(order, Case.Kind.CHARGEBACK, Case.Side.CLOCK, now=now, milestone=milestone)
    case.reason = Reason.objects.get(code=Reason.CHARGEBACK)
    case.statement = taken_back(case, chargeback.amount, chargeback.reason)
    open_for_support(case, by=None, at=now, silently=True)
    case.wait_for_bank(now)
    case.save()
    freeze(order, by=None, at=now, case_number=case.number)


def _won(order: Order, milestone: Milestone, chargeback: Chargeback, concerns_work: bool, now: datetime) -> None:
    """Tell it; the case that waited for nothing but the bank ends, and the clocks run again (R4)."""
    _record(Kind.CHARGEBACK_WON, order, milestone, chargeback, now)
    case = _pending(order, now) if concerns_work else None
    if case is None:
        return
    if case.kind != Case.Kind.CHARGEBACK:
        case.bank_has_decided(now)
        case.save()
        return
    reason = Reason.objects.get(code=Reason.CHARGEBACK)
    note = noop("The buyer's bank decided for the seller and gave the payment back.")
    effect = Phrase(noop("the order goes on"))
    move_case(case.end_won, now, reason, note, kind=Kind.CASE_SETTLED, by=None, at=now, effect=effect, silently=True)
    go_on(order, by=None, at=now)


def _lost(order: Order, milestone: Milestone, chargeback: Chargeback, concerns_work: bool, now: datetime) -> None:
    """Tell it; an open milestone is canceled, whatever the case about it asked for, and nothing is refunded twice."""
    _record(Kind.CHARGEBACK_LOST, order, milestone, chargeback, now)
    if not concerns_work:
        return
    case = _pending(order, now)
    if case:
        reason = Reason.objects.get(code=Reason.CHARGEBACK)
        note = noop("The buyer's bank decided for the buyer and gave them the payment back.")
        effect = Phrase(noop("“{milestone}” is canceled"), {"milestone": str(milestone)})
        move_case(
            case.end_lost, now, reason, note, kind=Kind.CASE_SETTLED, by=None, at=now, effect=effect, silently=True
        )
    if order.paused_at:
        unfreeze(order, by=None, at=now)
    cancel_charged_back(order, milestone, at=now)


def _pending(order: Order, now: datetime) -> Case | None:
    pk = order.cases.pending().values_list("pk", flat=True).first()
    return case_of(order, pk, now) if pk else None


def _record(
    kind: Event.Kind,
    order: Order,
    milestone: Milestone,
    chargeback: Chargeback,
    now: datetime,
    *,
    meanwhile: Phrase | None = None,
    shares: Phrase | None = None,
) -> None:
    record(
        kind,
        order,
        by=None,
        at=now,
        milestone=milestone,
        charged_back=chargeback.amount,
        chargeback=chargeback.pk,
        meanwhile=meanwhile or "",
        shares=shares or "",
    )
