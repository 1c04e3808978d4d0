"""What a case's acts write into its order's activity, and who is told (P4)."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from marketplace.accounts.models import User
from marketplace.accounts.reader import reading_as
from marketplace.notifications.services import tell
from orders.activity import record, sentence, wording
from orders.guards import require
from orders.models import Event
from payments.said import said
from resolution.models import Case
from resolution.words import NOTICES, ahead

Kind = Event.Kind


def move_case(
    transition: Callable[..., Any],
    *args: Any,
    kind: Event.Kind,
    by: User | None,
    at: datetime,
    reason: str = "",
    note: str = "",
    silently: bool = False,
    **data: Any,
) -> None:
    """Take a bound transition of a case, save the row, write its one event and tell the other side of it;
    both sides when the clock or support acts. `silently` when another event of the same verb tells them.

    Raises `Refused` with the guard's reason when the transition is not allowed now.
    """
    case: Case = transition.__self__  # type: ignore[attr-defined]
    require(transition)
    before = case.status
    transition(*args)
    case.save()
    event = record(
        kind,
        case.order,
        by=by,
        at=at,
        milestone=case.milestone,
        reason=reason,
        note=note,
        case=case.number,
        what=case.what,
        case_from=before,
        case_to=case.status,
        **data,
    )
    if not silently:
        _tell(event, case, at)


def _tell(event: Event, case: Case, at: datetime) -> None:
    order = case.order
    for person in (order.buyer, order.seller):
        if person.pk == event.actor_id:
            continue
        with reading_as(person):
            told = sentence(event, order, person) if event.on_behalf_of_id else ""
            title = NOTICES[event.kind].format(**wording(event, order, viewer=person))
            text = "\n".join(filter(None, (told, said(event.reason), event.note, ahead(case))))
        tell(
            [person],
            kind=event.kind,
            title=title,
            text=text,
            url=case.get_absolute_url(),
            key=f"event:{event.pk}",
            at=at,
        )
