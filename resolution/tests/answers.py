"""The words and rows that the table of role × action × state of cases is written in."""

from typing import NamedTuple

ROLES = ("buyer", "seller", "stranger", "support", "support_who_is_a_party", "finance", "superuser", "clock")
OPENINGS = (
    "open_cancel_milestone",
    "open_cancel_order",
    "open_partial_refund",
    "open_extend",
    "open_extra_revisions",
    "open_change_upcoming",
)
ANSWERS = ("accept", "decline", "withdraw", "escalate")
TWINS = ("accept_for_a_side", "decline_for_a_side", "withdraw_for_a_side", "escalate_for_a_side")
RULINGS = ("rule_cancel_milestone", "rule_cancel_order", "rule_split", "rule_complete", "rule_extend", "dismiss")
WITHOUT_A_CASE = (
    "cancel_milestone_by_support",
    "cancel_order_by_support",
    "split_by_support",
    "complete_by_support",
    "extend_by_support",
)
ACTIONS = (*OPENINGS, *ANSWERS, "write", *TWINS, *RULINGS, *WITHOUT_A_CASE, "open_by_support", "settle")

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
Row = tuple[Answer, Answer, Answer, Answer, Answer, Answer, Answer, Answer]
Rows = dict[str, Row]


def sides(buyer: Answer, seller: Answer) -> Row:
    return (buyer, seller, 404, 404, NEVER, 404, 404, NEVER)


def both(answer: Answer) -> Row:
    return sides(answer, answer)


def buyer_asks(answer: Answer) -> Row:
    """R2: only the buyer can ask for this."""
    return sides(answer, "Only the buyer can ask for this.")


def seller_asks(answer: Answer) -> Row:
    return sides("Only the seller can ask for this.", answer)


def supports(answer: Answer) -> Row:
    return (SIGN_IN, SIGN_IN, SIGN_IN, answer, 403, 403, answer, NEVER)


def opens(
    cancel_milestone: Row, cancel_order: Row, partial_refund: Row, extend: Row, extra_revisions: Row, upcoming: Row
) -> Rows:
    """Opening a case of each kind, in the order of R2."""
    found = (cancel_milestone, cancel_order, partial_refund, extend, extra_revisions, upcoming)
    return dict(zip(OPENINGS, found, strict=True))


def none_opens(answer: Answer) -> Rows:
    """No kind at all, and each side reads first that it may not ask for what only the other may."""
    return opens(both(answer), both(answer), both(answer), seller_asks(answer), buyer_asks(answer), both(answer))


def answers(by: str, accept: Answer, decline: Answer, withdraw: Answer, escalate: Answer) -> Rows:
    """A case that the side `by` answers and the other opened: their buttons, and support's twin of each (R6)."""
    found: Rows = {}
    for name, twin, answer in zip(ANSWERS, TWINS, (accept, decline, withdraw, escalate), strict=True):
        buyers = (by == "buyer") == (name in ("accept", "decline"))
        found[name] = sides(answer, 403) if buyers else sides(403, answer)
        found[twin] = supports(answer)
    return found


def all_answered(by: str, answer: Answer) -> Rows:
    return answers(by, answer, answer, answer, answer)


def nobody_answers() -> Rows:
    """What support or the clock opened is for support to decide: no side has a button, nor a twin."""
    return {name: both(403) for name in ANSWERS} | dict.fromkeys(TWINS, no_case())


def no_case() -> Row:
    return (SIGN_IN, SIGN_IN, SIGN_IN, 404, 404, 403, 404, NEVER)


def writes(answer: Answer) -> Rows:
    """Each on their own page; a party who is an agent as well writes as the side that they are."""
    return {"write": (answer, answer, 404, answer, 403, 403, answer, NEVER)}


def rules(
    cancel_milestone: Answer, cancel_order: Answer, split: Answer, complete: Answer, extend: Answer, dismiss: Answer
) -> Rows:
    """Support decides the case."""
    found = (cancel_milestone, cancel_order, split, complete, extend, dismiss)
    return {name: supports(answer) for name, answer in zip(RULINGS, found, strict=True)}


def none_rules(answer: Answer) -> Rows:
    return rules(answer, answer, answer, answer, answer, answer)


def decides(cancel_milestone: Answer, cancel_order: Answer, split: Answer, complete: Answer, extend: Answer) -> Rows:
    """Support decides without anybody's case; or opens one to look into, which is possible whenever the first is or
    the order could be canceled."""
    found = (cancel_milestone, cancel_order, split, complete, extend)
    return {name: supports(answer) for name, answer in zip(WITHOUT_A_CASE, found, strict=True)} | {
        "open_by_support": supports(cancel_order)
    }


def none_decides(answer: Answer) -> Rows:
    return decides(answer, answer, answer, answer, answer)


def settles(answer: Answer) -> Rows:
    return {"settle": (NEVER, NEVER, NEVER, NEVER, NEVER, NEVER, NEVER, answer)}


# There is no case, so its pages are not there for anybody.
NO_CASE: Rows = {
    **{name: sides(404, 404) for name in ANSWERS},
    "write": (404, 404, 404, 404, 404, 403, 404, NEVER),
    **dict.fromkeys((*TWINS, *RULINGS), no_case()),
}

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
NONE_HELD = "No milestone is open, so nothing is held that could go back."
NO_DATE = "No milestone is open, so there is no delivery date to extend."
NOTHING_TO_REVISE = "No milestone is open, so there is nothing to revise."
NOTHING_DELIVERED = "Nothing has been delivered for “Logo” yet."
LOGO_DELIVERED = "“Logo” is delivered and waits for the buyer's answer."
LOGO_COMPLETED = "“Logo” is completed."
ONE_AT_A_TIME = "A case is open on this order already: one at a time."
FROZEN = "A case is open: the order is frozen until it ends."
BUYER_IS_ASKED = "A proposal waits for the buyer's answer already: one at a time."
SELLER_IS_ASKED = "A proposal waits for the seller's answer already: one at a time."
DECIDING = "The bank is still deciding about the payment."
TWO_USED = "You have opened two cases about “Logo” already. More only through Customer Support."
ORDER_COMPLETED = "The order is completed."
WAITS_FOR_BUYER = "The case waits for the buyer's answer."
WAITS_FOR_SELLER = "The case waits for the seller's answer."
WAITS_FOR_SUPPORT = "The case waits for Customer Support."
BANK = "The buyer's bank has taken the payment back and is deciding; until then nobody else can."
NOT_SUPPORTS = "Customer Support decides disputes; a proposal is for the two sides to agree on."
ACCEPTED = "The case was accepted."
DECLINED = "The case was declined."
WITHDRAWN = "The case was withdrawn."
VOID = "The proposal is void: what it speaks of has ended."
RULED = "Customer Support has decided this case."
DISMISSED = "Customer Support has dismissed this case."
TOO_LONG_AGO = "The time to take this case to Customer Support is over."
SILENT = "The time to answer is over: what silence means is about to happen."
TIME_RAN_OUT = "The time for this has run out; the clock is about to settle the order."
CLOCK_FIRST = "The clock is about to settle the order."
CLOCK_FIRST_HERE = "The clock is about to settle this order."
