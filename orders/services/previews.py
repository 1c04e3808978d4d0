"""Previews of pictures: drawn after the commit by Celery, and by a sweep for what a crash or a dead Redis left."""

import logging
from collections.abc import Iterable
from io import BytesIO

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db.models import F
from django.db.models.fields.files import FieldFile

from marketplace.afterwards import afterwards
from marketplace.catalog.pictures import Damaged, Drawn, TooLarge, draw_anew
from orders.models import Attachment

logger = logging.getLogger(__name__)

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
PREVIEW = (1600, 1600)
THUMBNAIL = (320, 320)
AT_ONCE = 20  # previews of one sweep


def draw_previews(attachment_ids: Iterable[int]) -> None:
    """Draw the previews of these pictures, as far as they are still owed. One that fails stops no other."""
    for pk in attachment_ids:
        try:
            draw_preview(pk)
        except Exception:
            logger.exception("The preview of file %s could not be drawn", pk)


def draw_preview(attachment_id: int) -> bool:
    """Draw the preview and the thumbnail of a picture; returns whether they were drawn and kept.

    The attempt is counted and committed before anything is decoded, so that a picture that kills its worker is not
    tried for ever. The drawing holds no lock; the file may be withheld meanwhile, and then what was drawn goes too.
    """
    owed = Attachment.objects.filter(pk=attachment_id, preview_tries__gt=0)
    if not owed.update(preview_tries=F("preview_tries") - 1):
        return False
    attachment = Attachment.objects.get(pk=attachment_id)
    try:
        preview, thumbnail = _drawn(attachment.file)
    except (Damaged, TooLarge, FileNotFoundError):
        owed.update(preview_tries=0)
        return False
    attachment.preview.save("", ContentFile(preview.content), save=False)
    attachment.thumbnail.save("", ContentFile(thumbnail.content), save=False)
    kept = Attachment.objects.filter(pk=attachment_id, withheld_at=None, preview="").update(
        preview=attachment.preview.name,
        thumbnail=attachment.thumbnail.name,
        width=preview.width,
        height=preview.height,
        preview_tries=0,
    )
    if not kept:
        forget(attachment.preview, attachment.thumbnail)
    return bool(kept)


def draw_owed_previews() -> int:
    """Draw what is still owed, the oldest first; returns how many were tried."""
    owed = list(Attachment.objects.filter(preview_tries__gt=0).values_list("pk", flat=True)[:AT_ONCE])
    draw_previews(owed)
    return len(owed)


def forget(*files: FieldFile) -> None:
    """Delete the bytes of these files after the commit; what cannot be deleted now, the sweep for lost files does."""
    for name in [file.name for file in files if file.name]:
        afterwards(default_storage.delete, name)


def _drawn(file: FieldFile) -> tuple[Drawn, Drawn]:
    with file.open() as content:
        preview = draw_anew(content, formats=FORMATS, size=PREVIEW)
    # From the preview: it is small, and of our own making.
    return preview, draw_anew(BytesIO(preview.content), formats=("WEBP",), size=THUMBNAIL)
