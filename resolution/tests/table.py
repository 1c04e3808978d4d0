"""Who may do what with a case when: state × action × role, written from the rules and not from the code.

A cell is what the action answers to the role: `OK`, the refusal's words, or the page's status for those whose button
it is not. `NEVER`: the clock presses no buttons, and nobody presses the clock's.
Roles: buyer, seller, stranger, support, a support agent who is a party, finance, superuser, the clock. What each helper
says of them is in `answers`. A party who is an agent as well acts on the case's own page as the side that they are.
The order has two milestones, “Logo” and “Business cards”, unless a state says otherwise. Each line follows the order of
R2 and R6: cancel the milestone, cancel the order, a part, extend, revisions, upcoming; accept, decline, withdraw,
escalate; cancel the milestone, cancel the order, split, complete, extend, dismiss.
"""

from resolution.tests.answers import (
    ACCEPTED,
    AT_ONCE,
    BANK,
    BUYER_IS_ASKED,
    CLOCK_FIRST,
    CLOCK_FIRST_HERE,
    DECIDING,
    DECLINED,
    DISMISSED,
    FROZEN,
    LOGO_COMPLETED,
    LOGO_DELIVERED,
    NO_CASE,
    NO_DATE,
    NONE_HELD,
    NONE_OPEN,
    NOT_DUE,
    NOT_SUPPORTS,
    NOTHING_DELIVERED,
    NOTHING_TO_REVISE,
    OK,
    ONE_AT_A_TIME,
    ORDER_COMPLETED,
    RULED,
    SELLER_IS_ASKED,
    SILENT,
    TIME_RAN_OUT,
    TOO_LONG_AGO,
    TWO_USED,
    VOID,
    WAITS_FOR_BUYER,
    WAITS_FOR_SELLER,
    WAITS_FOR_SUPPORT,
    WITHDRAWN,
    Owed,
    Rows,
    all_answered,
    answers,
    both,
    buyer_asks,
    decides,
    nobody_answers,
    none_decides,
    none_opens,
    none_rules,
    opens,
    rules,
    seller_asks,
    settles,
    sides,
    writes,
)

# What can be opened and decided by the state of the order alone.
AT_WORK = opens(both(OK), both(OK), both(OK), seller_asks(OK), buyer_asks(NOTHING_DELIVERED), both(OK))
DELIVERED = opens(both(OK), both(OK), both(OK), seller_asks(LOGO_DELIVERED), buyer_asks(OK), both(OK))
BETWEEN = opens(
    both(NONE_OPEN), both(OK), both(NONE_HELD), seller_asks(NO_DATE), buyer_asks(NOTHING_TO_REVISE), both(OK)
)
SUPPORT_AT_WORK = decides(OK, OK, OK, OK, OK)
SUPPORT_DELIVERED = decides(OK, OK, OK, OK, LOGO_DELIVERED)
SUPPORT_BETWEEN = decides(NONE_OPEN, OK, NONE_OPEN, NONE_OPEN, NONE_OPEN)

TABLE: dict[str, Rows] = {
    "no_case_in_progress": {**AT_WORK, **NO_CASE, **SUPPORT_AT_WORK, **settles(NOT_DUE)},
    "no_case_delivered": {**DELIVERED, **NO_CASE, **SUPPORT_DELIVERED, **settles(NOT_DUE)},
    "no_case_in_revision": {
        **opens(both(OK), both(OK), both(OK), seller_asks(OK), buyer_asks(OK), both(OK)),
        **NO_CASE,
        **SUPPORT_AT_WORK,
        **settles(NOT_DUE),
    },
    "no_case_between": {**BETWEEN, **NO_CASE, **SUPPORT_BETWEEN, **settles(NOT_DUE)},
    # The buyer cites that the seller is late.
    "no_case_very_late": {
        **AT_WORK,
        "open_cancel_milestone": sides(AT_ONCE, OK),
        "open_cancel_order": sides(AT_ONCE, OK),
        **NO_CASE,
        **SUPPORT_AT_WORK,
        **settles(NOT_DUE),
    },
    # “Business cards” has started, and the bank has not decided about its payment.
    "no_case_awaiting_payment_undecided": {
        **BETWEEN,
        "open_cancel_order": both(DECIDING),
        **NO_CASE,
        **decides(NONE_OPEN, DECIDING, NONE_OPEN, NONE_OPEN, NONE_OPEN),
        **settles(NOT_DUE),
    },
    # Delivered, and the buyer wants to cancel the milestone.
    "open_by_buyer": {
        **none_opens(ONE_AT_A_TIME),
        **answers("seller", OK, OK, OK, WAITS_FOR_SELLER),
        **writes(OK),
        **rules(OK, OK, OK, OK, LOGO_DELIVERED, OK),
        **none_decides(ONE_AT_A_TIME),
        **settles(NOT_DUE),
    },
    # In progress, and the seller wants to cancel the order.
    "open_by_seller": {
        **none_opens(ONE_AT_A_TIME),
        **answers("buyer", OK, OK, OK, WAITS_FOR_BUYER),
        **writes(OK),
        **rules(OK, OK, OK, OK, OK, OK),
        **none_decides(ONE_AT_A_TIME),
        **settles(NOT_DUE),
    },
    # Delivered, and the buyer asks for a part of the price back.
    "refund_asked_by_buyer": {
        **none_opens(ONE_AT_A_TIME),
        **answers("seller", OK, OK, OK, WAITS_FOR_SELLER),
        **writes(OK),
        **rules(OK, OK, OK, OK, LOGO_DELIVERED, OK),
        **none_decides(ONE_AT_A_TIME),
        **settles(NOT_DUE),
    },
    # In progress, and the seller offers a part of the price.
    "refund_offered_by_seller": {
        **none_opens(ONE_AT_A_TIME),
        **answers("buyer", OK, OK, OK, WAITS_FOR_BUYER),
        **writes(OK),
        **rules(OK, OK, OK, OK, OK, OK),
        **none_decides(ONE_AT_A_TIME),
        **settles(NOT_DUE),
    },
    # From here on the buyer's case to cancel “Logo”, unless a state says otherwise.
    "declined": {
        **DELIVERED,
        **answers("seller", DECLINED, DECLINED, DECLINED, OK),
        **writes(OK),
        **none_rules(DECLINED),
        **SUPPORT_DELIVERED,
        **settles(NOT_DUE),
    },
    "declined_too_long_ago": {
        **AT_WORK,
        **answers("seller", DECLINED, DECLINED, DECLINED, TOO_LONG_AGO),
        **writes(DECLINED),
        **none_rules(DECLINED),
        **SUPPORT_AT_WORK,
        **settles(NOT_DUE),
    },
    # The buyer has accepted “Logo” since.
    "declined_milestone_ended": {
        **BETWEEN,
        **answers("seller", DECLINED, DECLINED, DECLINED, LOGO_COMPLETED),
        **writes(DECLINED),
        **none_rules(DECLINED),
        **SUPPORT_BETWEEN,
        **settles(NOT_DUE),
    },
    "escalated": {
        **none_opens(ONE_AT_A_TIME),
        **answers("seller", WAITS_FOR_SUPPORT, WAITS_FOR_SUPPORT, OK, WAITS_FOR_SUPPORT),
        **writes(OK),
        **rules(OK, OK, OK, OK, LOGO_DELIVERED, OK),
        **none_decides(ONE_AT_A_TIME),
        **settles(NOT_DUE),
    },
    "waiting_for_support_after_silence": {
        **none_opens(ONE_AT_A_TIME),
        **answers("seller", WAITS_FOR_SUPPORT, WAITS_FOR_SUPPORT, OK, WAITS_FOR_SUPPORT),
        **writes(OK),
        **rules(OK, OK, OK, OK, LOGO_DELIVERED, OK),
        **none_decides(ONE_AT_A_TIME),
        **settles(NOT_DUE),
    },
    # Nothing delivered, and neither side has acted for 30 days: nobody is asked to answer (O15).
    "opened_by_the_clock": {
        **none_opens(ONE_AT_A_TIME),
        **nobody_answers(),
        **writes(OK),
        **rules(OK, OK, OK, OK, OK, OK),
        **none_decides(ONE_AT_A_TIME),
        **settles(NOT_DUE),
    },
    # M10: nobody ends the case or moves its money until the bank has decided.
    "bank_is_deciding": {
        **none_opens(ONE_AT_A_TIME),
        **nobody_answers(),
        **writes(OK),
        **none_rules(BANK),
        **none_decides(ONE_AT_A_TIME),
        **settles(NOT_DUE),
    },
    # The buyer's own case was open when the bank took the payment back: it is with support now, who wait as well.
    "bank_is_deciding_about_a_case": {
        **none_opens(ONE_AT_A_TIME),
        **answers("seller", WAITS_FOR_SUPPORT, WAITS_FOR_SUPPORT, BANK, WAITS_FOR_SUPPORT),
        **writes(OK),
        **none_rules(BANK),
        **none_decides(ONE_AT_A_TIME),
        **settles(NOT_DUE),
    },
    "withdrawn": {
        **DELIVERED,
        **all_answered("seller", WITHDRAWN),
        **writes(WITHDRAWN),
        **none_rules(WITHDRAWN),
        **SUPPORT_DELIVERED,
        **settles(NOT_DUE),
    },
    "accepted": {
        **BETWEEN,
        **all_answered("seller", ACCEPTED),
        **writes(ACCEPTED),
        **none_rules(ACCEPTED),
        **SUPPORT_BETWEEN,
        **settles(NOT_DUE),
    },
    "ruled": {
        **BETWEEN,
        **all_answered("seller", RULED),
        **writes(RULED),
        **none_rules(RULED),
        **SUPPORT_BETWEEN,
        **settles(NOT_DUE),
    },
    "dismissed": {
        **DELIVERED,
        **all_answered("seller", DISMISSED),
        **writes(DISMISSED),
        **none_rules(DISMISSED),
        **SUPPORT_DELIVERED,
        **settles(NOT_DUE),
    },
    # Its one milestone was accepted after a declined case.
    "order_ended": {
        **opens(*[both(ORDER_COMPLETED)] * 6),
        **answers("seller", DECLINED, DECLINED, DECLINED, ORDER_COMPLETED),
        **writes(DECLINED),
        **none_rules(DECLINED),
        **none_decides(ORDER_COMPLETED),
        **settles(NOT_DUE),
    },
    # Both by the buyer, who withdrew them; proposals are not counted.
    "two_disputes_used": {
        **opens(
            sides(TWO_USED, OK),
            sides(TWO_USED, OK),
            sides(TWO_USED, OK),
            seller_asks(OK),
            buyer_asks(NOTHING_DELIVERED),
            both(OK),
        ),
        **all_answered("seller", WITHDRAWN),
        **writes(WITHDRAWN),
        **none_rules(WITHDRAWN),
        **SUPPORT_AT_WORK,
        **settles(NOT_DUE),
    },
    # In progress and not answered for 48 hours, and no sweep has come by yet: agreed (R2, R4).
    "silence_due_agreed": {
        **opens(
            both(Owed(ONE_AT_A_TIME, NONE_OPEN)),
            both(Owed(ONE_AT_A_TIME, OK)),
            both(Owed(ONE_AT_A_TIME, NONE_HELD)),
            seller_asks(Owed(ONE_AT_A_TIME, NO_DATE)),
            buyer_asks(Owed(ONE_AT_A_TIME, NOTHING_TO_REVISE)),
            both(Owed(ONE_AT_A_TIME, OK)),
        ),
        **answers(
            "seller",
            Owed(SILENT, ACCEPTED),
            Owed(SILENT, ACCEPTED),
            Owed(SILENT, ACCEPTED),
            Owed(WAITS_FOR_SELLER, ACCEPTED),
        ),
        **writes(OK),
        **none_rules(Owed(SILENT, ACCEPTED)),
        **decides(
            Owed(ONE_AT_A_TIME, NONE_OPEN),
            Owed(ONE_AT_A_TIME, OK),
            Owed(ONE_AT_A_TIME, NONE_OPEN),
            Owed(ONE_AT_A_TIME, NONE_OPEN),
            Owed(ONE_AT_A_TIME, NONE_OPEN),
        ),
        **settles(OK),
    },
    # The same after a delivery: to support.
    "silence_due_to_support": {
        **none_opens(Owed(ONE_AT_A_TIME, ONE_AT_A_TIME)),
        **answers(
            "seller",
            Owed(SILENT, WAITS_FOR_SUPPORT),
            Owed(SILENT, WAITS_FOR_SUPPORT),
            Owed(SILENT, OK),
            Owed(WAITS_FOR_SELLER, WAITS_FOR_SUPPORT),
        ),
        **writes(OK),
        **none_rules(Owed(SILENT, OK)),
        "rule_extend": none_rules(Owed(SILENT, LOGO_DELIVERED))["rule_extend"],
        **none_decides(Owed(ONE_AT_A_TIME, ONE_AT_A_TIME)),
        **settles(OK),
    },
    # Declined in time to go to support, but the buyer's own window has run out meanwhile: “Logo” is to be paid (O7).
    "declined_order_overdue": {
        **opens(*[both(Owed(TIME_RAN_OUT, ORDER_COMPLETED))] * 6),
        **answers(
            "seller",
            Owed(CLOCK_FIRST, DECLINED),
            Owed(CLOCK_FIRST, DECLINED),
            Owed(CLOCK_FIRST, DECLINED),
            Owed(CLOCK_FIRST, ORDER_COMPLETED),
        ),
        **writes(OK),
        **none_rules(Owed(CLOCK_FIRST_HERE, DECLINED)),
        **none_decides(Owed(CLOCK_FIRST_HERE, ORDER_COMPLETED)),
        **settles(NOT_DUE),
    },
    # In progress, and the seller asks for more time: nothing is frozen.
    "open_extend": {
        **AT_WORK,
        "open_extend": seller_asks(BUYER_IS_ASKED),
        "open_extra_revisions": buyer_asks(BUYER_IS_ASKED),
        "open_change_upcoming": both(BUYER_IS_ASKED),
        **answers("buyer", OK, OK, OK, WAITS_FOR_BUYER),
        **writes(OK),
        **none_rules(NOT_SUPPORTS),
        **SUPPORT_AT_WORK,
        **settles(NOT_DUE),
    },
    # Delivered, and the buyer asks for more revisions.
    "open_extra_revisions": {
        **DELIVERED,
        "open_extend": seller_asks(SELLER_IS_ASKED),
        "open_extra_revisions": buyer_asks(SELLER_IS_ASKED),
        "open_change_upcoming": both(SELLER_IS_ASKED),
        **answers("seller", OK, OK, OK, WAITS_FOR_SELLER),
        **writes(OK),
        **none_rules(NOT_SUPPORTS),
        **SUPPORT_DELIVERED,
        **settles(NOT_DUE),
    },
    # Between milestones, and the seller would change the next one.
    "open_change_upcoming": {
        **BETWEEN,
        "open_extend": seller_asks(BUYER_IS_ASKED),
        "open_extra_revisions": buyer_asks(BUYER_IS_ASKED),
        "open_change_upcoming": both(BUYER_IS_ASKED),
        **answers("buyer", OK, OK, OK, WAITS_FOR_BUYER),
        **writes(OK),
        **none_rules(NOT_SUPPORTS),
        **SUPPORT_BETWEEN,
        **settles(NOT_DUE),
    },
    # The seller's case for more time, unless a state says otherwise.
    "proposal_declined": {
        **AT_WORK,
        **answers("buyer", DECLINED, DECLINED, DECLINED, NOT_SUPPORTS),
        **writes(DECLINED),
        **none_rules(DECLINED),
        **SUPPORT_AT_WORK,
        **settles(NOT_DUE),
    },
    # “Logo” was delivered, and a sweep has come by since.
    "proposal_void": {
        **DELIVERED,
        **all_answered("buyer", VOID),
        **writes(VOID),
        **none_rules(VOID),
        **SUPPORT_DELIVERED,
        **settles(NOT_DUE),
    },
    # “Logo” was delivered, and no sweep has come by yet.
    "proposal_void_due": {
        **DELIVERED,
        **answers("buyer", Owed(VOID, VOID), Owed(VOID, VOID), Owed(VOID, VOID), Owed(WAITS_FOR_BUYER, VOID)),
        **writes(OK),
        **none_rules(Owed(NOT_SUPPORTS, VOID)),
        **SUPPORT_DELIVERED,
        **settles(OK),
    },
    # Not answered for 48 hours, and no sweep has come by yet: withdrawn.
    "proposal_overdue": {
        **AT_WORK,
        "open_extend": seller_asks(Owed(BUYER_IS_ASKED, OK)),
        "open_extra_revisions": buyer_asks(Owed(BUYER_IS_ASKED, NOTHING_DELIVERED)),
        "open_change_upcoming": both(Owed(BUYER_IS_ASKED, OK)),
        **answers(
            "buyer",
            Owed(SILENT, WITHDRAWN),
            Owed(SILENT, WITHDRAWN),
            Owed(SILENT, WITHDRAWN),
            Owed(WAITS_FOR_BUYER, WITHDRAWN),
        ),
        **writes(OK),
        **none_rules(Owed(NOT_SUPPORTS, WITHDRAWN)),
        **SUPPORT_AT_WORK,
        **settles(OK),
    },
    # In progress; the seller asks for more time, and the buyer wants to cancel. The cells are about the dispute …
    "both_open_the_dispute": {
        **none_opens(ONE_AT_A_TIME),
        **answers("seller", OK, OK, OK, WAITS_FOR_SELLER),
        **writes(OK),
        **rules(OK, OK, OK, OK, OK, OK),
        **none_decides(ONE_AT_A_TIME),
        **settles(NOT_DUE),
    },
    # … and here about the proposal, which nobody can accept while the order is frozen (R4).
    "both_open_the_proposal": {
        **none_opens(ONE_AT_A_TIME),
        **answers("buyer", FROZEN, OK, OK, WAITS_FOR_BUYER),
        **writes(OK),
        **none_rules(NOT_SUPPORTS),
        **none_decides(ONE_AT_A_TIME),
        **settles(NOT_DUE),
    },
}
# States in which even a refused act changes what the clock owed, and nothing else.
OWING = (
    "silence_due_agreed",
    "silence_due_to_support",
    "declined_order_overdue",
    "proposal_void_due",
    "proposal_overdue",
)

# How many cases have their buttons on the order's page, where there is any.
BUTTONS_ON_THE_ORDER = {
    "open_by_buyer": 1,
    "open_by_seller": 1,
    "refund_asked_by_buyer": 1,
    "refund_offered_by_seller": 1,
    "declined": 1,
    "escalated": 1,
    "waiting_for_support_after_silence": 1,
    "opened_by_the_clock": 1,
    "bank_is_deciding": 1,
    "bank_is_deciding_about_a_case": 1,
    "silence_due_agreed": 1,
    "silence_due_to_support": 1,
    "declined_order_overdue": 1,
    "open_extend": 1,
    "open_extra_revisions": 1,
    "open_change_upcoming": 1,
    "proposal_overdue": 1,
    "both_open_the_dispute": 2,
    "both_open_the_proposal": 2,
}
