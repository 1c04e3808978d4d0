"""The order: what both sides agreed, its one deadline and its one ending."""

import secrets
from datetime import datetime, timedelta
from functools import cache, cached_property
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_fsm import RETURN_VALUE, FSMField, transition

from marketplace.accounts.models import User
from marketplace.catalog.models import Gig, Terms
from orders.guards import Refusal, guard
from orders.models.changed_columns import SavesWhatChanged

if TYPE_CHECKING:
    from orders.models.milestone import Milestone

# Letters and digits that cannot be mistaken for one another.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
REMIND_BEFORE = (timedelta(hours=48), timedelta(hours=12))


def new_number() -> str:
    """An unguessable number that people can read out: MP-7K3X-9Q2D-4HTW."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(12))
    return f"MP-{letters[:4]}-{letters[4:8]}-{letters[8:]}"


@cache
def _page() -> str:
    """Where orders have their pages, with a place for the number: resolving it anew costs more than a notice does."""
    return reverse("order", args=[ALPHABET])


def next_reminder(start: datetime, end: datetime, after: datetime) -> datetime | None:
    """The next instant to remind of the deadline `end`, later than `after`; none before the window's start (O16)."""
    return next((at for at in (end - before for before in REMIND_BEFORE) if at >= start and at > after), None)


def last_reminder(end: datetime, now: datetime) -> datetime:
    """Of the reminders of the deadline `end` that are due at `now` the last: only that one is sent (O16)."""
    return max(at for at in (end - before for before in REMIND_BEFORE) if at <= now)


@guard
def is_not_frozen(order: "Order") -> Refusal | None:
    """R4: a dispute stops the clocks and every act but messages, answering, withdrawing and support's ruling."""
    if order.paused_at:
        return Refusal(gettext("A case is open: the order is frozen until it ends."), who="the other side or support")
    return None


@guard
def buyer_is_active(order: "Order") -> Refusal | None:
    """O20."""
    if not order.buyer.is_active:
        return Refusal(gettext("The buyer's account is deactivated."), who="support")
    return None


@guard
def seller_is_active(order: "Order") -> Refusal | None:
    """O20: nobody pays somebody who may not work."""
    if not order.seller.is_active:
        return Refusal(gettext("The seller's account is deactivated, so nothing new can start."), who="support")
    return None


@guard
def nothing_is_open(order: "Order") -> Refusal | None:
    """O9: while a milestone is open, ending the order would be a cancellation."""
    milestone = order.open_milestone
    if milestone:
        said = gettext("“{milestone}” is open. You can stop after you accept it; to cancel it, open a case.")
        return Refusal(said.format(milestone=milestone.title), who="buyer")
    return None


@guard
def no_attempt_is_undecided(order: "Order") -> Refusal | None:
    """O4, O9: while the bank is deciding nothing else begins, because the money may still arrive."""
    milestone = order.current
    if milestone and not milestone.is_open and milestone.undecided_charge:
        return Refusal(gettext("The bank is still deciding about the payment."), who="the bank")
    return None


@guard
def order_has_ended(order: "Order") -> Refusal | None:
    return None if order.has_ended else Refusal(gettext("You can order again when the order has ended."))


@guard
def something_was_not_started(order: "Order") -> Refusal | None:
    """O9: only what was not started is ordered again."""
    if any(milestone.status == milestone.Status.NOT_STARTED for milestone in order.plan):
        return None
    return Refusal(gettext("Every milestone of this order was started."))


class OrderQuerySet(models.QuerySet["Order"]):
    def sold_by(self, user: User) -> "OrderQuerySet":
        return self.filter(seller=user)

    def of(self, user: User) -> "OrderQuerySet":
        """The orders in which `user` is a party: what anybody else asks for does not exist."""
        return self.filter(Q(buyer=user) | Q(seller=user))

    def due(self, now: datetime) -> "OrderQuerySet":
        """What the clock owes; served by the partial index `orders_due`."""
        return self.filter(paused_at=None, stuck_at=None, decide_by__lte=now)

    def whole(self) -> "OrderQuerySet":
        """With all that the guards look at: people, terms, milestones and their attempts to pay."""
        return self.select_related("buyer", "seller", "terms").prefetch_related("milestones__held__charges")


class Order(SavesWhatChanged):
    class Status(models.TextChoices):
        OFFERED = "offered", _("Offered")
        AWAITING_PAYMENT = "awaiting_payment", _("Awaiting payment")
        ACTIVE = "active", _("Active")
        COMPLETED = "completed", _("Completed")
        CANCELED = "canceled", _("Canceled")

    class ClosedBecause(models.TextChoices):
        FINISHED = "finished", _("All milestones are done")
        STOPPED = "stopped", _("The buyer stopped the order")
        LAPSED = "lapsed", _("The review window ended without an answer")
        NOT_CONTINUED = "not_continued", _("The next milestone was not started and paid in time")
        CANCELED_BY_AGREEMENT = "canceled_by_agreement", _("Canceled by agreement")
        CANCELED_LATE = "canceled_late", _("Canceled because the delivery was very late")
        CANCELED_BY_SUPPORT = "canceled_by_support", _("Canceled by Customer Support")
        UNPAID = "unpaid", _("The first milestone was not paid in time")
        DECLINED = "declined", _("The buyer declined the offer")
        WITHDRAWN = "withdrawn", _("The seller withdrew the offer")
        EXPIRED = "expired", _("The offer expired")

    ENDED = (Status.COMPLETED, Status.CANCELED)

    number = models.CharField(max_length=20, unique=True, default=new_number, editable=False)
    gig = models.ForeignKey(Gig, models.PROTECT, null=True, blank=True, related_name="orders")
    buyer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="orders_bought", verbose_name=_("buyer")
    )
    seller = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="orders_sold", verbose_name=_("seller")
    )
    title = models.CharField(max_length=120)
    brief = models.TextField(blank=True, max_length=10_000)
    currency = models.CharField(max_length=3)
    terms = models.ForeignKey(Terms, models.PROTECT, related_name="+")
    status = FSMField(choices=Status.choices, default=Status.OFFERED)
    closed_because = models.CharField(max_length=30, choices=ClosedBecause.choices, blank=True)
    version = models.PositiveIntegerField(default=1)

    # The one deadline (O14): what the buyer must do next. The state says what happens when it passes.
    decide_from = models.DateTimeField(null=True, blank=True)
    decide_by = models.DateTimeField(null=True, blank=True)
    remind_at = models.DateTimeField(null=True, blank=True)
    paused_at = models.DateTimeField(null=True, blank=True)

    created_at = models.DateTimeField()
    placed_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    acted_at = models.DateTimeField(help_text=_("The last act of either side (O15)."))
    stuck_at = models.DateTimeField(null=True, blank=True, help_text=_("A sweep failed here; staff must look."))

    objects = OrderQuerySet.as_manager()

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(buyer=F("seller")), name="order_buyer_is_not_seller"),
            models.CheckConstraint(
                condition=Q(
                    status__in=["completed", "canceled"], ended_at__isnull=False, decide_by=None, paused_at=None
                )
                & ~Q(closed_because="")
                | Q(status__in=["offered", "awaiting_payment", "active"], ended_at=None, closed_because=""),
                name="order_ended_as_a_whole",
            ),
            models.CheckConstraint(
                condition=Q(paused_at=None) | Q(status="active"), name="order_frozen_only_while_active"
            ),
        ]
        indexes = [
            # The sweep: WHERE paused_at IS NULL AND stuck_at IS NULL AND decide_by <= now.
            models.Index(
                fields=["decide_by"],
                condition=Q(paused_at=None, stuck_at=None, decide_by__isnull=False),
                name="orders_due",
            ),
            models.Index(
                fields=["remind_at"], condition=Q(paused_at=None, remind_at__isnull=False), name="orders_to_remind"
            ),
            # What ended today, and what a sweep has set aside: the home of admin.
            models.Index(fields=["ended_at"], condition=Q(ended_at__isnull=False), name="orders_ended"),
            models.Index(fields=["stuck_at"], condition=Q(stuck_at__isnull=False), name="orders_stuck"),
            # A person's list: what has ended, the newest first; and all that has not, which is never much.
            models.Index(fields=["buyer", "-id"], name="orders_bought"),
            models.Index(fields=["seller", "-id"], name="orders_sold"),
            models.Index(fields=["buyer"], condition=Q(ended_at=None), name="orders_bought_live"),
            models.Index(fields=["seller"], condition=Q(ended_at=None), name="orders_sold_live"),
            # The buyers whom a seller can still review.
            models.Index(fields=["seller", "-ended_at"], condition=Q(status="completed"), name="orders_sold_completed"),
        ]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return _page().replace(ALPHABET, self.number)

    # What is true now

    @property
    def has_ended(self) -> bool:
        return self.status in self.ENDED

    def is_overdue(self, now: datetime) -> bool:
        """Whether the clock owes this order an ending. Windows are [start, end): the last instant is too late (O7)."""
        return self.paused_at is None and self.decide_by is not None and self.decide_by <= now

    @property
    def plan(self) -> list["Milestone"]:
        return list(self.milestones.all())

    def know_plan(self, milestones: "list[Milestone]") -> None:
        """These are all its milestones, in their order: until it is read anew, the database is not asked for them."""
        for milestone in milestones:
            milestone.order = self
        known = self.milestones.all()
        known._result_cache = milestones  # noqa: SLF001  # as prefetching leaves it
        self._prefetched_objects_cache = {"milestones": known}

    @property
    def current(self) -> "Milestone | None":
        """The one milestone that is open or awaiting payment (O1)."""
        return next((milestone for milestone in self.plan if milestone.is_current), None)

    @property
    def open_milestone(self) -> "Milestone | None":
        """The one milestone that is funded and not ended."""
        return next((milestone for milestone in self.plan if milestone.is_open), None)

    @property
    def next_milestone(self) -> "Milestone | None":
        """The first planned milestone: the only one that can start (O1)."""
        return next((milestone for milestone in self.plan if milestone.status == milestone.Status.PLANNED), None)

    @cached_property
    def price(self) -> int:
        return sum(milestone.price for milestone in self.plan)

    def side_of(self, user: User) -> str:
        """«buyer» or «seller», or the empty string for everybody else."""
        return {self.buyer_id: "buyer", self.seller_id: "seller"}.get(user.pk, "")

    def refusal_by_state(self, action: str = "") -> Refusal:
        """What to say when the order's state does not allow `action`."""
        return {
            self.Status.OFFERED: Refusal(gettext("The offer was not accepted yet."), who="buyer"),
            self.Status.AWAITING_PAYMENT: Refusal(gettext("The first milestone is not paid yet."), who="buyer"),
            self.Status.ACTIVE: Refusal(gettext("The order is already under way.")),
            self.Status.COMPLETED: Refusal(gettext("The order is completed.")),
            self.Status.CANCELED: Refusal(gettext("The order is canceled.")),
        }[self.Status(self.status)]

    # Deadlines

    def set_deadline(self, start: datetime, end: datetime) -> None:
        """Give the buyer until `end`, in a window that began at `start`."""
        self.decide_from, self.decide_by = start, end
        self.remind_at = next_reminder(start, end, start)

    def clear_deadline(self) -> None:
        self.decide_from = self.decide_by = self.remind_at = None

    # Transitions: each sets this row's fields and nothing else.

    @transition(status, source=Status.OFFERED, target=None)
    def edit_offer(self) -> None:
        """G3: the seller may change an offer until it is accepted."""

    @transition(status, source=Status.OFFERED, target=None)
    def withdraw(self) -> None:
        """G3."""

    @transition(status, source=Status.OFFERED, target=None)
    def decline(self) -> None:
        """G3."""

    @transition(
        status,
        source=Status.OFFERED,
        target=Status.AWAITING_PAYMENT,
        conditions=[buyer_is_active, seller_is_active],
    )
    def place(self, now: datetime) -> None:
        """G2, O2."""
        self.placed_at = now

    @transition(status, source=Status.AWAITING_PAYMENT, target=Status.ACTIVE)
    def activate(self) -> None:
        """O4: the first charge succeeded."""

    @transition(
        status,
        source=Status.ACTIVE,
        target=None,
        conditions=[is_not_frozen, nothing_is_open, no_attempt_is_undecided],
    )
    def stop(self) -> None:
        """O9."""

    @transition(status, source=Status.ACTIVE, target=None, conditions=[is_not_frozen])
    def change_upcoming(self) -> None:
        """O17: what has not started changes only when both sides agree."""

    @transition(status, source=Status.ACTIVE, target=None, conditions=[no_attempt_is_undecided])
    def cancel(self) -> None:
        """O11: through the Resolution Center or Customer Support only."""

    @transition(
        status,
        source=[Status.OFFERED, Status.AWAITING_PAYMENT, Status.ACTIVE],
        target=RETURN_VALUE(Status.COMPLETED, Status.CANCELED),
    )
    def end(self, because: str, now: datetime) -> str:
        """The one place where an order ends: completed if at least one milestone was, else canceled (O12)."""
        self.closed_because = because
        self.ended_at = now
        self.paused_at = None
        self.clear_deadline()
        completed = any(milestone.status == milestone.Status.COMPLETED for milestone in self.plan)
        return self.Status.COMPLETED if completed else self.Status.CANCELED

    @transition(
        status,
        source="*",
        target=None,
        conditions=[order_has_ended, something_was_not_started, buyer_is_active, seller_is_active],
    )
    def order_again(self) -> None:
        """O9: ask for a fresh offer with what was not started; this order stays as it ended."""
