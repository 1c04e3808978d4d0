"""Which cases there are, in sentences."""

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

from marketplace.accounts.models import User

if TYPE_CHECKING:
    from resolution.models.case import Case


class CaseQuerySet(models.QuerySet["Case"]):
    model: "type[Case]"

    def of(self, user: User) -> "CaseQuerySet":
        """The cases of orders in which `user` is a party: what anybody else asks for does not exist."""
        return self.filter(Q(order__buyer=user) | Q(order__seller=user))

    def pending(self) -> "CaseQuerySet":
        """Those that freeze their order; at most one per order."""
        return self.filter(status__in=self.model.PENDING)

    def due(self, now: datetime) -> "CaseQuerySet":
        """Whose silence the clock owes an effect; served by the partial index `cases_due`."""
        return self.filter(status=self.model.Status.OPEN, stuck_at=None, answer_by__lte=now)

    def for_support(self) -> "CaseQuerySet":
        """Support's queue, by what is due first (R8)."""
        return self.filter(status=self.model.Status.ESCALATED).order_by("support_due", "pk")

    def late_at_support(self, now: datetime) -> "CaseQuerySet":
        return self.for_support().filter(support_due__lte=now)

    def whole(self) -> "CaseQuerySet":
        """With all that a case's page and its guards look at."""
        return self.select_related(
            "order__buyer", "order__seller", "order__terms", "milestone__held", "reason", "ruling_reason", "opened_by"
        )
