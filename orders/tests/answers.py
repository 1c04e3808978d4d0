"""The words and rows that the table of state × action × role is written in."""

from typing import NamedTuple

ROLES = ("buyer", "seller", "stranger", "support", "finance", "superuser", "clock")
OK = "ok"
NEVER = "never"


class Overdue(NamedTuple):
    """The clock owes the order its end: the page says the first, an act is answered with what is true afterwards."""

    page: str
    act: str


Answer = str | int | Overdue
Row = tuple[Answer, Answer, Answer, Answer, Answer, Answer, Answer]


def buyers(answer: Answer) -> Row:
    return (answer, 403, 404, 404, 404, 404, NEVER)


def sellers(answer: Answer) -> Row:
    return (403, answer, 404, 404, 404, 404, NEVER)


def both(answer: Answer) -> Row:
    return (answer, answer, 404, 404, 404, 404, NEVER)


def supports(answer: Answer) -> Row:
    return (NEVER, NEVER, NEVER, answer, NEVER, answer, NEVER)


def clocks(answer: Answer) -> Row:
    return (NEVER, NEVER, NEVER, NEVER, NEVER, NEVER, answer)


NOT_ACCEPTED = "The offer was not accepted yet."
NOT_PAID = "The first milestone is not paid yet."
UNDER_WAY = "The order is already under way."
COMPLETED = "The order is completed."
CANCELED = "The order is canceled."
NOT_ENDED = "You can order again when the order has ended."
UNFUNDED = "“Script” is not funded yet."
UNFUNDED_NEXT = "“Storyboard” is not funded yet."
NO_CONFIRMATION = "No payment is waiting for a confirmation."
CONFIRM = "Confirm the payment with your bank, or use another card."
DECIDING = "The bank is still deciding about the payment."
PAID = "“Script” is paid."
NOTHING_DELIVERED = "Nothing has been delivered for “Script” yet."
SCRIPT_FIRST = "“Script” has to end first."
STORYBOARD_FIRST = "“Storyboard” has to end first."
SCRIPT_OPEN = "“Script” is open. You can stop after you accept it; to cancel it, open a case."
LOGO_OPEN = "“Logo” is open. You can stop after you accept it; to cancel it, open a case."
IN_REVISION = "“Script” is in revision."
NOT_STARTED = "“Storyboard” has not started."
NO_REVISION = "No revision is left. You can accept the delivery, ask the seller for an extra revision, or open a case."
LAST = "This is the last milestone; there is none to continue with."
NO_FURTHER = "There is no further milestone."
FROZEN = "A case is open: the order is frozen until it ends."
CHANGED = "This order has changed since you opened the page. Nothing was done; look again."
NOT_DUE = "nothing is due"
TOO_LATE = Overdue("The time for this has run out; the clock is about to settle the order.", COMPLETED)
