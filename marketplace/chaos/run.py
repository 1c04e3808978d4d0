"""One run: everything up, the load on, faults as planned, all healed, and the verdict."""

import heapq
import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from django.db import DatabaseError, connection

from marketplace import clock
from marketplace.chaos import judging
from marketplace.chaos.faults import Fault
from marketplace.chaos.notebook import Fate, Notebook
from marketplace.chaos.office import Office
from marketplace.chaos.people import Person
from marketplace.chaos.stack import OF_KILL, PARTS, Stack
from marketplace.chaos.stage import Cast
from orders.models import Event

SETTLE = 300.0  # seconds after which nothing may be undecided (I15)
LATEST = 120.0  # seconds beyond the time that acts are waited for
TICK = 0.05
Say = Callable[[str], None]


@dataclass
class Findings:
    """What a run came to."""

    faults: Counter[str] = field(default_factory=Counter)
    rounds: int = 0
    settled_in: float = 0.0  # the longest of the rounds
    due_settled: int = 0
    ended_alone: Counter[str] = field(default_factory=Counter)
    breaks: list[str] = field(default_factory=list)


class Run:
    def __init__(self, stack: Stack, cast: Cast, notebook: Notebook, seed: int, say: Say) -> None:
        self.stack, self.cast, self.notebook, self.seed, self.say = stack, cast, notebook, seed, say
        self.findings = Findings()
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    def go(self, faults: list[Fault], seconds: float, acts: int) -> Findings:
        """A round: so many seconds under load, and until people were acknowledged so many acts; then healed and judged.

        Whatever earlier rounds were told must still be true. Raises CannotStart and Stop.
        """
        self.findings.rounds += 1
        last_event = Event.objects.order_by("pk").values_list("pk", flat=True).last() or 0
        connection.close()
        over = threading.Event()
        load = self._load(over)
        for one in load:
            one.start()
        fates, began = self.notebook.fates, time.monotonic()
        before = fates[Fate.ACKNOWLEDGED]
        for fault in faults:
            self._at(began + fault.at, partial(self._let_happen, fault))
        while (now := time.monotonic()) < began + seconds or (
            fates[Fate.ACKNOWLEDGED] - before - self.office.done < acts and now < began + seconds + LATEST
        ):
            self._work_off()
            self.stack.children.pause(TICK)
        self._heal()
        over.set()
        for one in load:
            one.join(timeout=40)
        self.findings.breaks += [f"{one.name} still waits for an answer" for one in load if one.is_alive()]
        self.office.settle_all()
        self._settle(patient=seconds >= 60)
        self._judge(last_event)
        done, breaks = fates[Fate.ACKNOWLEDGED] - before, len(self.findings.breaks)
        self.say(f"round {self.findings.rounds}: acknowledged {done}, breaks {breaks}")
        return self.findings

    def _load(self, over: threading.Event) -> list[threading.Thread]:
        gigs = [gig.slug for gig in self.cast.gigs]
        handles = [buyer.handle for buyer in self.cast.buyers]
        port, seed = self.stack.gates.gates["web"].port, f"{self.seed} {self.findings.rounds}"
        self.office = Office(self.cast.finance, self.notebook, over, seed)
        load: list[threading.Thread] = [self.office]
        for user in (*self.cast.buyers, *self.cast.sellers):
            theirs = gigs if user in self.cast.buyers else []
            person = Person(user.email, theirs, port, self.notebook, over, seed)
            person.others = handles
            load.append(person)
        return load

    def _at(self, when: float, do: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (when, next(self._numbers), do))

    def _work_off(self) -> None:
        while self._agenda and self._agenda[0][0] <= time.monotonic():
            heapq.heappop(self._agenda)[2]()
        for name in self.stack.watch():
            self.say(f"{name} ended by itself")
            self._at(time.monotonic() + 0.5, partial(self.stack.start, name))

    def _let_happen(self, fault: Fault) -> None:
        now = time.monotonic()
        if fault.way == "kill":
            if not self.stack.kill(fault.victim):
                return
            # Those who are one of several are started again by the part itself.
            self._at(now + fault.lasts, lambda: self.stack.start(OF_KILL[fault.victim]))
        else:
            gates, gate = self.stack.gates, fault.victim
            if fault.way == "cut":
                gates.cut(gate)
            elif fault.way == "stall":
                gates.stall(gate)
            else:
                gates.slow(gate, fault.strength)
            self._at(now + fault.lasts, lambda: gates.heal(gate))
        self.findings.faults[fault.kind] += 1
        self.say(f"{fault.kind}, {fault.lasts:.1f} s")

    def _heal(self) -> None:
        self._agenda.clear()
        for name in self.stack.gates.gates:
            self.stack.gates.heal(name)
        self.stack.watch()
        self.stack.start_all()
        self.stack.wait_for_site()
        self.say("everything is healed")

    def _settle(self, *, patient: bool) -> None:
        healed = time.monotonic()
        left: dict[str, int] = {"everything": 1}
        while left and time.monotonic() < healed + SETTLE:
            self.stack.children.pause(0.5)
            for name in self.stack.watch():
                self.findings.breaks.append(f"{name} ended by itself after everything was healed")
                self.stack.start(name)
            try:
                left = judging.left(patient=patient)
            except DatabaseError:
                connection.close()
        self.findings.settled_in = max(self.findings.settled_in, time.monotonic() - healed)
        self.findings.breaks += [f"after {SETTLE:.0f} s: {count} {what}" for what, count in left.items()]

    def _judge(self, last_event: int) -> None:
        done = Event.objects.filter(pk__gt=last_event, actor=None, kind__in=["lapsed", "ended", "case_unanswered"])
        self.findings.due_settled += done.values("order").distinct().count()
        self.findings.ended_alone = self.stack.ended_alone
        told = [*judging.untrue(self.notebook), *judging.contradictions()]
        told += [f"not promised: {what}" for what in self.notebook.wrong]
        told += judging.broken_promises(clock.now())
        told += [f"{part} does not run at the end" for part in PARTS if part not in self.stack.running]
        self.findings.breaks += told
