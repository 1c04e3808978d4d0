"""Every role, the clock, the provider and its faults in any order, each act beside a small model of the rules.

The model predicts of every act whether it is allowed and what is true afterwards: states, deadlines, revisions, cases
and every cent. `OPERATIONS=100000 pytest -s marketplace/tests/test_any_marketplace.py` does that many; what fails is
kept in `.hypothesis/` and tried again first, and printed as a line for `@reproduce_failure`.
"""

import os
import sys
import time

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from marketplace.tests import others_in_marketplace as acts
from marketplace.tests.any_marketplace import AnyMarketplace, Cast

OPERATIONS = int(os.environ.get("OPERATIONS", "0"))
STEPS = 40 if OPERATIONS else 30
# The long profile counts what it did and stops when that is enough.
EXAMPLES = 10 * OPERATIONS // STEPS + 1 if OPERATIONS else 10
SEED, WAIT = st.integers(0, 2**20), st.integers(0, 40)
NOW = st.integers(0, 20)


def one_of(found: dict[str, acts.Act]) -> st.SearchStrategy[str]:
    return st.sampled_from(sorted(found))


class AnyPath(RuleBasedStateMachine):
    """Each rule is one role; which of its acts, and with what, is drawn."""

    done = allowed = paths = 0
    cast: Cast

    def __init__(self) -> None:
        super().__init__()
        self.before = transaction.savepoint()
        self.world: AnyMarketplace | None = (
            None if OPERATIONS and AnyPath.done >= OPERATIONS else AnyMarketplace(self.cast)
        )

    def take(self, act: acts.Act, seed: int, wait: int) -> None:
        if self.world:
            self.world.chance.seed(seed)
            self.world.wait(wait)
            act(self.world)

    @rule(seed=SEED, wait=NOW)
    def likely(self, seed: int, wait: int) -> None:
        self.take(acts.something_likely, seed, wait)

    @rule(seed=SEED, wait=NOW)
    def likely_too(self, seed: int, wait: int) -> None:
        self.take(acts.something_likely, seed, wait)

    @rule(seed=SEED, wait=NOW)
    def just_as_likely(self, seed: int, wait: int) -> None:
        self.take(acts.something_likely, seed, wait)

    @rule(seed=SEED, wait=WAIT)
    def likely_but_later(self, seed: int, wait: int) -> None:
        self.take(acts.something_likely, seed, wait)

    @rule(name=one_of(acts.BUYER), seed=SEED, wait=WAIT)
    def buyer(self, name: str, seed: int, wait: int) -> None:
        self.take(acts.BUYER[name], seed, wait)

    @rule(name=one_of(acts.SELLER), seed=SEED, wait=WAIT)
    def seller(self, name: str, seed: int, wait: int) -> None:
        self.take(acts.SELLER[name], seed, wait)

    @rule(name=one_of(acts.EITHER), seed=SEED, wait=WAIT)
    def either_side(self, name: str, seed: int, wait: int) -> None:
        self.take(acts.EITHER[name], seed, wait)

    @rule(name=one_of(acts.SUPPORT), seed=SEED, wait=WAIT)
    def support(self, name: str, seed: int, wait: int) -> None:
        self.take(acts.SUPPORT[name], seed, wait)

    @rule(name=one_of(acts.OTHERS), seed=SEED, wait=WAIT)
    def others(self, name: str, seed: int, wait: int) -> None:
        self.take(acts.OTHERS[name], seed, wait)

    @rule(name=one_of(acts.PROVIDER), seed=SEED, wait=WAIT)
    def provider(self, name: str, seed: int, wait: int) -> None:
        self.take(acts.PROVIDER[name], seed, wait)

    @rule(name=one_of(acts.SWEEPS), seed=SEED, wait=WAIT)
    def clock(self, name: str, seed: int, wait: int) -> None:
        self.take(acts.SWEEPS[name], seed, wait)

    def teardown(self) -> None:
        try:
            if self.world:
                self.world.holds()
                AnyPath.done += self.world.done
                AnyPath.allowed += self.world.allowed
                AnyPath.paths += 1
                if OPERATIONS and not AnyPath.paths % 50:
                    print(f"{AnyPath.done} operations so far", file=sys.__stderr__, flush=True)
        finally:
            transaction.savepoint_rollback(self.before)
            # Kept, a path's savepoint would be the parent of the next one's: a hundred thousand acts are some
            # thousand of them, and PostgreSQL has not as many locks.
            transaction.savepoint_commit(self.before)


@pytest.mark.django_db
def test_every_act_of_every_role_does_what_the_rules_say(capsys: pytest.CaptureFixture[str]) -> None:
    AnyPath.done = AnyPath.allowed = AnyPath.paths = 0
    AnyPath.cast = Cast()
    began = time.monotonic()
    run_state_machine_as_test(
        AnyPath,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=not OPERATIONS,
            print_blob=True,
            # A path that fails is short enough to read; making it shorter takes longer than the suite may.
            phases=(Phase.explicit, Phase.reuse, Phase.generate),
            suppress_health_check=list(HealthCheck),
        ),
    )
    took = time.monotonic() - began
    with capsys.disabled():
        print(f"\n{AnyPath.done} operations, {AnyPath.allowed} of them allowed, {AnyPath.paths} paths, {took:.0f} s")  # noqa: T201
    assert AnyPath.done >= (OPERATIONS or 150)
