"""Who has read which messages."""

from django.db import transaction

from marketplace import clock
from marketplace.accounts.models import User
from orders.models import Message, Order, ReadMark


@transaction.atomic
def mark_read(order: Order, *, by: User, until: int | None = None) -> None:
    """`by` has read what the other side wrote, up to the message with the id `until`, else all of it.

    A mark moves forward only, and keeps its instant while nothing new is read. It is no act on the order: neither its
    version nor its activity knows of it (O19).
    """
    theirs = Message.objects.filter(order=order).exclude(author=by)
    if until is not None:
        theirs = theirs.filter(pk__lte=until)
    last = theirs.order_by("-pk").first()
    if last is None:
        return
    now = clock.now()
    mark, is_new = ReadMark.objects.get_or_create(order=order, reader=by, defaults={"message": last, "read_at": now})
    if not is_new:
        ReadMark.objects.filter(pk=mark.pk, message__lt=last.pk).update(message=last, read_at=now)
