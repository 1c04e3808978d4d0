"""Files of an order: attach and withhold them (O5), and forget the bytes that no row knows."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from celery import current_app
from django.core.files.storage import default_storage
from django.utils.translation import gettext as _

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.afterwards import afterwards
from orders.activity import record
from orders.files import CheckedFile
from orders.guards import Refusal, Refused
from orders.locking import lock, touch
from orders.models import Attachment, Delivery, Event, Message, Order
from orders.models.attachment import DRAWN_AT_MOST
from orders.operating import refuse_party
from orders.services.previews import forget
from orders.services.verbs import verb

logger = logging.getLogger(__name__)

FOLDER = "orders"
KEPT_FOR = timedelta(days=1)


def attach(
    order: Order,
    files: Sequence[CheckedFile],
    *,
    by: User,
    at: datetime,
    delivery: Delivery | None = None,
    message: Message | None = None,
) -> list[Attachment]:
    """Store files that passed `orders.files.check`, as part of a delivery or a message or on their own.

    The rows are part of the caller's transaction. If that is rolled back, the bytes stay until the sweep for lost
    files. Previews of pictures are asked for after the commit.
    """
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
        if attachment.kind == "image":
            attachment.preview_tries = DRAWN_AT_MOST
        attachment.file.save(file.name, file.content, save=False)
        attachment.save()
        stored.append(attachment)
    if pictures := [attachment.pk for attachment in stored if attachment.preview_tries]:
        afterwards(_ask_for_previews, pictures)
    return stored


@verb
def withhold_file(attachment: Attachment, *, by: User, reason: str) -> Attachment:
    """Staff withhold a file with a reason: the row and its hash stay, the bytes and previews go after the commit (O5).

    Raises `Refused` for a party of the order, and when the file is already withheld.
    """
    order, now = lock(attachment.order_id)
    # A worker may be drawing: whichever of the two comes second sees what the first one wrote.
    attachment = Attachment.objects.select_for_update(of=("self",)).get(pk=attachment.pk)
    refuse_party(order, by)
    if attachment.withheld_at:
        raise Refused(Refusal(_("This file is already withheld.")))
    forget(attachment.file, attachment.preview, attachment.thumbnail)
    attachment.file = attachment.preview = attachment.thumbnail = ""
    attachment.preview_tries = 0
    attachment.withheld_at, attachment.withheld_by, attachment.withheld_because = now, by, reason
    attachment.save()
    touch(order, by=None, now=now)
    order.save()
    record(Event.Kind.FILE_WITHHELD, order, by=by, at=now, reason=reason, file=attachment.name)
    return attachment


def forget_lost_files() -> int:
    """Delete the stored files of orders that no row knows and that are older than a day; returns how many.

    They are left by transactions that were rolled back, by crashes, and by a store that could not be reached. The
    folders are listed before the rows are read: what is uploaded meanwhile is known, or younger than a day.
    """
    forgotten = 0
    for folder in _listed(FOLDER)[0]:
        files = [f"{FOLDER}/{folder}/{file}" for file in _listed(f"{FOLDER}/{folder}")[1]]
        known: set[str] = set()
        if folder.isdecimal():
            rows = Attachment.objects.filter(order_id=int(folder))
            known.update(*rows.values_list("file", "preview", "thumbnail"))
        for name in set(files) - known:
            forgotten += _forget_if_old(name)
    return forgotten


def _forget_if_old(name: str) -> bool:
    try:
        if default_storage.get_modified_time(name) > clock.now() - KEPT_FOR:
            return False
        default_storage.delete(name)
    except Exception:  # gone already, or a store that does not answer: the next sweep looks again
        logger.exception("The lost file %s could not be deleted", name)
        return False
    return True


def _listed(folder: str) -> tuple[list[str], list[str]]:
    try:
        return default_storage.listdir(folder)
    except FileNotFoundError:
        return [], []


def _ask_for_previews(pictures: list[int]) -> None:
    """Ask a worker. A dead Redis is logged: the sweep draws them later."""
    try:
        current_app.send_task("orders.tasks.draw_previews", (pictures,), retry=False)
    except Exception as problem:
        logger.warning("Could not ask for the previews of files %s, the sweep will draw them (%s)", pictures, problem)
