"""Starts what ends by itself again, until that is of no use."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from marketplace.embedded.children import CannotStart, Children, last_lines

# Seconds to wait before a part is started again, by how often in a row it ended soon. When they are used up, so is
# our patience: three minutes are enough for what a part may be waiting for.
PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 60.0)
SOON = 60.0  # seconds; what ran for longer is no longer failing


@dataclass
class Part:
    name: str
    start: Callable[[], object]
    log: Path
    started: float
    failures: int = 0  # how often in a row it ended soon
    again_at: float | None = None


@dataclass
class Supervisor:
    """Looks after parts that run already. Call it from the main thread only (see `Children`)."""

    children: Children
    say: Callable[[str], None]
    pauses: tuple[float, ...] = PAUSES
    soon: float = SOON
    _parts: dict[str, Part] = field(default_factory=dict)

    def look_after(self, name: str, start: Callable[[], object], log: Path) -> None:
        """`start` starts it under the name that its process has now."""
        self._parts[name] = Part(name, start, log, time.monotonic())

    def look(self) -> None:
        """Start again what has ended by itself, when its pause is over. Raises Stop, and CannotStart in the end."""
        for name, code in self.children.ended().items():
            self.children.bury(name)
            self._ended(self._parts[name], f"ended by itself ({code})")
        for part in self._parts.values():
            if part.again_at is not None and part.again_at <= time.monotonic():
                self._start(part)

    def _start(self, part: Part) -> None:
        part.again_at, part.started = None, time.monotonic()
        try:
            part.start()
        except CannotStart as reason:
            self.children.bury(part.name)
            part.started = time.monotonic()  # it never ran, however long we waited for it
            self._ended(part, f"cannot be started again ({reason})")
        else:
            self.say(f"The {part.name} was started again")

    def _ended(self, part: Part, how: str) -> None:
        if time.monotonic() - part.started > self.soon:
            part.failures = 0
        if part.failures == len(self.pauses):
            raise CannotStart(f"The {part.name} {how}, {part.failures + 1} times in a row.{last_lines(part.log)}")
        pause = self.pauses[part.failures]
        part.failures, part.again_at = part.failures + 1, time.monotonic() + pause
        self.say(f"The {part.name} {how}; it is started again in {pause:g} s")
