"""The activity on an order's page: by what it is about, page by page, in the viewer's words (P2)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from django.db.models import QuerySet
from django.utils.text import Truncator
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from marketplace.accounts.models import User
from marketplace.statement import Statement
from marketplace.templatetags.words import moment
from orders.activity import sentence
from orders.models import Event, Milestone, Order
from orders.words import SENTENCES

PAGE = 30
MOST = 200
Kind = Event.Kind

_MONEY = (
    Kind.FUNDED,
    Kind.PAYMENT_FAILED,
    Kind.PAYMENT_ABANDONED,
    Kind.PAYMENT_PROCESSING,
    Kind.PAYMENT_RETURNED,
    Kind.REFUND_REFUSED,
    Kind.REFUND_CREDITED,
    Kind.ACCEPTED,
    Kind.LAPSED,
    Kind.COMPLETED_BY_SUPPORT,
    Kind.PARTLY_REFUNDED,
    Kind.CANCELED,
    Kind.CHARGEBACK_TAKEN,
    Kind.CHARGEBACK_WON,
    Kind.CHARGEBACK_LOST,
    Kind.CHARGEBACK_BORNE,
    Kind.CANCELED_BY_BANK,
)
_DELIVERIES = (
    Kind.DELIVERED,
    Kind.REVISION_REQUESTED,
    Kind.REVISIONS_GRANTED,
    Kind.DELIVERY_EXTENDED,
    Kind.ACCEPTED,
    Kind.LAPSED,
    Kind.COMPLETED_BY_SUPPORT,
    Kind.FILE_WITHHELD,
)
_CASES = (
    *(kind for kind in Kind if kind.startswith("case_")),
    *(kind for kind in Kind if kind.startswith("chargeback_")),
    Kind.RESUMED,
    Kind.PLAN_CHANGED,
    Kind.DELIVERY_EXTENDED,
    Kind.PARTLY_REFUNDED,
)
_HIDDEN = [kind for kind, words in SENTENCES.items() if words.hidden]

# What the activity can be narrowed to: the word in the address, its label, and the kinds of events.
FILTERS: dict[str, tuple[StrOrPromise, tuple[Kind, ...]]] = {
    "all": (_("Everything"), ()),
    "money": (_("Money"), _MONEY),
    "deliveries": (_("Deliveries"), _DELIVERIES),
    "cases": (_("Cases"), _CASES),
}


@dataclass(frozen=True)
class Line:
    """One line of the activity."""

    text: str
    note: str
    when: str
    look: str


@dataclass(frozen=True)
class Asked:
    """What of the activity is asked for: one filter's events, older than `before`, down to `oldest` or one page."""

    show: str = "all"
    before: int | None = None
    oldest: int | None = None

    @classmethod
    def by(cls, query: Mapping[str, str]) -> "Asked":
        """As an address asks for it; what makes no sense is left out."""
        show = query.get("show", "")
        return cls(show if show in FILTERS else "all", _id(query.get("before")), _id(query.get("oldest")))


@dataclass(frozen=True)
class Activity:
    """A page of the activity, newest first; `older` is where the next one begins, None when this is the last one."""

    asked: Asked
    lines: list[Line]
    oldest: int | None
    older: int | None

    @property
    def choices(self) -> list[tuple[str, StrOrPromise]]:
        return [(show, label) for show, (label, _kinds) in FILTERS.items()]


def activity_of(order: Order, viewer: User, asked: Asked, *, seen: int | None = None) -> Activity:
    """The events that are asked for, by key and never by offset; those after `seen` are marked as new. One query."""
    # A page that is brought up to date keeps what it showed, however much was added at its top.
    most = _MOST if asked.oldest else _PAGE
    found = most[asked.show].rows(order.pk, asked.before or _NEWEST)
    size = max(PAGE, sum(pk >= asked.oldest for pk, *_rest in found[:MOST])) if asked.oldest else PAGE
    shown = found[:size]
    lines = [
        Line(
            _sentence(order, viewer, actor, *event),
            _shortened(note),
            moment(at),
            _look(actor, order, viewer) + (" is-new" if seen is not None and pk > seen else ""),
        )
        for pk, at, note, actor, *event in shown
    ]
    last = shown[-1][0] if shown else None
    return Activity(asked, lines, last, last if len(found) > size else None)


def news_of(order: Order, viewer: User, *, after: int) -> list[str]:
    """What others did since the event `after`, in sentences, the latest first; at most two."""
    events = _PAGE["all"].rows(order.pk, _NEWEST)
    news = [(actor, *event) for pk, _at, _note, actor, *event in events if pk > after and actor != viewer.pk]
    return [_sentence(order, viewer, *event) for event in news[:2]]


def _events(show: str, most: int, order_id: int, before: int) -> QuerySet[Event, tuple[Any, ...]]:
    events = Event.objects.filter(order=order_id, pk__lt=before).exclude(kind__in=_HIDDEN)
    kinds = FILTERS[show][1]
    if kinds:
        events = events.filter(kind__in=kinds)
    columns = ("pk", "at", "note", "actor", "on_behalf_of", "milestone", "kind", "reason", "data")
    return events.order_by("-pk").values_list(*columns)[: most + 1]


_NEWEST = 2**63 - 1
_PAGE = {show: Statement(partial(_events, show, PAGE)) for show in FILTERS}
_MOST = {show: Statement(partial(_events, show, MOST)) for show in FILTERS}


def _sentence(
    order: Order,
    viewer: User,
    actor: int | None,
    on_behalf_of: int | None,
    milestone: int | None,
    kind: str,
    reason: str,
    data: str,
) -> str:
    step = next((step.title for step in order.plan if step.pk == milestone), None)
    sides = ((order.buyer_id, order.buyer.name), (order.seller_id, order.seller.name))
    about = (order.title, order.currency, step)
    return _told(get_language(), viewer.pk, sides, about, actor, on_behalf_of, kind, reason, data)


@lru_cache(maxsize=5_000)
def _told(
    language: str | None,
    viewer: int,
    sides: tuple[tuple[int, str], tuple[int, str]],
    about: tuple[str, str, str | None],
    actor: int | None,
    on_behalf_of: int | None,
    kind: str,
    reason: str,
    data: str,
) -> str:
    """The sentence of an event, which is made of these values alone: whoever looks again reads it again."""
    buyer, seller = (User(pk=pk, name=name) for pk, name in sides)
    title, currency, step = about
    event = Event(
        kind=kind,
        milestone=None if step is None else Milestone(title=step),
        actor=None if actor is None else User(pk=actor, name=dict(sides).get(actor, "")),
        on_behalf_of_id=on_behalf_of,
        reason=reason,
        data=json.loads(data),
    )
    return sentence(event, Order(buyer=buyer, seller=seller, title=title, currency=currency), User(pk=viewer))


def _look(actor: int | None, order: Order, viewer: User) -> str:
    if actor is None:
        return "timeline--clock"
    if actor not in (order.buyer_id, order.seller_id):
        return "timeline--support"
    return "timeline--mine" if actor == viewer.pk else ""


def _shortened(note: str) -> str:
    return Truncator(note).chars(300) if note else ""


def _id(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None
