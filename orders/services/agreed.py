"""What changes an order because both sides agreed to it, or support decided it (O8, O17, R1).

Every function here runs under the caller's lock.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marketplace.accounts.models import User
from marketplace.catalog.plans import InvalidPlan, PlannedMilestone, check
from orders.activity import record
from orders.guards import Refusal, Refused, require
from orders.models import Event, Milestone, Order
from orders.plan_changes import stored


def extend_delivery(
    order: Order, milestone: Milestone, *, days: int, by: User | None, at: datetime, reason: str = "", note: str = ""
) -> None:
    """Give the seller `days` × 24 h more; where the date has passed, from `at` (R1, R6).

    Saves the milestone. Raises `Refused` unless it is in work.
    """
    require(milestone.extend)
    if days < 1:
        raise Refused(Refusal(_("An extension is at least one day.")))
    before = milestone.deliver_by
    milestone.extend(days, at)
    milestone.save()
    assert before
    assert milestone.deliver_by
    record(
        Event.Kind.DELIVERY_EXTENDED,
        order,
        by=by,
        at=at,
        milestone=milestone,
        reason=reason,
        note=note,
        extension=days,
        # Exactly what was added, so that the date can be proved from the activity (I13).
        added_microseconds=(milestone.deliver_by - before) // timedelta(microseconds=1),
    )


def add_revisions(order: Order, milestone: Milestone, *, count: int, by: User | None, at: datetime) -> None:
    """Grant `count` extra revisions of an open milestone (O8). Saves the milestone. Raises `Refused`."""
    require(milestone.grant_revisions)
    milestone.grant_revisions(count)
    milestone.save()
    record(Event.Kind.REVISIONS_GRANTED, order, by=by, at=at, milestone=milestone, count=count)


def change_upcoming(
    order: Order, upcoming: Sequence[PlannedMilestone], *, by: User | None, at: datetime, reason: str = ""
) -> None:
    """Put `upcoming` in the place of the milestones that have not started; current and ended ones stay (O17).

    All of them change together. Raises `Refused` unless the order is active and not frozen, and as `why_not_upcoming`.
    """
    require(order.change_upcoming)
    refusal = why_not_upcoming(order, upcoming)
    if refusal:
        raise Refused(refusal)
    before = planned(order)
    plans = (stored(before), stored(upcoming))
    first = len(order.plan) - len(before) + 1
    for position, step in enumerate(upcoming, start=first):
        Milestone.objects.update_or_create(
            order=order,
            position=position,
            defaults={
                "title": step.title,
                "description": step.description,
                "price": step.price,
                "delivery_days": step.delivery_days,
                "revisions": step.revisions,
            },
        )
    for dropped in order.milestones.filter(position__gte=first + len(upcoming)):
        dropped.delete()
    record(Event.Kind.PLAN_CHANGED, order, by=by, at=at, reason=reason, before=plans[0], after=plans[1])


def planned(order: Order) -> list[Milestone]:
    """What has not started: always the last ones of the plan (O1)."""
    return [milestone for milestone in order.plan if milestone.status == Milestone.Status.PLANNED]


def why_not_upcoming(order: Order, upcoming: Sequence[PlannedMilestone]) -> Refusal | None:
    """Why these cannot be the upcoming milestones: the terms' rules, no change, or nothing left to do."""
    before = planned(order)
    kept = [PlannedMilestone.of(milestone) for milestone in order.plan[: len(order.plan) - len(before)]]
    if [PlannedMilestone.of(milestone) for milestone in before] == list(upcoming):
        return Refusal(_("Nothing would change."))
    if not upcoming and order.current is None:
        return Refusal(_("At least one milestone has to stay. To end the order, the buyer can stop it."))
    try:
        if upcoming:
            check(upcoming, currency=order.currency, terms=order.terms, first=len(kept) + 1)
    except InvalidPlan as problem:
        return Refusal(str(problem))
    if len(kept) + len(upcoming) > order.terms.max_milestones:
        most = order.terms.max_milestones
        said = ngettext(
            "An order has at most {number} milestone, those that ended included.",
            "An order has at most {number} milestones, those that ended included.",
            most,
        )
        return Refusal(said.format(number=most))
    return None
