"""Answering, withdrawing and escalating a case (R2–R4)."""

from collections.abc import Sequence

from marketplace.accounts.models import User
from orders.files import CheckedFile
from orders.locking import touch
from orders.models import Event, Order
from orders.services import attach, freeze
from resolution.activity import move_case
from resolution.locking import lock_case
from resolution.models import Case
from resolution.services.outcomes import go_on, take_effect, unfreeze
from resolution.services.verbs import case_verb
from resolution.sides import check_side
from resolution.words import effect_of

Kind = Event.Kind


@case_verb
def accept_case(case: Case, *, by: User, text: str = "", version: int | None = None) -> Case:
    """Agree: the clocks run again, and what the case asks for happens in the same transaction (R1, R2).

    Raises `Refused` when `by` is not the side that answers, the case does not wait for it any more, or what it asks
    for is not possible now; `Stale`.
    """
    order, case, now = lock_case(case.pk, version=version)
    check_side(case, order.side_of(by), "accept")
    touch(order, by=by, now=now)
    move_case(case.accept, now, by, text, kind=Kind.CASE_ACCEPTED, by=by, at=now, note=text, effect=effect_of(case))
    take_effect(order, case, because=Order.ClosedBecause.CANCELED_BY_AGREEMENT, by=by, at=now)
    return case


@case_verb
def decline_case(
    case: Case, *, by: User, text: str, files: Sequence[CheckedFile] = (), version: int | None = None
) -> Case:
    """Decline. A dispute's order goes on with at least the least rest of its clocks, and the opener may go to support;
    a proposal ends (R2–R4).

    Raises `Refused` when `by` is not the side that answers, or the case does not wait for it any more; `Stale`.
    """
    order, case, now = lock_case(case.pk, version=version)
    check_side(case, order.side_of(by), "decline")
    touch(order, by=by, now=now)
    move_case(case.decline, now, by, text, kind=Kind.CASE_DECLINED, by=by, at=now, note=text)
    case.files.add(*attach(order, files, by=by, at=now))
    if case.is_dispute:
        go_on(order, by=by, at=now)
    order.save()
    return case


@case_verb
def withdraw_case(case: Case, *, by: User, version: int | None = None) -> Case:
    """Take the case back before it is answered or ruled on: after a dispute each clock gets exactly its rest (R2, R4).

    Raises `Refused` when `by` is not the side that opened it, or it has ended; `Stale`.
    """
    order, case, now = lock_case(case.pk, version=version)
    check_side(case, order.side_of(by), "withdraw")
    touch(order, by=by, now=now)
    move_case(case.withdraw, now, by, kind=Kind.CASE_WITHDRAWN, by=by, at=now)
    if case.is_dispute:
        unfreeze(order, by=by, at=now)
    order.save()
    return case


@case_verb
def escalate_case(
    case: Case, *, by: User, text: str, files: Sequence[CheckedFile] = (), version: int | None = None
) -> Case:
    """Take a declined dispute to support: the order is frozen again until they rule (R3).

    Raises `Refused` when `by` is not the side that opened it, after the terms' time, when its milestone has ended
    or another case is open; `Stale`.
    """
    order, case, now = lock_case(case.pk, version=version)
    check_side(case, order.side_of(by), "escalate")
    touch(order, by=by, now=now)
    move_case(case.escalate, now, text, kind=Kind.CASE_ESCALATED, by=by, at=now, note=text)
    case.files.add(*attach(order, files, by=by, at=now))
    freeze(order, by=by, at=now, case_number=case.number)
    return case
