"""What happens with ten million orders, and when a hundred thousand windows end within one minute: simulated.

Nothing is measured here. What goes in is what the bench measured (docs/scaling.md says where each number comes from);
what comes out are lengths of queues. The same numbers and seed give the same answer.
"""

import heapq
import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median, quantiles

SEED = 20_261_123


@dataclass(frozen=True)
class Flood:
    """So many milestones lapse, evenly within `within` seconds.

    Each of `workers` settles `rate` a second, all together at most `limit`, which is what PostgreSQL can do. Two
    `beats` are as good as one. A beat asks every `period` seconds for a pass; a pass takes batches until one is not
    full. Every milestone tells `notices` people, and each of `mailers` processes mails `mails` a second.
    """

    milestones: int = 100_000
    within: float = 60
    period: float = 15
    batch: int = 1_000
    workers: int = 1
    rate: float = 1_000
    limit: float = 8_000
    notices: int = 2
    mailers: int = 1
    mails: float = 50


@dataclass(frozen=True)
class Settled:
    """Seconds: until all were settled, how late the middle and the last one was, and until all mails were sent."""

    after: float
    late: float
    latest: float
    mailed_after: float
    batches: int


def settle(flood: Flood) -> Settled:
    """Let workers take batch after batch, oldest first, of what is due by then."""
    lateness: list[float] = []
    # When each worker is free again; a pass that ended because little was due waits for the next beat.
    free = [0.0] * flood.workers
    done = 0
    ends = 0.0
    busy: list[float] = []
    batches = 0
    while done < flood.milestones:
        now = heapq.heappop(free)
        due = min(flood.milestones, math.floor(now / flood.within * flood.milestones)) - done
        if due <= 0:
            heapq.heappush(free, (math.floor(now / flood.period) + 1) * flood.period)
            continue
        taken = min(flood.batch, due)
        busy = [end for end in busy if end > now]
        at_once = min(flood.rate, flood.limit / (len(busy) + 1))
        end = now + taken / at_once
        busy.append(end)
        lateness += [end - (done + i + 1) / flood.milestones * flood.within for i in range(taken)]
        done += taken
        batches += 1
        ends = max(ends, end)
        follows = end if taken == flood.batch else (math.floor(end / flood.period) + 1) * flood.period
        heapq.heappush(free, follows)
    # A sweep mails what is there, so sending begins with the first batch and cannot end before the last.
    mailing = flood.milestones * flood.notices / (flood.mails * flood.mailers)
    first = flood.period + flood.batch / flood.rate
    return Settled(ends, median(lateness), max(lateness), max(ends, first + mailing), batches)


@dataclass(frozen=True)
class Visits:
    """So many requests a second at random instants, served by `threads` that take `cost` seconds of a core each.

    Costs differ: of a hundred pages one takes about four times the middle one (a log-normal of this `spread`).
    """

    per_second: float
    cost: float
    threads: int
    spread: float = 0.6
    requests: int = 20_000


@dataclass(frozen=True)
class Served:
    """Seconds from request to answer, and how busy the threads were, from 0 to 1."""

    p50: float
    p99: float
    busy: float


def serve(visits: Visits, seed: int = SEED) -> Served:
    """A queue in front of as many cores as there are threads: whoever comes first is served first."""
    chance = random.Random(seed)  # noqa: S311
    free = [0.0] * visits.threads
    now = worked = 0.0
    took = []
    for _ in range(visits.requests):
        now += chance.expovariate(visits.per_second)
        begins = max(now, heapq.heappop(free))
        cost = visits.cost * math.exp(chance.gauss(0, visits.spread))
        heapq.heappush(free, begins + cost)
        took.append(begins + cost - now)
        worked += cost
    p99 = quantiles(took, n=100)[98]
    return Served(median(took), p99, min(1.0, worked / (max(free) * visits.threads)))


def threads_for(per_second: float, cost: float, within: float) -> int:
    """The fewest cores with which 99 of 100 pages are answered within so many seconds, and a tenth of the time is free.

    A queue that grows for ever looks short at first, hence the tenth. Raises ValueError where one page takes longer.
    """
    one = Visits(per_second, cost, 1)
    threads = max(1, math.ceil(per_second * cost * math.exp(one.spread**2 / 2) / 0.9))
    for more in range(threads + 8):
        if serve(Visits(per_second, cost, threads + more)).p99 <= within:
            return threads + more
    raise ValueError(f"No number of cores answers within {within} s what takes {cost} s.")


def bytes_of(orders: int, per_order: Mapping[str, float]) -> dict[str, float]:
    """How many bytes, with indexes, each table has with so many orders; the greatest first."""
    return {table: size * orders for table, size in sorted(per_order.items(), key=lambda item: item[1], reverse=True)}
