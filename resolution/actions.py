"""What the Resolution Center could offer to the person looking: available, or greyed with the reason (P1)."""

from datetime import datetime

from django.urls import reverse

from orders.actions import Action
from orders.guards import Refusal, why_not
from orders.models import Order
from resolution.models import Case
from resolution.services import consider
from resolution.sides import LABELS, WHO, not_the_side

OPENING: dict[str, str] = {
    Case.Kind.CANCEL_MILESTONE: "Cancel the milestone",
    Case.Kind.CANCEL_ORDER: "Cancel the order",
}


def actions(order: Order, side: str, now: datetime) -> list[Action]:
    """Every kind of case that this side could open, then every button of the order's present case."""
    found = [open_action(order, kind, side, now) for kind in OPENING]
    case = present_case(order, now)
    return found + case_actions(case, side, now) if case else found


def open_action(order: Order, kind: str, side: str, now: datetime) -> Action:
    """Opening a case of this kind, whatever its reason: possible for this side, or why not."""
    url = reverse("resolution:open", args=[order.number])
    return _action(kind, OPENING[kind], url, _why_not_open(order, kind, side, now))


def case_actions(case: Case, side: str, now: datetime) -> list[Action]:
    """Every button of a case, for one of its sides."""
    case.moment = now
    return [_action(name, LABELS[name], _case_url(case, name), why_not_now(case, side, name)) for name in WHO]


def why_not_now(case: Case, side: str, name: str) -> Refusal | None:
    """Why this side cannot press this button of the case at its moment; None when it can."""
    refusal = not_the_side(case, side, name)
    if refusal:
        return refusal
    if case.order.is_overdue(case.moment):
        return Refusal("The clock is about to settle the order.", when=case.order.decide_by)
    return why_not(getattr(case, name))


def present_case(order: Order, now: datetime) -> Case | None:
    """The case that freezes the order, or the declined one that may still be taken to support."""
    unsettled = order.cases.filter(status__in=(*Case.PENDING, Case.Status.DECLINED))
    for case in unsettled.select_related("reason").order_by("-pk"):
        case.order, case.moment = order, now
        case.milestone = next((step for step in order.plan if step.pk == case.milestone_id), None)
        if case.is_pending or case.can_go_to_support:
            return case
    return None


def _why_not_open(order: Order, kind: str, side: str, now: datetime) -> Refusal | None:
    if order.is_overdue(now):
        return Refusal("The time for this has run out; the clock is about to settle the order.", when=order.decide_by)
    return why_not(consider(order, kind, side, now=now).open)


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
