"""What was said in a case, when the order stood still for it, and what happened."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django_stubs_ext import StrPromise

from marketplace.accounts.models import User
from marketplace.catalog.durations import counted
from orders.activity import sentence
from orders.listed import ListedFile, listed_files
from orders.models import Attachment, Event, Order
from orders.words import SENTENCES
from resolution.models import Case

Kind = Event.Kind


@dataclass(frozen=True)
class Heading:
    """What an act on a case says of whoever wrote its note: the reader, someone else, or support for one of them."""

    mine: StrPromise
    theirs: StrPromise
    for_me: StrPromise
    for_them: StrPromise


# The acts of the two sides, which support can take for them; `name` is a side, Customer Support or the clock.
SAID: dict[str, Heading] = {
    Kind.CASE_OPENED: Heading(
        _lazy("You opened the case"),
        _lazy("{name} opened the case"),
        _lazy("Customer Support, for you, opened the case"),
        _lazy("Customer Support, for {name}, opened the case"),
    ),
    Kind.CASE_ACCEPTED: Heading(
        _lazy("You accepted"),
        _lazy("{name} accepted"),
        _lazy("Customer Support, for you, accepted"),
        _lazy("Customer Support, for {name}, accepted"),
    ),
    Kind.CASE_DECLINED: Heading(
        _lazy("You declined"),
        _lazy("{name} declined"),
        _lazy("Customer Support, for you, declined"),
        _lazy("Customer Support, for {name}, declined"),
    ),
    Kind.CASE_ESCALATED: Heading(
        _lazy("You took it to Customer Support"),
        _lazy("{name} took it to Customer Support"),
        _lazy("Customer Support, for you, took it to Customer Support"),
        _lazy("Customer Support, for {name}, took it to Customer Support"),
    ),
}
DECIDED: dict[str, StrPromise] = {
    Kind.CASE_RULED: _lazy("Customer Support decided"),
    Kind.CASE_DISMISSED: _lazy("Customer Support dismissed the case"),
    Kind.CASE_SETTLED: _lazy("The bank decided"),
}
UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


@dataclass(frozen=True)
class Entry:
    """What the sides, support, the clock or the bank have said in the case, with the evidence that came with it."""

    heading: str
    at: datetime
    text: str
    files: list[ListedFile]
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
            _heading(event, case, viewer),
            event.at,
            _note(case, event),
            listed_files(case.order.number, _taken(evidence, event)),
            event.actor_id == viewer.pk,
        )
        for event in events
        if event.kind in SAID.keys() | DECIDED.keys() and _note(case, event)
    ]
    messages = case.messages.select_related("author").prefetch_related("files").order_by("pk")
    entries += [
        Entry(
            _speaker(message.author, case, viewer),
            message.sent_at,
            message.text,
            listed_files(case.order.number, list(message.files.all())),
            message.author_id == viewer.pk,
        )
        for message in messages
    ]
    return sorted(entries, key=lambda entry: entry.at)


def stops(case: Case, side: str, now: datetime) -> list[Stop]:
    """Each pause of this case, to the second."""
    order, found = case.order, []
    for pause in order.pauses.filter(case_number=case.number):
        got = (("buyer", order.buyer, pause.added_to_decide_by), ("seller", order.seller, pause.added_to_deliver_by))
        added = [_got(length, "" if who == side else person.name) for who, person, length in got if length]
        found.append(
            Stop(pause.started_at, pause.ended_at, _exactly((pause.ended_at or now) - pause.started_at), added)
        )
    return found


def events_of(case: Case) -> list[Event]:
    """Everything that happened in the case, its pauses included."""
    clocks = Q(kind__in=[Kind.FROZEN, Kind.RESUMED], reason=case.number)
    events = case.order.events.filter(Q(data__case=case.number) | clocks)
    return list(events.select_related("actor", "on_behalf_of", "milestone").order_by("id"))


def activity(case: Case, viewer: User, events: Iterable[Event]) -> list[Line]:
    shown = (event for event in events if event.kind == Kind.FROZEN or not SENTENCES[event.kind].hidden)
    return [Line(sentence(event, case.order, viewer), event.at, _look(event, case.order, viewer)) for event in shown]


def _note(case: Case, event: Event) -> str:
    """What was written with an act; the bank's decision is written on the case itself (M10)."""
    return case.note if event.kind == Kind.CASE_SETTLED else event.note


def _heading(event: Event, case: Case, viewer: User) -> str:
    """Who did what. An agent acts as Customer Support, and it is said for whom (R6)."""
    if event.kind in DECIDED:
        return str(DECIDED[event.kind])
    heading, acted_for = SAID[event.kind], event.on_behalf_of
    if acted_for:
        return str(heading.for_me) if acted_for == viewer else heading.for_them.format(name=acted_for.name)
    if event.actor == viewer:
        return str(heading.mine)
    return heading.theirs.format(name=_speaker(event.actor, case, viewer))


def _speaker(person: User | None, case: Case, viewer: User) -> str:
    """By name for the two sides; an agent speaks as Customer Support (R6)."""
    if person is None:
        return _("The clock")
    if person == viewer:
        return _("You")
    return person.name if case.order.side_of(person) else _("Customer Support")


def _got(length: timedelta, name: str) -> str:
    """What a clock got for a pause: the reader's own, or that of `name`."""
    if name:
        return _("{name} got {length} more.").format(name=name, length=_exactly(length))
    return _("You got {length} more.").format(length=_exactly(length))


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
            parts.append(counted(number, unit))
    return " ".join(parts) or counted(0, "second")


def _look(event: Event, order: Order, viewer: User) -> str:
    if event.actor_id is None:
        return "clock"
    if not event.actor or not order.side_of(event.actor):
        return "support"
    return "mine" if event.actor_id == viewer.pk else ""
