import time

from orders.comparing import COMPARED_LINES, Row, differences, paired
from orders.models import Attachment


def file(pk: int, name: str, kind: str = "image/png") -> Attachment:
    return Attachment(pk=pk, name=name, content_type=kind, sha256=name)


def pairs(left: list[Attachment], right: list[Attachment]) -> list[tuple[int | None, int | None]]:
    return [(pair.left and pair.left.pk, pair.right and pair.right.pk) for pair in paired(left, right)]


def test_files_belong_together_by_name_then_by_kind_in_their_order() -> None:
    text, pdf, zipped, film = "text/plain", "application/pdf", "application/zip", "video/mp4"
    left = [file(1, "a.png"), file(2, "Notes.txt", text), file(3, "b.jpg")]
    left += [file(4, "x.zip", zipped), file(5, "f.pdf", pdf)]
    right = [file(6, "c.png"), file(7, "notes.TXT", text), file(8, "a.png"), file(9, "f.mp4", film), file(10, "d.png")]
    assert pairs(left, right) == [(1, 8), (2, 7), (3, 6), (4, None), (5, None), (None, 9), (None, 10)]
    assert pairs([], []) == []
    same = [file(1, "a.png"), file(2, "a.png")]
    assert pairs(same, [file(3, "a.png"), file(4, "a.png")]) == [(1, 3), (2, 4)]


def test_a_comparison_shows_what_was_removed_and_added_with_three_lines_around() -> None:
    left = [f"line {n}" for n in range(1, 21)]
    right = [*left[:9], "line ten", *left[10:15], *left[16:], "the end"]
    assert differences(left, right) == [
        Row("gap"),
        Row("same", 7, 7, "line 7"),
        Row("same", 8, 8, "line 8"),
        Row("same", 9, 9, "line 9"),
        Row("removed", 10, None, "line 10"),
        Row("added", None, 10, "line ten"),
        *(Row("same", n, n, f"line {n}") for n in range(11, 16)),
        Row("removed", 16, None, "line 16"),
        *(Row("same", n, n - 1, f"line {n}") for n in range(17, 21)),
        Row("added", None, 20, "the end"),
    ]
    assert differences(left, left) == []
    assert differences([], ["new"]) == [Row("added", None, 1, "new")]
    assert differences(["old"], []) == [Row("removed", 1, None, "old")]


def test_texts_made_to_be_hard_to_compare_are_compared_in_no_time() -> None:
    """The longest texts that are ever compared, alike everywhere and nowhere, just below what difflib calls popular."""
    left = [f"{n % 199}" for n in range(COMPARED_LINES)]
    right = [f"{n * 3 % 199}" for n in range(COMPARED_LINES)]
    begun = time.process_time()
    assert len([row for row in differences(left, right) if row.look == "added"]) > 500
    assert time.process_time() - begun < 2
