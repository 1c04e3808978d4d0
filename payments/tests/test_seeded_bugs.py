"""The seeded bugs are still where they say; that each is caught is shown by `payments/tests/seeded_bugs.py`."""

import pytest

from .seeded_bugs import BUGS, ROOT, Bug


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.says)
def test_each_seeded_bug_replaces_what_stands_there_once(bug: Bug) -> None:
    assert (ROOT / bug.file).read_text().count(bug.text) == 1
    assert all((ROOT / file).exists() for file in bug.tests.split())
