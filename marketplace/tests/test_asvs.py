"""`docs/asvs.md` speaks of every clause of OWASP ASVS 5.0, levels 1 and 2, once, and of tests that exist."""

import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The numbers of the clauses of these levels, by section; V10 and V17 are none of ours as a whole.
CLAUSES = {
    "V1.1": "1 2",
    "V1.2": "1 2 3 4 5 6 7 8 9",
    "V1.3": "1 2 3 4 5 6 7 8 9 10 11",
    "V1.4": "1 2 3",
    "V1.5": "1 2",
    "V2.1": "1 2 3",
    "V2.2": "1 2 3",
    "V2.3": "1 2 3 4",
    "V2.4": "1",
    "V3.2": "1 2",
    "V3.3": "1 2 3 4",
    "V3.4": "1 2 3 4 5 6",
    "V3.5": "1 2 3 4 5",
    "V3.7": "1 2",
    "V4.1": "1 2 3",
    "V4.2": "1",
    "V4.3": "1 2",
    "V4.4": "1 2 3 4",
    "V5.1": "1",
    "V5.2": "1 2 3",
    "V5.3": "1 2",
    "V5.4": "1 2 3",
    "V6.1": "1 2 3",
    "V6.2": "1 2 3 4 5 6 7 8 9 10 11 12",
    "V6.3": "1 2 3 4",
    "V6.4": "1 2 3 4",
    "V6.5": "1 2 3 4 5",
    "V6.6": "1 2 3",
    "V6.8": "1 2 3 4",
    "V7.1": "1 2 3",
    "V7.2": "1 2 3 4",
    "V7.3": "1 2",
    "V7.4": "1 2 3 4 5",
    "V7.5": "1 2",
    "V7.6": "1 2",
    "V8.1": "1 2",
    "V8.2": "1 2 3",
    "V8.3": "1",
    "V8.4": "1",
    "V9.1": "1 2 3",
    "V9.2": "1 2 3 4",
    "V11.1": "1 2",
    "V11.2": "1 2 3",
    "V11.3": "1 2 3",
    "V11.4": "1 2 3 4",
    "V11.5": "1",
    "V11.6": "1",
    "V12.1": "1 2 3",
    "V12.2": "1 2",
    "V12.3": "1 2 3 4",
    "V13.1": "1",
    "V13.2": "1 2 3 4 5",
    "V13.3": "1 2",
    "V13.4": "1 2 3 4 5",
    "V14.1": "1 2",
    "V14.2": "1 2 3 4",
    "V14.3": "1 2 3",
    "V15.1": "1 2 3",
    "V15.2": "1 2 3",
    "V15.3": "1 2 3 4 5 6 7",
    "V16.1": "1",
    "V16.2": "1 2 3 4 5",
    "V16.3": "1 2 3 4",
    "V16.4": "1 2 3",
    "V16.5": "1 2 3",
}
ROW = re.compile(r"^\| (V\d+\.\d+\.\d+) \| [^|]+ \| (met|partly|open|operator|n/a) \| ([^|]*) \| ([^|]*) \|$")


def page() -> str:
    return (ROOT / "docs" / "asvs.md").read_text()


def test_every_clause_of_both_levels_is_spoken_of_once() -> None:
    wanted = {f"{section}.{number}" for section, numbers in CLAUSES.items() for number in numbers.split()}
    apply, not_applicable = page().split("## Not applicable")
    found = [row[1] for line in apply.splitlines() if (row := ROW.match(line))]
    found += re.findall(r"V\d+\.\d+\.\d+", not_applicable)
    assert [clause for clause, count in Counter(found).items() if count > 1] == []
    assert (wanted - set(found), set(found) - wanted) == (set(), set())
    assert [line for line in apply.splitlines() if line.startswith("| V") and not ROW.match(line)] == []


def test_every_test_and_document_that_it_names_exists() -> None:
    named = set(re.findall(r"`([\w/.-]+\.(?:py|md|txt))`", page()))
    assert len(named) >= 40
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_what_is_not_met_says_why() -> None:
    rows = [row for line in page().splitlines() if (row := ROW.match(line))]
    assert [row[1] for row in rows if row[2] in ("partly", "open") and not row[3]] == []
