"""The Resolution Center of the small model: cases, what silence means, rulings and chargebacks (R1 to R6, M10)."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from marketplace.tests.model_of_rules import IN_WORK, REVIEW, ModelOrder, Step

ANSWER, ESCALATION, ABANDONED = timedelta(hours=48), timedelta(days=7), timedelta(days=30)
DISPUTES = ("cancel_milestone", "cancel_order", "partial_refund", "chargeback")
MOST_STEPS = 20
OTHER_SIDE = {"buyer": "seller", "seller": "buyer"}


@dataclass
class Asked:
    """A case's wish, or a decision of support's: its kind, and how much or how long."""

    kind: str
    price: int = 0
    days: int = 0
    revisions: int = 0
    is_about_lateness: bool = False
    adds: bool = False


@dataclass
class ModelCase:
    asked: Asked
    side: str
    step: Step | None
    opened_at: datetime
    status: str = "open"
    silence: str = ""
    answer_by: datetime | None = None
    escalate_by: datetime | None = None
    ended_at: datetime | None = None
    first_upcoming: Step | None = None

    @property
    def name(self) -> str:
        return f"{self.asked.kind} {self.side}"

    @property
    def is_dispute(self) -> bool:
        return self.asked.kind in DISPUTES

    @property
    def is_pending(self) -> bool:
        return self.status in ("open", "escalated")


@dataclass
class Marketplace(ModelOrder):
    """An order with its cases."""

    cases: list[ModelCase] = field(default_factory=list)
    bank_is_deciding: bool = False

    @property
    def dispute(self) -> ModelCase | None:
        return next((case for case in self.cases if case.is_dispute and case.is_pending), None)

    def void_since(self, case: ModelCase) -> datetime | None:
        """R4: when what the proposal speaks of ended."""
        if case.is_dispute or case.status != "open":
            return None
        step, kind = case.step, case.asked.kind
        ends = [self.ended_at, case.first_upcoming.started_at if case.first_upcoming else None]
        if kind != "change_upcoming" and step:
            ends.append(step.ended_at)
            if kind == "extend" and step.delivered_at and step.delivered_at >= case.opened_at:
                ends.append(step.delivered_at)
        return min((end for end in ends if end), default=None)

    def is_silent(self, case: ModelCase) -> bool:
        """While a dispute freezes the order, the time to answer a proposal stands still."""
        until = self.now if case.is_dispute else self.paused_at or self.now
        return case.status == "open" and case.answer_by is not None and case.answer_by <= until

    # What the clock owes (O7, R2, R4)

    def settle_cases(self) -> None:
        due = [case for case in self.cases if self.void_since(case) or self.is_silent(case)]
        for case in sorted(due, key=lambda case: case.answer_by or case.opened_at):
            at = case.answer_by
            if at and self.decide_by and not self.paused_at and self.decide_by < at:
                self.lapse_if_overdue()  # it came first
            void_since = self.void_since(case)
            if void_since and at and void_since < at:
                case.status, case.ended_at = "void", void_since
            elif at and self.is_silent(case):
                self.fall_silent(case, at)

    def fall_silent(self, case: ModelCase, at: datetime) -> None:
        case.status = {"agreed": "accepted", "to_support": "escalated", "withdrawn": "withdrawn"}[case.silence]
        if case.status == "escalated":
            return
        case.ended_at = at
        if case.status == "accepted":
            self.take_effect(case, at)

    def open_owed_dispute(self) -> None:
        """O15: 30 days past without an act of either side."""
        step = self.open
        if self.paused_at or not step or step.status not in IN_WORK:
            return
        ends = [case.ended_at for case in self.cases if case.ended_at]
        assert step.deliver_by
        assert self.acted_at
        due = max(step.deliver_by, self.acted_at, *ends) + ABANDONED
        if due <= self.now:
            self.wait_for_support(ModelCase(Asked("cancel_milestone"), "clock", step, due))

    def wait_for_support(self, case: ModelCase) -> None:
        case.status = "escalated"
        self.cases.append(case)
        self.freeze(case.opened_at)

    # Opening (R1 to R5)

    def may_open(self, kind: str, *, dispute: bool) -> bool:
        if self.status != "active" or self.paused_at or (dispute and self.undecided):
            return False
        return bool(self.open) or kind in ("cancel_order", "change_upcoming")

    def open_case(self, asked: Asked, side: str) -> bool:
        kind, step = asked.kind, self.open
        case = ModelCase(asked, side, step, self.now)
        if not self.may_open(kind, dispute=case.is_dispute) or not self.is_possible(case):
            return False
        is_late = bool(step and step.status in IN_WORK and step.deliver_by and step.deliver_by <= self.now)
        very_late = bool(step and step.status == "in_progress" and step.very_late_at and step.very_late_at <= self.now)
        at_once = asked.is_about_lateness and side == "buyer" and very_late and kind != "partial_refund"
        if asked.is_about_lateness and not (side == "buyer" and is_late):
            return False
        if case.is_dispute and not at_once:
            about = [other for other in self.cases if other.step is step and other.is_dispute and other.side == side]
            if len(about) >= 2:
                return False
        if not case.is_dispute and any(
            not other.is_dispute and other.status == "open" and not self.void_since(other) for other in self.cases
        ):
            return False
        self.cases.append(case)
        case.answer_by, case.silence = self.now + ANSWER, self.silence_of(case)
        if at_once:
            case.status, case.ended_at = "accepted", self.now
            self.cancel_what(kind, "canceled_late", self.now)
            return True
        if case.is_dispute:
            self.freeze(self.now)
        return True

    def silence_of(self, case: ModelCase) -> str:
        if not case.is_dispute:
            return "withdrawn"
        if case.asked.kind == "partial_refund":
            return "agreed" if case.side == "seller" else "to_support"
        return "to_support" if case.step and case.step.delivered_at else "agreed"

    def is_possible(self, case: ModelCase) -> bool:
        """What a case asks for is possible now, and this side may ask for it (R2)."""
        kind, step = case.asked.kind, self.open
        if kind == "partial_refund":
            return bool(step) and 0 < case.asked.price < step.left_price
        if kind == "extend":
            return bool(step) and case.side == "seller" and step.status in IN_WORK and not self.paused_at
        if kind == "extra_revisions":
            in_state = bool(step) and step.status in ("delivered", "in_revision") and step.revisions is not None
            if case.status == "open" and case in self.cases:
                in_state = bool(step) and step.revisions is not None
            return in_state and case.side == "buyer" and not self.paused_at
        if kind == "change_upcoming":
            case.first_upcoming = case.first_upcoming or self.next
            upcoming = [one for one in self.steps if one.status == "planned"]
            drops_all = not case.asked.adds and len(upcoming) <= 1 and not self.current
            changes = len(self.steps) < MOST_STEPS if case.asked.adds else bool(upcoming)
            return self.status == "active" and not self.paused_at and changes and not drops_all
        return True

    # Answering (R2 to R4)

    def accept_case(self, case: ModelCase, side: str) -> bool:
        if case.status != "open" or side != OTHER_SIDE.get(case.side) or self.void_since(case):
            return False
        if not self.is_possible(case):
            return False
        case.status, case.ended_at = "accepted", self.now
        self.take_effect(case, self.now)
        return True

    def decline_case(self, case: ModelCase, side: str) -> bool:
        if case.status != "open" or side != OTHER_SIDE.get(case.side) or self.void_since(case):
            return False
        case.status, case.ended_at = "declined", self.now
        if case.is_dispute:
            self.go_on(self.now)
            case.escalate_by = self.now + ESCALATION
        return True

    def withdraw_case(self, case: ModelCase, side: str) -> bool:
        if (
            not case.is_pending
            or side != case.side
            or self.void_since(case)
            or (case.is_dispute and self.bank_is_deciding)
        ):
            return False
        case.status, case.ended_at = "withdrawn", self.now
        if case.is_dispute:
            self.unfreeze_all(self.now, least_rest=False)
        return True

    def escalate_case(self, case: ModelCase, side: str) -> bool:
        in_time = case.status == "declined" and case.escalate_by is not None and self.now < case.escalate_by
        if not in_time or side != case.side or self.status != "active" or self.paused_at or self.undecided:
            return False
        if case.step and case.step.ended_at:
            return False
        case.status, case.ended_at = "escalated", None
        self.freeze(self.now)
        return True

    # Support (R6)

    def open_by_support(self, kind: str) -> bool:
        if not self.may_open(kind, dispute=True):
            return False
        self.wait_for_support(ModelCase(Asked(kind), "support", self.open, self.now))
        return True

    def may_rule(self, ruling: Asked) -> bool:
        step = self.open
        if ruling.kind == "cancel_order":
            return self.status == "active" and not self.undecided
        if step is None:
            return False
        if ruling.kind == "extend":
            return step.status in IN_WORK
        return ruling.kind != "split" or 0 < ruling.price < step.left_price

    def rule(self, case: ModelCase, ruling: Asked) -> bool:
        if not case.is_dispute or not case.is_pending or self.bank_is_deciding or not self.may_rule(ruling):
            return False
        case.status, case.ended_at = "ruled", self.now
        self.carry_out(ruling)
        return True

    def rule_without_case(self, ruling: Asked) -> bool:
        kind = "cancel_order" if ruling.kind == "cancel_order" else "cancel_milestone"
        if not self.may_open(kind, dispute=True) or not self.may_rule(ruling):
            return False
        self.cases.append(ModelCase(Asked(kind), "support", self.open, self.now, "ruled", ended_at=self.now))
        self.carry_out(ruling)
        return True

    def dismiss(self, case: ModelCase) -> bool:
        if not case.is_dispute or not case.is_pending or self.bank_is_deciding:
            return False
        case.status, case.ended_at = "dismissed", self.now
        self.go_on(self.now)
        return True

    def carry_out(self, ruling: Asked) -> None:
        if ruling.kind in ("cancel_milestone", "cancel_order"):
            self.cancel_what(ruling.kind, "canceled_by_support", self.now)
            return
        if self.paused_at:
            self.go_on(self.now)
        step = self.open
        assert step
        if ruling.kind == "extend":
            self.extend(step, ruling.days, self.now)
            return
        if ruling.kind == "split":
            step.refund_part(ruling.price)
        self.complete(step, self.now)
        self.decide_by = self.now + REVIEW
        self.end_if_nothing_is_left("finished", self.now)

    # The bank (M10)

    def bank_takes_back(self, step: Step) -> None:
        """Milestone open: a dispute for support, or the open one waits for the bank. Ended: its state stays."""
        if not step.ended_at:
            self.bank_is_deciding = True
            if self.dispute:
                self.dispute.status = "escalated"
            else:
                self.wait_for_support(ModelCase(Asked("chargeback"), "clock", step, self.now))

    def bank_decides_dispute(self, step: Step, *, won: bool) -> None:
        if step.ended_at:
            return
        self.bank_is_deciding = False
        case = self.dispute
        assert case
        if won and case.asked.kind == "chargeback":
            case.status, case.ended_at = "dismissed", self.now
            self.go_on(self.now)
        if won:
            return
        case.status, case.ended_at = "ruled", self.now
        self.unfreeze_all(self.now, least_rest=False)
        step.charged_back, step.held = step.held, 0
        step.status, step.ended_at, self.decide_by = "canceled", self.now, self.now + REVIEW
        self.end_if_nothing_is_left("canceled_by_support", self.now)

    # What the end of a case does

    def take_effect(self, case: ModelCase, at: datetime) -> None:
        asked, step = case.asked, case.step
        if asked.kind in ("cancel_milestone", "cancel_order"):
            self.cancel_what(asked.kind, "canceled_by_agreement", at)
        elif asked.kind == "change_upcoming":
            if asked.adds:
                self.steps.append(Step(8_000, 3, 1))
            else:
                self.steps.pop()
        elif asked.kind == "partial_refund" and step:
            self.go_on(at)
            step.refund_part(asked.price)
        elif asked.kind == "extend" and step:
            self.extend(step, asked.days, at)
        elif step:
            step.granted += asked.revisions

    def extend(self, step: Step, days: int, at: datetime) -> None:
        assert step.deliver_by
        step.deliver_by = max(step.deliver_by, at) + timedelta(days=days)
        step.very_late_at = step.deliver_by + timedelta(hours=24)

    def cancel_what(self, kind: str, because: str, at: datetime) -> None:
        if self.paused_at:
            self.unfreeze_all(at, least_rest=False)
        if self.open:
            self.cancel(self.open, at)
        if kind == "cancel_order":
            self.end(because, at)
            return
        self.decide_by = at + REVIEW
        self.end_if_nothing_is_left(because, at)

    def go_on(self, at: datetime) -> None:
        self.unfreeze_all(at, least_rest=True)

    def unfreeze_all(self, at: datetime, *, least_rest: bool) -> None:
        """The clocks of the order, and those of its other cases (R4)."""
        paused = self.paused_at
        assert paused
        for case in self.cases:
            if not case.is_dispute and case.status == "open" and case.answer_by and case.answer_by > paused:
                case.answer_by += at - paused
            over = case.ended_at is None or case.ended_at >= at
            if case.status == "declined" and case.escalate_by and case.escalate_by > paused and not over:
                case.escalate_by += at - paused
        self.unfreeze(at, least_rest=least_rest)
