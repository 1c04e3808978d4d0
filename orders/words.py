"""The sentences of the activity and of the notices, per kind of event.

Each line: what the activity says, the heading of the notice to the other side (or to both), and what the notice
advises: `{decide_by}` and `{deliver_by}` are the deadlines in the reader's own time zone.
"""

from typing import NamedTuple

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_stubs_ext import StrOrPromise

from orders.models import Event, Order

Kind = Event.Kind
Because = Order.ClosedBecause


class Words(NamedTuple):
    activity: StrOrPromise
    notice: StrOrPromise = ""
    advice: StrOrPromise = ""
    hidden: bool = False
    """Hidden lines are state changes that another line already tells."""
    mine: StrOrPromise = ""
    """The activity as the actor reads it, where `{actor}` is "You": in most languages another form of the verb."""


ANSWER = _("Answer by {decide_by}. Nothing is charged before you accept.")

SENTENCES: dict[str, Words] = {
    Kind.DRAWN_UP: Words(_("The order was drawn up from the gig"), hidden=True),
    Kind.OFFERED: Words(
        _("{actor} sent an offer"),
        _("{actor} sent you an offer: {order}"),
        ANSWER,
        mine=pgettext_lazy("you", "{actor} sent an offer"),
    ),
    Kind.OFFER_EDITED: Words(
        _("{actor} changed the offer"),
        _("{actor} changed the offer: {order}"),
        ANSWER,
        mine=pgettext_lazy("you", "{actor} changed the offer"),
    ),
    Kind.PLACED: Words(_("{actor} placed the order"), mine=pgettext_lazy("you", "{actor} placed the order")),
    Kind.STARTED: Words(_("{actor} started “{milestone}”"), mine=pgettext_lazy("you", "{actor} started “{milestone}”")),
    Kind.PAYMENT_FAILED: Words(
        _("The payment for “{milestone}” failed: {reason}"),
        _("The payment for “{milestone}” failed"),
        _("Nothing was charged. The buyer can try again, with another card too, until {decide_by}."),
    ),
    Kind.PAYMENT_ABANDONED: Words(
        _("{actor} gave up the attempt to pay for “{milestone}”"),
        _("{actor} gave up the attempt to pay for “{milestone}”"),
        _("The buyer can pay with another card until {decide_by}."),
        mine=pgettext_lazy("you", "{actor} gave up the attempt to pay for “{milestone}”"),
    ),
    Kind.PAYMENT_PROCESSING: Words(
        _("The bank is deciding about the payment for “{milestone}”"),
        _("The payment for “{milestone}” is being decided"),
    ),
    Kind.FUNDED: Words(
        _("{charged} charged; “{milestone}” is funded and in progress"),
        _("“{milestone}” is funded: work can begin"),
        _("{seller} delivers by {deliver_by}."),
    ),
    Kind.ACTIVATED: Words(_("The order is active"), hidden=True),
    Kind.PAYMENT_RETURNED: Words(
        _("{refunded} arrived too late for “{milestone}” and goes back to the buyer{as_credit}"),
        _("A late payment for “{milestone}” goes back to the buyer"),
    ),
    Kind.REFUND_REFUSED: Words(
        _("The refund of {refunded} for “{milestone}” was refused by the bank"),
        _("A refund for “{milestone}” was refused"),
        _("The money is safe. Our staff see it and find another way."),
    ),
    Kind.REFUND_CREDITED: Words(
        _("{refunded} for “{milestone}” could not go back to the card and was given to {buyer} as credit"),
        _("A refund for “{milestone}” was given as credit"),
        _("The buyer can use the credit first at the next payment in the same currency."),
    ),
    Kind.DELIVERED: Words(
        _("{actor} delivered “{milestone}” ({delivery})"),
        _("{actor} delivered “{milestone}”"),
        _(
            "Accept it or ask for a revision by {decide_by}. If you do nothing, it is completed and paid, "
            "and the order ends."
        ),
        mine=pgettext_lazy("you", "{actor} delivered “{milestone}” ({delivery})"),
    ),
    Kind.REVISION_REQUESTED: Words(
        _("{actor} asked for a revision of “{milestone}”"),
        _("{actor} asked for a revision of “{milestone}”"),
        _("The new delivery date is {deliver_by}."),
        mine=pgettext_lazy("you", "{actor} asked for a revision of “{milestone}”"),
    ),
    Kind.REVISIONS_GRANTED: Words(
        _("{actor} granted {count} extra for “{milestone}”"),
        _("{actor} granted {count} extra for “{milestone}”"),
        mine=pgettext_lazy("you", "{actor} granted {count} extra for “{milestone}”"),
    ),
    Kind.DELIVERY_EXTENDED: Words(
        _("“{milestone}” has {extension} more"),
        _("“{milestone}” has {extension} more"),
        _("The new delivery date is {deliver_by}."),
    ),
    Kind.PLAN_CHANGED: Words(
        _("The upcoming milestones changed: {changes}"),
        _("The upcoming milestones of your order changed"),
        _("Nothing is charged for one of them before the buyer starts it."),
    ),
    Kind.ACCEPTED: Words(
        _("{actor} accepted “{milestone}”; {released} paid to {seller}"),
        _("{actor} accepted “{milestone}”: {released} paid"),
        mine=pgettext_lazy("you", "{actor} accepted “{milestone}”; {released} paid to {seller}"),
    ),
    Kind.LAPSED: Words(
        _("Nobody answered in time: “{milestone}” is completed and {released} paid to {seller}"),
        _("“{milestone}” was completed because the review window ended"),
    ),
    Kind.COMPLETED_BY_SUPPORT: Words(
        _("{actor} completed “{milestone}”; {released} paid to {seller}"),
        _("Customer Support completed “{milestone}”"),
        mine=pgettext_lazy("you", "{actor} completed “{milestone}”; {released} paid to {seller}"),
    ),
    Kind.PARTLY_REFUNDED: Words(
        _("{actor} refunded {refunded} of “{milestone}” to {buyer}{as_credit}"),
        _("{refunded} of “{milestone}” goes back to the buyer"),
        mine=pgettext_lazy("you", "{actor} refunded {refunded} of “{milestone}” to {buyer}{as_credit}"),
    ),
    Kind.CANCELED: Words(
        _("“{milestone}” was canceled: {reason}; {refunded} goes back to {buyer}{as_credit}"),
        _("“{milestone}” was canceled"),
    ),
    Kind.LEFT_OUT: Words(_("“{milestone}” will not be started"), hidden=True),
    Kind.FROZEN: Words(_("The order is frozen while case {reason} is open"), hidden=True),
    Kind.RESUMED: Words(_("Case {reason} ended: the clocks run again")),
    # The notices about cases are told by `resolution`, with the case's own page.
    Kind.CASE_OPENED: Words(
        _("{actor} opened case {case} to {what}: {reason}"),
        mine=pgettext_lazy("you", "{actor} opened case {case} to {what}: {reason}"),
    ),
    Kind.CASE_ACCEPTED: Words(
        _("{actor} accepted case {case}: {effect}"), mine=pgettext_lazy("you", "{actor} accepted case {case}: {effect}")
    ),
    Kind.CASE_DECLINED: Words(
        _("{actor} declined case {case}"), mine=pgettext_lazy("you", "{actor} declined case {case}")
    ),
    Kind.CASE_WITHDRAWN: Words(
        _("{actor} withdrew case {case}"), mine=pgettext_lazy("you", "{actor} withdrew case {case}")
    ),
    Kind.CASE_UNANSWERED: Words(_("Nobody answered case {case} in time: {effect}")),
    Kind.CASE_ESCALATED: Words(
        _("{actor} took case {case} to Customer Support"),
        mine=pgettext_lazy("you", "{actor} took case {case} to Customer Support"),
    ),
    Kind.CASE_RULED: Words(
        _("{actor} decided case {case}: {ruling} ({reason})"),
        mine=pgettext_lazy("you", "{actor} decided case {case}: {ruling} ({reason})"),
    ),
    Kind.CASE_DISMISSED: Words(
        _("{actor} dismissed case {case} ({reason})"),
        mine=pgettext_lazy("you", "{actor} dismissed case {case} ({reason})"),
    ),
    Kind.CASE_VOID: Words(_("Case {case} is void: {effect}")),
    Kind.CASE_SETTLED: Words(_("The buyer's bank has decided, so case {case} ended: {effect}")),
    Kind.CHARGEBACK_TAKEN: Words(
        _("The buyer's bank took {charged_back} for “{milestone}” back and is deciding{meanwhile}"),
        _("The buyer's bank took the payment for “{milestone}” back"),
        _("Until the bank has decided, nothing of it is refunded or paid out."),
    ),
    Kind.CHARGEBACK_WON: Words(
        _("The buyer's bank decided for the seller: {charged_back} for “{milestone}” came back"),
        _("The bank decided for the seller about “{milestone}”"),
    ),
    Kind.CHARGEBACK_LOST: Words(
        _("The buyer's bank decided for the buyer: {charged_back} for “{milestone}” stays with them"),
        _("The bank decided for the buyer about “{milestone}”"),
    ),
    Kind.CHARGEBACK_BORNE: Words(
        _("Our staff decided who bears the chargeback of “{milestone}”: {shares}"),
        _("Customer Support decided about the chargeback of “{milestone}”"),
    ),
    Kind.CANCELED_BY_BANK: Words(
        _("“{milestone}” was canceled: {reason}"), _("“{milestone}” was canceled after its payment was taken back")
    ),
    Kind.FILE_WITHHELD: Words(
        _("{actor} withheld the file {file}: {reason}"),
        _("A file was withheld"),
        mine=pgettext_lazy("you", "{actor} withheld the file {file}: {reason}"),
    ),
    Kind.ENDED: Words(_("The order ended: {reason}"), _("Your order ended: {reason}")),
}

ENDINGS: dict[str, StrOrPromise] = {
    Because.FINISHED: _("all milestones are done"),
    Because.STOPPED: _("{buyer} stopped it"),
    Because.LAPSED: _("the review window ended without an answer"),
    Because.NOT_CONTINUED: _("the next milestone was not started and paid in time"),
    Because.CANCELED_BY_AGREEMENT: _("canceled by agreement"),
    Because.CANCELED_LATE: _("canceled because the delivery was very late"),
    Because.CANCELED_BY_SUPPORT: _("canceled by Customer Support"),
    Because.UNPAID: _("the first milestone was not paid in time"),
    Because.DECLINED: _("{buyer} declined the offer"),
    Because.WITHDRAWN: _("{seller} withdrew the offer"),
    Because.EXPIRED: _("the offer expired"),
}

ENDED_BY_YOU: dict[str, StrOrPromise] = {
    Because.STOPPED: pgettext_lazy("you", "{buyer} stopped it"),
    Because.DECLINED: pgettext_lazy("you", "{buyer} declined the offer"),
    Because.WITHDRAWN: pgettext_lazy("you", "{seller} withdrew the offer"),
}
"""The same as whoever ended it reads it, where the name is "you"."""
