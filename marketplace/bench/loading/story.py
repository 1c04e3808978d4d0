"""An order that is played through the site's own services: the pattern of thousands of rows that are copied from it.

So every pattern keeps every promise, whatever the rules are by now, and nothing of them is written here once more.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from io import StringIO
from uuid import UUID

from django.core.management import call_command
from django.db import transaction

import payments.services
import resolution.services as cases
from marketplace import clock
from marketplace.accounts.models import User
from marketplace.catalog.models import Gig, Terms
from marketplace.catalog.plans import PlannedMilestone
from marketplace.reviews.services import publish_due_reviews, write_review
from orders import services
from orders.models import Milestone, Order
from orders.models.order import new_number
from payments.gateways import sandbox_bank, sandbox_disputes
from payments.models import SandboxCharge, SandboxDispute
from resolution.models import Asked, Case, Reason

TEXT = "Please keep to the colors of the sheet that I sent you last week, and ask me whenever something is unclear."


@dataclass(frozen=True)
class Staff:
    support: User
    finance: User


@dataclass(frozen=True)
class Plot:
    """How an order of one kind goes: `begins` before the present, and `weight` of the 10,000 that are copied.

    `most` bounds how many there are, whatever the size of the data set: queues that people work through stay short.
    `slack` bounds how much earlier than the pattern a copy may be, where no date of its rows says it.
    """

    name: str
    tell: "Callable[[Story], None]"
    weight: int
    begins: timedelta
    steps: int = 1
    most: int | None = None
    slack: timedelta | None = None


@dataclass
class Story:
    """One order as it is told; `present` moves forward with `wait`."""

    plot: Plot
    gig: Gig
    buyer: User
    staff: Staff
    present: datetime
    order: Order = field(init=False)
    case: Case = field(init=False)

    @property
    def seller(self) -> User:
        return self.gig.seller

    def wait(self, *, days: float = 0, hours: float = 0, minutes: float = 0) -> "Story":
        self.present += timedelta(days=days, hours=hours, minutes=minutes)
        return self

    def _now(self, act: Callable[[], object]) -> "Story":
        with clock.at(self.present):
            act()
        return self

    def milestone(self) -> Milestone:
        order = Order.objects.whole().get(pk=self.order.pk)
        milestone = order.current or order.next_milestone
        assert milestone
        return milestone

    # The buyer and the seller.

    def place(self, method: str = "card_ok") -> "Story":
        """Order the gig's plan and pay for its first milestone."""

        def act() -> None:
            self.order = services.order_gig(
                self.gig,
                by=self.buyer,
                brief=TEXT,
                method=method,
                gig_version=self.gig.version,
                terms_id=Terms.objects.in_force().pk,
                number=new_number(),
            )

        return self._now(act)

    def offer(self) -> "Story":
        """The seller sends a custom offer of the same plan."""

        def act() -> None:
            self.order = services.send_offer(
                by=self.seller,
                buyer=self.buyer,
                title=self.gig.title,
                brief=TEXT,
                currency=self.gig.currency,
                plan=[PlannedMilestone.of(step) for step in self.gig.plan.all()],
                gig=self.gig,
            )

        return self._now(act)

    def take_offer(self) -> "Story":
        return self._now(lambda: services.place(self.order, by=self.buyer, method="card_ok"))

    def decline_offer(self) -> "Story":
        return self._now(lambda: services.decline_offer(self.order, by=self.buyer))

    def withdraw_offer(self) -> "Story":
        return self._now(lambda: services.withdraw_offer(self.order, by=self.seller))

    def deliver(self) -> "Story":
        return self._now(lambda: services.deliver(self.milestone(), by=self.seller, message=TEXT))

    def accept(self) -> "Story":
        return self._now(lambda: services.accept(self.milestone(), by=self.buyer))

    def start(self, method: str = "card_ok", *, use_credit: bool = False) -> "Story":
        return self._now(lambda: services.start(self.milestone(), by=self.buyer, method=method, use_credit=use_credit))

    def revise(self) -> "Story":
        return self._now(lambda: services.request_revision(self.milestone(), by=self.buyer, text=TEXT))

    def stop(self) -> "Story":
        return self._now(lambda: services.stop(self.order, by=self.buyer))

    def talk(self) -> "Story":
        """A question, an answer, and that it was read."""

        def act() -> None:
            services.send_message(self.order, by=self.seller, text=TEXT)
            services.mark_read(self.order, by=self.buyer)
            services.send_message(self.order, by=self.buyer, text=TEXT)

        return self._now(act)

    def step(self) -> "Story":
        """The current milestone is delivered and accepted."""
        return self.wait(days=2).deliver().wait(days=1).accept()

    def review(self, *ratings: int) -> "Story":
        """The buyer reviews with the first of the ratings, the seller with the second."""
        for author, rating in zip((self.buyer, self.seller), ratings, strict=False):
            self._now(partial(write_review, self.order, by=author, rating=rating, text=TEXT))
        return self

    # Cases.

    def open_case(self, kind: str, reason: str, *, by: User | None = None, asked: Asked | None = None) -> "Story":
        def act() -> None:
            self.case = cases.open_case(
                self.order,
                by=by or self.buyer,
                kind=kind,
                reason=Reason.objects.get(code=reason),
                statement=TEXT,
                asked=asked or Asked(),
            )

        return self._now(act)

    def accept_case(self, *, by: User | None = None) -> "Story":
        return self._now(lambda: cases.accept_case(self.case, by=by or self.seller))

    def decline_case(self, *, by: User | None = None) -> "Story":
        return self._now(lambda: cases.decline_case(self.case, by=by or self.seller, text=TEXT))

    def withdraw_case(self) -> "Story":
        return self._now(lambda: cases.withdraw_case(self.case, by=self.buyer))

    def escalate(self) -> "Story":
        def act() -> None:
            cases.escalate_case(self.case, by=self.buyer, text=TEXT)
            cases.write_in_case(self.case, by=self.seller, text=TEXT)

        return self._now(act)

    def rule(self, ruling: str, *, price: int = 0, as_credit: bool = False) -> "Story":
        def act() -> None:
            decision = cases.Decision(Case.Ruling(ruling), price=price, as_credit=as_credit)
            reason = Reason.objects.get(code="not_as_described")
            cases.rule(self.case, decision, by=self.staff.support, reason=reason, note=TEXT)
            cases.note_for_support(self.order, by=self.staff.support, text=TEXT, case=self.case)

        return self._now(act)

    def dismiss(self) -> "Story":
        def act() -> None:
            reason = Reason.objects.get(code="not_as_described")
            cases.dismiss_case(self.case, by=self.staff.support, reason=reason, note=TEXT)

        return self._now(act)

    # The clock.

    def sweep(self) -> "Story":
        """Everything that is due is done, as beat would do it."""
        return self._now(do_what_is_due)

    def charge_back(self) -> "Story":
        """The payer's bank takes the first payment back, and the provider tells us."""

        def act() -> None:
            held = self.order.plan[0].held
            assert held
            charge = SandboxCharge.objects.get(key=held.charges.get().key)
            sandbox_disputes.take_back(charge.pk, at=clock.now())

        return self._now(act).sweep()

    def decide_chargeback(self, *, won: bool) -> "Story":
        def act() -> None:
            dispute = SandboxDispute.objects.get(charge__reference__startswith=self.order.number)
            sandbox_disputes.decide(dispute.pk, won=won, at=clock.now())

        return self._now(act).sweep()

    def approve_withdrawal(self) -> "Story":
        """Finance pays out what the seller has asked for."""

        def act() -> None:
            with transaction.atomic():
                (withdrawal,) = self.seller.withdrawals.all()
                payments.services.approve_withdrawal(withdrawal, by=self.staff.finance, at=clock.now())

        return self._now(act)

    def request_withdrawal(self) -> "Story":
        """The seller connects an account and asks for all that is available."""

        def act() -> None:
            now = clock.now()
            account = payments.services.connect_payout_account(self.seller, at=now)
            sandbox_bank.choose_account(UUID(account.provider_id), "bank_ok", at=now)
            payments.services.refresh_payout_account(account, at=now)
            amount = payments.services.balance(self.seller, self.gig.currency)
            with transaction.atomic():
                payments.services.request_withdrawal(self.seller, currency=self.gig.currency, amount=amount, at=now)

        return self._now(act)


def do_what_is_due() -> None:
    call_command("sweep", stdout=StringIO())
    publish_due_reviews()
