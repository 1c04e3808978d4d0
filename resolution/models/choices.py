"""What a case can be about, who opens it, how it stands, what silence means, what support can decide (R1, R2, R6)."""

from django.db import models


class Kind(models.TextChoices):
    CANCEL_MILESTONE = "cancel_milestone", "Cancel the milestone"
    CANCEL_ORDER = "cancel_order", "Cancel the order"
    PARTIAL_REFUND = "partial_refund", "Refund a part"
    CHARGEBACK = "chargeback", "The bank took the payment back"
    EXTEND = "extend", "Extend the delivery date"
    EXTRA_REVISIONS = "extra_revisions", "Extra revisions"
    CHANGE_UPCOMING = "change_upcoming", "Change upcoming milestones"


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
    VOID = "void", "Void"
    RULED = "ruled", "Decided by Customer Support"
    DISMISSED = "dismissed", "Dismissed by Customer Support"


class Silence(models.TextChoices):
    AGREED = "agreed", "Counts as agreed"
    TO_SUPPORT = "to_support", "Goes to Customer Support"
    WITHDRAWN = "withdrawn", "Counts as withdrawn"


class Ruling(models.TextChoices):
    CANCEL_MILESTONE = "cancel_milestone", "Cancel the milestone"
    CANCEL_ORDER = "cancel_order", "Cancel the order"
    SPLIT = "split", "Refund a part and release the rest"
    COMPLETE = "complete", "Complete the milestone"
    EXTEND = "extend", "Extend the delivery date"
