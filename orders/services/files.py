"""Files of an order: attach, and withhold (O5)."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from django.core.files.storage import default_storage
from django.db import transaction

from marketplace.accounts.models import User
from orders.activity import record
from orders.files import CheckedFile
from orders.guards import Refusal, Refused
from orders.locking import lock, touch
from orders.models import Attachment, Delivery, Event, Message, Order
from orders.operating import refuse_party
from orders.services.verbs import verb


def attach(
    order: Order,
    files: Sequence[CheckedFile],
    *,
    by: User,
    at: datetime,
    delivery: Delivery | None = None,
    message: Message | None = None,
) -> list[Attachment]:
    """Store files that passed `orders.files.check`, as part of a delivery or a message or on their own."""
    stored = []
    for file in files:
        attachment = Attachment(
            order=order,
            delivery=delivery,
            message=message,
            name=file.name,
            size=file.size,
            sha256=file.sha256,
            content_type=file.content_type,
            uploaded_by=by,
            uploaded_at=at,
        )
        attachment.file.save(file.name, file.content, save=False)
        attachment.save()
        stored.append(attachment)
    return stored


@verb
def withhold_file(attachment: Attachment, *, by: User, reason: str) -> Attachment:
    """Staff withhold a file with a reason: the row and its hash stay, the bytes go after the commit (O5)."""
    order, now = lock(attachment.order_id)
    attachment = Attachment.objects.get(pk=attachment.pk)
    refuse_party(order, by)
    if attachment.withheld_at:
        raise Refused(Refusal("This file is already withheld."))
    stored_as = str(attachment.file.name)
    attachment.file = None
    attachment.withheld_at, attachment.withheld_by, attachment.withheld_because = now, by, reason
    attachment.save()
    touch(order, by=None, now=now)
    order.save()
    record(Event.Kind.FILE_WITHHELD, order, by=by, at=now, reason=reason, file=attachment.name)
    transaction.on_commit(partial(default_storage.delete, stored_as), robust=True)
    return attachment
