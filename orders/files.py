"""What may be uploaded: an allow-list by name and by content, with limits (O5, P6)."""

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import TypeAlias

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile as Uploaded
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marketplace.catalog.pictures import GIANT, is_giant
from orders.archives import unpacked_size

UploadedFile: TypeAlias = "Uploaded[bytes]"

OFFICE = "application/vnd.openxmlformats-officedocument"
ZIP = (b"PK\x03\x04",)
MPEG4 = b"ftyp"

# Extension → (content type, how the content begins). SVG, HTML and XML are left out: they can carry scripts.
ALLOWED: dict[str, tuple[str, tuple[bytes, ...]]] = {
    "pdf": ("application/pdf", (b"%PDF-",)),
    "png": ("image/png", (b"\x89PNG\r\n\x1a\n",)),
    "jpg": ("image/jpeg", (b"\xff\xd8\xff",)),
    "jpeg": ("image/jpeg", (b"\xff\xd8\xff",)),
    "gif": ("image/gif", (b"GIF87a", b"GIF89a")),
    "webp": ("image/webp", (b"RIFF",)),
    "psd": ("image/vnd.adobe.photoshop", (b"8BPS",)),
    "ai": ("application/postscript", (b"%PDF-", b"%!PS")),
    "eps": ("application/postscript", (b"%!PS", b"\xc5\xd0\xd3\xc6")),
    "zip": ("application/zip", ZIP),
    "docx": (f"{OFFICE}.wordprocessingml.document", ZIP),
    "xlsx": (f"{OFFICE}.spreadsheetml.sheet", ZIP),
    "pptx": (f"{OFFICE}.presentationml.presentation", ZIP),
    "odt": ("application/vnd.oasis.opendocument.text", ZIP),
    "mp3": ("audio/mpeg", (b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2")),
    "wav": ("audio/wav", (b"RIFF",)),
    "m4a": ("audio/mp4", ()),
    "webm": ("video/webm", (b"\x1a\x45\xdf\xa3",)),
    "mp4": ("video/mp4", ()),
    "mov": ("video/quicktime", ()),
    "txt": ("text/plain", ()),
    "md": ("text/plain", ()),
    "csv": ("text/csv", ()),
}
TEXT = ("txt", "md", "csv")
# An archive may say that it unpacks to what could be uploaded, or to so many times its own size; more is a bomb.
MOST_TIMES = 100
# What the names inside of a package say, which no ZIP hides: it is that kind of document, not just any archive.
INSIDE = {
    "docx": b"word/",
    "xlsx": b"xl/worksheets/",
    "pptx": b"ppt/slide",
    "odt": b"mimetypeapplication/vnd.oasis.opendocument.text",
}


@dataclass(frozen=True)
class CheckedFile:
    """An upload that passed `check`."""

    name: str
    size: int
    sha256: str
    content_type: str
    content: UploadedFile


def check_all(files: Sequence[UploadedFile]) -> list[CheckedFile]:
    """Check the files of one form. Raises `ValidationError` with a sentence per file that is refused."""
    if len(files) > settings.UPLOAD_MAX_FILES:
        most = settings.UPLOAD_MAX_FILES
        raise ValidationError(ngettext("At most {n} file at once.", "At most {n} files at once.", most).format(n=most))
    checked: list[CheckedFile] = []
    errors: list[str] = []
    for file in files:
        try:
            checked.append(check(file))
        except ValidationError as error:
            errors += error.messages
    if errors:
        raise ValidationError(errors)
    return checked


def check(file: UploadedFile) -> CheckedFile:
    """Check one upload by size, name and content, reading it in pieces. Raises `ValidationError`."""
    name = clean_name(file.name or "")
    size = file.size or 0
    if size == 0:
        raise ValidationError(_("{name} is empty.").format(name=name))
    if size > settings.UPLOAD_MAX_BYTES:
        most = filesizeformat(settings.UPLOAD_MAX_BYTES)
        raise ValidationError(_("{name} is larger than {most}.").format(name=name, most=most))
    extension = PurePath(name).suffix.lower().lstrip(".")
    if extension not in ALLOWED:
        said = _("{name}: this kind of file is not accepted. Put it into a ZIP file.")
        raise ValidationError(said.format(name=name))
    content_type, beginnings = ALLOWED[extension]
    digest = hashlib.sha256()
    is_text = True
    beginning = end = b""
    inside = INSIDE.get(extension, b"")
    is_inside = not inside
    for piece in file.chunks():
        beginning = beginning or piece[:16]
        is_text = is_text and b"\x00" not in piece
        is_inside = is_inside or inside in end + piece
        end = piece[-len(inside) :]
        digest.update(piece)
    if not (is_inside and _fits(extension, beginning, beginnings, is_text=is_text)):
        raise ValidationError(_("{name} is not what its name says.").format(name=name))
    _refuse_bomb(file, name, size, content_type, beginnings)
    file.seek(0)
    return CheckedFile(name, size, digest.hexdigest(), content_type, file)


def _refuse_bomb(file: UploadedFile, name: str, size: int, kind: str, beginnings: tuple[bytes, ...]) -> None:
    """Refuse what its own headers say would fill the disk or the memory of whoever opens it. Nothing is decoded."""
    if beginnings == ZIP:
        unpacked = unpacked_size(file)
        if unpacked > max(settings.UPLOAD_MAX_BYTES, MOST_TIMES * size):
            said = _("{name} would unpack to {size}, which is too much for a file so small.")
            raise ValidationError(said.format(name=name, size=filesizeformat(unpacked)))
    if kind.startswith("image/") and is_giant(file):
        most = GIANT // 1_000_000
        raise ValidationError(_("{name} has more than {n} megapixels.").format(name=name, n=most))


def clean_name(name: str) -> str:
    """The file's name for showing: no folders, no control or direction characters, at most 200 letters."""
    name = PurePath(unicodedata.normalize("NFC", name).replace("\\", "/")).name
    name = "".join(letter for letter in name if unicodedata.category(letter)[0] != "C")
    name = " ".join(name.split()).lstrip(".")
    stem, suffix = PurePath(name).stem, PurePath(name).suffix[:20]
    return f"{stem[: 200 - len(suffix)]}{suffix}" or "file"


def _fits(extension: str, beginning: bytes, beginnings: tuple[bytes, ...], *, is_text: bool) -> bool:
    if extension in TEXT:
        return is_text
    if extension in ("mp4", "m4a", "mov"):
        return beginning[4:8] in (MPEG4, b"moov", b"mdat", b"wide", b"free")
    if extension == "webp":
        return beginning[:4] == b"RIFF" and beginning[8:12] == b"WEBP"
    if extension == "wav":
        return beginning[:4] == b"RIFF" and beginning[8:12] == b"WAVE"
    return beginning.startswith(beginnings)
