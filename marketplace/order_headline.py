"""What is next in an order: one sentence, who must act by when, and what if nobody does (P2, O14)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_stubs_ext import StrOrPromise

from orders import services
from orders.models import Milestone, Order
from orders.words import ENDINGS
from payments.models import Charge
from payments.said import said
from resolution.models import Case
from resolution.words import silence_in_words

UNTIL = gettext_lazy("Until")


@dataclass(frozen=True)
class Headline:
    """What happens next, in one sentence, and the deadline of whoever must act."""

    title: str
    text: str = ""
    until: datetime | None = None
    since: datetime | None = None
    if_nobody_acts: str = ""
    by: StrOrPromise = UNTIL


def headline(
    order: Order, side: str, now: datetime, case: Case | None = None, *, delivered: int | None = None
) -> Headline:
    """What is next, as `side` reads it; of a frozen order with the case that froze it.

    `delivered` is how often the current milestone was delivered, where that is known without asking.
    """
    if order.has_ended:
        completed = order.status == Order.Status.COMPLETED
        return Headline(_("This order is completed") if completed else _("This order is canceled"), _ending(order))
    nobody = services.if_nobody_acts(order)
    if order.is_overdue(now):
        settling = _("The clock is about to settle this order: {outcome}").format(outcome=nobody)
        return Headline(_("The time has run out"), settling, order.decide_by)
    if order.paused_at:
        return _of_case(order, side, case)
    mine = side == "buyer"
    window = partial(
        Headline,
        until=order.decide_by,
        since=order.decide_from,
        if_nobody_acts=nobody,
        by=_("Decide by") if mine else _("Until"),
    )
    names = {"buyer": order.buyer.name, "seller": order.seller.name}
    milestone = order.current
    if order.status == Order.Status.OFFERED:
        title = _("Answer this offer") if mine else _("Waiting for {buyer} to answer the offer").format(**names)
        return window(title, _("Nothing is charged before the offer is accepted."))
    if milestone is None:
        following = order.next_milestone
        assert following
        names["milestone"] = following.title
        title = _("Start “{milestone}” or stop") if mine else _("Waiting for {buyer} to continue")
        return window(title.format(**names), _("Do not work on it before it is funded.") if not mine else "")
    names["milestone"] = milestone.title
    if milestone.status == Milestone.Status.AWAITING_PAYMENT:
        return _payment(milestone, mine, window)
    if milestone.status == Milestone.Status.DELIVERED:
        title = _("Waiting for {buyer} to review “{milestone}” – delivery {number}")
        if mine:
            title = _("Review “{milestone}” – delivery {number}")
        number = len(milestone.deliveries.all()) if delivered is None else delivered
        return window(title.format(number=number, **names), "")
    revises = milestone.status == Milestone.Status.IN_REVISION
    if mine:
        title = _("{seller} revises “{milestone}”") if revises else _("{seller} works on “{milestone}”")
    else:
        title = _("Deliver the revision of “{milestone}”") if revises else _("Deliver “{milestone}”")
    late = _("This milestone is late.") if milestone.is_late(now) else ""
    if milestone.is_very_late(now) and mine:
        late = _("This milestone is very late: you can cancel it on the spot, with a full refund, by opening a case.")
    return Headline(
        title.format(**names),
        late,
        milestone.deliver_by,
        milestone.deliver_from,
        "" if milestone.is_late(now) else _("the milestone shows as late to both of you."),
        by=_("Due") if mine else _("Deliver by"),
    )


def _payment(milestone: Milestone, mine: bool, window: Callable[..., Headline]) -> Headline:
    """A milestone that is not funded yet (O4)."""

    def named(title: str) -> str:
        return title.format(milestone=milestone.title)

    charge = milestone.last_charge
    if not mine:
        text = _("Do not work on it: the buyer's payment has not succeeded.")
        return window(named(_("“{milestone}” is not funded yet")), text)
    if charge and charge.status == Charge.Status.ACTION_NEEDED:
        text = _("Your bank wants you to confirm this payment.")
        return window(named(_("Confirm the payment for “{milestone}”")), text, by=_("Confirm by"))
    if charge and not charge.decided:
        text = _("Your bank is still deciding. You need not do anything; we tell you when it has decided.")
        title = named(_("The payment for “{milestone}” is being decided"))
        return window(title, text, by=_("The bank decides by"))
    if charge and charge.status == Charge.Status.CANCELED:
        reason = _("The last attempt was given up; nothing was charged.")
    elif charge and charge.reason:
        reason = _("The last attempt failed: {reason}").format(reason=said(charge.reason))
    else:
        reason = ""
    return window(named(_("Pay for “{milestone}”")), reason, by=_("Pay by"))


def _of_case(order: Order, side: str, case: Case | None) -> Headline:
    """A frozen order: who has to act on the case, by when, and what silence means (R2, R4)."""
    text = _("The order is frozen: its clocks stand still until the case ends.")
    if case is None:
        return Headline(_("A case is open"), text)
    if case.kind == Case.Kind.CHARGEBACK:
        text = _(
            "The bank has taken the payment back. The order is frozen: its clocks stand still until it has decided."
        )
        title = _("The buyer's bank decides about “{milestone}”").format(milestone=case.milestone)
        return Headline(title, text, case.support_due, by=_("Expected by"))
    if case.status != Case.Status.OPEN:
        title = _("Customer Support decides whether to {what}").format(what=case.what)
        return Headline(title, text, case.support_due, by=_("Expected by"))
    mine = side == case.answering_side
    title = _("Answer the case: {what}?") if mine else _("Waiting for {name} to answer the case: {what}?")
    return Headline(
        title.format(what=case.what, name=case.answerer),
        text,
        case.answer_by,
        case.opened_at,
        _("{outcome}.").format(outcome=silence_in_words(case)),
        by=_("Answer by") if mine else _("Until"),
    )


def _ending(order: Order) -> str:
    words = {"buyer": order.buyer.name, "seller": order.seller.name}
    # Translators: a sentence of its own, such as "The offer expired."
    return capfirst(_("{reason}.").format(reason=ENDINGS[order.closed_because].format(**words)))
