"""The conversation on an order's page: the last messages, their files, and who has read what (P6)."""

from dataclasses import dataclass
from datetime import datetime

from marketplace.accounts.models import User
from marketplace.order_reading import Handed, Mark
from orders.models import Order

PAGE = 30


@dataclass(frozen=True)
class Said:
    """One message as the viewer sees it. `read_at` stands under the last of one's own that the other side has read."""

    message: Handed
    look: str
    starts_new: bool
    read_at: datetime | None


@dataclass(frozen=True)
class Talk:
    """The messages, oldest first. `unread` counts those of others that the viewer has not read yet, up to `last`."""

    said: list[Said]
    earlier: int
    mine: int
    unread: int
    last: int | None


def talk_of(order: Order, viewer: User, messages: list[Handed], marks: dict[int, Mark], *, whole: bool = False) -> Talk:
    """The last messages, or all of them with `whole`; `marks` say by reader how far they have read."""
    mine = marks.get(viewer.pk)
    theirs = next((mark for reader, mark in marks.items() if reader != viewer.pk), None)
    read_until = mine.message_id if mine else 0
    unread = [one for one in messages if one.author_id != viewer.pk and one.pk > read_until]
    own = [one for one in messages if one.author_id == viewer.pk]
    seen = [one for one in own if theirs and one.pk <= theirs.message_id]
    shown = messages if whole or len(messages) <= PAGE else messages[-max(PAGE, len(unread)) :]
    said = [
        Said(
            message=one,
            look=_look(one, order, viewer),
            starts_new=bool(unread) and one.pk == unread[0].pk,
            read_at=theirs.read_at if theirs and seen and one.pk == seen[-1].pk else None,
        )
        for one in shown
    ]
    return Talk(said, len(messages) - len(shown), len(own), len(unread), unread[-1].pk if unread else None)


def _look(message: Handed, order: Order, viewer: User) -> str:
    if message.author_id not in (order.buyer_id, order.seller_id):
        return "support"
    return "mine" if message.author_id == viewer.pk else ""
