"""What a line of a list says: what its order waits for, and until when, its case included (P2)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django_stubs_ext import StrPromise

from orders.models import Milestone, Order
from resolution.actions import on_rows_of, waiting_proposal
from resolution.models import Case


@dataclass(frozen=True)
class Line:
    order: Order
    other: str
    standing: "Standing"
    plan: list[Milestone]
    milestone: Milestone | None
    done: int
    unread: int = 0

    @property
    def count(self) -> int:
        return len(self.plan)

    @property
    def price(self) -> int:
        return sum(milestone.price for milestone in self.plan)

    @property
    def steps(self) -> list[str]:
        """The look of each milestone on the small track: done, current, off (it will not be done) or next."""
        return [_LOOKS.get(milestone.status, "next") for milestone in self.plan]

    @property
    def state(self) -> StrPromise:
        """The words for where `milestone` stands."""
        assert self.milestone
        return _STATES[self.milestone.status]

    @property
    def initials(self) -> str:
        """Of the other side: Theo Lindqvist is TL."""
        return "".join(word[0] for word in self.other.split()[:2]).upper()


@dataclass(frozen=True)
class Standing:
    """Where an order stands for one side: the badge's words and look, and the instant it waits for."""

    text: str
    look: str
    until: datetime | None = None
    mine: bool = False
    due: str = "until"


# Django's own way to a choice's words makes them anew for each row.
_STATES = dict(Milestone.Status.choices)
_ENDINGS = dict(Order.Status.choices)
_LOOKS: dict[str, str] = {
    **dict.fromkeys(Milestone.CURRENT, "current"),
    Milestone.Status.COMPLETED: "done",
    Milestone.Status.CANCELED: "off",
    Milestone.Status.NOT_STARTED: "off",
}


def grouped(lines: list[Line]) -> list[tuple[str, list[Line]]]:
    """The lines of a page under their headings, in the order of `page_of_orders`."""
    groups: dict[str, list[Line]] = {}
    for one in lines:
        heading = _("Ended") if one.order.has_ended else _("Waiting for you") if one.standing.mine else _("Under way")
        groups.setdefault(heading, []).append(one)
    return list(groups.items())


def line(order: Order, side: str, now: datetime) -> Line:
    """An order of `sorted_orders`, as `side` reads it."""
    plan = order.plan
    current = next((milestone for milestone in plan if milestone.is_current), None)
    following = next((milestone for milestone in plan if milestone.status == Milestone.Status.PLANNED), None)
    done = sum(milestone.status == Milestone.Status.COMPLETED for milestone in plan)
    shown: Any = order
    pending: list[Case] = shown.pending_cases
    cases = [on_rows_of(order, case, now) for case in pending]
    dispute = next((case for case in cases if case.freezes), None)
    where = standing(order, side, now, dispute, waiting_proposal(cases))
    return Line(order, shown.other, where, plan, current or following, done, shown.unread)


def case_waits_for(case: Case) -> str:
    """Who must act on a pending case: «buyer», «seller», or «support»."""
    return case.answering_side if case.status == Case.Status.OPEN else "support"


def standing(
    order: Order, side: str, now: datetime, case: Case | None = None, proposal: Case | None = None
) -> Standing:
    """Whom the order waits for, as `side` reads it: a frozen one for what its `case` waits for; one that goes on also
    for the answer to a `proposal`, when that is due before anything else that `side` has to do."""
    found = _standing(order, side, now, case)
    if order.has_ended or order.paused_at or order.is_overdue(now):
        return found
    if proposal is None or proposal.answering_side != side:
        return found
    if found.mine and found.until and proposal.answer_by and found.until <= proposal.answer_by:
        return found
    return Standing(_("Answer the proposal"), "waiting", proposal.answer_by, mine=True)


def _standing(order: Order, side: str, now: datetime, case: Case | None) -> Standing:
    if order.is_overdue(now):
        return Standing(_("Being settled"), "neutral")
    if order.has_ended:
        return Standing(str(_ENDINGS[order.status]), "paid" if order.status == Order.Status.COMPLETED else "neutral")
    if order.paused_at:
        if case and case_waits_for(case) == side:
            return Standing(_("Answer the case"), "waiting", case.answer_by, mine=True)
        said = _("Frozen: the case waits for an answer")
        if case and case_waits_for(case) == "support":
            said = _("Frozen: the case waits for Customer Support")
        if case and case.kind == Case.Kind.CHARGEBACK:
            said = _("Frozen: the case waits for the buyer's bank")
        until = (case.answer_by if case.status == Case.Status.OPEN else case.support_due) if case else None
        return Standing(said, "frozen", until)
    milestone = order.current
    waits_for = milestone.waits_for if milestone else "buyer"
    until = milestone.deliver_by if milestone and milestone.is_in_work else order.decide_by
    due = "due" if waits_for == "seller" else "until"
    if milestone and milestone.is_late(now):
        return Standing(_("Late"), "late", until, mine=side == waits_for, due="was due")
    if waits_for == side:
        return Standing(_("Waiting for you"), "waiting", until, mine=True, due=due)
    other_side = _("Waiting for the buyer") if waits_for == "buyer" else _("Waiting for the seller")
    return Standing(other_side, "neutral", until, due=due)
