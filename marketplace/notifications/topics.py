"""The topics of notices: what people choose about. Every kind of notice belongs to one (P4)."""

from typing import NamedTuple

from django.db import models
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrPromise


class Topic(models.TextChoices):
    TO_DO = "to-do", _("What waits for you")
    ORDERS = "orders", _("Orders moving on")
    MESSAGES = "messages", _("Messages")
    CASES = "cases", _("Cases and support")
    MONEY = "money", _("Money")
    REVIEWS = "reviews", _("Reviews")
    STAFF = "staff", _("Finance alarms")


class About(NamedTuple):
    """What a topic holds, the label of the button in its e-mails, and what its reader risks without them."""

    holds: StrPromise
    action: StrPromise
    without_mail: StrPromise | None = None
    may_be_quiet: bool = False
    """Nothing in it has to be answered: it may arrive in the list as already read."""


ABOUT: dict[Topic, About] = {
    Topic.TO_DO: About(
        _("Offers, deliveries to review, work that can begin, and reminders before a deadline."),
        _("See what to do"),
        _("Deadlines run on without e-mail: look here often, or use the calendar below."),
    ),
    Topic.ORDERS: About(
        _("Milestones accepted or canceled, dates that moved, orders that ended."),
        _("Open the order"),
        may_be_quiet=True,
    ),
    Topic.MESSAGES: About(_("What the other side writes to you in an order."), _("Read and answer")),
    Topic.CASES: About(
        _("Disputes and proposals in your orders, and what Customer Support decides."),
        _("Open the case"),
        _("A case that nobody answers in time decides itself."),
    ),
    Topic.MONEY: About(_("Payments that failed or wait, refunds, chargebacks and withdrawals."), _("See the details")),
    Topic.REVIEWS: About(
        _("Reviews of your orders: that you can write one, and that one is there to read."),
        _("See the review"),
        may_be_quiet=True,
    ),
    Topic.STAFF: About(
        _("Refused refunds, chargebacks, withdrawals to approve, and failed proofs of the ledger."),
        _("Open it in admin"),
        _("Money waits for you in these."),
    ),
}

_KINDS: dict[Topic, tuple[str, ...]] = {
    Topic.TO_DO: ("offered", "offer_edited", "offer_asked", "funded", "delivered", "revision_requested", "reminder"),
    Topic.ORDERS: (
        "accepted",
        "lapsed",
        "completed_by_support",
        "canceled",
        "revisions_granted",
        "delivery_extended",
        "plan_changed",
        "file_withheld",
        "ended",
    ),
    Topic.MESSAGES: ("message",),
    Topic.CASES: (
        "case_opened",
        "case_accepted",
        "case_declined",
        "case_withdrawn",
        "case_unanswered",
        "case_escalated",
        "case_ruled",
        "case_dismissed",
        "case_void",
        "case_settled",
        "case_message",
    ),
    Topic.MONEY: (
        "payment_failed",
        "payment_abandoned",
        "payment_processing",
        "payment_returned",
        "refund_refused",
        "refund_credited",
        "partly_refunded",
        "chargeback_taken",
        "chargeback_won",
        "chargeback_lost",
        "chargeback_borne",
        "canceled_by_bank",
        "withdrawal_approved",
        "withdrawal_paid",
        "withdrawal_rejected",
        "withdrawal_failed",
    ),
    Topic.REVIEWS: ("review_asked", "review_written", "reviews_published", "review_hidden"),
    Topic.STAFF: ("finance", "proof_failed"),
}
TOPICS: dict[str, Topic] = {kind: topic for topic, kinds in _KINDS.items() for kind in kinds}


def topic_of(kind: str) -> Topic:
    """The topic of a kind of notice. One that the table lacks (a test finds it) is about an order moving on."""
    return TOPICS.get(kind, Topic.ORDERS)


def kinds_of(topic: Topic) -> tuple[str, ...]:
    return _KINDS[topic]


def topics_of(*, is_staff: bool) -> list[Topic]:
    """The topics that a person can be told of."""
    return [topic for topic in Topic if is_staff or topic != Topic.STAFF]
