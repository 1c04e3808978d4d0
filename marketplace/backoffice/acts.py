"""What support can decide about an order, on a case or without one (R6): its words, why not now (P1), and doing it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext

from marketplace.accounts.models import User
from marketplace.backoffice.access import why_not_for
from orders.guards import Refusal, why_not
from orders.models import Order
from resolution import services
from resolution.models import Case, Reason
from resolution.services import Decision, consider, kind_for

DISMISS = "dismiss"
# In the order of their buttons, and of the keys 1 to 6. Without a case there is none to dismiss.
WITHOUT_A_CASE: tuple[str, ...] = tuple(Case.Ruling.values)
ON_A_CASE = (*WITHOUT_A_CASE, DISMISS)
GIVES_BACK = (Case.Ruling.CANCEL_MILESTONE, Case.Ruling.CANCEL_ORDER, Case.Ruling.SPLIT)
HARMLESS = (Case.Ruling.EXTEND, DISMISS)


@dataclass(frozen=True)
class Act:
    """One ruling of support's about an order; `case` is the one that it decides, if there is one."""

    name: str
    order: Order
    case: Case | None = None

    @property
    def label(self) -> str:
        milestone = self.order.open_milestone
        if self.name == DISMISS:
            return gettext("Dismiss the case")
        if milestone is None or self.name == Case.Ruling.CANCEL_ORDER:
            return str(Case.Ruling(self.name).label)
        label = {
            Case.Ruling.CANCEL_MILESTONE: gettext("Cancel “{title}”"),
            Case.Ruling.SPLIT: gettext("Refund a part of “{title}”, release the rest"),
            Case.Ruling.COMPLETE: gettext("Complete “{title}” and pay the seller"),
            Case.Ruling.EXTEND: gettext("Extend “{title}”"),
        }[Case.Ruling(self.name)]
        return label.format(title=milestone.title)

    @property
    def danger(self) -> bool:
        return self.name not in HARMLESS

    @property
    def gives_back(self) -> bool:
        return self.name in GIVES_BACK

    @property
    def url(self) -> str:
        if self.case:
            return reverse("admin:resolution_case_rule", args=[self.case.pk, self.name])
        return reverse("admin:orders_order_rule", args=[self.order.pk, self.name])

    @property
    def back(self) -> str:
        """The address of the page that it was chosen on."""
        if self.case:
            return reverse("admin:resolution_case_change", args=[self.case.pk])
        return reverse("admin:orders_order_change", args=[self.order.pk])

    def why_not(self, now: datetime, viewer: User) -> Refusal | None:
        """Why this agent cannot decide so now, as the services would say; None when they can (P1)."""
        refusal = why_not_for(self.order, viewer) or about_to_settle(self.order, now)
        if refusal:
            return refusal
        if self.name == DISMISS:
            return why_not(self.case.dismiss) if self.case else None
        decision = Decision(Case.Ruling(self.name))
        if self.case:
            return why_not(self.case.rule) or decision.why_not(self.order)
        return why_not_open(self.order, kind_for(decision), now) or decision.why_not(self.order)

    def do(
        self,
        *,
        by: User,
        reason: Reason,
        note: str,
        version: int | None = None,
        **asked: Any,
    ) -> Case:
        """Decide so; `asked` is the rest of the `Decision`. Raises `Refused`, `Stale`, `PaymentsError`."""
        if self.name == DISMISS:
            assert self.case
            return services.dismiss_case(self.case, by=by, reason=reason, note=note, version=version)
        decision = Decision(Case.Ruling(self.name), **asked)
        if self.case:
            return services.rule(self.case, decision, by=by, reason=reason, note=note, version=version)
        return services.rule_without_case(self.order, decision, by=by, reason=reason, note=note, version=version)


def acts_on(case: Case) -> list[Act]:
    return [Act(name, case.order, case) for name in ON_A_CASE]


def acts_without_case(order: Order) -> list[Act]:
    return [Act(name, order) for name in WITHOUT_A_CASE]


def why_not_open(order: Order, kind: str, now: datetime) -> Refusal | None:
    """Why support cannot open a case of this kind now; None when they can. About the order one is possible whenever
    any is."""
    return about_to_settle(order, now) or why_not(consider(order, kind, Case.Side.SUPPORT, now=now).open_for_support)


def about_to_settle(order: Order, now: datetime) -> Refusal | None:
    if order.is_overdue(now):
        return Refusal(gettext("The clock is about to settle this order."), when=order.decide_by)
    return None
