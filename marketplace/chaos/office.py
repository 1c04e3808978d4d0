"""Those who act outside the pages: the payers' banks and the provider, and finance.

They reach the database through the same gate as the site, so what they do is cut off with it.
"""

import random
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from django.db import DatabaseError, connection, transaction

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.chaos.notebook import Fate, Notebook
from payments import services
from payments.errors import PaymentsError
from payments.gateways import sandbox_disputes
from payments.gateways.sandbox_disputes import NothingToDispute
from payments.models import Chargeback, SandboxCharge, SandboxDispute, SandboxEvent, Withdrawal


class Office(threading.Thread):
    """Acts until `over` is set. What is to be true afterwards is in the notebook."""

    def __init__(self, finance: User, notebook: Notebook, over: threading.Event, seed: str) -> None:
        super().__init__(name="office", daemon=True)
        self.finance, self.notebook, self.over = finance, notebook, over
        self.done = 0  # acts that were acknowledged
        self.random = random.Random(f"{seed} office")  # noqa: S311

    def run(self) -> None:
        acts = (self.take_back, self.decide, self.decide, self.approve, self.approve, self.decide_rest, self.repeat)
        while not self.over.wait(self.random.uniform(0.2, 0.8)):
            try:
                self.random.choice(acts)()
            except DatabaseError:
                connection.close()
            except Exception as problem:  # never ends silently: the run would be shorter than it says
                self.notebook.note_wrong(f"The office met {problem!r}")
        connection.close()

    def take_back(self) -> None:
        """A payer's bank takes a charge back: new ones mostly, whose milestone is open."""
        charges = SandboxCharge.objects.filter(status="succeeded", refunded=0, disputes=None)
        charge = self.one_of(charges.order_by("-created_at")[:12])
        if charge and self.random.random() < 0.4:
            self.decided("dispute", charge.pk, partial(sandbox_disputes.take_back, charge.pk, at=clock.now()))

    def decide(self) -> None:
        """A bank says who is right."""
        if dispute := self.one_of(SandboxDispute.objects.filter(status="taken")):
            self.settle(dispute, won=self.random.random() < 0.5)

    def settle(self, dispute: SandboxDispute, *, won: bool) -> None:
        act = "dispute won" if won else "dispute lost"
        self.decided(act, dispute.pk, partial(sandbox_disputes.decide, dispute.pk, won=won, at=clock.now()))

    def settle_all(self) -> None:
        """The banks have decided about everything: nothing waits for them any more. Raises DatabaseError."""
        for dispute in SandboxDispute.objects.filter(status="taken"):
            self.settle(dispute, won=self.random.random() < 0.5)

    def repeat(self) -> None:
        """The provider says again what it said, in any order and all at once, as after troubles of its own."""
        said = SandboxEvent.objects.exclude(delivered_at=None).order_by("?").values_list("pk", flat=True)[:20]
        SandboxEvent.objects.filter(pk__in=list(said)).update(delivered_at=None, next_try_at=clock.now(), tries=0)

    def approve(self) -> None:
        """Finance lets a withdrawal go, mostly."""
        withdrawal = self.one_of(Withdrawal.objects.waiting_for_finance())
        if withdrawal is None:
            return
        by, at = self.finance, clock.now()
        if self.random.random() < 0.85:
            act, do = "approve withdrawal", partial(services.approve_withdrawal, withdrawal, by=by, at=at)
        else:
            act, do = "reject withdrawal", partial(services.reject_withdrawal, withdrawal, by=by, reason="No.", at=at)
        self.decided(act, withdrawal.pk, transaction.atomic(do))

    def decide_rest(self) -> None:
        """Finance decides who bears what a lost dispute left."""
        chargeback = self.one_of(Chargeback.objects.waiting_for_staff())
        if chargeback:
            rest_as, by, at = self.random.choice(["debt", "loss"]), self.finance, clock.now()
            self.decided(
                "decide rest", chargeback.pk, partial(services.decide_rest, chargeback, rest_as=rest_as, by=by, at=at)
            )

    def one_of(self, rows: Any) -> Any:
        found = list(rows[:12])
        return self.random.choice(found) if found else None

    def decided(self, act: str, what: object, do: Callable[[], object]) -> None:
        """Do it, and write down how it went. Raises DatabaseError."""
        try:
            do()
        except (PaymentsError, NothingToDispute):
            fate = Fate.REFUSED
        except DatabaseError:
            self.notebook.note(act, str(what), Fate.UNDECIDED)
            raise
        else:
            fate = Fate.ACKNOWLEDGED
            self.done += 1
        self.notebook.note(act, str(what), fate)
