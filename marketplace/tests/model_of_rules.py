"""A small model of `rules.md`: what one order, its milestones, its money and its payments must be after each act.

Written from the rules, not from the code, and it imports none of it: plain values, `timedelta` and whole cents. Each
act answers whether it is allowed, and changes the model if it is. What cases do stands in `model_of_cases`.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

REVIEW, PAYMENT, PROCESSING = timedelta(days=8), timedelta(hours=24), timedelta(days=14)
OFFER, REVISION, VERY_LATE, LEAST_REST = timedelta(days=14), timedelta(days=3), timedelta(hours=24), timedelta(hours=24)
BUYER_FEE, COMMISSION = 550, 2000
ASK_AGAIN, ASK_THE_BANK_AGAIN = timedelta(seconds=30), timedelta(minutes=3)
BANK_TAKES = timedelta(seconds=20)

OPEN = ("in_progress", "delivered", "in_revision")
IN_WORK = ("in_progress", "in_revision")
# What the provider answers to each card at once; the last two of them are decided later.
FIRST_ANSWER = {
    "card_ok": "succeeded",
    "card_refund_refused": "succeeded",
    "card_lost": "succeeded",
    "card_declined": "failed",
    "card_authentication": "action_needed",
    "card_processing": "processing",
    "card_processing_fails": "processing",
}
UNDECIDED = ("created", "asking", "action_needed", "processing")


def fee(price: int, rate: int) -> int:
    """M3: half up to the minor unit; `rate` in hundredths of a percent."""
    return (price * rate + 5000) // 10000


@dataclass
class Attempt:
    """One attempt to pay: what the provider has done, and what was recorded of it here (M7)."""

    card: str
    amount: int
    bank: str = ""
    known: str = "created"
    settles_at: datetime | None = None
    asked_at: datetime | None = None
    created_at: datetime | None = None
    is_to_be_canceled: bool = False
    was_told: bool = False


@dataclass
class Step:
    """A milestone: its terms, its state, its clocks, and where its money is."""

    price: int
    days: int
    revisions: int | None
    status: str = "planned"
    granted: int = 0
    used: int = 0
    started_at: datetime | None = None
    pay_by: datetime | None = None
    deliver_from: datetime | None = None
    deliver_by: datetime | None = None
    very_late_at: datetime | None = None
    delivered_at: datetime | None = None
    ended_at: datetime | None = None
    attempts: list[Attempt] = field(default_factory=list)
    paid_by: Attempt | None = None
    charged: int = 0
    held: int = 0
    refunded_price: int = 0
    back: int = 0
    seller: int = 0
    fees: int = 0
    charged_back: int = 0
    paused: timedelta = timedelta()

    @property
    def total(self) -> int:
        return self.price + fee(self.price, BUYER_FEE)

    @property
    def left_price(self) -> int:
        return self.price - self.refunded_price

    @property
    def undecided(self) -> bool:
        return any(attempt.known in UNDECIDED for attempt in self.attempts)

    def refund_part(self, part: int) -> None:
        """M3: a partial refund of price r gives back r + fee(price) - fee(price - r)."""
        back = part + fee(self.left_price, BUYER_FEE) - fee(self.left_price - part, BUYER_FEE)
        self.refunded_price += part
        self.held -= back
        self.back += back

    def refund_all(self) -> None:
        self.back += self.held
        self.held, self.refunded_price = 0, self.price

    def release(self) -> None:
        """M3: the seller gets the price less the commission, the platform the exact rest."""
        self.seller = self.left_price - fee(self.left_price, COMMISSION)
        self.fees, self.held = self.held - self.seller, 0

    def due(self, start: datetime, end: datetime) -> None:
        self.deliver_from, self.deliver_by, self.very_late_at = start, end, end + VERY_LATE


@dataclass
class ModelOrder:
    """An order from its offer to its end. `now` is the instant of the act; the clock's work was done before (O7)."""

    steps: list[Step]
    now: datetime
    status: str = "offered"
    because: str = ""
    decide_by: datetime | None = None
    paused_at: datetime | None = None
    ended_at: datetime | None = None
    acted_at: datetime | None = None
    buyer_is_active: bool = True

    @property
    def current(self) -> Step | None:
        return next((step for step in self.steps if step.status in (*OPEN, "awaiting_payment")), None)

    @property
    def open(self) -> Step | None:
        return next((step for step in self.steps if step.status in OPEN), None)

    @property
    def next(self) -> Step | None:
        return next((step for step in self.steps if step.status == "planned"), None)

    @property
    def undecided(self) -> bool:
        return bool(self.current and self.current.status == "awaiting_payment" and self.current.undecided)

    # What the clock owes (O6, O7, O14)

    def lapse_if_overdue(self) -> None:
        if self.decide_by is None or self.paused_at or self.decide_by > self.now:
            return
        at, current = self.decide_by, self.current
        if self.status == "offered":
            because = "expired"
        elif self.status == "awaiting_payment":
            because = "unpaid"
        elif current and current.status == "delivered":
            self.complete(current, at)
            because = "lapsed" if self.next else "finished"
        else:
            because = "not_continued"
        self.end(because, at)

    def end(self, because: str, at: datetime) -> None:
        """O12: completed if one of its milestones was, else canceled."""
        for step in self.steps:
            if step.status in ("planned", "awaiting_payment"):
                step.status, step.ended_at = "not_started", at
                self.cancel_attempts(step)
        self.status = "completed" if any(step.status == "completed" for step in self.steps) else "canceled"
        self.because, self.decide_by, self.paused_at, self.ended_at = because, None, None, at

    def end_if_nothing_is_left(self, because: str, at: datetime) -> None:
        """O13."""
        if not self.current and not self.next:
            self.end(because, at)

    def complete(self, step: Step, at: datetime) -> None:
        step.release()
        step.status, step.ended_at = "completed", at

    def cancel(self, step: Step, at: datetime) -> None:
        step.refund_all()
        step.status, step.ended_at = "canceled", at

    # The offer (G3)

    def place(self, card: str) -> bool:
        if self.status != "offered" or not self.buyer_is_active:
            return False
        self.status = "awaiting_payment"
        self.begin(self.steps[0], card)
        return True

    def decline(self) -> bool:
        return self.leave("declined", allowed=self.status == "offered")

    def withdraw_offer(self) -> bool:
        return self.leave("withdrawn", allowed=self.status == "offered")

    def stop(self) -> bool:
        """O9."""
        allowed = self.status == "active" and not self.paused_at and not self.open and not self.undecided
        return self.leave("stopped", allowed=allowed)

    def leave(self, because: str, *, allowed: bool) -> bool:
        if allowed:
            self.end(because, self.now)
        return allowed

    # Paying (O3, O4, M7, M8)

    def start(self, card: str) -> bool:
        step = self.next
        under_way = self.status == "active" and not self.paused_at and self.buyer_is_active
        if not under_way or self.current or step is None:
            return False
        self.begin(step, card)
        return True

    def begin(self, step: Step, card: str) -> None:
        step.status, step.started_at = "awaiting_payment", self.now
        self.decide_by = step.pay_by = max(self.decide_by or self.now, self.now + PAYMENT)
        step.attempts.append(Attempt(card, step.total, created_at=self.now))

    def pay(self, card: str) -> bool:
        step = self.current
        if not step or step.status != "awaiting_payment" or self.paused_at or step.undecided:
            return False
        if not self.buyer_is_active:
            return False
        step.attempts.append(Attempt(card, step.total, created_at=self.now))
        return True

    def abandon(self) -> bool:
        step = self.current
        if not step or step.status != "awaiting_payment" or self.paused_at:
            return False
        if step.attempts[-1].known != "action_needed":
            return False
        self.cancel_attempts(step)
        self.learn(step, step.attempts[-1], step.attempts[-1].bank)
        return True

    def cancel_attempts(self, step: Step) -> None:
        for attempt in step.attempts:
            if attempt.known == "created":
                attempt.known = "canceled"
            elif attempt.known in UNDECIDED:
                attempt.is_to_be_canceled = True
                self.ask(attempt)

    def ask(self, attempt: Attempt) -> None:
        """The provider is asked, again with the same key or for the first time; what it says is not recorded yet."""
        self.bank_decides(attempt)
        if not attempt.bank:
            attempt.bank = FIRST_ANSWER[attempt.card]
            if attempt.bank == "processing":
                attempt.settles_at = self.now + BANK_TAKES
        elif attempt.is_to_be_canceled and attempt.bank == "action_needed":
            attempt.bank = "canceled"
        if attempt.known == "created":
            attempt.known = "asking"

    def bank_decides(self, attempt: Attempt) -> None:
        if attempt.bank == "processing" and attempt.settles_at and attempt.settles_at <= self.now:
            attempt.bank = "failed" if attempt.card == "card_processing_fails" else "succeeded"

    def collect(self, step: Step, attempt: Attempt) -> None:
        """Steps two and three; the first answer about a lost card does not arrive."""
        is_lost = attempt.known == "created" and attempt.card == "card_lost"
        self.ask(attempt)
        said, attempt.asked_at = attempt.bank, self.now
        self.lapse_if_overdue()
        if not is_lost:
            self.learn(step, attempt, said)

    def learn(self, step: Step, attempt: Attempt, said: str) -> None:
        """The one door for an answer, whoever brings it: recorded once, while nothing else has been decided."""
        if attempt.known not in UNDECIDED or said == attempt.known:
            return
        attempt.known = said
        if said == "succeeded":
            self.succeeded(step, attempt)
        elif step.status == "awaiting_payment" and said == "failed":
            assert step.pay_by
            assert step.started_at
            if self.decide_by != step.pay_by:
                if step.pay_by <= self.now:
                    step.pay_by = min(self.now + PAYMENT, step.started_at + PROCESSING + step.paused)
                self.decide_by = step.pay_by
        elif step.status == "awaiting_payment" and said == "processing":
            assert step.started_at
            self.decide_by = step.started_at + PROCESSING + step.paused

    def succeeded(self, step: Step, attempt: Attempt) -> None:
        step.charged += attempt.amount
        if step.status != "awaiting_payment":
            step.back += attempt.amount  # M8
            return
        step.held, step.paid_by = attempt.amount, attempt
        step.status, self.status, self.decide_by = "in_progress", "active", None
        step.due(self.now, self.now + timedelta(days=step.days))

    @property
    def attempts(self) -> list[tuple[Step, Attempt]]:
        """In the order in which they were made: a later milestone is paid later (O1)."""
        return [(step, attempt) for step in self.steps for attempt in step.attempts]

    def settle_attempts(self) -> None:
        """The periodic task repeats steps two and three for what a crash or a silent provider left (I15)."""
        for step, attempt in [one for one in self.attempts if self.is_left_behind(one[1])]:
            self.collect(step, attempt)

    def is_left_behind(self, attempt: Attempt) -> bool:
        last = attempt.asked_at or attempt.created_at
        assert last
        waits = attempt.known in ("action_needed", "processing") and not attempt.is_to_be_canceled
        waited = last <= self.now - ASK_THE_BANK_AGAIN if waits else last < self.now - ASK_AGAIN
        return attempt.known in UNDECIDED and waited

    def events_arrive(self) -> None:
        """Each decision of the provider is told at least once, in any order; an undecided one is not."""
        for _, attempt in self.attempts:
            self.bank_decides(attempt)
        for step, attempt in self.attempts:
            if attempt.bank in ("succeeded", "failed", "canceled") and not attempt.was_told:
                attempt.was_told = True
                self.event_arrives(step, attempt)

    def event_arrives(self, step: Step, attempt: Attempt) -> None:
        """Once more or for the first time: the clock's work comes first (O7)."""
        said = attempt.bank
        self.lapse_if_overdue()
        self.learn(step, attempt, said)

    # Working (O5, O6, O8)

    def deliver(self) -> bool:
        step = self.open
        if not step or self.paused_at:
            return False
        step.status, step.delivered_at, self.decide_by = "delivered", self.now, self.now + REVIEW
        return True

    def request_revision(self) -> bool:
        step = self.open
        if not step or step.status != "delivered" or self.paused_at:
            return False
        if step.revisions is not None and step.used >= step.revisions + step.granted:
            return False
        step.used += 1
        step.status, self.decide_by = "in_revision", None
        step.due(self.now, self.now + REVISION)
        return True

    def grant_revisions(self, count: int) -> bool:
        step = self.open
        if not step or self.paused_at or step.revisions is None:
            return False
        step.granted += count
        return True

    def accept(self, *, to_continue: bool = False) -> bool:
        step = self.open
        if not step or step.status not in ("delivered", "in_revision") or self.paused_at:
            return False
        if to_continue and not (self.next and self.buyer_is_active):
            return False
        if step.status == "in_revision":
            self.decide_by = self.now + REVIEW  # O13
        self.complete(step, self.now)
        self.end_if_nothing_is_left("finished", self.now)
        return True

    # Standing still (R4)

    def freeze(self, at: datetime) -> None:
        self.paused_at = at

    def unfreeze(self, at: datetime, *, least_rest: bool) -> None:
        """Every clock that had not run out gets the pause; after a decline or dismissal at least 24 h are left."""
        paused, self.paused_at = self.paused_at, None
        assert paused

        def moved(clock: datetime, since: datetime) -> datetime:
            exact = clock + (at - since)
            return max(exact, at + LEAST_REST) if least_rest else exact

        step = self.current
        if self.decide_by and self.decide_by > paused:
            until = moved(self.decide_by, paused)
            if step and step.status == "awaiting_payment" and step.pay_by:
                step.pay_by += until - self.decide_by
                step.paused += until - self.decide_by
            self.decide_by = until
        if step and step.status in IN_WORK and step.deliver_by and step.very_late_at and step.deliver_from:
            if step.deliver_by > paused:
                step.deliver_by = moved(step.deliver_by, max(paused, step.deliver_from))
                step.very_late_at = step.deliver_by + VERY_LATE
            elif step.very_late_at > paused:
                step.very_late_at = moved(step.very_late_at, paused)
