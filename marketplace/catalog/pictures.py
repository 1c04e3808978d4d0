"""Uploaded pictures, drawn anew as WebP: no script, no metadata, no trailing data of an upload is ever shown."""

import warnings
from io import BytesIO
from typing import IO, NamedTuple

from PIL import Image, ImageOps

MAX_PIXELS = 40_000_000
MAX_SIDE = 12_000
GIANT = 2 * (Image.MAX_IMAGE_PIXELS or 0)  # what Pillow itself refuses as a bomb: 178 megapixels
QUALITY = 82
TURNED = (5, 6, 7, 8)  # the orientations of EXIF that lie on a side
ORIENTATION = 0x0112


class TooLarge(ValueError):
    """More pixels than are ever decoded."""


class Damaged(ValueError):
    """Not a picture of the wanted formats, or a broken one."""


class Drawn(NamedTuple):
    """A WebP, and how large the picture was that it shows, standing upright."""

    content: bytes
    width: int
    height: int


def is_giant(upload: IO[bytes]) -> bool:
    """Whether a picture says in its header that it has more than `GIANT` pixels. A broken one says nothing.

    Only its first megabyte is read: the size stands behind whatever else somebody put there, and looking through
    25 MB of that would take seconds. WebP is not asked, which has at most 268 megapixels.
    """
    upload.seek(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            with Image.open(BytesIO(upload.read(2**20)), formats=("PNG", "JPEG", "GIF")):
                return False
        except Image.DecompressionBombError:
            return True
        except Exception:  # a broken picture makes Pillow raise errors of many kinds
            return False


def draw_anew(upload: IO[bytes], *, formats: tuple[str, ...], size: tuple[int, int]) -> Drawn:
    """The (first) picture of a file as WebP, at most `size` pixels, upright, without metadata.

    Raises `TooLarge`, from the header alone, for more than 40 megapixels or 12,000 pixels a side, else `Damaged`.
    """
    with warnings.catch_warnings():
        # Pillow only warns of some decompression bombs; here they are refused like the others.
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            return _drawn_anew(upload, formats, size)
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as problem:
            raise TooLarge from problem
        except TooLarge:
            raise
        except Exception as problem:  # a broken picture makes Pillow raise errors of many kinds
            raise Damaged from problem


def _drawn_anew(upload: IO[bytes], formats: tuple[str, ...], size: tuple[int, int]) -> Drawn:
    upload.seek(0)
    with Image.open(upload, formats=formats) as picture:
        # The header says the size: nothing is decoded before it is judged.
        if picture.width * picture.height > MAX_PIXELS or max(picture.size) > MAX_SIDE:
            raise TooLarge
        picture.verify()
    upload.seek(0)
    with Image.open(upload, formats=formats) as picture:
        width, height = picture.size
        if picture.getexif().get(ORIENTATION) in TURNED:
            width, height = height, width
        picture.draft("RGB", size)
        see_through = "A" in picture.getbands() or "transparency" in picture.info
        # Colors of a palette cannot be mixed: such a picture gets its own first.
        drawn = picture.convert("RGBA" if see_through else "RGB") if picture.mode == "P" else picture
        drawn.thumbnail(size)
        drawn = ImageOps.exif_transpose(drawn).convert("RGBA" if see_through else "RGB")
        output = BytesIO()
        drawn.save(output, "WEBP", quality=QUALITY)
    return Drawn(output.getvalue(), width, height)
