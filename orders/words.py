"""The sentences of the activity and of the notices, per kind of event.

Each line: what the activity says, the heading of the notice to the other side (or to both), and what the notice
advises: `{decide_by}` and `{deliver_by}` are the deadlines in the reader's own time zone.
"""

from typing import NamedTuple

from orders.models import Event, Order

Kind = Event.Kind
Because = Order.ClosedBecause


class Words(NamedTuple):
    activity: str
    notice: str = ""
    advice: str = ""
    hidden: bool = False
    """Hidden lines are state changes that another line already tells."""


ANSWER = "Answer by {decide_by}. Nothing is charged before you accept."

SENTENCES: dict[str, Words] = {
    Kind.DRAWN_UP: Words("The order was drawn up from the gig", hidden=True),
    Kind.OFFERED: Words("{actor} sent an offer", "{actor} sent you an offer: {order}", ANSWER),
    Kind.OFFER_EDITED: Words("{actor} changed the offer", "{actor} changed the offer: {order}", ANSWER),
    Kind.PLACED: Words("{actor} placed the order"),
    Kind.STARTED: Words("{actor} started “{milestone}”"),
    Kind.PAYMENT_FAILED: Words(
        "The payment for “{milestone}” failed: {reason}",
        "The payment for “{milestone}” failed",
        "Nothing was charged. The buyer can try again, with another card too, until {decide_by}.",
    ),
    Kind.PAYMENT_ABANDONED: Words(
        "{actor} gave up the attempt to pay for “{milestone}”",
        "{actor} gave up the attempt to pay for “{milestone}”",
        "The buyer can pay with another card until {decide_by}.",
    ),
    Kind.PAYMENT_PROCESSING: Words(
        "The bank is deciding about the payment for “{milestone}”", "The payment for “{milestone}” is being decided"
    ),
    Kind.FUNDED: Words(
        "{charged} charged; “{milestone}” is funded and in progress",
        "“{milestone}” is funded: work can begin",
        "{seller} delivers by {deliver_by}.",
    ),
    Kind.ACTIVATED: Words("The order is active", hidden=True),
    Kind.PAYMENT_RETURNED: Words(
        "{refunded} arrived too late for “{milestone}” and goes back to the buyer{as_credit}",
        "A late payment for “{milestone}” goes back to the buyer",
    ),
    Kind.REFUND_REFUSED: Words(
        "The refund of {refunded} for “{milestone}” was refused by the bank",
        "A refund for “{milestone}” was refused",
        "The money is safe. Our staff see it and find another way.",
    ),
    Kind.REFUND_CREDITED: Words(
        "{refunded} for “{milestone}” could not go back to the card and was given to {buyer} as credit",
        "A refund for “{milestone}” was given as credit",
        "The buyer can use the credit first at the next payment in the same currency.",
    ),
    Kind.DELIVERED: Words(
        "{actor} delivered “{milestone}” ({delivery})",
        "{actor} delivered “{milestone}”",
        "Accept it or ask for a revision by {decide_by}. If you do nothing, it is completed and paid, "
        "and the order ends.",
    ),
    Kind.REVISION_REQUESTED: Words(
        "{actor} asked for a revision of “{milestone}”",
        "{actor} asked for a revision of “{milestone}”",
        "The new delivery date is {deliver_by}.",
    ),
    Kind.REVISIONS_GRANTED: Words(
        "{actor} granted {count} extra for “{milestone}”", "{actor} granted {count} extra for “{milestone}”"
    ),
    Kind.DELIVERY_EXTENDED: Words(
        "“{milestone}” has {extension} more",
        "“{milestone}” has {extension} more",
        "The new delivery date is {deliver_by}.",
    ),
    Kind.PLAN_CHANGED: Words(
        "The upcoming milestones changed: {changes}",
        "The upcoming milestones of your order changed",
        "Nothing is charged for one of them before the buyer starts it.",
    ),
    Kind.ACCEPTED: Words(
        "{actor} accepted “{milestone}”; {released} paid to {seller}", "{actor} accepted “{milestone}”: {released} paid"
    ),
    Kind.LAPSED: Words(
        "Nobody answered in time: “{milestone}” is completed and {released} paid to {seller}",
        "“{milestone}” was completed because the review window ended",
    ),
    Kind.COMPLETED_BY_SUPPORT: Words(
        "{actor} completed “{milestone}”; {released} paid to {seller}", "Customer Support completed “{milestone}”"
    ),
    Kind.PARTLY_REFUNDED: Words(
        "{actor} refunded {refunded} of “{milestone}” to {buyer}{as_credit}",
        "{refunded} of “{milestone}” goes back to the buyer",
    ),
    Kind.CANCELED: Words(
        "“{milestone}” was canceled: {reason}; {refunded} goes back to {buyer}{as_credit}", "“{milestone}” was canceled"
    ),
    Kind.LEFT_OUT: Words("“{milestone}” will not be started", hidden=True),
    Kind.FROZEN: Words("The order is frozen while case {reason} is open", hidden=True),
    Kind.RESUMED: Words("Case {reason} ended: the clocks run again"),
    # The notices about cases are told by `resolution`, with the case's own page.
    Kind.CASE_OPENED: Words("{actor} opened case {case} to {what}: {reason}"),
    Kind.CASE_ACCEPTED: Words("{actor} accepted case {case}: {effect}"),
    Kind.CASE_DECLINED: Words("{actor} declined case {case}"),
    Kind.CASE_WITHDRAWN: Words("{actor} withdrew case {case}"),
    Kind.CASE_UNANSWERED: Words("Nobody answered case {case} in time: {effect}"),
    Kind.CASE_ESCALATED: Words("{actor} took case {case} to Customer Support"),
    Kind.CASE_RULED: Words("{actor} decided case {case}: {ruling} ({reason})"),
    Kind.CASE_DISMISSED: Words("{actor} dismissed case {case} ({reason})"),
    Kind.CASE_VOID: Words("Case {case} is void: {effect}"),
    Kind.CASE_SETTLED: Words("The buyer's bank has decided, so case {case} ended: {effect}"),
    Kind.CHARGEBACK_TAKEN: Words(
        "The buyer's bank took {charged_back} for “{milestone}” back and is deciding{meanwhile}",
        "The buyer's bank took the payment for “{milestone}” back",
        "Until the bank has decided, nothing of it is refunded or paid out.",
    ),
    Kind.CHARGEBACK_WON: Words(
        "The buyer's bank decided for the seller: {charged_back} for “{milestone}” came back",
        "The bank decided for the seller about “{milestone}”",
    ),
    Kind.CHARGEBACK_LOST: Words(
        "The buyer's bank decided for the buyer: {charged_back} for “{milestone}” stays with them",
        "The bank decided for the buyer about “{milestone}”",
    ),
    Kind.CHARGEBACK_BORNE: Words(
        "Our staff decided who bears the chargeback of “{milestone}”: {reason}",
        "Customer Support decided about the chargeback of “{milestone}”",
    ),
    Kind.CANCELED_BY_BANK: Words(
        "“{milestone}” was canceled: {reason}", "“{milestone}” was canceled after its payment was taken back"
    ),
    Kind.FILE_WITHHELD: Words("{actor} withheld the file {file}: {reason}", "A file was withheld"),
    Kind.ENDED: Words("The order ended: {reason}", "Your order ended: {reason}"),
}

ENDINGS: dict[str, str] = {
    Because.FINISHED: "all milestones are done",
    Because.STOPPED: "{buyer} stopped it",
    Because.LAPSED: "the review window ended without an answer",
    Because.NOT_CONTINUED: "the next milestone was not started and paid in time",
    Because.CANCELED_BY_AGREEMENT: "canceled by agreement",
    Because.CANCELED_LATE: "canceled because the delivery was very late",
    Because.CANCELED_BY_SUPPORT: "canceled by Customer Support",
    Because.UNPAID: "the first milestone was not paid in time",
    Because.DECLINED: "{buyer} declined the offer",
    Because.WITHDRAWN: "{seller} withdrew the offer",
    Because.EXPIRED: "the offer expired",
}
