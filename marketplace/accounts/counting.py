"""Lists that count no further than somebody would leaf through: a count of a million rows costs more than the page."""

from functools import cached_property
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet

MOST = 1_000


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts up to `MOST` rows exactly, and pages through so many; whatever lies behind them is found by filters."""

    @cached_property
    def counted(self) -> int:
        """How many rows there are, at most one more than are paged through."""
        # One more, to know of it. Without an order, which no count needs.
        rows: QuerySet[Any] = self.object_list.order_by().values("pk")  # type: ignore[attr-defined]
        return rows[: MOST + 1].count()

    @cached_property
    def count(self) -> int:
        return min(self.counted, MOST)

    @property
    def has_more(self) -> bool:
        return self.counted > MOST
