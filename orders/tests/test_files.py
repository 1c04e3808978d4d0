"""Files that people send to do harm, or that are not what they say."""

import random
import struct
import zlib
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from marketplace.catalog.pictures import Damaged, TooLarge, draw_anew
from marketplace.catalog.tests.factories import picture
from marketplace.catalog.tests.test_covers import png_that_claims
from orders import files
from orders.comparing import VISIBLE
from orders.models import Attachment
from orders.services.previews import FORMATS, PREVIEW

GIF = b"GIF89a" + bytes(20)
HTML = b"<!doctype html><script>alert(document.domain)</script>"
SVG = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"


def package(*names: str) -> bytes:
    content = BytesIO()
    with ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(name, "application/vnd.oasis.opendocument.text" if name == "mimetype" else "x" * 99)
    return content.getvalue()


DOCX = package("[Content_Types].xml", "word/document.xml")
XLSX = package("[Content_Types].xml", "xl/worksheets/sheet1.xml")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.png", HTML),
        ("a.png", SVG),
        ("a.jpg", b"MZ\x90\x00" + bytes(60)),
        ("a.gif", b"\x7fELF\x02\x01\x01"),
        ("a.png", GIF),
        ("a.jpg", picture()),
        ("a.pdf", HTML + b"%PDF-1.7"),
        ("a.pdf", b"#!/bin/sh\n"),
        ("a.zip", b"Rar!\x1a\x07\x00"),
        ("a.docx", XLSX),
        ("a.docx", package("run.exe")),
        ("a.xlsx", DOCX),
        ("a.pptx", DOCX),
        ("a.odt", DOCX),
        ("a.webm", b"\x00\x00\x00\x20ftypisom"),
        ("a.txt", b"\xff\xfeh\x00i\x00"),
    ],
)
def test_what_is_not_what_its_name_says_is_refused(name: str, content: bytes) -> None:
    with pytest.raises(ValidationError) as caught:
        files.check(SimpleUploadedFile(name, content))
    assert caught.value.messages == [f"{name} is not what its name says."]


@pytest.mark.parametrize(
    "name", ["a.svg", "a.html", "a.htm", "a.xhtml", "a.js", "a.exe", "a.png.exe", "a.docm", ".png"]
)
def test_kinds_that_could_run_are_not_accepted_at_all(name: str) -> None:
    with pytest.raises(ValidationError) as caught:
        files.check(SimpleUploadedFile(name, picture()))
    said = f"{name.lstrip('.')}: this kind of file is not accepted. Put it into a ZIP file."
    assert caught.value.messages == [said]


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.docx", DOCX, "other"),
        ("a.xlsx", XLSX, "other"),
        ("a.pptx", package("ppt/slides/slide1.xml"), "other"),
        ("a.odt", package("mimetype", "content.xml"), "other"),
        ("a.webm", b"\x1a\x45\xdf\xa3....", "video"),
        ("a.m4a", b"\x00\x00\x00\x20ftypM4A ", "audio"),
        ("a.mp4", b"\x00\x00\x00\x20ftypisom", "video"),
        ("a.pdf", b"%PDF-1.7", "pdf"),
        ("a.csv", b"a;b", "text"),
        ("a.gif", GIF, "image"),
        ("a.psd", b"8BPS", "other"),
    ],
)
def test_what_is_what_its_name_says_is_accepted_and_known_for_what_can_be_shown(
    name: str, content: bytes, kind: str
) -> None:
    assert Attachment(content_type=files.check(SimpleUploadedFile(name, content)).content_type).kind == kind


def test_the_mark_of_a_document_is_found_wherever_the_pieces_of_an_upload_end() -> None:
    upload = SimpleUploadedFile("a.docx", DOCX)
    upload.DEFAULT_CHUNK_SIZE = DOCX.index(b"word/") + 2
    assert files.check(upload).size == len(DOCX)


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("..", "file"),
        ("../../..", "file"),
        (".htaccess", "htaccess"),
        ("a/b\\c.png", "c.png"),
        ("line\u2028break.png", "line break.png"),
        ("Gro\u0308ße.png", "Größe.png"),
        ("\u202egpj.exe", "gpj.exe"),
        ('quote".png', 'quote".png'),
        ("", "file"),
    ],
)
def test_names_are_cleaned(typed: str, shown: str) -> None:
    assert files.clean_name(typed) == shown


def drawn(content: bytes) -> Image.Image:
    return Image.open(BytesIO(draw_anew(BytesIO(content), formats=FORMATS, size=PREVIEW).content))


def test_a_preview_has_no_metadata_and_nothing_that_hid_in_the_upload() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x8825] = 6, "camera of Theo", {1: "N", 2: (48.0, 51.0, 30.0)}
    photo = picture(kind="JPEG", exif=exif, icc_profile=b"profile of Theo", comment=b"by Theo") + HTML
    notes = PngInfo()
    notes.add_text("Author", "Theo")
    for content, size in ((photo, (180, 320)), (picture(pnginfo=notes) + DOCX, (320, 180))):
        preview = draw_anew(BytesIO(content), formats=FORMATS, size=PREVIEW)
        assert (preview.width, preview.height) == size
        picture_of_it = Image.open(BytesIO(preview.content))
        assert (picture_of_it.format, picture_of_it.size, dict(picture_of_it.getexif())) == ("WEBP", size, {})
        assert {"exif", "icc_profile", "xmp", "comment"} & set(picture_of_it.info) == set()
        assert not any(hidden in preview.content for hidden in (b"Theo", b"script", b"PK\x03\x04"))


def test_a_moving_picture_is_shown_by_its_first_and_a_see_through_one_stays_so() -> None:
    first, second = Image.new("RGB", (40, 30), "red"), Image.new("RGB", (40, 30), "blue")
    content = BytesIO()
    first.save(content, "GIF", save_all=True, append_images=[second])
    moving = drawn(content.getvalue())
    assert (moving.n_frames, moving.size) == (1, (40, 30))
    assert moving.convert("RGB").getpixel((20, 15))[0] > 200
    see_through = BytesIO()
    Image.new("RGBA", (40, 30), (0, 128, 128, 60)).save(see_through, "PNG")
    assert drawn(see_through.getvalue()).getpixel((20, 15))[3] == 60


@pytest.mark.parametrize("size", [(8_000, 6_000), (12_001, 1), (17_895, 10_000)])
def test_a_large_picture_is_accepted_as_a_file_and_never_decoded(size: tuple[int, int]) -> None:
    large = png_that_claims(*size)
    assert files.check(SimpleUploadedFile("large.png", large)).size == len(large)
    with pytest.raises(TooLarge):
        drawn(large)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("giant.png", png_that_claims(17_896, 10_000)),
        ("giant.png", png_that_claims(2**31 - 1, 2**31 - 1)),
        ("giant.gif", b"GIF89a" + struct.pack("<HH", 65_000, 65_000) + picture(kind="GIF")[10:]),
        ("giant.jpg", picture(kind="JPEG").replace(struct.pack(">HH", 180, 320), struct.pack(">HH", 65_000, 65_000))),
    ],
)
def test_a_giant_picture_is_refused(name: str, content: bytes) -> None:
    with pytest.raises(ValidationError) as caught:
        files.check(SimpleUploadedFile(name, content))
    assert caught.value.messages == [f"{name} has more than 178 megapixels."]


def zipped(*contents: bytes, before: bytes = b"", comment: bytes = b"") -> bytes:
    content = BytesIO()
    with ZipFile(content, "w", ZIP_DEFLATED) as archive:
        archive.comment = comment
        for number, one in enumerate(contents):
            archive.writestr(f"{number}.txt", one)
    return before + content.getvalue()


def in_64_bits(archive: bytes) -> bytes:
    """The same archive with the end of one that is larger than 4 GB."""
    start, end = archive.rindex(b"PK\5\6"), archive[-22:]
    entries, length, place = struct.unpack("<10xHLL2x", end)
    end_64 = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, entries, entries, length, place)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, start, 1)
    return archive[:start] + end_64 + locator + struct.pack("<4s4H2LH", b"PK\5\6", *[0xFFFF] * 4, *[2**32 - 1] * 2, 0)


ZEROS = bytes(30_000_000)
LARGE = zipped(b"a" * 200, bytes(20_000_000), bytes(10_000_000))


@pytest.mark.parametrize(
    "bomb",
    [zipped(ZEROS), LARGE, zipped(ZEROS, comment=b"x" * 60_000), zipped(ZEROS, before=DOCX), in_64_bits(LARGE)],
    ids=["one", "many", "with a comment", "behind another", "in 64 bits"],
)
def test_a_file_that_would_unpack_to_very_much_is_refused(bomb: bytes) -> None:
    assert len(bomb) < 300_000
    with ZipFile(BytesIO(bomb)) as archive:
        assert sum(entry.file_size for entry in archive.infolist()) >= len(ZEROS)
    with pytest.raises(ValidationError) as caught:
        files.check(SimpleUploadedFile("bomb.zip", bomb))
    assert caught.value.messages == ["bomb.zip would unpack to 28.6\xa0MB, which is too much for a file so small."]


def test_an_entry_that_tells_its_size_elsewhere_counts_as_four_gigabytes() -> None:
    with pytest.raises(ValidationError) as caught:
        files.check(SimpleUploadedFile("a.zip", zipped(b"x").replace(b"\3\0\0\0\1\0\0\0", b"\xff" * 8)))
    assert caught.value.messages == ["a.zip would unpack to 4.0\xa0GB, which is too much for a file so small."]


@pytest.mark.parametrize(
    "content",
    [zipped(bytes(20_000_000)), zipped(ZEROS, random.Random(1).randbytes(300_000)), LARGE[:-40], LARGE[:9]],
    ids=["no more than what may be uploaded", "not so small", "without its end", "nearly nothing"],
)
def test_what_packs_well_or_is_broken_is_no_bomb(content: bytes) -> None:
    assert files.check(SimpleUploadedFile("a.zip", content)).content.read() == content


@pytest.mark.parametrize(
    "content", [HTML, SVG, picture()[:200], b"%!PS-Adobe-3.0 EPSF-3.0", picture(kind="TIFF"), zlib.compress(b"x")]
)
def test_what_is_broken_or_of_another_format_is_not_drawn(content: bytes) -> None:
    with pytest.raises(Damaged):
        drawn(content)


def test_control_characters_of_a_text_become_visible() -> None:
    assert "a\x00b\x1bc\td\x7f\x85".translate(VISIBLE) == "a␀b␛c\td␡�"
