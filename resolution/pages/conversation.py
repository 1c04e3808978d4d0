"""What was said in a case, when the order stood still for it, and what happened."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from marketplace.accounts.models import User
from orders.activity import sentence
from orders.models import Attachment, Event, Order
from orders.words import SENTENCES
from resolution.models import Case

SUPPORT = "Customer Support"
# What each act on a case says of whoever wrote its note.
SAID = {
    Event.Kind.CASE_OPENED.value: "opened the case",
    Event.Kind.CASE_ACCEPTED.value: "accepted",
    Event.Kind.CASE_DECLINED.value: "declined",
    Event.Kind.CASE_ESCALATED.value: "took it to Customer Support",
    Event.Kind.CASE_RULED.value: "decided",
    Event.Kind.CASE_DISMISSED.value: "dismissed the case",
    Event.Kind.CASE_SETTLED.value: "decided",
}
UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


@dataclass(frozen=True)
class Entry:
    """What the sides, support, the clock or the bank have said in the case, with the evidence that came with it."""

    heading: str
    at: datetime
    text: str
    files: list[Attachment]
    mine: bool = False


@dataclass(frozen=True)
class Stop:
    """A time in which the order's clocks stood still for this case, and what each clock got for it (R4)."""

    since: datetime
    until: datetime | None
    length: str
    added: list[str]


@dataclass(frozen=True)
class Line:
    """One line of the case's activity."""

    text: str
    at: datetime
    look: str


def conversation(case: Case, viewer: User, events: Iterable[Event]) -> list[Entry]:
    """Statements and messages in the order of time."""
    evidence = list(case.files.order_by("pk"))
    entries = [
        Entry(
            f"{_speaker(event.actor, case, viewer, event)} {SAID[event.kind]}",
            event.at,
            _note(case, event),
            _taken(evidence, event),
            event.actor_id == viewer.pk,
        )
        for event in events
        if event.kind in SAID and _note(case, event)
    ]
    messages = case.messages.select_related("author").prefetch_related("files").order_by("pk")
    entries += [
        Entry(
            _speaker(message.author, case, viewer),
            message.sent_at,
            message.text,
            list(message.files.all()),
            message.author_id == viewer.pk,
        )
        for message in messages
    ]
    return sorted(entries, key=lambda entry: entry.at)


def stops(case: Case, side: str, now: datetime) -> list[Stop]:
    """Each pause of this case, to the second."""
    names = {"buyer": case.order.buyer.name, "seller": case.order.seller.name, side: "You"}
    found = []
    for pause in case.order.pauses.filter(case_number=case.number):
        got = ((names["buyer"], pause.added_to_decide_by), (names["seller"], pause.added_to_deliver_by))
        added = [f"{who} got {_exactly(length)} more." for who, length in got if length]
        found.append(
            Stop(pause.started_at, pause.ended_at, _exactly((pause.ended_at or now) - pause.started_at), added)
        )
    return found


def events_of(case: Case) -> list[Event]:
    """Everything that happened in the case, its pauses included."""
    clocks = Q(kind__in=[Event.Kind.FROZEN, Event.Kind.RESUMED], reason=case.number)
    events = case.order.events.filter(Q(data__case=case.number) | clocks)
    return list(events.select_related("actor", "on_behalf_of", "milestone").order_by("id"))


def activity(case: Case, viewer: User, events: Iterable[Event]) -> list[Line]:
    shown = (event for event in events if event.kind == Event.Kind.FROZEN or not SENTENCES[event.kind].hidden)
    return [Line(sentence(event, case.order, viewer), event.at, _look(event, case.order, viewer)) for event in shown]


def _note(case: Case, event: Event) -> str:
    """What was written with an act; the bank's decision is written on the case itself (M10)."""
    return case.note if event.kind == Event.Kind.CASE_SETTLED else event.note


def _speaker(person: User | None, case: Case, viewer: User, event: Event | None = None) -> str:
    """By name for the two sides; an agent speaks as Customer Support, and says for whom (R6)."""
    if person is None:
        return "The bank" if event and event.kind == Event.Kind.CASE_SETTLED else "The clock"
    if person == viewer:
        return "You"
    if case.order.side_of(person):
        return person.name
    acted_for = event.on_behalf_of if event else None
    if acted_for is None:
        return SUPPORT
    return f"{SUPPORT}, for {'you' if acted_for == viewer else acted_for.name},"


def _taken(evidence: list[Attachment], event: Event) -> list[Attachment]:
    """The files that came with a statement: of the same person at the same instant; each is shown once."""
    found = [file for file in evidence if (file.uploaded_at, file.uploaded_by_id) == (event.at, _writer(event))]
    evidence[:] = [file for file in evidence if file not in found]
    return found


def _writer(event: Event) -> int | None:
    return event.on_behalf_of_id or event.actor_id


def _exactly(length: timedelta) -> str:
    """Down to the second: 1 day 3 hours 5 seconds."""
    rest, parts = int(length.total_seconds()), []
    for unit, size in UNITS:
        number, rest = divmod(rest, size)
        if number:
            parts.append(f"{number} {unit}" if number == 1 else f"{number} {unit}s")
    return " ".join(parts) or "0 seconds"


def _look(event: Event, order: Order, viewer: User) -> str:
    if event.actor_id is None:
        return "clock"
    if not event.actor or not order.side_of(event.actor):
        return "support"
    return "mine" if event.actor_id == viewer.pk else ""
