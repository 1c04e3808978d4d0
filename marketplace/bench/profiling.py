"""Where the time of a measure goes: our side under cProfile, in one process."""

import cProfile
import io
import pstats

from .measures.crew import in_this_process
from .measuring import Measure

LINES = 30


def profile(measure: Measure) -> str:
    """The functions that took most of our side's time, after a run that warms up."""
    ours = measure.sides[0]
    token = in_this_process.set(True)
    try:
        ours.prepare()
        ours.work()
        ours.prepare()
        seen = cProfile.Profile()
        seen.runcall(ours.work)
    finally:
        in_this_process.reset(token)
    text = io.StringIO()
    pstats.Stats(seen, stream=text).sort_stats("tottime").print_stats(LINES)
    return f"{measure.name}\n{text.getvalue()}"
