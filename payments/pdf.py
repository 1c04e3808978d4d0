"""PDF: a page of A4 with our fonts, on which text of any script is printed as it is and never as markup."""

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django_stubs_ext import StrOrPromise
from fpdf import FPDF
from fpdf.enums import Align, TableBordersLayout
from fpdf.fonts import FontFace, TTFFont

FONTS = Path(__file__).resolve().parent / "fonts"
_MISSING = "\ufffd"
_INK, _SOFT, _LINE = (22, 32, 27), (74, 85, 79), (200, 207, 203)
_MARGIN = 20
_INVISIBLE = ("Cf", "Cc")
_PAD = 1.4
_LEADING = 1.35
# From here on there are scripts whose letters join, stack or run from the right.
_FIRST_TO_SHAPE = "\u0300"
_JOINERS = "\u200c\u200d"


class Column(NamedTuple):
    heading: StrOrPromise
    width: int  # in shares of the width of the page
    right: bool = False


class _Place(NamedTuple):
    width: float
    right: bool


class Sheet(FPDF):
    """A document of ours in PDF: headings, facts, and tables that go on over as many pages as they need."""

    def __init__(self, title: str, made_at: datetime) -> None:
        super().__init__(format="A4")
        self.alias_nb_pages(None)  # type: ignore[arg-type]  # or "{nb}" in a person's text would be replaced
        self.add_font("Sans", "", FONTS / "DejaVuSans.ttf")
        self.add_font("Sans", "B", FONTS / "DejaVuSans-Bold-Latin.ttf")
        self._known, self._known_in_bold = self._characters("sans"), self._characters("sansB")
        self.set_text_shaping(True)
        self.set_margin(_MARGIN)
        self.set_auto_page_break(True, margin=_MARGIN)
        self.title_shown = title
        self.set_title(title)
        self.set_lang(get_language() or "en")
        self.set_creation_date(made_at)
        self.add_page()

    def footer(self) -> None:
        self.set_y(-14)
        self._font(8, color=_SOFT)
        self.cell(0, 5, self.printable(self.title_shown))
        self.set_x(_MARGIN)
        self.cell(0, 5, _("Page {number}").format(number=self.page_no()), align=Align.R)

    def printable(self, text: str) -> str:
        """The text, with a visible mark for each character that our font lacks, and without what nobody can see."""

        def shown(character: str) -> str:
            if character.isspace():
                return "\n" if character == "\n" else " "
            # Joiners are part of some scripts; the rest of their kind can turn a whole line around.
            if unicodedata.category(character) in _INVISIBLE and character not in _JOINERS:
                return ""
            return character if ord(character) in self._known else _MISSING

        return "".join(shown(character) for character in unicodedata.normalize("NFC", text))

    def heading(self, text: str, size: int = 20) -> None:
        # Keeps a heading with what follows it.
        if self.get_y() > self.h - 3 * _MARGIN:
            self.add_page()
        self._write(text, size=size, bold=True)
        self.ln(2)

    def paragraph(self, text: str, *, soft: bool = False, size: int = 10, bold: bool = False) -> None:
        self._write(text, size=size, bold=bold, color=_SOFT if soft else _INK)

    def space(self, height: float = 5) -> None:
        self.ln(height)

    def facts(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Names with their values beside them."""
        self._font(10)
        with self.table(
            borders_layout=TableBordersLayout.NONE,
            first_row_as_headings=False,
            col_widths=(30, 70),
            line_height=5.5,
            padding=(0.4, 1, 0.4, 0),
            text_align=(Align.L, Align.L),
        ) as table:
            for name, value in pairs:
                row = table.row()
                row.cell(name, style=FontFace(color=_SOFT))
                row.cell(self.printable(value))

    def grid(
        self,
        columns: Sequence[Column],
        rows: Iterable[Sequence[str]],
        totals: Iterable[Sequence[str]] = (),
        size: int = 9,
    ) -> None:
        """A table whose headings are repeated on every page; `totals` are its last rows, in bold."""
        all_shares = sum(column.width for column in columns)
        places = [_Place(self.epw * column.width / all_shares, column.right) for column in columns]
        headings = [self._in_bold(str(column.heading)) for column in columns]

        def row(cells: Sequence[str], *, bold: bool = False) -> None:
            self._font(size, bold=bold)
            height = self._height(places, cells)
            if self.get_y() + height > self.page_break_trigger:
                self.add_page()
                heading()
                self._font(size, bold=bold)
            self._row(places, cells)

        def heading() -> None:
            self._font(size, bold=True, color=_SOFT)
            self._row(places, headings)

        if self.get_y() > self.h - 3 * _MARGIN:
            self.add_page()
        self.set_draw_color(*_LINE)
        heading()
        for cells in rows:
            row([self.printable(text) for text in cells])
        for cells in totals:
            row([self._in_bold(text) for text in cells], bold=True)
        self.set_text_shaping(True)

    def _height(self, places: Sequence["_Place"], cells: Sequence[str]) -> float:
        most = max(len(self._wrapped(text, place.width)) for place, text in zip(places, cells, strict=True))
        return most * self.font_size * _LEADING + 2 * _PAD

    def _row(self, places: Sequence["_Place"], cells: Sequence[str]) -> None:
        # Not FPDF's own table, which lays out each text three times: a year of a busy seller would take minutes.
        top, left, height = self.get_y(), self.l_margin, self._height(places, cells)
        step = self.font_size * _LEADING
        for place, text in zip(places, cells, strict=True):
            for number, line in enumerate(self._wrapped(text, place.width)):
                self.set_xy(left, top + _PAD + number * step)
                self.set_text_shaping(_needs_shaping(line))
                self.cell(place.width, step, line, align=Align.R if place.right else Align.L)
            left += place.width
        self.line(self.l_margin, top + height, self.w - self.r_margin, top + height)
        self.set_xy(self.l_margin, top + height)

    def _wrapped(self, text: str, width: float) -> list[str]:
        """The lines of a cell: broken between words, and within those that are too long."""
        room = width - 2 * self.c_margin
        done: list[str] = []
        line = ""
        for word in text.split():
            longer = f"{line} {word}" if line else word
            if self._wide(longer) <= room:
                line = longer
                continue
            if line:
                done.append(line)
            line = word
            while self._wide(line) > room:
                fits = next((n for n in range(len(line) - 1, 0, -1) if self._wide(line[:n]) <= room), 1)
                done.append(line[:fits])
                line = line[fits:]
                if not line:
                    break
        return [*done, line]

    def _wide(self, text: str) -> float:
        font = self.current_font
        assert isinstance(font, TTFFont)
        return float(sum(font.cw[ord(character)] for character in text)) * self.font_size / 1000

    def bytes(self) -> bytes:
        return bytes(self.output())

    def _write(self, text: str, *, size: int, bold: bool = False, color: tuple[int, int, int] = _INK) -> None:
        self._font(size, bold=bold, color=color)
        shown = self._in_bold(text) if bold else self.printable(text)
        self.multi_cell(0, 0.5 * size, shown, align=Align.L, new_x="LMARGIN", new_y="NEXT")

    def _characters(self, font: str) -> frozenset[int]:
        embedded = self.fonts[font]
        assert isinstance(embedded, TTFFont)
        return frozenset(embedded.cmap)

    def _in_bold(self, text: str) -> str:
        return "".join(c if ord(c) in self._known_in_bold or c == "\n" else _MISSING for c in self.printable(text))

    def _font(self, size: int, *, bold: bool = False, color: tuple[int, int, int] = _INK) -> None:
        self.set_font("Sans", "B" if bold else "", size)
        self.set_text_color(*color)


def _needs_shaping(text: str) -> bool:
    return any(_FIRST_TO_SHAPE <= character < "\u2000" or character > "\u2fff" for character in text)
