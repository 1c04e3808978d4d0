"""Each measure runs once, small: its sides do the work that they claim. No time is asserted."""

import json
from math import isfinite
from pathlib import Path

import pytest
from django.core.management import call_command

from .test_loading import ORDERS, stories

__all__ = ["stories"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("bench")]
SIDES = {
    "order by key": ["ours", "SQL"],
    "sweep, 20 due": ["ours", "one SQL statement", "naive"],
    "sweep, 40 due": ["ours", "one SQL statement", "naive"],
    "sweep, nothing due": ["ours", "SELECT by key", "the same by the ORM"],
    "accept, 1 client": ["ours", "plain SQL", "naive"],
    "accept, 2 clients": ["ours", "plain SQL", "naive", "one client"],
    "place, 1 client": ["ours", "plain SQL"],
    "place, 2 clients": ["ours", "plain SQL", "one client"],
    "start, 1 client": ["ours", "plain SQL"],
    "start, 2 clients": ["ours", "plain SQL", "one client"],
    "live poll of an order": ["ours", "smallest page"],
    "proof of the ledger": ["ours", "its sums in one scan"],
    "proof of everything": ["ours"],
}
PAGE = ["ours", "smallest page", "without middleware"]
PAGES = 18


@pytest.fixture
def told(stories: None, tmp_path: Path) -> dict[str, dict[str, dict[str, float]]]:
    """What the command says of every measure: its sides, by name."""
    call_command("bench", orders=[ORDERS], small=True, runs=1, json=tmp_path / "figures.json")
    measures = json.loads((tmp_path / "figures.json").read_text())["measures"]
    return {one["measure"]: {side["side"]: side for side in one["sides"]} for one in measures}


def test_every_measure_is_taken_and_every_side_does_its_work(told: dict[str, dict[str, dict[str, float]]]) -> None:
    pages = {name: sides for name, sides in told.items() if name not in SIDES}
    assert {name: list(sides) for name, sides in told.items() if name in SIDES} == SIDES
    assert {tuple(sides) for sides in pages.values()} == {tuple(PAGE)}
    assert len(pages) == PAGES
    numbers = [number for sides in told.values() for side in sides.values() for number in side.values()]
    assert all(isfinite(number) for number in numbers if isinstance(number, int | float))
    for due in (20, 40):
        assert {side["units"] for side in told[f"sweep, {due} due"].values()} == {due}
    for verb in ("accept", "place", "start"):
        assert {side["units"] for side in told[f"{verb}, 2 clients"].values()} == {6}
    assert told["proof of the ledger"]["ours"]["units"] == told["proof of the ledger"]["its sums in one scan"]["units"]
