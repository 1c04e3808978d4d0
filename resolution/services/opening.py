"""Opening a case: by buyer or seller, by support, and what a person could open (R1–R4, O15)."""

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from marketplace.accounts.models import User
from orders.files import CheckedFile
from orders.guards import Refusal, Refused
from orders.locking import touch
from orders.models import Event, Milestone, Order
from orders.operating import refuse_party
from orders.phrases import Phrase
from orders.services import attach, freeze
from resolution.activity import move_case
from resolution.locking import lock_order
from resolution.models import Case, Reason
from resolution.models.asked import NOTHING_MORE, Asked
from resolution.services.outcomes import cancel
from resolution.services.verbs import case_verb
from resolution.words import effect_of, very_late


def consider(
    order: Order,
    kind: str,
    side: str,
    *,
    now: datetime,
    milestone: Milestone | None = None,
    asked: Asked = NOTHING_MORE,
) -> Case:
    """A case that is not opened yet, about `milestone` or the open one: its guards say whether it could be."""
    case = Case(order=order, kind=kind, side=side, milestone=milestone or order.open_milestone)
    case.moment = now
    case.ask(asked)
    return case


@case_verb
def open_case(
    order: Order,
    *,
    by: User,
    kind: str,
    reason: Reason,
    statement: str,
    asked: Asked = NOTHING_MORE,
    files: Sequence[CheckedFile] = (),
    version: int | None = None,
) -> Case:
    """Open a case: the other side has the terms' time to answer, and what their silence means is decided now (R2).
    A dispute freezes the order, a proposal does not (R4). A very late milestone's cancellation is accepted as it is
    opened (O15).

    `asked` is what the kind asks for. Case, files, pause and events appear together; for a very late milestone its end
    and refund as well.
    Raises `Refused` when it is not possible now, the reason may not be cited or what is asked for is not possible;
    `Stale`.
    """
    order, now = lock_order(order.pk, version=version)
    side = order.side_of(by)
    if not side:
        raise Refused(Refusal(_("Only the buyer and the seller can open a case here."), who="buyer or seller"))
    case = consider(order, kind, side, now=now, asked=asked)
    case.opened_by, case.reason, case.statement = by, reason, statement
    touch(order, by=by, now=now)
    at_once = case.is_very_late_claim
    move_case(
        case.open,
        now,
        kind=Event.Kind.CASE_OPENED,
        by=by,
        at=now,
        reason=reason.text,
        note=statement,
        silently=at_once,
    )
    case.files.set(attach(order, files, by=by, at=now))
    if not case.is_dispute:
        order.save()
        return case
    if not at_once:
        freeze(order, by=by, at=now, case_number=case.number)
        return case
    effect = Phrase(noop("{why}, so {effect}"), {"why": very_late(case), "effect": effect_of(case)})
    move_case(case.accept, now, None, "", kind=Event.Kind.CASE_ACCEPTED, by=None, at=now, effect=effect)
    cancel(order, kind, because=Order.ClosedBecause.CANCELED_LATE, by=None, at=now, reason=reason.text)
    return case


@case_verb
def open_case_by_support(
    order: Order, *, by: User, kind: str, reason: Reason, statement: str, version: int | None = None
) -> Case:
    """Support opens a case to look into: the order is frozen until they rule (R3).

    Raises `Refused` when it is not possible now or the agent is a party, `Stale`.
    """
    order, now = lock_order(order.pk, version=version)
    refuse_party(order, by)
    case = consider(order, kind, Case.Side.SUPPORT, now=now)
    case.opened_by, case.reason, case.statement = by, reason, statement
    touch(order, by=None, now=now)
    open_for_support(case, by=by, at=now)
    freeze(order, by=by, at=now, case_number=case.number)
    return case


def open_for_support(case: Case, *, by: User | None, at: datetime, silently: bool = False) -> None:
    """Open a case of support's or of the clock's under the caller's lock: nobody is asked to answer."""
    move_case(
        case.open_for_support,
        at,
        kind=Event.Kind.CASE_OPENED,
        by=by,
        at=at,
        reason=case.reason.text,
        note=case.statement,
        silently=silently,
    )
