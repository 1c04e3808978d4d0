"""The milestone: one step of an order, paid when it starts and released when it is completed."""

from datetime import datetime, timedelta
from functools import cached_property

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from orders.guards import Refusal
from orders.models.changed_columns import SavesWhatChanged
from orders.models.milestone_guards import (
    a_revision_is_left,
    another_milestone_is_planned,
    attempt_waits_for_confirmation,
    both_sides_are_active,
    is_next_in_turn,
    no_attempt_is_undecided,
    no_bank_is_deciding,
    order_is_not_frozen,
    order_is_placed,
    revisions_are_counted,
)
from orders.models.order import Order, next_reminder
from payments.models import Charge, Chargeback, HeldFunds
from payments.pricing import buyer_fee


class Milestone(SavesWhatChanged):
    class Status(models.TextChoices):
        PLANNED = "planned", _("Not started")
        AWAITING_PAYMENT = "awaiting_payment", _("Awaiting payment")
        IN_PROGRESS = "in_progress", _("In progress")
        DELIVERED = "delivered", _("Delivered")
        IN_REVISION = "in_revision", _("In revision")
        COMPLETED = "completed", _("Completed")
        CANCELED = "canceled", _("Canceled")
        NOT_STARTED = "not_started", _("Not started any more")

    OPEN = (Status.IN_PROGRESS, Status.DELIVERED, Status.IN_REVISION)
    CURRENT = (Status.AWAITING_PAYMENT, *OPEN)
    WORKING = (Status.IN_PROGRESS, Status.IN_REVISION)

    order = models.ForeignKey(Order, models.PROTECT, related_name="milestones")
    position = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=120)
    description = models.TextField(blank=True, max_length=5_000)
    price = models.PositiveBigIntegerField(help_text=_("In minor units of the order's currency."))
    delivery_days = models.PositiveSmallIntegerField()
    revisions = models.PositiveSmallIntegerField(null=True, blank=True, help_text=_("Included; empty means unlimited."))
    revisions_granted = models.PositiveSmallIntegerField(default=0)
    revisions_used = models.PositiveSmallIntegerField(default=0)
    status = FSMField(choices=Status.choices, default=Status.PLANNED)
    held = models.OneToOneField(HeldFunds, models.PROTECT, null=True, blank=True, related_name="milestone")

    started_at = models.DateTimeField(null=True, blank=True)
    pay_by = models.DateTimeField(null=True, blank=True, help_text=_("The payment deadline, but for «processing»."))
    funded_at = models.DateTimeField(null=True, blank=True)
    deliver_from = models.DateTimeField(null=True, blank=True)
    deliver_by = models.DateTimeField(null=True, blank=True)
    very_late_at = models.DateTimeField(
        null=True, blank=True, help_text=_("From then on the buyer may cancel on the spot, while nothing is delivered.")
    )
    remind_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True, help_text=_("The latest delivery."))
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["order", "position"]
        constraints = [
            models.UniqueConstraint(fields=["order", "position"], name="milestone_position"),
            # O1: the database refuses a second current milestone.
            models.UniqueConstraint(
                fields=["order"],
                condition=Q(status__in=["awaiting_payment", "in_progress", "delivered", "in_revision"]),
                name="one_current_milestone",
            ),
            models.CheckConstraint(condition=Q(price__gt=0), name="milestone_price_is_positive"),
            models.CheckConstraint(
                condition=Q(revisions=None) | Q(revisions_used__lte=F("revisions") + F("revisions_granted")),
                name="milestone_revisions_are_left",
            ),
            # O4: no work before money.
            models.CheckConstraint(
                condition=Q(status__in=["planned", "awaiting_payment", "not_started"], funded_at=None)
                | Q(
                    status__in=["in_progress", "delivered", "in_revision", "completed", "canceled"],
                    funded_at__isnull=False,
                    held__isnull=False,
                ),
                name="milestone_works_only_when_funded",
            ),
        ]
        indexes = [
            models.Index(
                fields=["remind_at"],
                condition=Q(status__in=["in_progress", "in_revision"], remind_at__isnull=False),
                name="milestones_to_remind",
            ),
            models.Index(
                fields=["deliver_by"],
                condition=Q(status__in=["in_progress", "in_revision"]),
                name="milestones_in_work",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    # What is true now

    @property
    def is_open(self) -> bool:
        return self.status in self.OPEN

    @property
    def is_current(self) -> bool:
        return self.status in self.CURRENT

    @property
    def is_in_work(self) -> bool:
        return self.status in self.WORKING

    @property
    def waits_for(self) -> str:
        """«buyer» or «seller»: who must act while the milestone is current, else the empty string."""
        if self.is_in_work:
            return "seller"
        return "buyer" if self.is_current else ""

    @property
    def buyer_fee(self) -> int:
        """As agreed when it was started; before that, as it would be now."""
        if self.held:
            return self.held.buyer_fee
        return buyer_fee(self.price, self.order.terms.buyer_fee, self.order.currency)

    @property
    def total(self) -> int:
        """What the buyer is charged: price and buyer fee (M3)."""
        return self.price + self.buyer_fee

    @property
    def revisions_left(self) -> int | None:
        """None means unlimited."""
        if self.revisions is None:
            return None
        return self.revisions + self.revisions_granted - self.revisions_used

    @property
    def last_charge(self) -> Charge | None:
        return max(self.held.charges.all(), key=lambda charge: charge.pk, default=None) if self.held else None

    @property
    def undecided_charge(self) -> Charge | None:
        charge = self.last_charge
        return charge if charge and not charge.decided else None

    @cached_property
    def bank_is_deciding(self) -> bool:
        """M10: the payer's bank has taken the payment back. Asked once per row read: several buttons depend on it."""
        return self.held_id is not None and Chargeback.objects.holding_up([self.held_id]).exists()

    def is_late(self, now: datetime) -> bool:
        """O15: past its delivery date. A frozen order's clocks stand still."""
        until = self.order.paused_at or now
        return self.is_in_work and self.deliver_by is not None and self.deliver_by <= until

    def is_very_late(self, now: datetime) -> bool:
        """O15: nothing delivered, and a day past the date; then the buyer may cancel on the spot."""
        until = self.order.paused_at or now
        return self.status == self.Status.IN_PROGRESS and self.very_late_at is not None and self.very_late_at <= until

    def refusal_by_state(self, action: str = "") -> Refusal:
        """What to say when the milestone's state does not allow `action`."""
        order = self.order
        if order.status == Order.Status.OFFERED or order.has_ended:
            return order.refusal_by_state(action)
        if action == "start" and order.next_milestone is None:
            return Refusal(gettext("There is no further milestone."))
        if self.funded_at and action in ("pay", "abandon"):
            return Refusal(gettext("“{milestone}” is paid.").format(milestone=self.title))

        said, who, when = {
            self.Status.PLANNED: (gettext("“{milestone}” has not started."), "buyer", None),
            self.Status.AWAITING_PAYMENT: (gettext("“{milestone}” is not funded yet."), "buyer", None),
            self.Status.IN_PROGRESS: (
                gettext("Nothing has been delivered for “{milestone}” yet."),
                "seller",
                self.deliver_by,
            ),
            self.Status.DELIVERED: (
                gettext("“{milestone}” is delivered and waits for the buyer's answer."),
                "buyer",
                order.decide_by,
            ),
            self.Status.IN_REVISION: (gettext("“{milestone}” is in revision."), "seller", self.deliver_by),
            self.Status.COMPLETED: (gettext("“{milestone}” is completed."), "", None),
            self.Status.CANCELED: (gettext("“{milestone}” is canceled."), "", None),
            self.Status.NOT_STARTED: (gettext("“{milestone}” was not started before the order ended."), "", None),
        }[self.Status(self.status)]
        # A frozen order's clocks stand still, so that no instant can be promised.
        return Refusal(said.format(milestone=self.title), who=who, when=None if order.paused_at else when)

    def set_delivery_date(self, start: datetime, end: datetime) -> None:
        self.deliver_from, self.deliver_by = start, end
        self.very_late_at = end + self.order.terms.very_late
        self.remind_at = next_reminder(start, end, start)

    # Transitions: each sets this row's fields and nothing else.

    @transition(
        status,
        source=Status.PLANNED,
        target=Status.AWAITING_PAYMENT,
        conditions=[order_is_placed, order_is_not_frozen, is_next_in_turn, both_sides_are_active],
    )
    def start(self, now: datetime) -> None:
        """O1, O3."""
        self.started_at = now

    @transition(
        status,
        source=Status.AWAITING_PAYMENT,
        target=None,
        conditions=[order_is_not_frozen, no_attempt_is_undecided, both_sides_are_active],
    )
    def pay(self) -> None:
        """O4: another attempt after a declined or abandoned one."""

    @transition(
        status,
        source=Status.AWAITING_PAYMENT,
        target=None,
        conditions=[order_is_not_frozen, attempt_waits_for_confirmation],
    )
    def abandon(self) -> None:
        """O4: give up an attempt that was not confirmed, so that another card can be used."""

    @transition(status, source=Status.AWAITING_PAYMENT, target=Status.IN_PROGRESS)
    def fund(self, now: datetime) -> None:
        """O4, O5: work begins, and its clock, when the money is there."""
        self.funded_at = now
        self.set_delivery_date(now, now + timedelta(days=self.delivery_days))

    @transition(
        status,
        source=[Status.IN_PROGRESS, Status.DELIVERED, Status.IN_REVISION],
        target=Status.DELIVERED,
        conditions=[order_is_not_frozen],
    )
    def deliver(self, now: datetime) -> None:
        """O5."""
        self.delivered_at = now
        self.remind_at = None

    @transition(
        status,
        source=Status.DELIVERED,
        target=Status.IN_REVISION,
        conditions=[order_is_not_frozen, a_revision_is_left],
    )
    def request_revision(self, now: datetime) -> None:
        """O8."""
        self.revisions_used += 1
        self.set_delivery_date(now, now + self.order.terms.revision)

    @transition(
        status,
        source=[Status.IN_PROGRESS, Status.DELIVERED, Status.IN_REVISION],
        target=None,
        conditions=[order_is_not_frozen, revisions_are_counted],
    )
    def grant_revisions(self, count: int) -> None:
        """O8."""
        self.revisions_granted += count

    @transition(status, source=[Status.IN_PROGRESS, Status.IN_REVISION], target=None, conditions=[order_is_not_frozen])
    def extend(self, days: int, now: datetime) -> None:
        """R1, R6: `days` × 24 h more, from now where the date has passed."""
        assert self.deliver_by
        self.deliver_by = max(self.deliver_by, now) + timedelta(days=days)
        self.very_late_at = self.deliver_by + self.order.terms.very_late
        self.remind_at = next_reminder(self.deliver_from or now, self.deliver_by, now)

    @transition(
        status,
        source=[Status.DELIVERED, Status.IN_REVISION],
        target=Status.COMPLETED,
        conditions=[order_is_not_frozen],
    )
    def accept(self, now: datetime) -> None:
        """O6, O8: by the buyer, or by the clock when the window ends."""
        self.ended_at = now
        self.remind_at = None

    @transition(
        status,
        source=[Status.DELIVERED, Status.IN_REVISION],
        target=None,
        conditions=[order_is_not_frozen, another_milestone_is_planned, both_sides_are_active],
    )
    def accept_and_continue(self) -> None:
        """O3: only when both acts are possible now; the acceptance itself is `accept`."""

    @transition(
        status,
        source=[Status.IN_PROGRESS, Status.DELIVERED, Status.IN_REVISION],
        target=Status.COMPLETED,
        conditions=[no_bank_is_deciding],
    )
    def complete(self, now: datetime) -> None:
        """R6: by support only."""
        self.ended_at = now
        self.remind_at = None

    @transition(
        status,
        source=[Status.IN_PROGRESS, Status.DELIVERED, Status.IN_REVISION],
        target=Status.CANCELED,
        conditions=[no_bank_is_deciding],
    )
    def cancel(self, now: datetime) -> None:
        """O11: through the Resolution Center or Customer Support only."""
        self.ended_at = now
        self.remind_at = None

    @transition(status, source=[Status.PLANNED, Status.AWAITING_PAYMENT], target=Status.NOT_STARTED)
    def leave_out(self, now: datetime) -> None:
        """O4, O6, O9: the order ends without it."""
        self.ended_at = now
