"""What a run says at its end."""

from collections import Counter
from collections.abc import Iterable

from marketplace.chaos.notebook import Fate, Notebook
from marketplace.chaos.run import Findings

MOST = 40  # breaks that are told one by one


def lines(findings: Findings, notebook: Notebook, seed: int, seconds: float) -> Iterable[str]:
    fates, faults = notebook.fates, findings.faults
    ways = {way: _of(faults, way) for way in ("kill", "cut", "stall", "delay")}
    yield f"seed {seed}, {seconds:.0f} s under load, rounds {findings.rounds}"
    yield (
        f"acts        {sum(fates.values())}: acknowledged {fates[Fate.ACKNOWLEDGED]}, refused {fates[Fate.REFUSED]}, "
        f"undecided {fates[Fate.UNDECIDED]}"
    )
    statuses = ", ".join(f"{status}: {count}" for status, count in sorted(notebook.answers.items()))
    yield f"answers     {statuses}; no answer: {notebook.unanswered}"
    for way, counts in ways.items():
        said = ", ".join(f"{victim} {count}" for victim, count in sorted(counts.items()))
        yield f"{way + 's':<11} {sum(counts.values())}: {said or 'none'}"
    money = {act: sum(tally.acknowledged for tally in tallies.values()) for act, tallies in notebook.acts.items()}
    kinds = ("withdraw earnings", "approve withdrawal", "dispute", "dispute won", "dispute lost")
    yield f"money       {', '.join(f'{kind} {money.get(kind, 0)}' for kind in kinds)}"
    alone = ", ".join(f"{name} ended {times}" for name, times in findings.ended_alone.items())
    yield f"by itself   {alone or 'nothing'}"
    latest = f"{findings.settled_in:.0f} s after healing at the latest"
    yield f"the clock   settled {findings.due_settled} orders, all else {latest}"
    yield f"breaks      {len(findings.breaks)}"
    yield from (f"  {told}" for told in findings.breaks[:MOST])


def _of(faults: Counter[str], way: str) -> dict[str, int]:
    return {kind.partition(" ")[2]: count for kind, count in faults.items() if kind.startswith(f"{way} ")}
