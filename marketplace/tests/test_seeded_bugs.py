"""Bugs put in on purpose all over the product, each caught by the tests named beside it.

`SEEDED=1` tries every one of both lists in a copy of the source. Every day it is shown that each text still stands in
its file once, so that none is passed over in silence.
"""

import os

import pytest

from marketplace.tests.seeded_bugs import BUGS
from payments.tests.seeded_bugs import BUGS as OF_THE_LEDGER
from payments.tests.seeded_bugs import ROOT, Bug, caught

ALL = [*BUGS, *OF_THE_LEDGER]


def test_at_least_thirty_bugs_stand_where_they_can_be_put_in() -> None:
    assert len({bug.says for bug in ALL}) == len(ALL) >= 50
    for bug in ALL:
        assert (ROOT / bug.file).read_text().count(bug.text) == 1, bug.says
        assert all((ROOT / file).exists() for file in bug.tests.split()), bug.says


if os.environ.get("SEEDED"):

    @pytest.mark.parametrize("bug", ALL, ids=lambda bug: bug.says)
    def test_a_seeded_bug_is_caught(bug: Bug) -> None:
        assert caught(bug), "no test sees it"
