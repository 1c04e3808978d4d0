import os
import struct
import time
import zlib
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from django.test import Client
from PIL import Image

from marketplace import clock
from marketplace.catalog import covers, services, tasks
from marketplace.catalog.tests.factories import GigFactory, picture, upload

DAMAGED = "This file is not a JPEG, PNG or WebP picture, or it is damaged."
TOO_LARGE = "This picture is too large: at most 40 megapixels and 12,000 pixels a side."


def png_that_claims(width: int, height: int) -> bytes:
    """A tiny file that says it is a giant picture."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


def opened(content: bytes) -> Image.Image:
    return Image.open(BytesIO(content))


@pytest.mark.parametrize(("kind", "name"), [("JPEG", "a.jpg"), ("PNG", "a.PNG"), ("WEBP", "a.webp")])
def test_a_picture_is_drawn_anew_as_webp(kind: str, name: str) -> None:
    drawn = opened(covers.redraw(upload(picture(kind=kind), name)))
    assert (drawn.format, drawn.size, drawn.mode) == ("WEBP", (320, 180), "RGB")


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "1", "I;16"])
def test_pictures_of_every_kind_are_drawn(mode: str) -> None:
    assert opened(covers.redraw(upload(picture(mode=mode)))).format == "WEBP"


def test_a_picture_for_print_is_drawn_for_the_screen() -> None:
    assert opened(covers.redraw(upload(picture(kind="JPEG", mode="CMYK"), "print.jpg"))).mode == "RGB"


def test_a_large_picture_is_made_smaller() -> None:
    assert opened(covers.redraw(upload(picture(4000, 3000, kind="JPEG"), "a.jpeg"))).size == (1600, 1200)


def test_a_picture_stands_upright_and_says_nothing_of_its_maker() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    exif[0x010F] = "camera of Theo"
    content = covers.redraw(upload(picture(kind="JPEG", exif=exif), "a.jpg"))
    assert opened(content).size == (180, 320)
    assert b"Theo" not in content


def test_what_hides_behind_a_picture_is_gone() -> None:
    content = covers.redraw(upload(picture() + b"<script>alert(1)</script>"))
    assert b"script" not in content


@pytest.mark.parametrize(
    ("content", "name", "problem"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "a.png", DAMAGED),
        (b"<html>", "a.jpg", DAMAGED),
        (b"\x89PNG\r\n\x1a\n", "a.png", DAMAGED),
        (picture()[:200], "a.png", DAMAGED),
        (picture(kind="GIF"), "a.png", DAMAGED),
        (picture(kind="TIFF"), "a.jpg", DAMAGED),
        (picture(), "a.svg", "Choose a JPEG, PNG or WebP picture."),
        (picture(), "a.html", "Choose a JPEG, PNG or WebP picture."),
        (picture(), "png", "Choose a JPEG, PNG or WebP picture."),
        (b"x" * (8 * 1024**2 + 1), "a.png", "This file has 8.0 MB. A cover has at most 8 MB."),
        (png_that_claims(8_000, 6_000), "a.png", TOO_LARGE),
        (png_that_claims(12_001, 1), "a.png", TOO_LARGE),
        (png_that_claims(12_000, 12_000), "a.png", TOO_LARGE),
        (png_that_claims(2**31 - 1, 2**31 - 1), "a.png", TOO_LARGE),
    ],
)
def test_what_is_no_cover_is_refused_with_its_reason(content: bytes, name: str, problem: str) -> None:
    if name == "png":
        name = "no extension"
    with pytest.raises(covers.InvalidCover) as refusal:
        covers.redraw(upload(content, name))
    assert str(refusal.value) == problem


def test_a_cover_is_kept_under_a_generated_name(covers_folder: Path) -> None:
    name = covers.keep(upload(name="../../etc/passwd.png"))
    assert [f"covers/{file.name}" for file in covers_folder.iterdir()] == [name]
    assert covers.address(name) == f"/covers/{name.removeprefix('covers/')}"


def test_a_cover_is_served_as_a_picture_and_nothing_else(client: Client) -> None:
    name = covers.keep(upload())
    answer = client.get(covers.address(name))
    headers = ("Content-Type", "X-Content-Type-Options", "Content-Security-Policy", "Cache-Control")
    assert [answer[header] for header in headers] == [
        "image/webp",
        "nosniff",
        "default-src 'none'; sandbox",
        "public, max-age=31536000, immutable",
    ]
    assert opened(answer.getvalue()).format == "WEBP"


@pytest.mark.parametrize("name", ["0" * 32 + ".webp", "x.webp", "../settings.py", "0" * 32 + ".svg"])
def test_a_cover_that_is_not_there_is_not_found(client: Client, name: str) -> None:
    assert client.get(f"/covers/{name}").status_code == 404


def test_a_ticket_keeps_a_cover_for_a_form_and_cannot_be_forged() -> None:
    name = covers.keep(upload())
    assert covers.kept(covers.ticket(name)) == name
    assert [covers.kept(forged) for forged in ("", name, covers.ticket(name) + "x", "\0")] == ["", "", "", ""]
    assert covers.kept(covers.ticket("covers/gone.webp")) == ""


@pytest.mark.django_db
def test_covers_that_nobody_uses_are_forgotten_after_two_days(covers_folder: Path) -> None:
    assert services.forget_unused_covers() == 0
    used, old, new = (covers.keep(upload()) for _ in range(3))
    GigFactory(cover=used)
    long_ago = time.time() - timedelta(days=3).total_seconds()
    for name in (used, old):
        os.utime(covers_folder.parent / name, (long_ago, long_ago))
    tasks.forget_unused_covers()
    assert sorted(f"covers/{file.name}" for file in covers_folder.iterdir()) == sorted([used, new])
    with clock.at(clock.now() + timedelta(days=3)):
        assert services.forget_unused_covers() == 1
