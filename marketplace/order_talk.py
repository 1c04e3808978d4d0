"""The conversation on an order's page: the last messages, their files, and who has read what (P6)."""

from dataclasses import dataclass
from datetime import datetime

from marketplace.accounts.models import User
from orders.models import Attachment, Message, Order

PAGE = 30


@dataclass(frozen=True)
class Said:
    """One message as the viewer sees it. `read_at` stands under the last of one's own that the other side has read."""

    message: Message
    files: list[Attachment]
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


def talk_of(order: Order, viewer: User, files: list[Attachment], *, whole: bool = False) -> Talk:
    """The last messages, or all of them with `whole`, in two queries."""
    messages = list(order.messages.select_related("author"))
    marks = {mark.reader_id: mark for mark in order.read_marks.all()}
    mine, theirs = marks.pop(viewer.pk, None), next(iter(marks.values()), None)
    read_until = mine.message_id if mine else 0
    unread = [one for one in messages if one.author_id != viewer.pk and one.pk > read_until]
    own = [one for one in messages if one.author_id == viewer.pk]
    seen = [one for one in own if theirs and one.pk <= theirs.message_id]
    shown = messages if whole or len(messages) <= PAGE else messages[-max(PAGE, len(unread)) :]
    said = [
        Said(
            message=one,
            files=[file for file in files if file.message_id == one.pk],
            look=_look(one, order, viewer),
            starts_new=bool(unread) and one.pk == unread[0].pk,
            read_at=theirs.read_at if theirs and seen and one.pk == seen[-1].pk else None,
        )
        for one in shown
    ]
    return Talk(said, len(messages) - len(shown), len(own), len(unread), unread[-1].pk if unread else None)


def _look(message: Message, order: Order, viewer: User) -> str:
    if message.author_id not in (order.buyer_id, order.seller_id):
        return "support"
    return "mine" if message.author_id == viewer.pk else ""
