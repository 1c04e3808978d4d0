"""Messages between the two sides (P6)."""

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.accounts.reader import reading_as
from marketplace.notifications.services import tell
from orders.files import CheckedFile
from orders.models import Message, Order
from orders.services.files import attach
from orders.services.reading import mark_read


@transaction.atomic
def send_message(
    order: Order, *, by: User, text: str, files: Sequence[CheckedFile] = (), seen: int | None = None
) -> Message:
    """Write to the other side; possible in every state, a frozen order's too (R4).

    A message changes no state, so it does not lock the order and leaves its version alone (O19). `seen` is how many
    messages of theirs the page showed: the same text sent once more from it is the second half of a double click,
    and the message that was sent is returned.
    """
    # One message of a person at a time: the second click waits here for what the first one did.
    by = User.objects.select_for_update(no_key=True).get(pk=by.pk)
    if seen is not None:
        since = order.messages.filter(author=by).order_by("pk")[seen : seen + 1].first()
        if since and since.text == text:
            return since
    now = clock.now()
    message = Message.objects.create(order=order, author=by, text=text, sent_at=now)
    attach(order, files, by=by, at=now, message=message)
    # Who answers has read what the page showed.
    mark_read(order, by=by)
    Order.objects.filter(pk=order.pk).update(acted_at=now)
    for person in (order.buyer, order.seller):
        if person == by:
            continue
        with reading_as(person):
            title = _("{name} wrote to you: {order}").format(name=by.name, order=order.title)
        url = f"{order.get_absolute_url()}#messages"
        tell([person], kind="message", title=title, text=text, url=url, key=f"message:{message.pk}", at=now)
    return message
