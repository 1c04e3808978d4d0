"""The proof of the ledger, beside its sums in one scan."""

from collections.abc import Iterator

from marketplace import clock
from marketplace.bench.data_set import DataSet
from marketplace.bench.limits import ledger
from marketplace.bench.limits.connecting import plain
from marketplace.bench.measuring import Done, Mark, Measure, Side
from marketplace.proof import prove
from marketplace.proof.ledger import PROMISES
from marketplace.proof.promise import Promise
from payments.models import Transfer

from .crew import in_a_process_of_its_own

FLAT = Mark("grown MB", at_most=10)


def proofs(data: DataSet) -> Iterator[Measure]:
    """Transfers proved a second by the promises of the ledger; and all promises, for information."""
    transfers = Transfer.objects.count()

    def of_the_ledger() -> Done:
        return in_a_process_of_its_own(lambda: _prove(PROMISES) and transfers)

    def in_one_scan() -> Done:
        with plain() as db:
            assert ledger.sums(db)
        return Done(transfers)

    def of_everything() -> Done:
        return in_a_process_of_its_own(lambda: _prove())

    runs = 1 if data.small else 3
    sides = [Side("ours", of_the_ledger), Side("its sums in one scan", in_one_scan)]
    marks = (Mark("speed", "its sums in one scan", at_least=0.5), FLAT)
    yield Measure("proof of the ledger", sides, "transfer", marks, runs)
    yield Measure("proof of everything", [Side("ours", of_everything)], "row", (FLAT,), runs)


def _prove(*promises: "list[Promise]") -> int:
    """How many rows were looked at. AssertionError if a promise is broken."""
    results = list(prove(clock.now(), *promises))
    assert all(result.holds for result in results), [str(result) for result in results if not result.holds]
    return sum(result.rows for result in results)
