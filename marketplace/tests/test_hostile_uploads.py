"""Uploads that are made to cost: bombs, giant pictures, endless names. Refused, or bounded by what is never decoded."""

import struct
import subprocess
import sys
import tracemalloc
import zlib
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile
from PIL import Image

from marketplace.catalog.pictures import is_giant
from marketplace.catalog.tests.test_covers import png_that_claims
from orders import files

HTML = b"<!doctype html><script>alert(document.domain)</script>"
POLYGLOTS = {
    "gif-js.gif": b"GIF89a/*" + bytes(10) + b"*/=1;alert(1)",
    "pdf-html.pdf": b"%PDF-1.7\n" + HTML,
    "jpeg-html.jpg": b"\xff\xd8\xff\xfe" + HTML,
    "zip-html.zip": b"PK\x03\x04" + HTML,
    "html.txt": HTML,
    "formula.csv": b"=HYPERLINK(1)",
    "svg.md": b"<svg onload=alert(1)>",
}
# Never a kind that a browser would run, whatever is in it; each is served as an attachment in a sandbox besides.
INERT = {"image/gif", "application/pdf", "image/jpeg", "application/zip", "text/plain", "text/csv"}
NAMES = (
    *("../../etc/passwd.png", "..\\..\\boot.ini.png", "/etc/cron.d/x.png", "C:\\x.png", "con.png", " .png"),
    *("a\x00.html.png", "\u202egnp.exe.png", "\r\nX: y.png", "<img src=x>.png"),
    *("x" * 5_000 + ".png", "a." + "p" * 5_000, "😀" * 300 + ".png"),
)
DECODED = """
import resource, sys
from io import BytesIO
from marketplace.catalog.pictures import TooLarge, Damaged, draw_anew
formats, content = ("PNG", "JPEG", "GIF", "WEBP"), open(sys.argv[1], "rb")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    draw_anew(content, formats=formats, size=(1600, 1600)); said = "drawn"
except (TooLarge, Damaged) as problem:
    said = type(problem).__name__
print(said, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.parametrize("name", POLYGLOTS)
def test_a_file_of_two_kinds_is_taken_for_the_harmless_one(name: str) -> None:
    assert files.check(SimpleUploadedFile(name, POLYGLOTS[name])).content_type in INERT


@pytest.mark.parametrize("name", NAMES, ids=lambda name: repr(name)[:24])
def test_no_name_leads_out_of_its_folder_or_out_of_its_line(name: str) -> None:
    shown = files.clean_name(name)
    assert (set("/\\\0\r\n\u202e") & set(shown), shown.startswith("."), len(shown) <= 200) == (set(), False, True)


def stored(content: bytes, name: str) -> TemporaryUploadedFile:
    """As the site gets it: an upload of this size is on the disk."""
    upload = TemporaryUploadedFile(name, "", len(content), None)
    upload.write(content)
    upload.seek(0)
    return upload


@pytest.mark.parametrize("name", ["zeros.zip", "zeros.docx", "entries.zip", "letters.txt"])
def test_checking_an_upload_costs_little_however_much_is_in_it(name: str) -> None:
    packed = BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", bytes(200_000_000))  # 200 MB in 200 KB
    if name == "entries.zip":
        directory = b"PK\1\2".ljust(46, b"\0") * 500_000
        content = b"PK\3\4" + directory + struct.pack("<4s8xL6x", b"PK\5\6", len(directory))
    elif name == "letters.txt":
        content = b"a" * (settings.UPLOAD_MAX_BYTES - 1)
    else:
        content = packed.getvalue().ljust(settings.UPLOAD_MAX_BYTES - 1, b"a")
    upload = stored(content, name)
    tracemalloc.start()
    files.check(upload)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    upload.close()
    assert peak < 2_000_000, f"{peak:,} bytes for an upload of {len(content):,}"


HEADERS = {  # nothing but headers, in pieces as small as they may be
    "a.jpg": b"\xff\xd8" + b"\xff\xfe\0\2" * 6_000_000,
    "a.png": png_that_claims(1, 1)[:33] + b"\0\0\0\0tEXt\xb4\x7c\x4b\x91" * 2_000_000,
    "a.gif": b"GIF89a\1\0\1\0\0\0\0" + b"!\xfe\1a\0" * 4_800_000,
}


@pytest.mark.parametrize("name", HEADERS)
def test_endless_headers_of_a_picture_are_not_read_to_their_end(name: str) -> None:
    upload = BytesIO(HEADERS[name])
    assert len(HEADERS[name]) > 20_000_000
    assert not is_giant(upload)
    assert upload.tell() == 2**20


def bombs() -> dict[str, bytes]:
    flat, many = BytesIO(), BytesIO()
    Image.new("1", (6_000, 6_600)).save(flat, "PNG")
    frames = [Image.new("P", (500, 500), color) for color in range(200)]
    frames[0].save(many, "GIF", save_all=True, append_images=frames[1:])
    return {
        "claims.png": png_that_claims(60_000, 60_000),
        "long.png": png_that_claims(1_000_000, 1),
        "text.png": b"\x89PNG\r\n\x1a\n" + zlib.compress(bytes(90_000_000)),
        "flat.png": flat.getvalue(),
        "frames.gif": many.getvalue(),
    }


LIMITS = {  # what it says, and how many MB it may take at most: a picture of 40 megapixels is decoded, none beyond
    "claims.png": ("TooLarge", 20),
    "long.png": ("TooLarge", 20),
    "text.png": ("Damaged", 20),
    "flat.png": ("drawn", 300),
    "frames.gif": ("drawn", 40),
}


def test_a_picture_takes_as_much_memory_as_forty_megapixels_do_and_no_more(tmp_path: Path) -> None:
    found = {}
    for name, content in bombs().items():
        (tmp_path / name).write_bytes(content)
        run = [sys.executable, "-c", DECODED, str(tmp_path / name)]
        said, used = subprocess.run(
            run, check=True, capture_output=True, text=True, cwd=settings.BASE_DIR, timeout=60
        ).stdout.split()
        found[name] = (said, int(used))
    assert {name: said for name, (said, _) in found.items()} == {name: said for name, (said, _) in LIMITS.items()}
    assert [name for name, (_, used) in found.items() if used > LIMITS[name][1]] == [], found
