"""How a case is opened: every kind with what it does, and the page of one kind (P1, R2, R7)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, Self

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django_stubs_ext import StrPromise

from marketplace.accounts.models import User
from marketplace.catalog import plans
from marketplace.catalog.durations import in_words
from marketplace.catalog.plan_rows import Row
from orders.actions import Action
from orders.models import Milestone, Order
from orders.rehearsal import Outcome, outcome
from orders.services import planned, why_not_upcoming
from payments.money import display
from resolution.actions import CANCEL_OR_REFUND, CHANGES, cases_of, open_action
from resolution.forms import OPENING_FORMS, ChangeUpcomingForm, OpenForm
from resolution.models import Case, Reason
from resolution.pages.asked import Numbers, numbers_of, part_of
from resolution.rehearsal import what_agreeing_does
from resolution.services import consider
from resolution.words import effect_of, very_late

Kind = Case.Kind

_REFUND = {
    "buyer": _lazy("You ask for a part of the price of the open milestone back."),
    "seller": _lazy("You offer to give a part of the price of the open milestone back."),
}
DOES: dict[str, StrPromise] = {
    Kind.CANCEL_MILESTONE: _lazy(
        "The open milestone ends, and what is held for it goes back to the buyer. "
        "Completed milestones stay completed and paid."
    ),
    Kind.CANCEL_ORDER: _lazy(
        "The whole order ends, and what is held for the open milestone goes back to the buyer. "
        "Completed milestones stay completed and paid; the others are not started."
    ),
    Kind.PARTIAL_REFUND: _lazy("The work goes on, and the rest is paid when the milestone is completed."),
    Kind.EXTEND: _lazy("The seller gets more days for the open milestone. Price and revisions stay."),
    Kind.EXTRA_REVISIONS: _lazy("The open milestone gets more revisions, at the same price."),
    Kind.CHANGE_UPCOMING: _lazy(
        "Milestones that have not started are changed, added or dropped. "
        "Nothing is charged for one before the buyer starts it."
    ),
}
SILENT: dict[str, StrPromise] = {
    Case.Silence.AGREED: _lazy("If {name} does not answer within {time}, it counts as agreed."),
    Case.Silence.TO_SUPPORT: _lazy(
        "If {name} does not answer within {time}, the case goes to Customer Support, "
        "and the order stays frozen until they decide."
    ),
    Case.Silence.WITHDRAWN: _lazy(
        "If {name} does not answer within {time}, it counts as withdrawn, and nothing changes."
    ),
}


@dataclass(frozen=True)
class Way:
    """A kind of case: what it does, what silence means, and whether the order goes on meanwhile."""

    action: Action
    does: str
    silence: str
    meanwhile: str


class Draft:
    """A case that is being written: its form, and the rows of the plan that it would change."""

    def __init__(self, form: OpenForm, plan: plans.PlanFormSet | None) -> None:
        self.form, self.plan = form, plan

    @classmethod
    def blank(cls, order: Order, side: str, kind: str, now: datetime) -> Self:
        initial: dict[str, Any] = {"version": order.version}
        if claim_of_very_late(order, kind, side, now):
            initial["reason"] = Reason.objects.filter(code=Reason.SELLER_LATE).first()
        form = OPENING_FORMS[kind](initial=initial, order=order, side=side, kind=kind)
        rows = plans.rows_of(planned(order), order.currency)
        return cls(form, _plan(order, rows=rows) if kind == Kind.CHANGE_UPCOMING else None)

    @classmethod
    def typed(cls, order: Order, side: str, kind: str, data: Any, files: Any) -> Self:
        form = OPENING_FORMS[kind](data, files, order=order, side=side, kind=kind)
        return cls(form, _plan(order, data) if kind == Kind.CHANGE_UPCOMING else None)

    @classmethod
    def again(cls, order: Order, side: str, kind: str, data: Mapping[str, Any], *, change: str = "") -> Self:
        """What was typed, drawn anew without judging it; `change` is a button of the plan that was pressed."""
        form = OPENING_FORMS[kind](data, order=order, side=side, kind=kind)
        form.errors.clear()
        changed = partial(plans.PlanFormSet.changed, data, change, currency=order.currency, terms=order.terms)
        return cls(form, changed() if kind == Kind.CHANGE_UPCOMING else None)

    def is_valid(self) -> bool:
        """Whether it can be sent; what is wrong is told at its field."""
        valid = self.form.is_valid()
        if self.plan is None:
            return valid
        assert isinstance(self.form, ChangeUpcomingForm)
        if not self.form.cleaned_data.get("drop_all"):
            valid = self.plan.is_valid() and valid
            self.form.upcoming = self.plan.plan() if valid else []
        refusal = why_not_upcoming(self.form.order, self.form.upcoming) if valid else None
        if refusal:
            self.form.add_error(None, refusal.reason)
        return valid and not refusal


def list_context(order: Order, viewer: User, now: datetime) -> dict[str, Any]:
    """Every kind of case, possible or greyed with the reason, and the order's cases so far (P1)."""
    side = order.side_of(viewer)
    groups = [
        (heading, [_way(order, kind, side, now) for kind in kinds])
        for heading, kinds in ((_("Cancel or refund"), CANCEL_OR_REFUND), (_("Propose a change"), CHANGES))
    ]
    return _frame(order, side) | {"groups": groups, "cases": cases_of(order, now)}


def kind_context(
    order: Order, kind: str, viewer: User, now: datetime, draft: Draft | None, *, show: bool = False
) -> dict[str, Any]:
    """The page on which a case of one kind is opened. A cancellation is rehearsed at once, so that nobody is surprised;
    what has to be typed first when the draft is valid and `show` is asked for (R7)."""
    side = order.side_of(viewer)
    claim = claim_of_very_late(order, kind, side, now)
    found: Outcome | None = None
    numbers = Numbers()
    if draft and (show or kind in (Kind.CANCEL_MILESTONE, Kind.CANCEL_ORDER)):
        asked = draft.form.asked()
        agreeing = partial(what_agreeing_does, order, kind, by=None if claim else _other(order, side), asked=asked)
        found = outcome(partial(agreeing, because=Order.ClosedBecause.CANCELED_LATE) if claim else agreeing, side=side)
        if show:
            numbers = numbers_of(consider(order, kind, side, now=now, asked=asked), side)
    return _frame(order, side) | {
        "way": _way(order, kind, side, now),
        "kind": kind,
        "milestone": order.open_milestone,
        "form": draft.form if draft else None,
        "plan": draft.plan if draft else None,
        "outcome": found,
        "numbers": numbers,
        "is_dispute": kind in CANCEL_OR_REFUND,
        "facts": _facts(order, kind, now),
        "due": order.open_milestone.deliver_by if order.open_milestone and kind == Kind.EXTEND else None,
        "can_be_shown": OPENING_FORMS[kind] is not OpenForm,
        "escalation_time": in_words(order.terms.escalation),
        "least_rest": in_words(order.terms.least_rest),
        "very_late": _accepted_at_once(claim) if claim else "",
    }


def claim_of_very_late(order: Order, kind: str, side: str, now: datetime) -> Case | None:
    """The buyer's case that would be accepted as it is opened, citing that the seller is late (O15)."""
    claim = consider(order, kind, side, now=now)
    claim.reason = Reason(code=Reason.SELLER_LATE)
    return claim if claim.is_very_late_claim else None


def _accepted_at_once(claim: Case) -> str:
    said = _("{late}: {effect} as soon as you send this, citing that the seller is late. Nobody has to agree.")
    return said.format(late=capfirst(str(very_late(claim))), effect=effect_of(claim, mine=True))


def _way(order: Order, kind: str, side: str, now: datetime) -> Way:
    action = open_action(order, kind, side, now)
    other, time = _other(order, side).name, in_words(order.terms.answer)
    silence = SILENT[consider(order, kind, side, now=now).silence()].format(name=other, time=time)
    does = f"{_REFUND[side]} {DOES[kind]}" if kind == Kind.PARTIAL_REFUND else str(DOES[kind])
    if action.allowed and claim_of_very_late(order, kind, side, now):
        at_once = _("Accepted as you send it, citing that the seller is late: nobody has to agree.")
        return Way(replace(action), does, at_once, meanwhile="")
    freezes = _("The order is frozen until the case ends: its clocks stand still.")
    goes_on = _("The order goes on meanwhile: its clocks run.")
    return Way(replace(action), does, silence, freezes if kind in CANCEL_OR_REFUND else goes_on)


def _facts(order: Order, kind: str, now: datetime) -> list[tuple[str, str]]:
    """What the asked is measured by: what is held, what is left, what has not started."""
    milestone = order.open_milestone
    if kind == Kind.PARTIAL_REFUND and milestone and milestone.held:
        held = milestone.held
        half = held.left_price // 2 // held.step * held.step
        price, whole = display(held.left_price, held.currency), display(held.left, held.currency)
        is_held = _("{price} of the price of “{milestone}”, {whole} with the buyer's fee.")
        facts = [(_("Held"), is_held.format(price=price, milestone=milestone, whole=whole))]
        example = _("{price} of the price and the fee on it: {back}.")
        return [*facts, (_("For example"), example.format(**part_of(held, half)))] if half else facts
    if kind == Kind.EXTRA_REVISIONS and milestone:
        return [(_("Left now"), _revisions(milestone))]
    if kind == Kind.CHANGE_UPCOMING:
        stay = [step for step in order.plan if step.status != Milestone.Status.PLANNED]
        one = _("“{milestone}” ({status})")
        named = ", ".join(one.format(milestone=step, status=step.get_status_display().lower()) for step in stay)
        return [(_("Not changed"), named)] if named else []
    return []


def _revisions(milestone: Milestone) -> str:
    left = milestone.revisions_left
    if left is None:
        return _("Unlimited revisions of “{milestone}”.").format(milestone=milestone)
    whole = (milestone.revisions or 0) + milestone.revisions_granted
    return _("{left} of {number} for “{milestone}”.").format(left=left, number=whole, milestone=milestone)


def _plan(order: Order, data: Mapping[str, Any] | None = None, rows: list[Row] | None = None) -> Any:
    return plans.PlanFormSet(data, currency=order.currency, terms=order.terms, rows=rows or ())


def _other(order: Order, side: str) -> User:
    return order.seller if side == "buyer" else order.buyer


def _frame(order: Order, side: str) -> dict[str, Any]:
    return {
        "order": order,
        "other": _other(order, side),
        "section": "/orders/" if side == "buyer" else "/sales/",
        "answer_time": in_words(order.terms.answer),
    }
