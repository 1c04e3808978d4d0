"""What clients write down: every act with how it was answered, and every answer that should not have come."""

import threading
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from enum import Enum, auto


class Fate(Enum):
    ACKNOWLEDGED = auto()
    REFUSED = auto()
    UNDECIDED = auto()


@dataclass
class Tally:
    """How the attempts at one thing were answered."""

    acknowledged: int = 0
    refused: int = 0
    undecided: int = 0


@dataclass
class Notebook:
    """`acts` are tallied by what was done (`message`), and to what or with which words."""

    acts: dict[str, dict[str, Tally]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Tally)))
    fates: Counter[Fate] = field(default_factory=Counter)
    answers: Counter[int] = field(default_factory=Counter)
    unanswered: int = 0
    wrong: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, act: str, what: str, fate: Fate) -> None:
        with self._lock:
            self.fates[fate] += 1
            tally = self.acts[act][what]
            name = fate.name.lower()
            setattr(tally, name, getattr(tally, name) + 1)

    def knows(self, act: str, what: str) -> bool:
        with self._lock:
            return what in self.acts[act]

    def note_answer(self, status: int) -> None:
        with self._lock:
            self.answers[status] += 1

    def note_silence(self) -> None:
        with self._lock:
            self.unanswered += 1

    def note_wrong(self, what: str) -> None:
        with self._lock:
            self.wrong.append(what)
