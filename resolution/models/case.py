"""The case: a dispute or a proposal about one order, and everything it can become (R1–R8)."""

import secrets
from dataclasses import asdict
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_fsm import RETURN_VALUE, FSMField, transition

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.catalog.plans import PlannedMilestone
from orders.guards import Refusal
from orders.models import Attachment, Milestone, Order
from orders.models.order import ALPHABET
from orders.phrases import Phrase
from orders.services import planned
from resolution.models.asked import Asked
from resolution.models.case_rows import CaseQuerySet
from resolution.models.choices import DISPUTES, OF_OPEN_MILESTONE, Kind, Ruling, Side, Silence, Status
from resolution.models.constraints import CONSTRAINTS, INDEXES
from resolution.models.guards import (
    can_take_effect,
    disputes_are_left,
    escalation_is_in_time,
    is_a_dispute,
    its_milestone_has_not_ended,
    milestone_allows_it,
    no_attempt_is_undecided,
    no_bank_is_deciding,
    no_dispute_is_open,
    no_proposal_is_open,
    not_void,
    order_is_active,
    reason_may_be_cited,
    side_may_ask,
    time_is_not_up,
)
from resolution.models.reason import Reason
from resolution.models.wording import refusal_by_state, standing, what

# The rules of the card schemes give a bank up to two and a half months; then support has to ask.
BANK_DECIDES_WITHIN = timedelta(days=80)


def new_number() -> str:
    """An unguessable number that people can read out: RC-7K3X-9Q2D."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(8))
    return f"RC-{letters[:4]}-{letters[4:]}"


class Case(models.Model):
    """A dispute or a proposal about one order. Its transitions set this row's fields and nothing else."""

    Kind, Side, Status, Silence, Ruling = Kind, Side, Status, Silence, Ruling

    PENDING = (Status.OPEN, Status.ESCALATED)

    number = models.CharField(max_length=20, unique=True, default=new_number, editable=False)
    order = models.ForeignKey(Order, models.PROTECT, related_name="cases")
    milestone = models.ForeignKey(
        Milestone,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="cases",
        help_text=_("The milestone that was open when the case was opened."),
    )
    kind = models.CharField(max_length=30, choices=Kind.choices)
    side = models.CharField(max_length=10, choices=Side.choices)
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="cases_opened",
        help_text=_("Empty: the clock."),
    )
    reason = models.ForeignKey(Reason, models.PROTECT, related_name="cases")
    statement = models.TextField(max_length=5_000)
    asked_amount = models.PositiveBigIntegerField(
        null=True, blank=True, help_text=_("The part of the price to refund, in minor units of the order's currency.")
    )
    asked_days = models.PositiveSmallIntegerField(null=True, blank=True)
    asked_revisions = models.PositiveSmallIntegerField(null=True, blank=True)
    asked_upcoming = models.JSONField(null=True, blank=True)
    upcoming_from = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text=_("The position of the first milestone that the change would replace.")
    )
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
    ruling = models.CharField(max_length=30, choices=Ruling.choices, blank=True)
    decision = models.CharField(max_length=300, blank=True, help_text=_("What support decided, in words."))
    ruling_reason = models.ForeignKey(Reason, models.PROTECT, null=True, blank=True, related_name="cases_ruled")
    note = models.TextField(max_length=5_000, blank=True, help_text=_("Support's note; both sides read it."))
    stuck_at = models.DateTimeField(null=True, blank=True, help_text=_("A sweep failed here; staff must look."))

    objects = CaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("case")
        verbose_name_plural = _("cases")
        ordering = ["-id"]
        constraints = CONSTRAINTS
        indexes = INDEXES

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

    @property
    def is_dispute(self) -> bool:
        return self.kind in DISPUTES

    @property
    def freezes(self) -> bool:
        """R4: disputes stop the order's clocks until they end, proposals stop nothing."""
        return self.is_dispute and self.is_pending

    def is_overdue(self, now: datetime) -> bool:
        """Whether silence has decided, and the clock owes its effect. The last instant is too late (O7).

        While a dispute freezes the order, the time to answer a proposal stands still (R4).
        """
        until = now if self.is_dispute else self.order.paused_at or now
        return self.status == self.Status.OPEN and self.answer_by is not None and self.answer_by <= until

    @property
    def can_go_to_support(self) -> bool:
        """R3: declined, in time, and there is still something to decide."""
        conditions = (escalation_is_in_time, order_is_active, its_milestone_has_not_ended)
        declined = self.status == self.Status.DECLINED and self.is_dispute
        return declined and all(condition(self) for condition in conditions)

    @property
    def answering_side(self) -> str:
        """The side that answers, or the empty string: what the clock or support opened is support's to rule."""
        return {self.Side.BUYER.value: "seller", self.Side.SELLER.value: "buyer"}.get(self.side, "")

    @property
    def answerer(self) -> User | None:
        return {"buyer": self.order.buyer, "seller": self.order.seller}.get(self.answering_side)

    @property
    def upcoming(self) -> list[PlannedMilestone]:
        """What the upcoming milestones would be."""
        return [PlannedMilestone(**step) for step in self.asked_upcoming or []]

    def ask(self, asked: Asked) -> None:
        """Set what the case asks for; what `upcoming` would replace is what has not started now."""
        self.asked_amount, self.asked_days, self.asked_revisions = asked.amount, asked.days, asked.revisions
        if asked.upcoming is not None:
            self.asked_upcoming = [asdict(step) for step in asked.upcoming]
            self.upcoming_from = len(self.order.plan) - len(planned(self.order)) + 1

    def void_since(self) -> datetime | None:
        """When what an open proposal speaks of ended, so that it means nothing any more (R4); None while it does."""
        if self.status != self.Status.OPEN or self.is_dispute:
            return None
        ends = [self.order.ended_at]
        if self.milestone and self.kind in OF_OPEN_MILESTONE:
            ends.append(self.milestone.ended_at)
            delivered = self.milestone.delivered_at
            if self.kind == self.Kind.EXTEND and delivered and delivered >= self.opened_at:
                ends.append(delivered)
        if self.upcoming_from is not None:
            ends += [step.started_at for step in self.order.plan if step.position == self.upcoming_from]
        return min((end for end in ends if end), default=None)

    @property
    def what(self) -> Phrase:
        """What the case asks for: cancel “Logo”, refund $16.50 of “Logo”."""
        return what(self)

    @property
    def standing(self) -> str:
        """The status in words. A chargeback's case waits for the bank and is decided by it."""
        return standing(self)

    @property
    def is_very_late_claim(self) -> bool:
        """O15: the buyer cites *seller late*, nothing was delivered, and the date is more than a day past."""
        return (
            self.side == self.Side.BUYER
            and self.kind in (self.Kind.CANCEL_MILESTONE, self.Kind.CANCEL_ORDER)
            and self.reason.code == Reason.SELLER_LATE
            and self.milestone is not None
            and self.milestone.is_very_late(self.moment)
        )

    def silence(self) -> str:
        """R2: proposals count as withdrawn; a refund that the seller offers as agreed, one that the buyer asks for goes
        to support; cancellations with nothing delivered, or no milestone open: agreed; delivered: to support."""
        if not self.is_dispute:
            return self.Silence.WITHDRAWN
        if self.kind == self.Kind.PARTIAL_REFUND:
            return self.Silence.AGREED if self.side == self.Side.SELLER else self.Silence.TO_SUPPORT
        if self.milestone and self.milestone.delivered_at:
            return self.Silence.TO_SUPPORT
        return self.Silence.AGREED

    def refusal_by_state(self, action: str = "") -> Refusal:
        """What to say when the case's state does not allow an action."""
        return refusal_by_state(self)

    # Transitions

    @transition(
        status,
        source=Status.NEW,
        target=Status.OPEN,
        conditions=[
            order_is_active,
            side_may_ask,
            no_dispute_is_open,
            no_proposal_is_open,
            milestone_allows_it,
            no_attempt_is_undecided,
            disputes_are_left,
            reason_may_be_cited,
            can_take_effect,
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
        conditions=[is_a_dispute, order_is_active, no_dispute_is_open, milestone_allows_it, no_attempt_is_undecided],
    )
    def open_for_support(self, now: datetime) -> None:
        """R3, O15, O20: by support or the clock; nobody is asked to answer."""
        self.opened_at = now
        self.support_due = now + self.order.terms.support

    @transition(
        status, source=Status.OPEN, target=Status.ACCEPTED, conditions=[time_is_not_up, not_void, can_take_effect]
    )
    def accept(self, now: datetime, by: User | None, text: str) -> None:
        """R2; `by` is None when a very late milestone's case is accepted as it is opened (O15)."""
        self.answer = text
        self.ended_at, self.ended_by = now, by

    @transition(status, source=Status.OPEN, target=Status.DECLINED, conditions=[time_is_not_up, not_void])
    def decline(self, now: datetime, by: User, text: str) -> None:
        """R2, R3: a dispute may be taken to support until `escalate_by`."""
        self.answer = text
        self.ended_at, self.ended_by = now, by
        if self.is_dispute:
            self.escalate_by = now + self.order.terms.escalation

    @transition(
        status,
        source=[Status.OPEN, Status.ESCALATED],
        target=Status.WITHDRAWN,
        conditions=[no_bank_is_deciding, time_is_not_up, not_void],
    )
    def withdraw(self, now: datetime, by: User) -> None:
        """R2, R4: by the opener, before it is answered or ruled on."""
        self.ended_at, self.ended_by = now, by

    @transition(status, source=Status.OPEN, target=RETURN_VALUE(Status.ACCEPTED, Status.ESCALATED, Status.WITHDRAWN))
    def fall_silent(self, at: datetime) -> str:
        """R2: nobody answered by `at`; what that means was decided when the case opened."""
        if self.on_silence == self.Silence.TO_SUPPORT:
            self.support_due = at + self.order.terms.support
            return self.Status.ESCALATED
        self.ended_at, self.ended_by = at, None
        return self.Status.ACCEPTED if self.on_silence == self.Silence.AGREED else self.Status.WITHDRAWN

    @transition(status, source=Status.OPEN, target=Status.VOID)
    def become_void(self, at: datetime) -> None:
        """R4: what the proposal speaks of ended at `at`."""
        self.ended_at, self.ended_by = at, None

    @transition(
        status,
        source=Status.DECLINED,
        target=Status.ESCALATED,
        conditions=[
            is_a_dispute,
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
        conditions=[is_a_dispute, no_bank_is_deciding, time_is_not_up],
    )
    def rule(self, now: datetime, by: User, ruling: str, decision: str, reason: Reason, note: str) -> None:
        """R6; `decision` says the ruling in words."""
        self.ended_at, self.ended_by = now, by
        self.ruling, self.decision, self.ruling_reason, self.note = ruling, decision, reason, note

    @transition(
        status,
        source=[Status.OPEN, Status.ESCALATED],
        target=Status.DISMISSED,
        conditions=[is_a_dispute, no_bank_is_deciding, time_is_not_up],
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
        self.ruling, self.ruling_reason, self.note = self.Ruling.CANCEL_MILESTONE, reason, note
