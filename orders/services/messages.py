"""Messages between the two sides (P6)."""

from collections.abc import Sequence

from django.db import transaction

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.notifications.services import tell
from orders.files import CheckedFile
from orders.models import Message, Order
from orders.services.files import attach


@transaction.atomic
def send_message(order: Order, *, by: User, text: str, files: Sequence[CheckedFile] = ()) -> Message:
    """Write to the other side; possible in every state, a frozen order's too (R4).

    A message changes no state, so it takes no lock and leaves the order's version alone (O19).
    """
    now = clock.now()
    message = Message.objects.create(order=order, author=by, text=text, sent_at=now)
    attach(order, files, by=by, at=now, message=message)
    Order.objects.filter(pk=order.pk).update(acted_at=now)
    tell(
        [person for person in (order.buyer, order.seller) if person != by],
        kind="message",
        title=f"{by.name} wrote to you: {order.title}",
        text=text,
        url=f"{order.get_absolute_url()}#messages",
        key=f"message:{message.pk}",
        at=now,
    )
    return message
