"""The case: a dispute about one order, and everything it can become (R1–R8)."""

import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django_fsm import RETURN_VALUE, FSMField, transition

from marketplace import clock
from marketplace.accounts.models import User
from orders.guards import Refusal
from orders.models import Attachment, Milestone, Order
from orders.models.order import ALPHABET
from payments.money import display
from resolution.models.case_rows import CaseQuerySet
from resolution.models.guards import (
    disputes_are_left,
    escalation_is_in_time,
    its_milestone_has_not_ended,
    milestone_is_open,
    no_attempt_is_undecided,
    no_bank_is_deciding,
    no_dispute_is_open,
    order_is_active,
    reason_may_be_cited,
    time_is_not_up,
)
from resolution.models.reason import Reason

# The rules of the card schemes give a bank up to two and a half months; then support has to ask.
BANK_DECIDES_WITHIN = timedelta(days=80)


def new_number() -> str:
    """An unguessable number that people can read out: RC-7K3X-9Q2D."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(8))
    return f"RC-{letters[:4]}-{letters[4:]}"


class Case(models.Model):
    """A dispute about one order. Its transitions set this row's fields and nothing else."""

    class Kind(models.TextChoices):
        CANCEL_MILESTONE = "cancel_milestone", "Cancel the milestone"
        CANCEL_ORDER = "cancel_order", "Cancel the order"
        CHARGEBACK = "chargeback", "The bank took the payment back"

    class Side(models.TextChoices):
        BUYER = "buyer", "Buyer"
        SELLER = "seller", "Seller"
        SUPPORT = "support", "Customer Support"
        CLOCK = "clock", "The clock"

    class Status(models.TextChoices):
        NEW = "new", "Being considered"  # never saved: the database refuses it
        OPEN = "open", "Waits for an answer"
        ESCALATED = "escalated", "Waits for Customer Support"
        ACCEPTED = "accepted", "Accepted"
        DECLINED = "declined", "Declined"
        WITHDRAWN = "withdrawn", "Withdrawn"
        RULED = "ruled", "Decided by Customer Support"
        DISMISSED = "dismissed", "Dismissed by Customer Support"

    class Silence(models.TextChoices):
        AGREED = "agreed", "Counts as agreed"
        TO_SUPPORT = "to_support", "Goes to Customer Support"

    PENDING = (Status.OPEN, Status.ESCALATED)

    number = models.CharField(max_length=20, unique=True, default=new_number, editable=False)
    order = models.ForeignKey(Order, models.PROTECT, related_name="cases")
    milestone = models.ForeignKey(
        Milestone,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="cases",
        help_text="The milestone that was open when the case was opened.",
    )
    kind = models.CharField(max_length=30, choices=Kind.choices)
    side = models.CharField(max_length=10, choices=Side.choices)
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="cases_opened",
        help_text="Empty: the clock.",
    )
    reason = models.ForeignKey(Reason, models.PROTECT, related_name="cases")
    statement = models.TextField(max_length=5_000)
    files = models.ManyToManyField(Attachment, blank=True, related_name="cases")
    status = FSMField(choices=Status.choices, default=Status.NEW)

    opened_at = models.DateTimeField()
    on_silence = models.CharField(max_length=20, choices=Silence.choices, blank=True)
    answer_by = models.DateTimeField(null=True, blank=True)
    answer = models.TextField(max_length=5_000, blank=True)
    escalate_by = models.DateTimeField(null=True, blank=True)
    escalation = models.TextField(max_length=5_000, blank=True)
    support_due = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="cases_ended"
    )
    ruling = models.CharField(max_length=30, choices=Kind.choices, blank=True)
    ruling_reason = models.ForeignKey(Reason, models.PROTECT, null=True, blank=True, related_name="cases_ruled")
    note = models.TextField(max_length=5_000, blank=True, help_text="Support's note; both sides read it.")
    stuck_at = models.DateTimeField(null=True, blank=True, help_text="A sweep failed here; staff must look.")

    objects = CaseQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["order"], condition=Q(status__in=["open", "escalated"]), name="one_dispute_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["open", "escalated"], ended_at=None)
                | Q(status__in=["accepted", "declined", "withdrawn", "ruled", "dismissed"], ended_at__isnull=False),
                name="case_ended_as_a_whole",
            ),
            # What silence means is decided when the case opens (R2).
            models.CheckConstraint(
                condition=~Q(status="open") | (Q(answer_by__isnull=False) & ~Q(on_silence="")),
                name="case_open_until_answered",
            ),
            models.CheckConstraint(
                condition=~Q(status="escalated") | Q(support_due__isnull=False), name="case_escalated_is_due"
            ),
            models.CheckConstraint(
                condition=~Q(status="declined") | Q(escalate_by__isnull=False), name="case_declined_may_go_on"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["ruled", "dismissed"]) | (Q(ruling_reason__isnull=False) & ~Q(note="")),
                name="case_ruled_with_reason_and_note",
            ),
            models.CheckConstraint(
                condition=Q(status="ruled") & ~Q(ruling="") | ~Q(status="ruled") & Q(ruling=""),
                name="case_ruling_when_ruled",
            ),
            models.CheckConstraint(
                condition=Q(side="clock", opened_by=None)
                | Q(side__in=["buyer", "seller", "support"], opened_by__isnull=False),
                name="case_opened_by_its_side",
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=["cancel_milestone", "chargeback"]) | Q(milestone__isnull=False),
                name="case_names_its_milestone",
            ),
        ]
        indexes = [
            # The sweep: due().
            models.Index(fields=["answer_by"], condition=Q(status="open", stuck_at=None), name="cases_due"),
            # Support's queue: for_support().
            models.Index(fields=["support_due", "id"], condition=Q(status="escalated"), name="cases_for_support"),
        ]

    _moment: datetime | None = None

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return reverse("resolution:case", args=[self.number])

    # What is true now

    @property
    def moment(self) -> datetime:
        """The instant that the guards are asked about: the verb's one instant, or the page's."""
        return self._moment or clock.now()

    @moment.setter
    def moment(self, now: datetime) -> None:
        self._moment = now

    @property
    def is_pending(self) -> bool:
        return self.status in self.PENDING

    def is_overdue(self, now: datetime) -> bool:
        """Whether silence has decided, and the clock owes its effect. The last instant is too late (O7)."""
        return self.status == self.Status.OPEN and self.answer_by is not None and self.answer_by <= now

    @property
    def can_go_to_support(self) -> bool:
        """R3: declined, in time, and there is still something to decide."""
        conditions = (escalation_is_in_time, order_is_active, its_milestone_has_not_ended)
        return self.status == self.Status.DECLINED and all(condition(self) for condition in conditions)

    @property
    def answering_side(self) -> str:
        """The side that answers, or the empty string: what the clock or support opened is support's to rule."""
        return {self.Side.BUYER.value: "seller", self.Side.SELLER.value: "buyer"}.get(self.side, "")

    @property
    def answerer(self) -> User | None:
        return {"buyer": self.order.buyer, "seller": self.order.seller}.get(self.answering_side)

    @property
    def what(self) -> str:
        """What the case asks for: cancel “Logo”, or cancel the order."""
        if self.kind == self.Kind.CANCEL_MILESTONE and self.milestone:
            return f"cancel “{self.milestone.title}”"
        if self.kind == self.Kind.CHARGEBACK and self.milestone:
            return f"wait for the bank's decision about “{self.milestone.title}”"
        return "cancel the order"

    @property
    def standing(self) -> str:
        """The status in words. A chargeback's case waits for the bank and is decided by it."""
        if self.kind != self.Kind.CHARGEBACK:
            return str(self.get_status_display())
        return {
            self.Status.ESCALATED: "Waits for the buyer's bank",
            self.Status.RULED: "The bank decided for the buyer",
            self.Status.DISMISSED: "The bank decided for the seller",
        }[self.Status(self.status)]

    @property
    def is_very_late_claim(self) -> bool:
        """O15: the buyer cites *seller late*, nothing was delivered, and the date is more than a day past."""
        return (
            self.side == self.Side.BUYER
            and self.reason.code == Reason.SELLER_LATE
            and self.milestone is not None
            and self.milestone.is_very_late(self.moment)
        )

    def silence(self) -> str:
        """R2: nothing delivered, or no milestone open: agreed; delivered: to support."""
        if self.milestone and self.milestone.delivered_at:
            return self.Silence.TO_SUPPORT
        return self.Silence.AGREED

    def refusal_by_state(self, action: str = "") -> Refusal:
        """What to say when the case's state does not allow an action."""
        if self.kind == self.Kind.CHARGEBACK and self.status != self.Status.NEW:
            return Refusal(f"{self.standing}.", who="" if self.ended_at else "the buyer's bank")
        return {
            self.Status.NEW: Refusal("The case is not open yet."),
            self.Status.OPEN: Refusal(
                f"The case waits for the {self.answering_side}'s answer.", who=self.answering_side, when=self.answer_by
            ),
            self.Status.ESCALATED: Refusal(
                "The case waits for Customer Support.", who="support", when=self.support_due
            ),
            self.Status.ACCEPTED: Refusal("The case was accepted."),
            self.Status.DECLINED: Refusal("The case was declined."),
            self.Status.WITHDRAWN: Refusal("The case was withdrawn."),
            self.Status.RULED: Refusal("Customer Support has decided this case."),
            self.Status.DISMISSED: Refusal("Customer Support has dismissed this case."),
        }[self.Status(self.status)]

    # Transitions

    @transition(
        status,
        source=Status.NEW,
        target=Status.OPEN,
        conditions=[
            order_is_active,
            no_dispute_is_open,
            milestone_is_open,
            no_attempt_is_undecided,
            disputes_are_left,
            reason_may_be_cited,
        ],
    )
    def open(self, now: datetime) -> None:
        """R2: by buyer or seller; the other side has until `answer_by`."""
        self.opened_at = now
        self.answer_by = now + self.order.terms.answer
        self.on_silence = self.silence()

    @transition(
        status,
        source=Status.NEW,
        target=Status.ESCALATED,
        conditions=[order_is_active, no_dispute_is_open, milestone_is_open, no_attempt_is_undecided],
    )
    def open_for_support(self, now: datetime) -> None:
        """R3, O15, O20: by support or the clock; nobody is asked to answer."""
        self.opened_at = now
        self.support_due = now + self.order.terms.support

    @transition(status, source=Status.OPEN, target=Status.ACCEPTED, conditions=[time_is_not_up])
    def accept(self, now: datetime, by: User | None, text: str) -> None:
        """R2; `by` is None when a very late milestone's case is accepted as it is opened (O15)."""
        self.answer = text
        self.ended_at, self.ended_by = now, by

    @transition(status, source=Status.OPEN, target=Status.DECLINED, conditions=[time_is_not_up])
    def decline(self, now: datetime, by: User, text: str) -> None:
        """R2, R3: it may be taken to support until `escalate_by`."""
        self.answer = text
        self.ended_at, self.ended_by = now, by
        self.escalate_by = now + self.order.terms.escalation

    @transition(
        status,
        source=[Status.OPEN, Status.ESCALATED],
        target=Status.WITHDRAWN,
        conditions=[no_bank_is_deciding, time_is_not_up],
    )
    def withdraw(self, now: datetime, by: User) -> None:
        """R2, R4: by the opener, before it is answered or ruled on."""
        self.ended_at, self.ended_by = now, by

    @transition(status, source=Status.OPEN, target=RETURN_VALUE(Status.ACCEPTED, Status.ESCALATED))
    def fall_silent(self, at: datetime) -> str:
        """R2: nobody answered by `at`; what that means was decided when the case opened."""
        if self.on_silence == self.Silence.AGREED:
            self.ended_at, self.ended_by = at, None
            return self.Status.ACCEPTED
        self.support_due = at + self.order.terms.support
        return self.Status.ESCALATED

    @transition(
        status,
        source=Status.DECLINED,
        target=Status.ESCALATED,
        conditions=[
            escalation_is_in_time,
            order_is_active,
            its_milestone_has_not_ended,
            no_dispute_is_open,
            no_attempt_is_undecided,
        ],
    )
    def escalate(self, now: datetime, text: str) -> None:
        """R3: the opener takes a declined dispute to support."""
        self.escalation = text
        self.ended_at = self.ended_by = None
        self.support_due = now + self.order.terms.support

    @transition(
        status,
        source=[Status.OPEN, Status.ESCALATED],
        target=Status.RULED,
        conditions=[no_bank_is_deciding, time_is_not_up],
    )
    def rule(self, now: datetime, by: User, ruling: str, reason: Reason, note: str) -> None:
        """R6."""
        self.ended_at, self.ended_by = now, by
        self.ruling, self.ruling_reason, self.note = ruling, reason, note

    @transition(
        status,
        source=[Status.OPEN, Status.ESCALATED],
        target=Status.DISMISSED,
        conditions=[no_bank_is_deciding, time_is_not_up],
    )
    def dismiss(self, now: datetime, by: User, reason: Reason, note: str) -> None:
        """R6."""
        self.ended_at, self.ended_by = now, by
        self.ruling_reason, self.note = reason, note

    @transition(status, source=PENDING, target=Status.ESCALATED)
    def wait_for_bank(self, now: datetime) -> None:
        """M10: the bank has taken the payment back, so that nobody but the bank decides for now."""
        self.support_due = now + BANK_DECIDES_WITHIN

    @transition(status, source=Status.ESCALATED, target=Status.ESCALATED)
    def bank_has_decided(self, now: datetime) -> None:
        """M10: for the seller; a case that was about something else goes on, and support's time begins."""
        self.support_due = now + self.order.terms.support

    @transition(status, source=Status.ESCALATED, target=Status.DISMISSED)
    def end_won(self, now: datetime, reason: Reason, note: str) -> None:
        """M10: the bank decided for the seller, and the case was about nothing else."""
        self.ended_at = now
        self.ruling_reason, self.note = reason, note

    @transition(status, source=PENDING, target=Status.RULED)
    def end_lost(self, now: datetime, reason: Reason, note: str) -> None:
        """M10: the bank decided for the buyer, so that the milestone is canceled, whatever the case asked for."""
        self.ended_at = now
        self.ruling, self.ruling_reason, self.note = self.Kind.CANCEL_MILESTONE, reason, note

    # In words

    @property
    def at_stake(self) -> str:
        """What the buyer gets back if the case is agreed to; empty when nothing is held."""
        subject = self.order.open_milestone if self.kind == self.Kind.CANCEL_ORDER else self.milestone
        held = subject.held if subject and subject.is_open else None
        return display(held.left, held.currency) if held and held.left else ""
