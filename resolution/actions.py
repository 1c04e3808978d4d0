"""What the Resolution Center could offer to the person looking: available, or greyed with the reason (P1)."""

from datetime import datetime

from django.db.models import Prefetch, prefetch_related_objects
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from orders.actions import Action
from orders.guards import Refusal, why_not
from orders.models import Order
from resolution.models import Case
from resolution.services import consider
from resolution.sides import LABELS, WHO, not_the_side

Kind = Case.Kind

# The kinds that buyers and sellers open, in the order of R2: what ends or refunds something, what changes something.
CANCEL_OR_REFUND = (Kind.CANCEL_MILESTONE, Kind.CANCEL_ORDER, Kind.PARTIAL_REFUND)
CHANGES = (Kind.EXTEND, Kind.EXTRA_REVISIONS, Kind.CHANGE_UPCOMING)
OPENING = {kind.value: kind.label for kind in (*CANCEL_OR_REFUND, *CHANGES)}

OVERDUE = _lazy("The time for this has run out; the clock is about to settle the order.")


def actions(order: Order, side: str, now: datetime) -> list[Action]:
    """Every kind of case that this side could open, then every button of the order's present dispute and proposal."""
    found = [open_action(order, kind, side, now) for kind in OPENING]
    for case in present_among(cases_of(order, now)):
        found += case_actions(case, side, now)
    return found


def open_action(order: Order, kind: str, side: str, now: datetime) -> Action:
    """Opening a case of this kind, whatever its reason: possible for this side, or why not."""
    return _action(kind, str(OPENING[kind]), url_of(order, kind), why_not_open(order, kind, side, now))


def url_of(order: Order, kind: str) -> str:
    """The page on which a case of this kind is opened."""
    return reverse("resolution:open_kind", args=[order.number, kind.replace("_", "-")])


def why_not_open(order: Order, kind: str, side: str, now: datetime) -> Refusal | None:
    """Why this side cannot open a case of this kind now, whatever its reason; None when it can."""
    if order.is_overdue(now):
        return Refusal(str(OVERDUE), when=order.decide_by)
    return why_not(consider(order, kind, side, now=now).open)


def case_actions(case: Case, side: str, now: datetime) -> list[Action]:
    """Every button of a case, for one of its sides."""
    case.moment = now
    return [_action(name, str(LABELS[name]), _case_url(case, name), why_not_now(case, side, name)) for name in WHO]


def why_not_now(case: Case, side: str, name: str) -> Refusal | None:
    """Why this side cannot press this button of the case at its moment; None when it can."""
    refusal = not_the_side(case, side, name)
    if refusal:
        return refusal
    if case.order.is_overdue(case.moment):
        return Refusal(_("The clock is about to settle the order."), when=case.order.decide_by)
    return why_not(getattr(case, name))


def cases_of(order: Order, now: datetime) -> list[Case]:
    """Every case of an order, the newest first, on the same rows that its page looks at, at the page's instant."""
    # Kept on the order, so that what asks about its cases again asks no database.
    prefetch_related_objects([order], Prefetch("cases", Case.objects.select_related("reason").order_by("-pk")))
    found = list(order.cases.all())
    for case in found:
        on_rows_of(order, case, now)
    return found


def present_among(cases: list[Case]) -> list[Case]:
    """What somebody can still act on: the dispute, or the declined one that may be taken to support; the proposal."""
    dispute = next((case for case in cases if case.freezes or case.can_go_to_support), None)
    return [case for case in (dispute, waiting_proposal(cases)) if case]


def waiting_proposal(cases: list[Case]) -> Case | None:
    """The proposal among `cases` that waits for an answer; one that has become void waits for nobody (R4)."""
    return next(
        (case for case in cases if case.is_pending and not case.is_dispute and not case.void_since()),
        None,
    )


def on_rows_of(order: Order, case: Case, now: datetime) -> Case:
    """A case on the same rows that the page of its order looks at, at the page's instant."""
    case.order, case.moment = order, now
    case.milestone = next((step for step in order.plan if step.pk == case.milestone_id), None)
    return case


def _action(name: str, label: str, url: str, refusal: Refusal | None) -> Action:
    return Action(
        name=name,
        label=label,
        url=url,
        allowed=refusal is None,
        reason=refusal.reason if refusal else "",
        who=refusal.who if refusal else "",
        when=refusal.when if refusal else None,
    )


def _case_url(case: Case, name: str) -> str:
    return reverse(f"resolution:{name}", args=[case.number])
