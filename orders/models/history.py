"""What happened: the append-only activity, the pauses of the clocks, and the reminders that went out."""

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models

from orders.models.milestone import Milestone
from orders.models.order import Order


class Event(models.Model):
    """One line of an order's activity: who, when, what, why.

    Each change of state has exactly one event; replaying them gives the present state (I16).
    Rows are never changed or removed; the database refuses it.
    """

    class Kind(models.TextChoices):
        DRAWN_UP = "drawn_up"
        OFFERED = "offered"
        OFFER_EDITED = "offer_edited"
        PLACED = "placed"
        STARTED = "started"
        PAYMENT_FAILED = "payment_failed"
        PAYMENT_ABANDONED = "payment_abandoned"
        PAYMENT_PROCESSING = "payment_processing"
        FUNDED = "funded"
        ACTIVATED = "activated"
        PAYMENT_RETURNED = "payment_returned"
        REFUND_REFUSED = "refund_refused"
        REFUND_CREDITED = "refund_credited"
        DELIVERED = "delivered"
        REVISION_REQUESTED = "revision_requested"
        REVISIONS_GRANTED = "revisions_granted"
        ACCEPTED = "accepted"
        LAPSED = "lapsed"
        COMPLETED_BY_SUPPORT = "completed_by_support"
        PARTLY_REFUNDED = "partly_refunded"
        CANCELED = "canceled"
        LEFT_OUT = "left_out"
        FROZEN = "frozen"
        RESUMED = "resumed"
        CASE_OPENED = "case_opened"
        CASE_ACCEPTED = "case_accepted"
        CASE_DECLINED = "case_declined"
        CASE_WITHDRAWN = "case_withdrawn"
        CASE_UNANSWERED = "case_unanswered"
        CASE_ESCALATED = "case_escalated"
        CASE_RULED = "case_ruled"
        CASE_DISMISSED = "case_dismissed"
        CASE_VOID = "case_void"
        DELIVERY_EXTENDED = "delivery_extended"
        PLAN_CHANGED = "plan_changed"
        FILE_WITHHELD = "file_withheld"
        CHARGEBACK_TAKEN = "chargeback_taken"
        CHARGEBACK_WON = "chargeback_won"
        CHARGEBACK_LOST = "chargeback_lost"
        CHARGEBACK_BORNE = "chargeback_borne"
        CANCELED_BY_BANK = "canceled_by_bank"
        CASE_SETTLED = "case_settled"
        ENDED = "ended"

    order = models.ForeignKey(Order, models.PROTECT, related_name="events")
    milestone = models.ForeignKey(Milestone, models.PROTECT, null=True, blank=True, related_name="events")
    kind = models.CharField(max_length=30, choices=Kind.choices)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    on_behalf_of = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    from_status = models.CharField(max_length=30, blank=True)
    to_status = models.CharField(max_length=30, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    note = models.TextField(blank=True)
    data = models.JSONField(default=dict)
    version = models.PositiveIntegerField(help_text="The order's version that this event made.")
    at = models.DateTimeField(help_text="When it counts: what the clock does is dated when it was due (O7).")
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["order", "id"], name="events_of_order"),
            # Days and months of all orders. Rows come nearly in the order of time, so page ranges do.
            BrinIndex(fields=["at"], name="events_by_time", pages_per_range=32),
        ]

    def __str__(self) -> str:
        return f"{self.order_id}: {self.kind}"


class Pause(models.Model):
    """A time in which the order's clocks stood still, and what each clock got for it (R4, I13)."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="pauses")
    case_number = models.CharField(max_length=20, help_text="The case; orders need not know what a case is.")
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    added_to_decide_by = models.DurationField(null=True, blank=True)
    added_to_deliver_by = models.DurationField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["order"], condition=models.Q(ended_at=None), name="one_pause_at_a_time")
        ]

    def __str__(self) -> str:
        return f"{self.case_number}: {self.started_at} – {self.ended_at or '…'}"


class Reminder(models.Model):
    """At most one reminder per deadline value and distance (O16)."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="reminders")
    milestone = models.ForeignKey(Milestone, models.PROTECT, null=True, blank=True, related_name="reminders")
    deadline = models.DateTimeField()
    due_at = models.DateTimeField()
    sent_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["order", "milestone", "deadline", "due_at"],
                name="one_reminder_per_deadline",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{self.order_id}: {self.deadline}"
