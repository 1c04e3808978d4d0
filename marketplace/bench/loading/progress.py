"""How far loading is, and how long it still takes."""

from collections.abc import Callable
from time import monotonic

Say = Callable[[str], object]


class Progress:
    """Says each step, the part of the whole that is done by weight, and the time that is left at this pace."""

    def __init__(self, say: Say, now: Callable[[], float] = monotonic) -> None:
        self.say = say
        self.now = now
        self.began = now()
        self.whole = 0.0
        self.done = 0.0

    def expect(self, weight: float) -> None:
        self.whole += weight

    def finish(self, weight: float, what: str) -> None:
        self.done += weight
        part = min(1.0, self.done / self.whole) if self.whole else 1.0
        passed = self.now() - self.began
        left = passed / part - passed if part else 0.0
        self.say(f"{part:4.0%}  {in_time(passed):>7} gone, {in_time(left):>7} left  {what}")


def in_time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02} min" if minutes else f"{rest} s"
