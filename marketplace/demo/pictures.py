"""Covers and delivered files of the demo, drawn here so that none has to be shipped."""

from io import BytesIO

from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, ImageDraw

from orders.files import CheckedFile, check

SIZE = (1280, 720)
Color = tuple[int, int, int]
Palette = tuple[Color, Color, Color]


def cover(palette: Palette, motif: str) -> "ContentFile[bytes]":
    """A flat picture in three colors: `motif` is one of MOTIFS."""
    background, ink, accent = palette
    picture = Image.new("RGB", SIZE, background)
    draw = ImageDraw.Draw(picture)
    MOTIFS[motif](draw, ink, accent)
    return ContentFile(_png(picture), name=f"{motif}.png")


def frame(number: int) -> CheckedFile:
    """A storyboard frame as a PNG that passed the checks of an upload."""
    picture = Image.new("RGB", (960, 540), (250, 250, 247))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((40, 40, 920, 500), outline=(40, 50, 45), width=4)
    for hive in range(number):
        left = 120 + hive * 180
        draw.rounded_rectangle((left, 260, left + 120, 420), 40, fill=(222, 168, 60), outline=(40, 50, 45), width=4)
        draw.line((left, 340, left + 120, 340), fill=(40, 50, 45), width=4)
    draw.ellipse((760, 90, 860, 190), outline=(40, 50, 45), width=4)
    return check(SimpleUploadedFile(f"storyboard-{number}.png", _png(picture), "image/png"))


def text(name: str, content: str) -> CheckedFile:
    return check(SimpleUploadedFile(name, content.encode(), "text/plain"))


def _png(picture: Image.Image) -> bytes:
    output = BytesIO()
    picture.save(output, "PNG")
    return output.getvalue()


def _logo(draw: ImageDraw.ImageDraw, ink: Color, accent: Color) -> None:
    draw.ellipse((440, 160, 840, 560), outline=ink, width=26)
    draw.polygon([(640, 230), (760, 470), (520, 470)], fill=accent)
    draw.line((380, 620, 900, 620), fill=ink, width=14)


def _video(draw: ImageDraw.ImageDraw, ink: Color, accent: Color) -> None:
    draw.rounded_rectangle((290, 150, 990, 570), 28, outline=ink, width=18)
    draw.polygon([(570, 260), (570, 460), (750, 360)], fill=accent)
    draw.line((290, 640, 990, 640), fill=ink, width=10)
    draw.ellipse((520, 620, 560, 660), fill=accent)


def _site(draw: ImageDraw.ImageDraw, ink: Color, accent: Color) -> None:
    draw.rounded_rectangle((260, 120, 1020, 600), 24, outline=ink, width=16)
    draw.line((260, 210, 1020, 210), fill=ink, width=12)
    draw.rectangle((320, 270, 620, 530), fill=accent)
    for top in (280, 350, 420, 490):
        draw.line((680, top, 960, top), fill=ink, width=12)


def _book(draw: ImageDraw.ImageDraw, ink: Color, accent: Color) -> None:
    draw.polygon([(640, 190), (300, 140), (300, 560), (640, 610)], outline=ink, width=14)
    draw.polygon([(640, 190), (980, 140), (980, 560), (640, 610)], outline=ink, width=14)
    draw.ellipse((380, 260, 560, 440), fill=accent)
    draw.line((720, 300, 900, 275), fill=ink, width=10)
    draw.line((720, 370, 900, 345), fill=ink, width=10)


def _pages(draw: ImageDraw.ImageDraw, ink: Color, accent: Color) -> None:
    for left, top in ((330, 220), (420, 170)):
        draw.rounded_rectangle((left, top, left + 420, top + 380), 16, fill=(255, 255, 255), outline=ink, width=12)
    for column, color in enumerate((ink, accent, (150, 170, 160))):
        draw.rectangle((480 + column * 104, 230, 568 + column * 104, 330), fill=color)
    for top in (390, 440, 490):
        draw.line((480, top, 780, top), fill=ink, width=10)


def _brush(draw: ImageDraw.ImageDraw, ink: Color, accent: Color) -> None:
    draw.ellipse((300, 150, 700, 550), fill=accent)
    draw.arc((420, 200, 980, 640), 200, 20, fill=ink, width=26)
    draw.line((620, 520, 960, 150), fill=ink, width=30)
    draw.polygon([(560, 590), (600, 500), (650, 545)], fill=ink)


def _shop(draw: ImageDraw.ImageDraw, ink: Color, accent: Color) -> None:
    draw.rectangle((360, 320, 920, 590), outline=ink, width=16)
    for stripe in range(5):
        left = 330 + stripe * 124
        draw.pieslice((left, 180, left + 124, 400), 0, 180, fill=accent if stripe % 2 else ink)
        draw.rectangle((left, 160, left + 124, 290), fill=accent if stripe % 2 else ink)
    draw.rectangle((430, 430, 560, 590), fill=ink)
    draw.rectangle((640, 430, 860, 530), fill=accent)


def _pen(draw: ImageDraw.ImageDraw, ink: Color, accent: Color) -> None:
    for top, right in ((230, 760), (310, 860), (390, 700), (470, 820)):
        draw.line((330, top, right, top), fill=ink, width=18)
    draw.polygon([(760, 560), (940, 380), (985, 425), (805, 605)], fill=accent)
    draw.polygon([(760, 560), (805, 605), (735, 630)], fill=ink)


def _sound(draw: ImageDraw.ImageDraw, ink: Color, accent: Color) -> None:
    for bar, height in enumerate((60, 130, 220, 150, 290, 360, 240, 310, 170, 230, 110, 60)):
        left = 322 + bar * 54
        color = accent if bar in (4, 5, 6, 7) else ink
        draw.rounded_rectangle((left, 360 - height // 2, left + 30, 360 + height // 2), 15, fill=color)


def _code(draw: ImageDraw.ImageDraw, ink: Color, accent: Color) -> None:
    draw.line((500, 220, 340, 360, 500, 500), fill=ink, width=34, joint="curve")
    draw.line((780, 220, 940, 360, 780, 500), fill=ink, width=34, joint="curve")
    draw.line((700, 180, 580, 540), fill=accent, width=34)


def _chart(draw: ImageDraw.ImageDraw, ink: Color, accent: Color) -> None:
    draw.rounded_rectangle((340, 210, 940, 560), 20, fill=(255, 255, 255), outline=ink, width=16)
    draw.line((348, 222, 640, 430, 932, 222), fill=ink, width=16, joint="curve")
    draw.ellipse((860, 130, 1010, 280), fill=accent)


MOTIFS = {
    "logo": _logo,
    "video": _video,
    "site": _site,
    "book": _book,
    "pages": _pages,
    "brush": _brush,
    "shop": _shop,
    "pen": _pen,
    "sound": _sound,
    "code": _code,
    "chart": _chart,
}
