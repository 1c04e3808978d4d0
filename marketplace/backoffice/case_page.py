"""Everything that an agent needs to decide a case, on one page, from a constant number of queries (P3, R6, R8)."""

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import Count, Q
from django.utils.translation import gettext, ngettext

from marketplace.accounts.models import User
from marketplace.backoffice.access import RULE, WITHHOLD, why_not_for
from marketplace.backoffice.acts import acts_on
from marketplace.backoffice.order_page import (
    CENTS,
    Button,
    Handed,
    Line,
    activity,
    button,
    cents_per_milestone,
    notes,
    pauses,
    said_of_all,
    standing,
    talk,
    transfers,
)
from marketplace.backoffice.twins import sides_of_case
from orders.models import Attachment, Delivery, Event, Milestone, Order
from payments.money import display
from resolution.actions import cases_of
from resolution.admin import who_is_silent
from resolution.models import Case, CaseMessage
from resolution.services import why_not_write
from resolution.words import at_stake, changes_of, deadline_of, if_nobody_acts

EARLIER_DECISIONS = 8


@dataclass(frozen=True)
class Said:
    """A line of the conversation with its files."""

    message: CaseMessage
    who: str
    files: list[Attachment]


@dataclass(frozen=True)
class Promise:
    """What a milestone promised, next to what was delivered for it and what the buyer wanted changed."""

    milestone: Milestone
    late: bool
    latest: Handed | None
    earlier: list[Handed]
    revisions_asked: list[Event]


@dataclass(frozen=True)
class Precedent:
    """How a case with the same reason was decided."""

    case: Case
    decided: str
    price: str
    went_back: str


@dataclass(frozen=True)
class Party:
    """One side, and how often they were in cases, this one included."""

    person: User
    role: str
    cases: int
    opened: int
    orders: int

    @property
    def record(self) -> str:
        """ "3 cases in 12 orders, opened 2"."""
        cases = ngettext("{count} case", "{count} cases", self.cases).format(count=self.cases)
        orders = ngettext("{count} order", "{count} orders", self.orders).format(count=self.orders)
        return gettext("{cases} in {orders}, opened {opened}").format(cases=cases, orders=orders, opened=self.opened)


def case_context(case: Case, viewer: User) -> dict[str, Any]:
    """What the page of a case shows; `case.order` was fetched `with_everything`."""
    order, now = case.order, case.moment
    due = deadline_of(case)
    attached = list(order.attachments.select_related("uploaded_by", "withheld_by"))
    happened = activity(order, order.events.all())
    possible = buttons(case, viewer, now) if viewer.has_perm(RULE) else []
    said = conversation(case, attached)
    return {
        "case": case,
        "order": order,
        "standing": standing(order, now),
        "silent": who_is_silent(case, now),
        "due": due,
        "overdue": case.is_pending and due is not None and due <= now,
        "if_nobody_acts": if_nobody_acts(case),
        "at_stake": at_stake(case),
        "changes": changes_of(case) if case.asked_upcoming is not None else "",
        "buttons": possible,
        "why_none": said_of_all(possible),
        "may_rule": viewer.has_perm(RULE),
        "sides": sides_of_case(case, viewer) if viewer.has_perm(RULE) else [],
        "may_withhold": viewer.has_perm(WITHHOLD),
        "may_see_people": viewer.has_perm("accounts.view_user"),
        "is_party": bool(order.side_of(viewer)),
        "parties": parties(order),
        "files": _of(attached, case.files.values_list("pk", flat=True)),
        "wrote": writers(case, happened),
        "said": said,
        "why_not_write": why_not_for(order, viewer) or why_not_write(case),
        "seen": sum(line.message.author_id == viewer.pk for line in said),
        "promise": promise(case, attached, [line.event for line in happened], now),
        "talk": talk(order, attached),
        "notes": notes(order, viewer),
        "precedents": precedents(case),
        "others": [other for other in cases_of(order, now) if other.pk != case.pk],
        "columns": list(CENTS.values()),
        "cents": cents_per_milestone(order),
        "transfers": transfers(order),
        "activity": happened,
        "pauses": pauses(order),
    }


def buttons(case: Case, viewer: User, now: datetime) -> list[Button]:
    """Every ruling that a case could ever get, possible now or greyed with the reason (P1). The keyboard begins at the
    first that is possible."""
    found = [button(act, key, viewer, now) for key, act in enumerate(acts_on(case), start=1)]
    first = next((each for each in found if each.refusal is None), None)
    return [replace(each, focused=each is first) for each in found]


def writers(case: Case, happened: list[Line]) -> dict[str, str]:
    """Who opened the case, answered it and took it to support, as the activity names them: with the agent who did it
    for them (R6)."""
    who = {line.event.kind: line.who for line in happened if line.event.data.get("case") == case.number}
    answered = who.get(Event.Kind.CASE_DECLINED) or who.get(Event.Kind.CASE_ACCEPTED, "")
    return {
        "opened": who[Event.Kind.CASE_OPENED],
        "answered": answered,
        "escalated": who.get(Event.Kind.CASE_ESCALATED, ""),
    }


def conversation(case: Case, attached: list[Attachment]) -> list[Said]:
    """What was written in the case; every agent speaks as Customer Support, and support sees who it was."""
    files = defaultdict(list)
    rows = CaseMessage.files.through.objects.filter(casemessage__case=case)
    for message_id, file_id in rows.values_list("casemessage_id", "attachment_id"):
        files[message_id].append(file_id)
    return [
        Said(
            message,
            _writes_as(case.order.side_of(message.author)),
            _of(attached, files[message.pk]),
        )
        for message in case.messages.select_related("author")
    ]


def _writes_as(side: str | None) -> str:
    return {"buyer": gettext("buyer"), "seller": gettext("seller")}.get(side or "", gettext("for Customer Support"))


def promise(case: Case, attached: list[Attachment], events: list[Event], now: datetime) -> Promise | None:
    """Of the case's milestone; between milestones of the last one that was delivered."""
    order = case.order
    delivered = [step for step in order.plan if step.delivered_at]
    milestone = case.milestone or order.open_milestone or (delivered[-1] if delivered else None)
    if milestone is None:
        return None
    handed = [_handed(delivery, attached) for delivery in milestone.deliveries.all()]
    asked = [
        event
        for event in reversed(events)
        if event.kind == Event.Kind.REVISION_REQUESTED and event.milestone_id == milestone.pk
    ]
    return Promise(milestone, milestone.is_late(now), handed[-1] if handed else None, handed[:-1], asked)


def precedents(case: Case) -> list[Precedent]:
    """The latest decisions of support about cases with the same reason, so that like is decided alike."""
    decided = Case.objects.filter(status__in=(Case.Status.RULED, Case.Status.DISMISSED)).exclude(pk=case.pk)
    alike = decided.filter(Q(reason=case.reason) | Q(ruling_reason=case.reason)).exclude(kind=Case.Kind.CHARGEBACK)
    # Chosen first, so that what they are shown with is looked up for those few only.
    latest = alike.order_by("-ended_at", "-pk").values("pk")[:EARLIER_DECISIONS]
    shown = Case.objects.filter(pk__in=latest).select_related("order", "milestone__held", "ended_by")
    return [_precedent(earlier) for earlier in shown.order_by("-ended_at", "-pk")]


def parties(order: Order) -> list[Party]:
    """Both sides, with how often they were in cases and how many orders they have, to judge the one by the other."""
    of = {role: Q(order__buyer=person) | Q(order__seller=person) for role, person in _sides(order)}
    mine = {role: Q(buyer=person) | Q(seller=person) for role, person in _sides(order)}
    counts = {f"{role}_cases": Count("pk", filter=condition) for role, condition in of.items()}
    opened = {f"{role}_opened": Count("pk", filter=Q(opened_by=person)) for role, person in _sides(order)}
    in_cases = Case.objects.filter(of["buyer"] | of["seller"]).aggregate(**counts, **opened)
    placed = Order.objects.filter(mine["buyer"] | mine["seller"], placed_at__isnull=False).aggregate(
        **{f"{role}_orders": Count("pk", filter=condition) for role, condition in mine.items()}
    )
    return [
        Party(person, role, in_cases[f"{role}_cases"], in_cases[f"{role}_opened"], placed[f"{role}_orders"])
        for role, person in _sides(order)
    ]


def _sides(order: Order) -> tuple[tuple[str, User], tuple[str, User]]:
    return ("buyer", order.buyer), ("seller", order.seller)


def _precedent(case: Case) -> Precedent:
    held = case.milestone.held if case.milestone else None
    gave_back = case.ruling in (Case.Ruling.CANCEL_MILESTONE, Case.Ruling.CANCEL_ORDER, Case.Ruling.SPLIT)
    currency = case.order.currency
    decided = case.decision or (case.get_ruling_display() if case.ruling else gettext("dismissed"))
    return Precedent(
        case,
        f"{decided[0].upper()}{decided[1:]}",
        display(case.milestone.price, currency) if case.milestone else "–",
        display(held.refunded, currency) if held and gave_back else "–",
    )


def _handed(delivery: Delivery, attached: list[Attachment]) -> Handed:
    return Handed(delivery, [file for file in attached if file.delivery_id == delivery.pk])


def _of(attached: list[Attachment], ids: Any) -> list[Attachment]:
    wanted = set(ids)
    return [file for file in attached if file.pk in wanted]
