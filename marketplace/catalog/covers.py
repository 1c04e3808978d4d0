"""Cover pictures. What is uploaded is judged by its content, drawn anew as WebP and kept under a generated name.

So nothing of an uploaded file is ever served: no script, no metadata, no trailing data, no name.
"""

import secrets
import warnings
from datetime import datetime, timedelta
from decimal import Decimal
from io import BytesIO
from typing import IO

from django.core import signing
from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage, Storage
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from PIL import Image, ImageOps

FOLDER = "covers"
FORMATS = ("JPEG", "PNG", "WEBP")
EXTENSIONS = ("jpg", "jpeg", "png", "webp")
MAX_BYTES = 8 * 1024 * 1024
MAX_PIXELS = 40_000_000
MAX_SIDE = 12_000
SIZE = (1600, 1200)
QUALITY = 82
KEPT_FOR = timedelta(days=1)
_SALT = "marketplace.catalog.covers"


class CoverStorage(FileSystemStorage):
    """Files below MEDIA_ROOT, served by our own view and never by a web server's idea of a media folder."""

    def url(self, name: str | None) -> str:
        return address(name or "")


_storage = CoverStorage()


def storage() -> Storage:
    return _storage


class InvalidCover(ValueError):
    """A file that cannot be a cover. The message is for people."""


def new_name(instance: object = None, filename: str = "") -> str:
    """A generated name: nothing of what the uploader called the file is kept."""
    return f"{FOLDER}/{secrets.token_hex(16)}.webp"


def keep(upload: File) -> str:  # type: ignore[type-arg]
    """Draw an uploaded picture anew and store it; returns its generated name. Raises InvalidCover."""
    return _storage.save(new_name(), ContentFile(redraw(upload)))


def redraw(upload: File) -> bytes:  # type: ignore[type-arg]
    """The picture as WebP, at most 1600 × 1200, upright, without metadata. Raises InvalidCover."""
    if upload.size > MAX_BYTES:
        size = number_format(Decimal(upload.size) / 1024**2, 1)
        raise InvalidCover(_("This file has {size} MB. A cover has at most 8 MB.").format(size=size))
    extension = (upload.name or "").rsplit(".", 1)[-1].lower()
    if extension not in EXTENSIONS:
        raise InvalidCover(_("Choose a JPEG, PNG or WebP picture."))
    with warnings.catch_warnings():
        # Pillow only warns of some decompression bombs; here they are refused like the others.
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            return _drawn_anew(upload)
        except InvalidCover:
            raise
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as problem:
            raise InvalidCover(_too_large()) from problem
        except Exception as problem:  # a broken picture makes Pillow raise errors of many kinds
            raise InvalidCover(_("This file is not a JPEG, PNG or WebP picture, or it is damaged.")) from problem


def _too_large() -> str:
    return _("This picture is too large: at most 40 megapixels and 12,000 pixels a side.")


def _drawn_anew(upload: IO[bytes]) -> bytes:
    upload.seek(0)
    with Image.open(upload, formats=FORMATS) as picture:
        # The header says the size: nothing is decoded before it is judged.
        if picture.width * picture.height > MAX_PIXELS or max(picture.size) > MAX_SIDE:
            raise InvalidCover(_too_large())
        picture.verify()
    upload.seek(0)
    with Image.open(upload, formats=FORMATS) as picture:
        picture.draft("RGB", SIZE)
        picture.thumbnail(SIZE)
        upright = ImageOps.exif_transpose(picture)
        see_through = "A" in upright.getbands() or "transparency" in upright.info
        drawn = upright.convert("RGBA" if see_through else "RGB")
        output = BytesIO()
        drawn.save(output, "WEBP", quality=QUALITY)
    return output.getvalue()


def ticket(name: str) -> str:
    """A signed note for a form that is shown again: this cover is kept, it need not be chosen again."""
    return signing.dumps(name, salt=_SALT)


def kept(signed: str) -> str:
    """The name on a ticket, or an empty string for a forged or an old one."""
    try:
        name = str(signing.loads(signed, salt=_SALT, max_age=KEPT_FOR))
    except signing.BadSignature:
        return ""
    return name if _storage.exists(name) else ""


def address(name: str) -> str:
    return reverse("catalog:cover", args=[name.removeprefix(f"{FOLDER}/")])


def forget_unused(used: set[str], *, now: datetime) -> int:
    """Delete the covers that no gig shows and no form can still be keeping; returns how many.

    `used` is read before the folder is listed, and a cover is kept for two days before it may go: a gig that is saved
    meanwhile cannot lose its cover.
    """
    if not _storage.exists(FOLDER):
        return 0
    forgotten = 0
    for file in _storage.listdir(FOLDER)[1]:
        name = f"{FOLDER}/{file}"
        if name not in used and _storage.get_modified_time(name) < now - 2 * KEPT_FOR:
            _storage.delete(name)
            forgotten += 1
    return forgotten
