"""Two deliveries side by side: which of their files belong together, and what changed in those that are text."""

import codecs
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property

from orders.models import Attachment

SHOWN_BYTES = 100 * 1024
SHOWN_LINES = 2_000
COMPARED_LINES = 1_000  # finding what changed takes time by their square, in texts made to be hard
AROUND = 3  # lines that are shown before and after a change
LINE_END = re.compile(r"\r\n|\r|\n")
# Pages cannot contain control characters: they are shown as their symbols.
VISIBLE = {code: 0x2400 + code for code in range(32) if code != 9} | {127: 0x2421} | dict.fromkeys(range(128, 160), "�")


@dataclass(frozen=True)
class Text:
    """The beginning of a text file, in lines; `cut` if there is more."""

    lines: list[str]
    cut: bool


@dataclass(frozen=True)
class Row:
    """A line of a comparison: "same", "removed" or "added", with its numbers; "gap" stands for lines left out."""

    look: str
    left: int | None = None
    right: int | None = None
    text: str = ""


@dataclass(frozen=True)
class Changes:
    """What is different between two texts, or between their beginnings if one is `cut`."""

    rows: list[Row]
    cut: bool

    @property
    def removed(self) -> int:
        return sum(row.look == "removed" for row in self.rows)

    @property
    def added(self) -> int:
        return sum(row.look == "added" for row in self.rows)


@dataclass(frozen=True)
class Pair:
    """A file of each delivery, or one that has no counterpart."""

    left: Attachment | None
    right: Attachment | None

    @property
    def one(self) -> Attachment:
        found = self.left or self.right
        assert found
        return found

    @property
    def name(self) -> str:
        return self.one.name

    @property
    def is_same(self) -> bool:
        """Byte for byte."""
        return bool(self.left and self.right and self.left.sha256 == self.right.sha256)

    @property
    def kind(self) -> str:
        """What both are: "image", "pdf", …; "other" if they differ or one is withheld."""
        files = [file for file in (self.left, self.right) if file]
        kinds = {"other" if file.withheld_at else file.kind for file in files}
        return kinds.pop() if len(kinds) == 1 else "other"

    @cached_property
    def changes(self) -> Changes | None:
        """What changed in two text files that are stored and not the same; else None."""
        if not (self.kind == "text" and self.left and self.right) or self.is_same:
            return None
        try:
            left, right = read_text(self.left), read_text(self.right)
        except FileNotFoundError:
            return None
        cut = left.cut or right.cut or max(len(left.lines), len(right.lines)) > COMPARED_LINES
        return Changes(differences(left.lines[:COMPARED_LINES], right.lines[:COMPARED_LINES]), cut)

    @property
    def canvas(self) -> tuple[int, int] | None:
        """Width and height that hold both pictures, so that they are drawn at the same scale; None without both."""
        files = [self.left, self.right]
        sizes = [(file.width, file.height) for file in files if file and file.preview and file.width and file.height]
        return (max(w for w, _ in sizes), max(h for _, h in sizes)) if len(sizes) == 2 else None


def read_text(file: Attachment) -> Text:
    """The first 100 KB of a text file, at most 2,000 lines. Raises FileNotFoundError."""
    with file.file.open() as content:
        raw = content.read(SHOWN_BYTES)
    lines = LINE_END.split(_decoded(raw))
    if lines[-1] == "":
        del lines[-1]
    cut = file.size > SHOWN_BYTES or len(lines) > SHOWN_LINES
    return Text([line.translate(VISIBLE) for line in lines[:SHOWN_LINES]], cut)


def differences(left: Sequence[str], right: Sequence[str]) -> list[Row]:
    """The lines that were removed and added, with three around each change; empty when there are none."""
    rows: list[Row] = []
    for group in SequenceMatcher(None, left, right).get_grouped_opcodes(AROUND):
        if rows or group[0][1] or group[0][3]:
            rows.append(Row("gap"))
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                rows += [Row("same", i + 1, j1 + i - i1 + 1, left[i]) for i in range(i1, i2)]
                continue
            rows += [Row("removed", i + 1, None, left[i]) for i in range(i1, i2)]
            rows += [Row("added", None, j + 1, right[j]) for j in range(j1, j2)]
    return rows


def paired(left: Sequence[Attachment], right: Sequence[Attachment]) -> list[Pair]:
    """The files of two deliveries in pairs: by name, else of one kind in their order; then those left alone."""
    rest, found = list(right), dict[int, Attachment]()
    for key in (_name, _kind):
        for file in left:
            if file.pk not in found and (other := next((o for o in rest if key(o) == key(file)), None)):
                found[file.pk] = other
                rest.remove(other)
    return [Pair(file, found.get(file.pk)) for file in left] + [Pair(None, file) for file in rest]


def _name(file: Attachment) -> str:
    return file.name.casefold()


def _kind(file: Attachment) -> str:
    return file.content_type if file.kind == "other" else file.kind


def _decoded(raw: bytes) -> str:
    """UTF-8, of which the last letter may be cut off; else what Windows wrote for long."""
    decode: Callable[[bytes], str] = codecs.getincrementaldecoder("utf-8-sig")().decode
    try:
        return decode(raw)
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")
