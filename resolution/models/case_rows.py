"""Which cases there are, in sentences."""

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from marketplace.accounts.models import User
from orders.models import Milestone, Order
from resolution.models.choices import DISPUTES, OF_OPEN_MILESTONE, PROPOSALS, Kind

if TYPE_CHECKING:
    from resolution.models.case import Case


class CaseQuerySet(models.QuerySet["Case"]):
    model: "type[Case]"

    def of(self, user: User) -> "CaseQuerySet":
        """The cases of orders in which `user` is a party: what anybody else asks for does not exist."""
        return self.filter(Q(order__buyer=user) | Q(order__seller=user))

    def pending(self) -> "CaseQuerySet":
        """Those that freeze their order; at most one per order."""
        return self.filter(status__in=self.model.PENDING, kind__in=DISPUTES)

    def proposed(self) -> "CaseQuerySet":
        """The proposals that wait for an answer, those included that have become void meanwhile."""
        return self.filter(status=self.model.Status.OPEN, kind__in=PROPOSALS)

    def due(self, now: datetime) -> "CaseQuerySet":
        """Those that the clock owes something: the effect of silence, or that they are void (R2, R4).

        Served by the partial index `cases_due`: there are never many open cases.
        """
        stands_still = Q(kind__in=PROPOSALS, order__paused_at__isnull=False, answer_by__gt=F("order__paused_at"))
        silent = Q(answer_by__lte=now) & ~stands_still
        return self.filter(silent | Q(pk__in=self.model.objects.void()), status=self.model.Status.OPEN, stuck_at=None)

    def void(self) -> "CaseQuerySet":
        """Open proposals about what has ended: `Case.void_since` for many at once."""
        started = Milestone.objects.filter(
            order=OuterRef("order"), position=OuterRef("upcoming_from"), started_at__isnull=False
        )
        return self.proposed().filter(
            Q(order__status__in=Order.ENDED)
            | Q(kind__in=OF_OPEN_MILESTONE, milestone__ended_at__isnull=False)
            | Q(kind=Kind.EXTEND, milestone__delivered_at__gte=F("opened_at"))
            | Exists(started)
        )

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
