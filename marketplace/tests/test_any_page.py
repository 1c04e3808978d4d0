"""Every role at the pages that it sees, in any order, each act beside the small model of the rules.

A walker with a seed opens pages, sends the forms that stand on them, forms of windows that were left open, and what no
page offers; the clock, banks and events do theirs in between. `PAGES=5000 pytest -s` sends that many acts; what fails
names its seed, and `PAGES_SEED=17` walks that path alone.
"""

import os
import sys
import time

import pytest
from django.contrib.auth.models import Group
from django.test import TransactionTestCase

from marketplace.tests.any_marketplace import Cast
from marketplace.tests.any_page import PagesOfMarketplace
from marketplace.tests.others_at_pages import something

ACTS = int(os.environ.get("PAGES", "0"))
SEED = int(os.environ.get("PAGES_SEED", "0"))
STEPS = 40
EVERY_DAY = 70


def walk(seed: int) -> PagesOfMarketplace:
    """One path from an offer, in a marketplace of its own."""
    cast = Cast()
    cast.agent.groups.add(Group.objects.get(name="Support"))
    cast.finance.groups.add(Group.objects.get(name="Finance"))
    world = PagesOfMarketplace(cast)
    world.chance.seed(seed)
    for number in range(STEPS):
        if world.model.ended_at and world.chance.random() < 0.3:
            break  # what follows the end has been tried by then
        try:
            world.wait(world.chance.randint(0, 40 if world.chance.random() < 0.2 else 18))
            something(world)
        except Exception as problem:
            raise AssertionError(f"PAGES_SEED={seed}, act {number}: {problem}") from problem
    world.holds()
    return world


@pytest.mark.django_db(transaction=True)
def test_every_page_does_what_the_rules_say(capsys: pytest.CaptureFixture[str]) -> None:
    began, done, allowed, stale, paths = time.monotonic(), 0, 0, 0, 0
    while done < (ACTS or EVERY_DAY) and not (SEED and paths):
        world = walk(SEED or paths + 1)
        done, allowed, stale, paths = done + world.done, allowed + world.allowed, stale + world.stale, paths + 1
        if ACTS and not paths % 10:
            print(f"{done} acts so far", file=sys.__stderr__, flush=True)
        TransactionTestCase._fixture_teardown(None)  # type: ignore[attr-defined]
    took = time.monotonic() - began
    with capsys.disabled():
        print(f"\n{done} acts at pages, {allowed} allowed, {stale} stale, {paths} paths, {took:.0f} s")  # noqa: T201
    assert SEED or (allowed > done / 4 and stale)
