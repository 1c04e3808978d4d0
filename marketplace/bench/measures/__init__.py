"""What is measured, by the name that `manage.py bench --measure NAME` knows.

Each is a generator function that is given the data set and yields one `Measure` after another; what it sets up before
a `yield` it may take down after it, when that measure has been taken. In a small data set (`data.small`) it does
little: that is how the test suite runs it.
"""

from collections.abc import Callable, Iterator

from marketplace.bench.data_set import DataSet
from marketplace.bench.measuring import Measure

from .by_key import by_key
from .pages import live, pages
from .proving import proofs
from .sweeping import sweep_of_nothing, sweeps
from .verbs import acceptances, places, starts

MEASURES: dict[str, Callable[[DataSet], Iterator[Measure]]] = {
    "by_key": by_key,
    "sweep": sweeps,
    "sweep_of_nothing": sweep_of_nothing,
    "accept": acceptances,
    "place": places,
    "start": starts,
    "pages": pages,
    "live": live,
    "proof": proofs,
}
