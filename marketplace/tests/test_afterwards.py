"""What follows a commit breaks neither what else follows it nor whoever committed."""

import pytest
from django.db import transaction

from marketplace.afterwards import afterwards
from marketplace.catalog.models import Category


@pytest.mark.django_db(transaction=True)
def test_one_step_that_breaks_is_logged_and_the_next_is_taken(caplog: pytest.LogCaptureFixture) -> None:
    done: list[str] = []

    def breaks(what: str) -> None:
        raise RuntimeError(what)

    with transaction.atomic():
        Category.objects.update(position=5)
        afterwards(breaks, "the network")
        afterwards(done.append, "the next")
        assert done == []
    assert done == ["the next"]
    assert set(Category.objects.values_list("position", flat=True)) == {5}
    (said,) = [record.getMessage() for record in caplog.records if "the network" in record.getMessage()]
    assert said.endswith(".breaks in on_commit() during transaction (the network).")
