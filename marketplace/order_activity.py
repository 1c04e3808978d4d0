"""The activity on an order's page: by what it is about, page by page, in the viewer's words (P2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from marketplace.accounts.models import User
from orders.activity import sentence
from orders.models import Event, Order
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
    at: datetime
    look: str
    is_new: bool = False


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
    """The events that are asked for, by key and never by offset; those after `seen` are marked as new."""
    events = order.events.exclude(kind__in=_HIDDEN).select_related("actor", "milestone").order_by("-id")
    kinds = FILTERS[asked.show][1]
    if kinds:
        events = events.filter(kind__in=kinds)
    if asked.before:
        events = events.filter(pk__lt=asked.before)
    # A page that is brought up to date keeps what it showed, however much was added at its top.
    size = PAGE
    if asked.oldest:
        size = max(PAGE, min(MOST, events.filter(pk__gte=asked.oldest).count()))
    found = list(events[: size + 1])
    shown = found[:size]
    for event in shown:
        event.order = order
    lines = [
        Line(
            sentence(event, order, viewer),
            event.note,
            event.at,
            _look(event, order, viewer),
            seen is not None and event.pk > seen,
        )
        for event in shown
    ]
    last = shown[-1].pk if shown else None
    return Activity(asked, lines, last, last if len(found) > size else None)


def news_of(order: Order, viewer: User, *, after: int) -> list[str]:
    """What others did since the event `after`, in sentences, the latest first; at most two."""
    events = order.events.exclude(kind__in=_HIDDEN).exclude(actor=viewer).filter(pk__gt=after)
    found = events.select_related("actor", "milestone").order_by("-id")[:2]
    return [sentence(event, order, viewer) for event in found]


def _look(event: Event, order: Order, viewer: User) -> str:
    if event.actor_id is None:
        return "clock"
    if event.actor_id not in (order.buyer_id, order.seller_id):
        return "support"
    return "mine" if event.actor_id == viewer.pk else ""


def _id(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None
