"""Who may do what with a case when: state × action × role, written from the rules and not from the code.

A cell is what the action answers to the role: `OK`, the refusal's words, or the page's status for those whose button
it is not. `NEVER`: the clock presses no buttons, and nobody presses the clock's.
Roles, in the order of each row's cells: buyer, seller, stranger, support, a support agent who is a party, the clock.
A party who is an agent as well acts on the case's own page as the side that they are; here they try to rule.
The order has two milestones, “Logo” and “Business cards”, unless a state says otherwise.
"""

from typing import NamedTuple

ROLES = ("buyer", "seller", "stranger", "support", "support_who_is_a_party", "clock")
STATES = (
    "no_case_in_progress",
    "no_case_delivered",
    "no_case_between",
    "no_case_very_late",
    "no_case_awaiting_payment_undecided",
    "open_by_buyer",
    "open_by_seller",
    "declined",
    "declined_too_long_ago",
    "declined_milestone_ended",
    "escalated",
    "waiting_for_support_after_silence",
    "opened_by_the_clock",
    "bank_is_deciding",
    "bank_is_deciding_about_a_case",
    "withdrawn",
    "accepted",
    "ruled",
    "dismissed",
    "order_ended",
    "two_disputes_used",
    "silence_due_agreed",
    "silence_due_to_support",
    "declined_order_overdue",
)
OPENINGS = ("open_cancel_milestone", "open_cancel_order")
ANSWERS = ("accept", "decline", "withdraw", "escalate")
RULINGS = ("rule_cancel_milestone", "rule_cancel_order", "dismiss")
WITHOUT_A_CASE = ("cancel_milestone_by_support", "cancel_order_by_support")
ACTIONS = (*OPENINGS, *ANSWERS, *RULINGS, *WITHOUT_A_CASE, "settle")

# What an action that is done makes of its case (R2–R4, R6).
BECOMES = {
    "open_cancel_milestone": "open",
    "open_cancel_order": "open",
    "accept": "accepted",
    "decline": "declined",
    "withdraw": "withdrawn",
    "escalate": "escalated",
    "rule_cancel_milestone": "ruled",
    "rule_cancel_order": "ruled",
    "dismiss": "dismissed",
    "cancel_milestone_by_support": "ruled",
    "cancel_order_by_support": "ruled",
}

# States in which the order's page has the buttons of its case.
BUTTONS_ON_THE_ORDER = (
    "open_by_buyer",
    "open_by_seller",
    "declined",
    "escalated",
    "waiting_for_support_after_silence",
    "opened_by_the_clock",
    "bank_is_deciding",
    "bank_is_deciding_about_a_case",
    "silence_due_agreed",
    "silence_due_to_support",
    "declined_order_overdue",
)

OK = "ok"
AT_ONCE = "ok, and accepted as it is opened"  # O15
NEVER = "never"
NOT_DUE = "nothing is due"
SIGN_IN = 302  # admin asks people to sign in as staff


class Owed(NamedTuple):
    """The clock owes something: the page says the first, an act is answered with what is true afterwards (O7, R4)."""

    page: str
    act: str


Answer = str | int | Owed
Row = tuple[Answer, Answer, Answer, Answer, Answer, Answer]


def sides(buyer: Answer, seller: Answer) -> Row:
    return (buyer, seller, 404, 404, NEVER, NEVER)


def both(answer: Answer) -> Row:
    return (answer, answer, 404, 404, NEVER, NEVER)


def buyers(answer: Answer) -> Row:
    return (answer, 403, 404, 404, NEVER, NEVER)


def sellers(answer: Answer) -> Row:
    return (403, answer, 404, 404, NEVER, NEVER)


def supports(answer: Answer) -> Row:
    return (SIGN_IN, SIGN_IN, SIGN_IN, answer, 403, NEVER)


def clocks(answer: Answer) -> Row:
    return (NEVER, NEVER, NEVER, NEVER, NEVER, answer)


# Words for those whose button it is not.
ONLY = {
    "accept": "Only the {} can do this: Accept.",
    "decline": "Only the {} can do this: Decline.",
    "withdraw": "Only the {} can do this: Withdraw the case.",
    "escalate": "Only the {} can do this: Take it to Customer Support.",
}
ONLY_SUPPORT = "Only Customer Support decides this case."
PARTY = "You are a party in this order; another agent has to decide."

NONE_OPEN = "No milestone is open, so there is none to cancel."
ONE_AT_A_TIME = "A case is open on this order already: one at a time."
DECIDING = "The bank is still deciding about the payment."
UNFUNDED = "“Business cards” is not funded yet."
TWO_USED = "You have opened two cases about “Logo” already. More only through Customer Support."
LOGO_COMPLETED = "“Logo” is completed."
LOGO_CANCELED = "“Logo” is canceled."
ORDER_COMPLETED = "The order is completed."
WAITS_FOR_BUYER = "The case waits for the buyer's answer."
WAITS_FOR_SELLER = "The case waits for the seller's answer."
WAITS_FOR_SUPPORT = "The case waits for Customer Support."
BANK = "The buyer's bank has taken the payment back and is deciding; until then nobody else can."
ACCEPTED = "The case was accepted."
DECLINED = "The case was declined."
WITHDRAWN = "The case was withdrawn."
RULED = "Customer Support has decided this case."
DISMISSED = "Customer Support has dismissed this case."
TOO_LONG_AGO = "The time to take this case to Customer Support is over."
SILENT = "The time to answer is over: what silence means is about to happen."
TIME_RAN_OUT = "The time for this has run out; the clock is about to settle the order."
CLOCK_FIRST = "The clock is about to settle the order."
CLOCK_FIRST_HERE = "The clock is about to settle this order."

# There is no case, so its pages are not there for anybody.
NO_CASE: dict[str, Row] = {
    "accept": (404, 404, 404, 404, NEVER, NEVER),
    "decline": (404, 404, 404, 404, NEVER, NEVER),
    "withdraw": (404, 404, 404, 404, NEVER, NEVER),
    "escalate": (404, 404, 404, 404, NEVER, NEVER),
    "rule_cancel_milestone": (SIGN_IN, SIGN_IN, SIGN_IN, 404, 404, NEVER),
    "rule_cancel_order": (SIGN_IN, SIGN_IN, SIGN_IN, 404, 404, NEVER),
    "dismiss": (SIGN_IN, SIGN_IN, SIGN_IN, 404, 404, NEVER),
}

TABLE: dict[str, dict[str, Row]] = {
    "no_case_in_progress": {
        "open_cancel_milestone": both(OK),
        "open_cancel_order": both(OK),
        **NO_CASE,
        "cancel_milestone_by_support": supports(OK),
        "cancel_order_by_support": supports(OK),
        "settle": clocks(NOT_DUE),
    },
    "no_case_delivered": {
        "open_cancel_milestone": both(OK),
        "open_cancel_order": both(OK),
        **NO_CASE,
        "cancel_milestone_by_support": supports(OK),
        "cancel_order_by_support": supports(OK),
        "settle": clocks(NOT_DUE),
    },
    "no_case_between": {
        "open_cancel_milestone": both(NONE_OPEN),
        "open_cancel_order": both(OK),
        **NO_CASE,
        "cancel_milestone_by_support": supports(LOGO_COMPLETED),
        "cancel_order_by_support": supports(OK),
        "settle": clocks(NOT_DUE),
    },
    # The buyer cites that the seller is late.
    "no_case_very_late": {
        "open_cancel_milestone": sides(AT_ONCE, OK),
        "open_cancel_order": sides(AT_ONCE, OK),
        **NO_CASE,
        "cancel_milestone_by_support": supports(OK),
        "cancel_order_by_support": supports(OK),
        "settle": clocks(NOT_DUE),
    },
    "no_case_awaiting_payment_undecided": {
        "open_cancel_milestone": both(NONE_OPEN),
        "open_cancel_order": both(DECIDING),
        **NO_CASE,
        "cancel_milestone_by_support": supports(UNFUNDED),
        "cancel_order_by_support": supports(DECIDING),
        "settle": clocks(NOT_DUE),
    },
    # Delivered, and the buyer wants to cancel the milestone.
    "open_by_buyer": {
        "open_cancel_milestone": both(ONE_AT_A_TIME),
        "open_cancel_order": both(ONE_AT_A_TIME),
        "accept": sellers(OK),
        "decline": sellers(OK),
        "withdraw": buyers(OK),
        "escalate": buyers(WAITS_FOR_SELLER),
        "rule_cancel_milestone": supports(OK),
        "rule_cancel_order": supports(OK),
        "dismiss": supports(OK),
        "cancel_milestone_by_support": supports(ONE_AT_A_TIME),
        "cancel_order_by_support": supports(ONE_AT_A_TIME),
        "settle": clocks(NOT_DUE),
    },
    # In progress, and the seller wants to cancel the order.
    "open_by_seller": {
        "open_cancel_milestone": both(ONE_AT_A_TIME),
        "open_cancel_order": both(ONE_AT_A_TIME),
        "accept": buyers(OK),
        "decline": buyers(OK),
        "withdraw": sellers(OK),
        "escalate": sellers(WAITS_FOR_BUYER),
        "rule_cancel_milestone": supports(OK),
        "rule_cancel_order": supports(OK),
        "dismiss": supports(OK),
        "cancel_milestone_by_support": supports(ONE_AT_A_TIME),
        "cancel_order_by_support": supports(ONE_AT_A_TIME),
        "settle": clocks(NOT_DUE),
    },
    # From here on the buyer's case to cancel “Logo”, unless a state says otherwise.
    "declined": {
        "open_cancel_milestone": both(OK),
        "open_cancel_order": both(OK),
        "accept": sellers(DECLINED),
        "decline": sellers(DECLINED),
        "withdraw": buyers(DECLINED),
        "escalate": buyers(OK),
        "rule_cancel_milestone": supports(DECLINED),
        "rule_cancel_order": supports(DECLINED),
        "dismiss": supports(DECLINED),
        "cancel_milestone_by_support": supports(OK),
        "cancel_order_by_support": supports(OK),
        "settle": clocks(NOT_DUE),
    },
    "declined_too_long_ago": {
        "open_cancel_milestone": both(OK),
        "open_cancel_order": both(OK),
        "accept": sellers(DECLINED),
        "decline": sellers(DECLINED),
        "withdraw": buyers(DECLINED),
        "escalate": buyers(TOO_LONG_AGO),
        "rule_cancel_milestone": supports(DECLINED),
        "rule_cancel_order": supports(DECLINED),
        "dismiss": supports(DECLINED),
        "cancel_milestone_by_support": supports(OK),
        "cancel_order_by_support": supports(OK),
        "settle": clocks(NOT_DUE),
    },
    # The buyer has accepted “Logo” since.
    "declined_milestone_ended": {
        "open_cancel_milestone": both(NONE_OPEN),
        "open_cancel_order": both(OK),
        "accept": sellers(DECLINED),
        "decline": sellers(DECLINED),
        "withdraw": buyers(DECLINED),
        "escalate": buyers(LOGO_COMPLETED),
        "rule_cancel_milestone": supports(DECLINED),
        "rule_cancel_order": supports(DECLINED),
        "dismiss": supports(DECLINED),
        "cancel_milestone_by_support": supports(LOGO_COMPLETED),
        "cancel_order_by_support": supports(OK),
        "settle": clocks(NOT_DUE),
    },
    "escalated": {
        "open_cancel_milestone": both(ONE_AT_A_TIME),
        "open_cancel_order": both(ONE_AT_A_TIME),
        "accept": sellers(WAITS_FOR_SUPPORT),
        "decline": sellers(WAITS_FOR_SUPPORT),
        "withdraw": buyers(OK),
        "escalate": buyers(WAITS_FOR_SUPPORT),
        "rule_cancel_milestone": supports(OK),
        "rule_cancel_order": supports(OK),
        "dismiss": supports(OK),
        "cancel_milestone_by_support": supports(ONE_AT_A_TIME),
        "cancel_order_by_support": supports(ONE_AT_A_TIME),
        "settle": clocks(NOT_DUE),
    },
    "waiting_for_support_after_silence": {
        "open_cancel_milestone": both(ONE_AT_A_TIME),
        "open_cancel_order": both(ONE_AT_A_TIME),
        "accept": sellers(WAITS_FOR_SUPPORT),
        "decline": sellers(WAITS_FOR_SUPPORT),
        "withdraw": buyers(OK),
        "escalate": buyers(WAITS_FOR_SUPPORT),
        "rule_cancel_milestone": supports(OK),
        "rule_cancel_order": supports(OK),
        "dismiss": supports(OK),
        "cancel_milestone_by_support": supports(ONE_AT_A_TIME),
        "cancel_order_by_support": supports(ONE_AT_A_TIME),
        "settle": clocks(NOT_DUE),
    },
    # Nothing delivered, and neither side has acted for 30 days: nobody is asked to answer (O15).
    "opened_by_the_clock": {
        "open_cancel_milestone": both(ONE_AT_A_TIME),
        "open_cancel_order": both(ONE_AT_A_TIME),
        "accept": both(403),
        "decline": both(403),
        "withdraw": both(403),
        "escalate": both(403),
        "rule_cancel_milestone": supports(OK),
        "rule_cancel_order": supports(OK),
        "dismiss": supports(OK),
        "cancel_milestone_by_support": supports(ONE_AT_A_TIME),
        "cancel_order_by_support": supports(ONE_AT_A_TIME),
        "settle": clocks(NOT_DUE),
    },
    # M10: nobody ends the case or moves its money until the bank has decided.
    "bank_is_deciding": {
        "open_cancel_milestone": both(ONE_AT_A_TIME),
        "open_cancel_order": both(ONE_AT_A_TIME),
        "accept": both(403),
        "decline": both(403),
        "withdraw": both(403),
        "escalate": both(403),
        "rule_cancel_milestone": supports(BANK),
        "rule_cancel_order": supports(BANK),
        "dismiss": supports(BANK),
        "cancel_milestone_by_support": supports(ONE_AT_A_TIME),
        "cancel_order_by_support": supports(ONE_AT_A_TIME),
        "settle": clocks(NOT_DUE),
    },
    # The buyer's own case was open when the bank took the payment back: it is with support now, who wait as well.
    "bank_is_deciding_about_a_case": {
        "open_cancel_milestone": both(ONE_AT_A_TIME),
        "open_cancel_order": both(ONE_AT_A_TIME),
        "accept": sellers(WAITS_FOR_SUPPORT),
        "decline": sellers(WAITS_FOR_SUPPORT),
        "withdraw": buyers(BANK),
        "escalate": buyers(WAITS_FOR_SUPPORT),
        "rule_cancel_milestone": supports(BANK),
        "rule_cancel_order": supports(BANK),
        "dismiss": supports(BANK),
        "cancel_milestone_by_support": supports(ONE_AT_A_TIME),
        "cancel_order_by_support": supports(ONE_AT_A_TIME),
        "settle": clocks(NOT_DUE),
    },
    "withdrawn": {
        "open_cancel_milestone": both(OK),
        "open_cancel_order": both(OK),
        "accept": sellers(WITHDRAWN),
        "decline": sellers(WITHDRAWN),
        "withdraw": buyers(WITHDRAWN),
        "escalate": buyers(WITHDRAWN),
        "rule_cancel_milestone": supports(WITHDRAWN),
        "rule_cancel_order": supports(WITHDRAWN),
        "dismiss": supports(WITHDRAWN),
        "cancel_milestone_by_support": supports(OK),
        "cancel_order_by_support": supports(OK),
        "settle": clocks(NOT_DUE),
    },
    "accepted": {
        "open_cancel_milestone": both(NONE_OPEN),
        "open_cancel_order": both(OK),
        "accept": sellers(ACCEPTED),
        "decline": sellers(ACCEPTED),
        "withdraw": buyers(ACCEPTED),
        "escalate": buyers(ACCEPTED),
        "rule_cancel_milestone": supports(ACCEPTED),
        "rule_cancel_order": supports(ACCEPTED),
        "dismiss": supports(ACCEPTED),
        "cancel_milestone_by_support": supports(LOGO_CANCELED),
        "cancel_order_by_support": supports(OK),
        "settle": clocks(NOT_DUE),
    },
    "ruled": {
        "open_cancel_milestone": both(NONE_OPEN),
        "open_cancel_order": both(OK),
        "accept": sellers(RULED),
        "decline": sellers(RULED),
        "withdraw": buyers(RULED),
        "escalate": buyers(RULED),
        "rule_cancel_milestone": supports(RULED),
        "rule_cancel_order": supports(RULED),
        "dismiss": supports(RULED),
        "cancel_milestone_by_support": supports(LOGO_CANCELED),
        "cancel_order_by_support": supports(OK),
        "settle": clocks(NOT_DUE),
    },
    "dismissed": {
        "open_cancel_milestone": both(OK),
        "open_cancel_order": both(OK),
        "accept": sellers(DISMISSED),
        "decline": sellers(DISMISSED),
        "withdraw": buyers(DISMISSED),
        "escalate": buyers(DISMISSED),
        "rule_cancel_milestone": supports(DISMISSED),
        "rule_cancel_order": supports(DISMISSED),
        "dismiss": supports(DISMISSED),
        "cancel_milestone_by_support": supports(OK),
        "cancel_order_by_support": supports(OK),
        "settle": clocks(NOT_DUE),
    },
    # “Logo” was the only milestone; its case was declined, and the buyer accepted it.
    "order_ended": {
        "open_cancel_milestone": both(ORDER_COMPLETED),
        "open_cancel_order": both(ORDER_COMPLETED),
        "accept": sellers(DECLINED),
        "decline": sellers(DECLINED),
        "withdraw": buyers(DECLINED),
        "escalate": buyers(ORDER_COMPLETED),
        "rule_cancel_milestone": supports(DECLINED),
        "rule_cancel_order": supports(DECLINED),
        "dismiss": supports(DECLINED),
        "cancel_milestone_by_support": supports(ORDER_COMPLETED),
        "cancel_order_by_support": supports(ORDER_COMPLETED),
        "settle": clocks(NOT_DUE),
    },
    # The buyer withdrew both.
    "two_disputes_used": {
        "open_cancel_milestone": sides(TWO_USED, OK),
        "open_cancel_order": sides(TWO_USED, OK),
        "accept": sellers(WITHDRAWN),
        "decline": sellers(WITHDRAWN),
        "withdraw": buyers(WITHDRAWN),
        "escalate": buyers(WITHDRAWN),
        "rule_cancel_milestone": supports(WITHDRAWN),
        "rule_cancel_order": supports(WITHDRAWN),
        "dismiss": supports(WITHDRAWN),
        "cancel_milestone_by_support": supports(OK),
        "cancel_order_by_support": supports(OK),
        "settle": clocks(NOT_DUE),
    },
    # In progress and not answered for 48 hours, and no sweep has come by yet: agreed (R2, R4).
    "silence_due_agreed": {
        "open_cancel_milestone": both(Owed(ONE_AT_A_TIME, NONE_OPEN)),
        "open_cancel_order": both(Owed(ONE_AT_A_TIME, OK)),
        "accept": sellers(Owed(SILENT, ACCEPTED)),
        "decline": sellers(Owed(SILENT, ACCEPTED)),
        "withdraw": buyers(Owed(SILENT, ACCEPTED)),
        "escalate": buyers(Owed(WAITS_FOR_SELLER, ACCEPTED)),
        "rule_cancel_milestone": supports(Owed(SILENT, ACCEPTED)),
        "rule_cancel_order": supports(Owed(SILENT, ACCEPTED)),
        "dismiss": supports(Owed(SILENT, ACCEPTED)),
        "cancel_milestone_by_support": supports(Owed(ONE_AT_A_TIME, LOGO_CANCELED)),
        "cancel_order_by_support": supports(Owed(ONE_AT_A_TIME, OK)),
        "settle": clocks(OK),
    },
    # The same after a delivery: to support.
    "silence_due_to_support": {
        "open_cancel_milestone": both(Owed(ONE_AT_A_TIME, ONE_AT_A_TIME)),
        "open_cancel_order": both(Owed(ONE_AT_A_TIME, ONE_AT_A_TIME)),
        "accept": sellers(Owed(SILENT, WAITS_FOR_SUPPORT)),
        "decline": sellers(Owed(SILENT, WAITS_FOR_SUPPORT)),
        "withdraw": buyers(Owed(SILENT, OK)),
        "escalate": buyers(Owed(WAITS_FOR_SELLER, WAITS_FOR_SUPPORT)),
        "rule_cancel_milestone": supports(Owed(SILENT, OK)),
        "rule_cancel_order": supports(Owed(SILENT, OK)),
        "dismiss": supports(Owed(SILENT, OK)),
        "cancel_milestone_by_support": supports(Owed(ONE_AT_A_TIME, ONE_AT_A_TIME)),
        "cancel_order_by_support": supports(Owed(ONE_AT_A_TIME, ONE_AT_A_TIME)),
        "settle": clocks(OK),
    },
    # Declined in time to go to support, but the buyer's own window has run out meanwhile: “Logo” is to be paid (O7).
    "declined_order_overdue": {
        "open_cancel_milestone": both(Owed(TIME_RAN_OUT, ORDER_COMPLETED)),
        "open_cancel_order": both(Owed(TIME_RAN_OUT, ORDER_COMPLETED)),
        "accept": sellers(Owed(CLOCK_FIRST, DECLINED)),
        "decline": sellers(Owed(CLOCK_FIRST, DECLINED)),
        "withdraw": buyers(Owed(CLOCK_FIRST, DECLINED)),
        "escalate": buyers(Owed(CLOCK_FIRST, ORDER_COMPLETED)),
        "rule_cancel_milestone": supports(Owed(CLOCK_FIRST_HERE, DECLINED)),
        "rule_cancel_order": supports(Owed(CLOCK_FIRST_HERE, DECLINED)),
        "dismiss": supports(Owed(CLOCK_FIRST_HERE, DECLINED)),
        "cancel_milestone_by_support": supports(Owed(CLOCK_FIRST_HERE, ORDER_COMPLETED)),
        "cancel_order_by_support": supports(Owed(CLOCK_FIRST_HERE, ORDER_COMPLETED)),
        "settle": clocks(NOT_DUE),
    },
}

# States in which even a refused act changes what the clock owed, and nothing else.
OWING = ("silence_due_agreed", "silence_due_to_support", "declined_order_overdue")
