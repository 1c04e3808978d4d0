"""What the database refuses of a case, and the indexes of its queues."""

from django.db.models import (
    BaseConstraint,
    Case,
    CheckConstraint,
    DateTimeField,
    F,
    Index,
    Q,
    UniqueConstraint,
    Value,
    When,
)

from resolution.models.choices import DISPUTES, OF_OPEN_MILESTONE, PROPOSALS

CONSTRAINTS: list[BaseConstraint] = [
    UniqueConstraint(
        fields=["order"],
        condition=Q(status__in=["open", "escalated"], kind__in=DISPUTES),
        name="one_dispute_at_a_time",
    ),
    UniqueConstraint(fields=["order"], condition=Q(status="open", kind__in=PROPOSALS), name="one_proposal_at_a_time"),
    CheckConstraint(
        condition=Q(status__in=["open", "escalated"], ended_at=None)
        | Q(status__in=["accepted", "declined", "withdrawn", "void", "ruled", "dismissed"]) & Q(ended_at__isnull=False),
        name="case_ended_as_a_whole",
    ),
    # Nobody decides a proposal but the two sides (R6).
    CheckConstraint(
        condition=~Q(status__in=["escalated", "ruled", "dismissed"]) | Q(kind__in=DISPUTES),
        name="case_support_decides_disputes",
    ),
    # A comparison with nothing is neither true nor false, and a check takes that for a yes.
    CheckConstraint(
        condition=Q(kind="partial_refund", asked_amount__isnull=False, asked_amount__gt=0, milestone__isnull=False)
        | ~Q(kind="partial_refund") & Q(asked_amount=None),
        name="case_asks_for_an_amount",
    ),
    CheckConstraint(
        condition=Q(kind="extend", asked_days__isnull=False, asked_days__gt=0, milestone__isnull=False)
        | ~Q(kind="extend") & Q(asked_days=None),
        name="case_asks_for_days",
    ),
    CheckConstraint(
        condition=Q(
            kind="extra_revisions", asked_revisions__isnull=False, asked_revisions__gt=0, milestone__isnull=False
        )
        | ~Q(kind="extra_revisions") & Q(asked_revisions=None),
        name="case_asks_for_revisions",
    ),
    CheckConstraint(
        condition=Q(kind="change_upcoming", asked_upcoming__isnull=False, upcoming_from__isnull=False)
        | ~Q(kind="change_upcoming") & Q(asked_upcoming__isnull=True, upcoming_from=None),
        name="case_asks_for_a_change",
    ),
    # What silence means is decided when the case opens (R2).
    CheckConstraint(
        condition=~Q(status="open") | (Q(answer_by__isnull=False) & ~Q(on_silence="")),
        name="case_open_until_answered",
    ),
    CheckConstraint(condition=~Q(status="escalated") | Q(support_due__isnull=False), name="case_escalated_is_due"),
    CheckConstraint(
        condition=~Q(status="declined", kind__in=DISPUTES) | Q(escalate_by__isnull=False),
        name="case_declined_may_go_on",
    ),
    CheckConstraint(
        condition=~Q(status__in=["ruled", "dismissed"]) | (Q(ruling_reason__isnull=False) & ~Q(note="")),
        name="case_ruled_with_reason_and_note",
    ),
    CheckConstraint(
        condition=Q(status="ruled") & ~Q(ruling="") | ~Q(status="ruled") & Q(ruling=""),
        name="case_ruling_when_ruled",
    ),
    CheckConstraint(
        condition=Q(side="clock", opened_by=None) | Q(side__in=["buyer", "seller", "support"], opened_by__isnull=False),
        name="case_opened_by_its_side",
    ),
    CheckConstraint(
        condition=~Q(kind__in=OF_OPEN_MILESTONE) | Q(milestone__isnull=False),
        name="case_names_its_milestone",
    ),
]

# Support's whole list: what waits for them by what is due first, then what waits for an answer, then the past. An index
# has the same expressions, or every case ever opened would be sorted for one page.
RANK = Case(When(status="escalated", then=Value(0)), When(status="open", then=Value(1)), default=Value(2))
DUE = Case(
    When(status="escalated", then=F("support_due")),
    When(status="open", then=F("answer_by")),
    default=None,
    output_field=DateTimeField(),
)

INDEXES = [
    # The sweep: due().
    Index(fields=["answer_by"], condition=Q(status="open", stuck_at=None), name="cases_due"),
    # The charts of admin's home.
    Index(fields=["opened_at"], name="cases_by_opening"),
    Index(fields=["ended_at"], condition=Q(ended_at__isnull=False), name="cases_by_end"),
    # Support's queue: for_support().
    Index(fields=["support_due", "id"], condition=Q(status="escalated"), name="cases_for_support"),
    Index(RANK, DUE, F("id").desc(), name="cases_as_listed"),
]
