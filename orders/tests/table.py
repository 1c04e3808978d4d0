"""Who may do what when: state × action × role, written from the rules and not from the code.

A cell is what the action answers to the role: `OK`, the refusal's words, or the page's status for those whose
button it is not. `NEVER`: the clock presses no buttons, and people have no door to what support and the clock do.
Roles, in the order of each row's cells: buyer, seller, stranger, support, clock.
"""

from typing import NamedTuple

ROLES = ("buyer", "seller", "stranger", "support", "clock")
OK = "ok"
NEVER = "never"


class Overdue(NamedTuple):
    """The clock owes the order its end: the page says the first, an act is answered with what is true afterwards."""

    page: str
    act: str


Answer = str | int | Overdue
Row = tuple[Answer, Answer, Answer, Answer, Answer]


def buyers(answer: Answer) -> Row:
    return (answer, 403, 404, 404, NEVER)


def sellers(answer: Answer) -> Row:
    return (403, answer, 404, 404, NEVER)


def both(answer: Answer) -> Row:
    return (answer, answer, 404, 404, NEVER)


def supports(answer: Answer) -> Row:
    return (NEVER, NEVER, NEVER, answer, NEVER)


def clocks(answer: Answer) -> Row:
    return (NEVER, NEVER, NEVER, NEVER, answer)


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

TABLE: dict[str, dict[str, Row]] = {
    "offered": {
        "look": both(OK),
        "message": both(OK),
        "place": buyers(OK),
        "decline": buyers(OK),
        "pay": buyers(NOT_ACCEPTED),
        "abandon": buyers(NOT_ACCEPTED),
        "accept": buyers(NOT_ACCEPTED),
        "accept_and_continue": buyers(NOT_ACCEPTED),
        "request_revision": buyers(NOT_ACCEPTED),
        "start": buyers(NOT_ACCEPTED),
        "stop": buyers(NOT_ACCEPTED),
        "order_again": buyers(NOT_ENDED),
        "edit_offer": sellers(OK),
        "withdraw": sellers(OK),
        "deliver": sellers(NOT_ACCEPTED),
        "grant_revisions": sellers(NOT_ACCEPTED),
        "complete": supports(NOT_ACCEPTED),
        "cancel_milestone": supports(NOT_ACCEPTED),
        "cancel_order": supports(NOT_ACCEPTED),
        "settle": clocks(NOT_DUE),
    },
    "awaiting_first_payment": {
        "look": both(OK),
        "message": both(OK),
        "place": buyers(NOT_PAID),
        "decline": buyers(NOT_PAID),
        "pay": buyers(OK),
        "abandon": buyers(NO_CONFIRMATION),
        "accept": buyers(UNFUNDED),
        "accept_and_continue": buyers(UNFUNDED),
        "request_revision": buyers(UNFUNDED),
        "start": buyers(SCRIPT_FIRST),
        "stop": buyers(NOT_PAID),
        "order_again": buyers(NOT_ENDED),
        "edit_offer": sellers(NOT_PAID),
        "withdraw": sellers(NOT_PAID),
        "deliver": sellers(UNFUNDED),
        "grant_revisions": sellers(UNFUNDED),
        "complete": supports(UNFUNDED),
        "cancel_milestone": supports(UNFUNDED),
        "cancel_order": supports(NOT_PAID),
        "settle": clocks(NOT_DUE),
    },
    "payment_action_needed": {
        "look": both(OK),
        "message": both(OK),
        "place": buyers(NOT_PAID),
        "decline": buyers(NOT_PAID),
        "pay": buyers(CONFIRM),
        "abandon": buyers(OK),
        "accept": buyers(UNFUNDED),
        "accept_and_continue": buyers(UNFUNDED),
        "request_revision": buyers(UNFUNDED),
        "start": buyers(SCRIPT_FIRST),
        "stop": buyers(NOT_PAID),
        "order_again": buyers(NOT_ENDED),
        "edit_offer": sellers(NOT_PAID),
        "withdraw": sellers(NOT_PAID),
        "deliver": sellers(UNFUNDED),
        "grant_revisions": sellers(UNFUNDED),
        "complete": supports(UNFUNDED),
        "cancel_milestone": supports(UNFUNDED),
        "cancel_order": supports(NOT_PAID),
        "settle": clocks(NOT_DUE),
    },
    "payment_processing": {
        "look": both(OK),
        "message": both(OK),
        "place": buyers(NOT_PAID),
        "decline": buyers(NOT_PAID),
        "pay": buyers(DECIDING),
        "abandon": buyers(DECIDING),
        "accept": buyers(UNFUNDED),
        "accept_and_continue": buyers(UNFUNDED),
        "request_revision": buyers(UNFUNDED),
        "start": buyers(SCRIPT_FIRST),
        "stop": buyers(NOT_PAID),
        "order_again": buyers(NOT_ENDED),
        "edit_offer": sellers(NOT_PAID),
        "withdraw": sellers(NOT_PAID),
        "deliver": sellers(UNFUNDED),
        "grant_revisions": sellers(UNFUNDED),
        "complete": supports(UNFUNDED),
        "cancel_milestone": supports(UNFUNDED),
        "cancel_order": supports(NOT_PAID),
        "settle": clocks(NOT_DUE),
    },
    "in_progress": {
        "look": both(OK),
        "message": both(OK),
        "place": buyers(UNDER_WAY),
        "decline": buyers(UNDER_WAY),
        "pay": buyers(PAID),
        "abandon": buyers(PAID),
        "accept": buyers(NOTHING_DELIVERED),
        "accept_and_continue": buyers(NOTHING_DELIVERED),
        "request_revision": buyers(NOTHING_DELIVERED),
        "start": buyers(SCRIPT_FIRST),
        "stop": buyers(SCRIPT_OPEN),
        "order_again": buyers(NOT_ENDED),
        "edit_offer": sellers(UNDER_WAY),
        "withdraw": sellers(UNDER_WAY),
        "deliver": sellers(OK),
        "grant_revisions": sellers(OK),
        "complete": supports(OK),
        "cancel_milestone": supports(OK),
        "cancel_order": supports(OK),
        "settle": clocks(NOT_DUE),
    },
    "delivered": {
        "look": both(OK),
        "message": both(OK),
        "place": buyers(UNDER_WAY),
        "decline": buyers(UNDER_WAY),
        "pay": buyers(PAID),
        "abandon": buyers(PAID),
        "accept": buyers(OK),
        "accept_and_continue": buyers(OK),
        "request_revision": buyers(OK),
        "start": buyers(SCRIPT_FIRST),
        "stop": buyers(SCRIPT_OPEN),
        "order_again": buyers(NOT_ENDED),
        "edit_offer": sellers(UNDER_WAY),
        "withdraw": sellers(UNDER_WAY),
        "deliver": sellers(OK),
        "grant_revisions": sellers(OK),
        "complete": supports(OK),
        "cancel_milestone": supports(OK),
        "cancel_order": supports(OK),
        "settle": clocks(NOT_DUE),
    },
    "delivered_last": {
        "look": both(OK),
        "message": both(OK),
        "place": buyers(UNDER_WAY),
        "decline": buyers(UNDER_WAY),
        "pay": buyers("“Logo” is paid."),
        "abandon": buyers("“Logo” is paid."),
        "accept": buyers(OK),
        "accept_and_continue": buyers(LAST),
        "request_revision": buyers(OK),
        "start": buyers(NO_FURTHER),
        "stop": buyers(LOGO_OPEN),
        "order_again": buyers(NOT_ENDED),
        "edit_offer": sellers(UNDER_WAY),
        "withdraw": sellers(UNDER_WAY),
        "deliver": sellers(OK),
        "grant_revisions": sellers(OK),
        "complete": supports(OK),
        "cancel_milestone": supports(OK),
        "cancel_order": supports(OK),
        "settle": clocks(NOT_DUE),
    },
    "in_revision": {
        "look": both(OK),
        "message": both(OK),
        "place": buyers(UNDER_WAY),
        "decline": buyers(UNDER_WAY),
        "pay": buyers(PAID),
        "abandon": buyers(PAID),
        "accept": buyers(OK),
        "accept_and_continue": buyers(OK),
        "request_revision": buyers(IN_REVISION),
        "start": buyers(SCRIPT_FIRST),
        "stop": buyers(SCRIPT_OPEN),
        "order_again": buyers(NOT_ENDED),
        "edit_offer": sellers(UNDER_WAY),
        "withdraw": sellers(UNDER_WAY),
        "deliver": sellers(OK),
        "grant_revisions": sellers(OK),
        "complete": supports(OK),
        "cancel_milestone": supports(OK),
        "cancel_order": supports(OK),
        "settle": clocks(NOT_DUE),
    },
    "delivered_no_revision_left": {
        "look": both(OK),
        "message": both(OK),
        "place": buyers(UNDER_WAY),
        "decline": buyers(UNDER_WAY),
        "pay": buyers(PAID),
        "abandon": buyers(PAID),
        "accept": buyers(OK),
        "accept_and_continue": buyers(OK),
        "request_revision": buyers(NO_REVISION),
        "start": buyers(SCRIPT_FIRST),
        "stop": buyers(SCRIPT_OPEN),
        "order_again": buyers(NOT_ENDED),
        "edit_offer": sellers(UNDER_WAY),
        "withdraw": sellers(UNDER_WAY),
        "deliver": sellers(OK),
        "grant_revisions": sellers(OK),
        "complete": supports(OK),
        "cancel_milestone": supports(OK),
        "cancel_order": supports(OK),
        "settle": clocks(NOT_DUE),
    },
    "between": {
        "look": both(OK),
        "message": both(OK),
        "place": buyers(UNDER_WAY),
        "decline": buyers(UNDER_WAY),
        "pay": buyers(NOT_STARTED),
        "abandon": buyers(NOT_STARTED),
        "accept": buyers(NOT_STARTED),
        "accept_and_continue": buyers(NOT_STARTED),
        "request_revision": buyers(NOT_STARTED),
        "start": buyers(OK),
        "stop": buyers(OK),
        "order_again": buyers(NOT_ENDED),
        "edit_offer": sellers(UNDER_WAY),
        "withdraw": sellers(UNDER_WAY),
        "deliver": sellers(NOT_STARTED),
        "grant_revisions": sellers(NOT_STARTED),
        "complete": supports(NOT_STARTED),
        "cancel_milestone": supports(NOT_STARTED),
        "cancel_order": supports(OK),
        "settle": clocks(NOT_DUE),
    },
    "awaiting_next_payment": {
        "look": both(OK),
        "message": both(OK),
        "place": buyers(UNDER_WAY),
        "decline": buyers(UNDER_WAY),
        "pay": buyers(OK),
        "abandon": buyers(NO_CONFIRMATION),
        "accept": buyers(UNFUNDED_NEXT),
        "accept_and_continue": buyers(UNFUNDED_NEXT),
        "request_revision": buyers(UNFUNDED_NEXT),
        "start": buyers(STORYBOARD_FIRST),
        "stop": buyers(OK),
        "order_again": buyers(NOT_ENDED),
        "edit_offer": sellers(UNDER_WAY),
        "withdraw": sellers(UNDER_WAY),
        "deliver": sellers(UNFUNDED_NEXT),
        "grant_revisions": sellers(UNFUNDED_NEXT),
        "complete": supports(UNFUNDED_NEXT),
        "cancel_milestone": supports(UNFUNDED_NEXT),
        "cancel_order": supports(OK),
        "settle": clocks(NOT_DUE),
    },
    # Delivered, and then a dispute was opened.
    "frozen": {
        "look": both(OK),
        "message": both(OK),
        "place": buyers(UNDER_WAY),
        "decline": buyers(UNDER_WAY),
        "pay": buyers(PAID),
        "abandon": buyers(PAID),
        "accept": buyers(FROZEN),
        "accept_and_continue": buyers(FROZEN),
        "request_revision": buyers(FROZEN),
        "start": buyers(FROZEN),
        "stop": buyers(FROZEN),
        "order_again": buyers(NOT_ENDED),
        "edit_offer": sellers(UNDER_WAY),
        "withdraw": sellers(UNDER_WAY),
        "deliver": sellers(FROZEN),
        "grant_revisions": sellers(FROZEN),
        "complete": supports(OK),
        "cancel_milestone": supports(OK),
        "cancel_order": supports(OK),
        "settle": clocks(NOT_DUE),
    },
    # Stopped after the first milestone.
    "completed": {
        "look": both(OK),
        "message": both(OK),
        "place": buyers(COMPLETED),
        "decline": buyers(COMPLETED),
        "pay": buyers(COMPLETED),
        "abandon": buyers(COMPLETED),
        "accept": buyers(COMPLETED),
        "accept_and_continue": buyers(COMPLETED),
        "request_revision": buyers(COMPLETED),
        "start": buyers(COMPLETED),
        "stop": buyers(COMPLETED),
        "order_again": buyers(OK),
        "edit_offer": sellers(COMPLETED),
        "withdraw": sellers(COMPLETED),
        "deliver": sellers(COMPLETED),
        "grant_revisions": sellers(COMPLETED),
        "complete": supports(COMPLETED),
        "cancel_milestone": supports(COMPLETED),
        "cancel_order": supports(COMPLETED),
        "settle": clocks(NOT_DUE),
    },
    # A declined offer.
    "canceled": {
        "look": both(OK),
        "message": both(OK),
        "place": buyers(CANCELED),
        "decline": buyers(CANCELED),
        "pay": buyers(CANCELED),
        "abandon": buyers(CANCELED),
        "accept": buyers(CANCELED),
        "accept_and_continue": buyers(CANCELED),
        "request_revision": buyers(CANCELED),
        "start": buyers(CANCELED),
        "stop": buyers(CANCELED),
        "order_again": buyers(OK),
        "edit_offer": sellers(CANCELED),
        "withdraw": sellers(CANCELED),
        "deliver": sellers(CANCELED),
        "grant_revisions": sellers(CANCELED),
        "complete": supports(CANCELED),
        "cancel_milestone": supports(CANCELED),
        "cancel_order": supports(CANCELED),
        "settle": clocks(NOT_DUE),
    },
    # Delivered, the window over, and no sweep has come by yet (O7).
    "overdue_delivered": {
        "look": both(OK),
        "message": both(OK),
        "place": buyers(TOO_LATE),
        "decline": buyers(TOO_LATE),
        "pay": buyers(TOO_LATE),
        "abandon": buyers(TOO_LATE),
        "accept": buyers(TOO_LATE),
        "accept_and_continue": buyers(TOO_LATE),
        "request_revision": buyers(TOO_LATE),
        "start": buyers(TOO_LATE),
        "stop": buyers(TOO_LATE),
        "order_again": buyers(Overdue(NOT_ENDED, OK)),
        # An edit always carries the version it was drawn from, and the clock has made another.
        "edit_offer": sellers(Overdue(TOO_LATE.page, CHANGED)),
        "withdraw": sellers(TOO_LATE),
        "deliver": sellers(TOO_LATE),
        "grant_revisions": sellers(TOO_LATE),
        "complete": supports(TOO_LATE),
        "cancel_milestone": supports(TOO_LATE),
        "cancel_order": supports(TOO_LATE),
        "settle": clocks(OK),
    },
}
