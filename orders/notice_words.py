"""What the notices of events say: to the other side, or to both (P4), each in their own language and time."""

from collections.abc import Sequence
from datetime import datetime

from marketplace.accounts import instants
from marketplace.accounts.reader import reading_as
from marketplace.notifications.models import Notice
from marketplace.notifications.wording import Words
from orders.activity import NOTICE_KEY, untold, why, wording
from orders.models import Event
from orders.words import SENTENCES


def words_of(notices: Sequence[Notice]) -> dict[int, Words]:
    """The words of notices that tell events, by the notice's id. One query, however many they are."""
    told = {notice.pk: int(notice.key.removeprefix(NOTICE_KEY)) for notice in notices}
    people = ("actor", "order__buyer", "order__seller")
    events = Event.objects.select_related("milestone", *people).in_bulk(set(told.values()))
    return {notice.pk: _words(notice, events[told[notice.pk]]) for notice in notices}


def _words(notice: Notice, event: Event) -> Words:
    order = event.order
    reader = order.buyer if notice.recipient_id == order.buyer_id else order.seller
    say = SENTENCES[event.kind]
    with reading_as(reader):
        words = wording(event, order, viewer=reader if event.on_behalf_of_id else None)
        words["decide_by"] = words["deliver_by"] = _deadline(notice.until)
        words |= untold(event, order, reader)
        told = f"{say.activity.format(**words).rstrip('.')}."
        lines = (told, why(event), event.note, say.advice.format(**words), f"{order.title}, {order}")
        return Words(say.notice.format(**words), "\n".join(filter(None, lines)))


def _deadline(instant: datetime | None) -> str:
    return "" if instant is None else instants.deadline(instant)
