"""What a case can be about, who opens it, how it stands, what silence means, what support can decide (R1, R2, R6)."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Kind(models.TextChoices):
    CANCEL_MILESTONE = "cancel_milestone", _("Cancel the milestone")
    CANCEL_ORDER = "cancel_order", _("Cancel the order")
    PARTIAL_REFUND = "partial_refund", _("Refund a part")
    CHARGEBACK = "chargeback", _("The bank took the payment back")
    EXTEND = "extend", _("Extend the delivery date")
    EXTRA_REVISIONS = "extra_revisions", _("Extra revisions")
    CHANGE_UPCOMING = "change_upcoming", _("Change upcoming milestones")


# A dispute freezes the order until it ends; a proposal freezes nothing (R4).
DISPUTES = (Kind.CANCEL_MILESTONE, Kind.CANCEL_ORDER, Kind.PARTIAL_REFUND, Kind.CHARGEBACK)
PROPOSALS = (Kind.EXTEND, Kind.EXTRA_REVISIONS, Kind.CHANGE_UPCOMING)
# Those that speak of the milestone that is open when they are opened.
OF_OPEN_MILESTONE = (
    Kind.CANCEL_MILESTONE,
    Kind.PARTIAL_REFUND,
    Kind.CHARGEBACK,
    Kind.EXTEND,
    Kind.EXTRA_REVISIONS,
)


class Side(models.TextChoices):
    BUYER = "buyer", _("Buyer")
    SELLER = "seller", _("Seller")
    SUPPORT = "support", _("Customer Support")
    CLOCK = "clock", _("The clock")


class Status(models.TextChoices):
    NEW = "new", _("Being considered")  # never saved: the database refuses it
    OPEN = "open", _("Waits for an answer")
    ESCALATED = "escalated", _("Waits for Customer Support")
    ACCEPTED = "accepted", _("Accepted")
    DECLINED = "declined", _("Declined")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    VOID = "void", _("Void")
    RULED = "ruled", _("Decided by Customer Support")
    DISMISSED = "dismissed", _("Dismissed by Customer Support")


class Silence(models.TextChoices):
    AGREED = "agreed", _("Counts as agreed")
    TO_SUPPORT = "to_support", _("Goes to Customer Support")
    WITHDRAWN = "withdrawn", _("Counts as withdrawn")


class Ruling(models.TextChoices):
    CANCEL_MILESTONE = "cancel_milestone", _("Cancel the milestone")
    CANCEL_ORDER = "cancel_order", _("Cancel the order")
    SPLIT = "split", _("Refund a part and release the rest")
    COMPLETE = "complete", _("Complete the milestone")
    EXTEND = "extend", _("Extend the delivery date")
