"""Chaos, as `python3 run.py chaos` makes it, for a few seconds; and with a site that lies, which it has to notice."""

import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from marketplace import clock
from marketplace.chaos import judging
from marketplace.chaos.faults import KINDS, plan
from marketplace.chaos.notebook import Fate, Notebook
from marketplace.tests.processes import ROOT
from payments.models import SandboxCharge, SandboxDispute, SandboxEvent, SandboxPayout, SandboxPayoutAccount

RUN = """
import sys
from pathlib import Path
from marketplace.embedded import chaos
sys.exit(chaos.run(Path.cwd(), sys.argv[2:], Path(sys.argv[1])))
"""
# Once the file is there, what the verbs of orders do is answered as done, and forgotten.
LIAR = """
import sys
if "gunicorn" in sys.orig_argv:
    import os
    from django.db.transaction import Atomic, get_connection
    leave = Atomic.__exit__
    def forget(self, *error):
        connection = get_connection(self.using)
        verb = sys._getframe(1).f_code.co_filename.endswith("orders/services/verbs.py")
        if verb and error[0] is None and not connection.savepoint_ids and os.path.exists({lie!r}):
            connection.needs_rollback = True
        return leave(self, *error)
    Atomic.__exit__ = forget
"""


def number(said: str, what: str) -> int:
    found = re.search(rf"{what} +(\d+)", said)
    assert found, said
    return int(found[1])


def test_what_was_acknowledged_is_true_after_kills_and_cuts_until_the_site_forgets(tmp_path: Path) -> None:
    """One stack, for starting it is what takes the time: first the site is honest, then it is not."""
    lie = tmp_path / "lie"
    (tmp_path / "sitecustomize.py").write_text(LIAR.format(lie=str(lie)))
    arguments = ("--minutes=0.2", "--rounds=2", "--acts=8", "--seed=4", "--pause=2")
    with subprocess.Popen(
        [sys.executable, "-c", RUN, tmp_path / "logs", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as chaos:
        alarm = threading.Timer(300, chaos.terminate)
        alarm.start()
        assert chaos.stdout
        told = []
        for line in chaos.stdout:
            told.append(line)
            if " round 1:" in line:
                lie.touch()
        code = chaos.wait()
        alarm.cancel()
    said = "".join(told)
    honest, _, forgetful = said.partition(" round 1:")
    assert number(forgetful, "acknowledged") >= 8, "in the first round"
    assert number(forgetful, "breaks") == 0, said
    assert " kill " in honest
    assert number(forgetful, "settled") > 0, "what was due was done meanwhile"
    assert code == 1, said
    assert re.search(r"acknowledged \d+ times, undecided 0, refused \d+; there are 0", forgetful), said


@pytest.mark.django_db
def test_every_act_that_was_acknowledged_and_did_not_happen_is_told() -> None:
    notebook = Notebook()
    for act in judging.COUNT:
        notebook.note(act, "1", Fate.ACKNOWLEDGED)
        notebook.note(act, "2", Fate.UNDECIDED)
        notebook.note(act, "3", Fate.REFUSED)
    told = "1: acknowledged 1 times, undecided 0, refused 0; there are 0"
    assert judging.untrue(notebook) == [f"{act} {told}" for act in sorted(judging.COUNT)]


@pytest.mark.django_db
@pytest.mark.breaks_promises
def test_what_the_provider_did_and_we_did_not_hear_of_is_told() -> None:
    at = clock.now()
    assert (judging.left(), judging.contradictions()) == ({}, [])
    charge = SandboxCharge.objects.create(key="a charge", amount=500, status="succeeded", created_at=at)
    dispute = SandboxDispute.objects.create(charge=charge, amount=500, status="taken", created_at=at)
    account = SandboxPayoutAccount.objects.create(key="an account", created_at=at)
    told = {"amount": 700, "currency": "USD", "status": "succeeded", "created_at": at}
    SandboxPayout.objects.create(key="a payout", account=account, settles_at=at, **told)
    SandboxEvent.objects.create(kind="charge.succeeded", key="a charge", body="{}", created_at=at, next_try_at=at)
    assert judging.left() == {"payouts that the bank goes on with": 1, "events of the provider": 1}
    assert judging.contradictions() == [
        "payout a payout: we say None, the provider says ('paid', 700)",
        f"dispute {dispute.pk}: we say None, the provider says ('open', 500)",
    ]


def test_a_seed_makes_the_same_plan_and_every_fault_comes_before_any_comes_again() -> None:
    faults = plan(11, 600, 4)
    assert faults == plan(11, 600, 4)
    assert faults != plan(12, 600, 4)
    kinds = [fault.kind for fault in faults]
    rounds = [sorted(kinds[first : first + len(KINDS)]) for first in range(0, len(kinds), len(KINDS))]
    assert len(rounds) > 5
    assert all(one == sorted(KINDS) for one in rounds[:-1])
