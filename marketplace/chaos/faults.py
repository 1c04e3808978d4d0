"""What goes wrong, and when: drawn from a seed before anything starts, so that a run can be repeated."""

import random
from dataclasses import dataclass

KILLS = (
    "web worker",
    "web",
    "Celery child",
    "Celery worker",
    "beat",
    "Redis",
    "PostgreSQL",
    "PostgreSQL backend",
)
NETWORK = ("database", "redis", "web")
WAYS = ("cut", "stall", "delay")
KINDS = (*(f"kill {victim}" for victim in KILLS), *(f"{way} {gate}" for way in WAYS for gate in NETWORK))

LONGEST = 8.0  # seconds that a fault of the network lasts, or that what was killed stays away


@dataclass(frozen=True)
class Fault:
    """`at` and `lasts` in seconds; `strength` is the delay of each piece, in seconds."""

    at: float
    kind: str
    lasts: float
    strength: float

    @property
    def way(self) -> str:
        return self.kind.partition(" ")[0]

    @property
    def victim(self) -> str:
        return self.kind.partition(" ")[2]


def plan(seed: int, seconds: float, pause: float) -> list[Fault]:
    """Faults about `pause` seconds apart. All kinds are dealt out before any comes again."""
    rng = random.Random(seed)  # noqa: S311 – to be repeated, not to be secret
    faults: list[Fault] = []
    deck: list[str] = []
    at = rng.uniform(0.5, 1.5) * pause
    while at < seconds:
        if not deck:
            deck = list(KINDS)
            rng.shuffle(deck)
        lasts = min(rng.expovariate(1 / pause), LONGEST)
        faults.append(Fault(at, deck.pop(), lasts, rng.uniform(0.02, 0.3)))
        at += rng.uniform(0.5, 1.5) * pause
    return faults
