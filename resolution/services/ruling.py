"""Customer Support rules on a case, or acts without one (R6)."""

from datetime import datetime

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from marketplace.accounts.models import User
from orders.guards import Refusal, Refused, require
from orders.locking import touch
from orders.models import Event, Order
from orders.operating import refuse_party
from orders.phrases import Phrase
from resolution.activity import move_case
from resolution.locking import lock_case, lock_order
from resolution.models import Case, Reason
from resolution.models.choices import Kind, Ruling, Side
from resolution.services.decisions import Decision, carry_out
from resolution.services.opening import consider, open_for_support
from resolution.services.outcomes import go_on
from resolution.services.verbs import case_verb


@case_verb
def rule(case: Case, decision: Decision, *, by: User, reason: Reason, note: str, version: int | None = None) -> Case:
    """Decide a dispute, whatever it asked for (R6): cancel the open milestone or the order, refund a part and release
    the rest, complete the milestone, or extend its delivery date.

    Case, milestone, order and money change together; completed milestones stay completed and paid (O11).
    Raises `Refused` when the case has ended, the decision is not possible now, the note is missing or the agent is a
    party; `Stale`.
    """
    order, case, now = lock_case(case.pk, version=version)
    _may_rule(order, by, note)
    touch(order, by=None, now=now)
    return _rule(order, case, decision, by=by, reason=reason, note=note, now=now)


@case_verb
def rule_without_case(
    order: Order, decision: Decision, *, by: User, reason: Reason, note: str, version: int | None = None
) -> Case:
    """Decide without anybody's case: one is opened and ruled in one transaction (R6).

    Changes together and raises as `rule`; refused as well while a case is open on the order: rule on that one.
    """
    order, now = lock_order(order.pk, version=version)
    _may_rule(order, by, note)
    case = consider(order, kind_for(decision), Side.SUPPORT, now=now)
    case.opened_by, case.reason, case.statement = by, reason, note
    touch(order, by=None, now=now)
    open_for_support(case, by=by, at=now, silently=True)
    return _rule(order, case, decision, by=by, reason=reason, note=note, now=now)


@case_verb
def dismiss_case(case: Case, *, by: User, reason: Reason, note: str, version: int | None = None) -> Case:
    """Dismiss: the order goes on with at least the least rest of its clocks (R4, R6).

    Raises `Refused` when the case has ended, the note is missing or the agent is a party; `Stale`.
    """
    order, case, now = lock_case(case.pk, version=version)
    _may_rule(order, by, note)
    touch(order, by=None, now=now)
    move_case(
        case.dismiss,
        now,
        by,
        reason,
        note,
        kind=Event.Kind.CASE_DISMISSED,
        by=by,
        at=now,
        reason=reason.text,
        note=note,
    )
    go_on(order, by=by, at=now)
    return case


def kind_for(decision: Decision) -> Kind:
    """The kind of the case that support opens to decide so: about the order, or about its open milestone."""
    return Kind.CANCEL_ORDER if decision.ruling == Ruling.CANCEL_ORDER else Kind.CANCEL_MILESTONE


def _rule(order: Order, case: Case, decision: Decision, *, by: User, reason: Reason, note: str, now: datetime) -> Case:
    require(case.rule)
    refusal = decision.why_not(order)
    if refusal:
        raise Refused(refusal)
    in_words = decision.in_words(order)
    move_case(
        case.rule,
        now,
        by,
        decision.ruling,
        _in_own_words(in_words),
        reason,
        note,
        kind=Event.Kind.CASE_RULED,
        by=by,
        at=now,
        reason=reason.text,
        note=note,
        ruling=in_words,
    )
    carry_out(decision, order, by=by, at=now, reason=reason.text, note=note)
    return case


def _in_own_words(decision: Phrase) -> str:
    """For the case's own row, which both sides and support read: in the site's own language."""
    with translation.override(settings.LANGUAGE_CODE):
        return str(decision)


def _may_rule(order: Order, by: User, note: str) -> None:
    refuse_party(order, by)
    if not note.strip():
        raise Refused(Refusal(_("Write a note: both sides read why.")))
