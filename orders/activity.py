"""The activity: every change of an order writes one event and tells the people it concerns, in one transaction."""

from collections.abc import Callable
from datetime import datetime
from functools import cache, partial
from typing import Any

from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.catalog.durations import counted
from marketplace.notifications.services import News
from orders import writing
from orders.guards import require
from orders.models import Event, Milestone, Order
from orders.operating import operator
from orders.phrases import Phrase, kept, read
from orders.plan_changes import changes_of_event
from orders.words import ENDED_BY_YOU, ENDINGS, SENTENCES
from payments.money import display
from payments.said import said

ENDED_BY_A_SIDE = (Order.ClosedBecause.STOPPED, Order.ClosedBecause.DECLINED, Order.ClosedBecause.WITHDRAWN)
NOTICE_KEY = "event:"
MONEY = ("charged", "refunded", "released", "fees", "charged_back")
COUNTS = {"extension": "day", "count": "revision"}


def record(
    kind: Event.Kind,
    order: Order,
    *,
    by: User | None,
    at: datetime,
    milestone: Milestone | None = None,
    moved: tuple[str, str] = ("", ""),
    reason: str = "",
    note: str = "",
    **data: Any,
) -> Event:
    """Write one event and tell the other side; both sides when the clock or support acts (P4).

    `by` is the acting user, None for the clock; inside `operating.operated_by` the side that support acts for (R6).
    Amounts in `data` are minor units under the names of `MONEY`; a `Phrase` is kept as data.
    """
    on_behalf_of, acting = None, operator()
    if acting and by and order.side_of(by):
        by, on_behalf_of, data["why"] = acting.agent, by, acting.why
    event = Event(
        order_id=order.pk,
        milestone_id=milestone.pk if milestone else None,
        kind=kind,
        actor_id=by.pk if by else None,
        on_behalf_of_id=on_behalf_of.pk if on_behalf_of else None,
        from_status=moved[0],
        to_status=moved[1],
        reason=reason,
        note=note,
        data={key: kept(value) if isinstance(value, Phrase) else value for key, value in data.items()},
        version=order.version,
        at=at,
        recorded_at=clock.now(),
    )
    # Who words it at once needs these rows; given as they are, none is checked again and none is read again.
    for name, row in (("order", order), ("milestone", milestone), ("actor", by), ("on_behalf_of", on_behalf_of)):
        getattr(Event, name).field.set_cached_value(event, row)
    writing.write_event(event, partial(_news, event, order, milestone))
    return event


def _news(event: Event, order: Order, milestone: Milestone | None) -> list[News]:
    """Whom an event is told: the other side; both sides when the clock or support acts. Its id is known by now."""
    is_told, deadline = _told(event.kind)
    if not is_told:
        return []
    until = None
    if deadline == "decide_by":
        until = order.decide_by
    elif deadline == "deliver_by" and milestone:
        until = milestone.deliver_by
    url, key = order.get_absolute_url(), f"{NOTICE_KEY}{event.pk}"
    return [
        News(person_id, event.kind, url, key, event.at, until=until)
        for person_id in (order.buyer_id, order.seller_id)
        if person_id != event.actor_id
    ]


@cache
def _told(kind: str) -> tuple[bool, str]:
    """Whether a kind of event is told, and of which deadline its advice speaks: the same in every language."""
    say = SENTENCES[kind]
    advice = str(say.advice)
    return bool(str(say.notice)), next((name for name in ("decide_by", "deliver_by") if f"{{{name}}}" in advice), "")


def move(
    transition: Callable[..., Any],
    *args: Any,
    kind: Event.Kind,
    by: User | None,
    at: datetime,
    **details: Any,
) -> Event:
    """Take a bound transition of an order or milestone, save the row and write its one event (I16).

    Raises `Refused` with the guard's reason when the transition is not allowed now.
    """
    subject: Order | Milestone = transition.__self__  # type: ignore[attr-defined]
    require(transition)
    before = subject.status
    transition(*args)
    writing.save(subject, before)
    milestone = subject if isinstance(subject, Milestone) else None
    order = subject.order if isinstance(subject, Milestone) else subject
    return record(kind, order, by=by, at=at, milestone=milestone, moved=(before, subject.status), **details)


def wording(event: Event, order: Order, viewer: User | None) -> dict[str, str]:
    """What the sentences of an event are filled with, as `viewer` reads them («You»)."""

    def name(person: User | None) -> str:
        if viewer and person == viewer:
            # Translators: inside a sentence, such as "$96.00 paid to you".
            return _("you")
        if person and person.pk not in (order.buyer_id, order.seller_id):
            return _("Customer Support")
        return person.name if person else _("The clock")

    # Other languages have another word for «you» as who acts than inside a sentence.
    actor = _("You") if viewer and event.actor == viewer else name(event.actor)
    side = "buyer" if event.on_behalf_of_id == order.buyer_id else "seller"
    if event.on_behalf_of_id:
        # Translators: who acted, as in "Customer Support, for Ana Ruiz, stopped it".
        actor = _("{agent}, for {name},").format(agent=actor, name=name(getattr(order, side)))
    words = {
        "actor": actor[0].upper() + actor[1:],
        "buyer": name(order.buyer),
        "seller": name(order.seller),
        "order": order.title,
        "milestone": event.milestone.title if event.milestone else "",
        "reason": said(event.reason),
        "shares": said(event.reason),  # where older events keep them
        **{key: read(value) for key, value in event.data.items()},
        "as_credit": _as_credit(event, order),
        **{key: display(event.data.get(key, 0), order.currency) for key in MONEY},
        # Older events keep these in words, which were read above.
        **{key: counted(event.data[key], unit) for key, unit in COUNTS.items() if isinstance(event.data.get(key), int)},
        "changes": changes_of_event(event.data, order.currency),
    }
    if event.kind == Event.Kind.ENDED:
        doers = {side: actor} if event.on_behalf_of_id else {}
        if viewer and event.actor == viewer:
            doers = {order.side_of(viewer): pgettext("who acts", "you")}
        endings = ENDINGS | ENDED_BY_YOU if viewer and event.actor == viewer else ENDINGS
        words["reason"] = endings[event.reason].format(**words | doers)
    if isinstance(number := event.data.get("delivery"), int):
        words["delivery"] = _("Delivery {number}").format(number=number)
    return words | untold(event, order, viewer)


def untold(event: Event, order: Order, reader: User | None) -> dict[str, str]:
    """What the other side is told instead: why the bank declined a payment is the buyer's own affair (P3)."""
    is_theirs = event.kind == Event.Kind.PAYMENT_FAILED and reader == order.seller
    return {"reason": _("the bank declined it")} if is_theirs else {}


def _as_credit(event: Event, order: Order) -> str:
    credited = event.data.get("credited", 0)
    if credited and credited < event.data["refunded"]:
        # Translators: the end of a sentence about a refund.
        return _(", {amount} of it given as credit").format(amount=display(credited, order.currency))
    return _(", given as credit") if credited else ""


def sentence(event: Event, order: Order, viewer: User | None) -> str:
    """The event as the activity tells it to `viewer`. Expects `event.actor` and `event.milestone` to be loaded."""
    say = SENTENCES[event.kind]
    own = say.mine if viewer and event.actor == viewer else ""
    text = Truncator((own or say.activity).format(**wording(event, order, viewer))).chars(400)
    return f"{text.rstrip('.')}. {why(event)}" if why(event) else text


def why(event: Event) -> str:
    """Why support acted for a side, where their act is told; empty for what only followed, and for everybody else."""
    tells = "{actor}" in SENTENCES[event.kind].activity or event.reason in ENDED_BY_A_SIDE
    return _("Why: {reason}").format(reason=event.data["why"]) if event.on_behalf_of_id and tells else ""
