"""Cover pictures. What is uploaded is judged by its content, drawn anew as WebP and kept under a generated name.

So nothing of an uploaded file is ever served: no script, no metadata, no trailing data, no name.
"""

import secrets
from datetime import datetime, timedelta
from decimal import Decimal

from django.core import signing
from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage, default_storage
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from marketplace.catalog.pictures import Damaged, TooLarge, draw_anew

FOLDER = "covers"
FORMATS = ("JPEG", "PNG", "WEBP")
EXTENSIONS = ("jpg", "jpeg", "png", "webp")
MAX_BYTES = 8 * 1024 * 1024
SIZE = (1600, 1200)
KEPT_FOR = timedelta(days=1)
_SALT = "marketplace.catalog.covers"


def storage() -> Storage:
    """Where covers are kept: with all files, in the storage that the settings choose."""
    return default_storage


class InvalidCover(ValueError):
    """A file that cannot be a cover. The message is for people."""


def new_name(instance: object = None, filename: str = "") -> str:
    """A generated name: nothing of what the uploader called the file is kept."""
    return f"{FOLDER}/{secrets.token_hex(16)}.webp"


def keep(upload: File) -> str:  # type: ignore[type-arg]
    """Draw an uploaded picture anew and store it; returns its generated name. Raises InvalidCover."""
    return default_storage.save(new_name(), ContentFile(redraw(upload)))


def redraw(upload: File) -> bytes:  # type: ignore[type-arg]
    """The picture as WebP, at most 1600 × 1200, upright, without metadata. Raises InvalidCover."""
    if upload.size > MAX_BYTES:
        size = number_format(Decimal(upload.size) / 1024**2, 1)
        raise InvalidCover(_("This file has {size} MB. A cover has at most 8 MB.").format(size=size))
    extension = (upload.name or "").rsplit(".", 1)[-1].lower()
    if extension not in EXTENSIONS:
        raise InvalidCover(_("Choose a JPEG, PNG or WebP picture."))
    try:
        return draw_anew(upload, formats=FORMATS, size=SIZE).content
    except TooLarge as problem:
        said = _("This picture is too large: at most 40 megapixels and 12,000 pixels a side.")
        raise InvalidCover(said) from problem
    except Damaged as problem:
        raise InvalidCover(_("This file is not a JPEG, PNG or WebP picture, or it is damaged.")) from problem


def ticket(name: str) -> str:
    """A signed note for a form that is shown again: this cover is kept, it need not be chosen again."""
    return signing.dumps(name, salt=_SALT)


def kept(signed: str) -> str:
    """The name on a ticket, or an empty string for a forged or an old one."""
    try:
        name = str(signing.loads(signed, salt=_SALT, max_age=KEPT_FOR))
    except signing.BadSignature:
        return ""
    return name if default_storage.exists(name) else ""


def address(name: str) -> str:
    return reverse("catalog:cover", args=[name.removeprefix(f"{FOLDER}/")])


def forget_unused(used: set[str], *, now: datetime) -> int:
    """Delete the covers that no gig shows and no form can still be keeping; returns how many.

    `used` is read before the folder is listed, and a cover is kept for two days before it may go: a gig that is saved
    meanwhile cannot lose its cover.
    """
    try:
        files = default_storage.listdir(FOLDER)[1]
    except FileNotFoundError:  # no cover was ever kept
        return 0
    forgotten = 0
    for file in files:
        name = f"{FOLDER}/{file}"
        if name not in used and default_storage.get_modified_time(name) < now - 2 * KEPT_FOR:
            default_storage.delete(name)
            forgotten += 1
    return forgotten
