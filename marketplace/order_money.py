"""Where every cent of an order is, for its page (P2, M9)."""

from django.utils.translation import gettext as _

from marketplace.templatetags.words import day
from orders.models import Milestone, Order
from payments.models import Refund
from payments.money import display
from payments.services import Cents


def badge_of(milestone: Milestone, refunds: list[Refund]) -> tuple[str, str]:
    """Where the milestone's money is, in two words, and how they look."""
    if milestone.status == Milestone.Status.COMPLETED:
        return _("Paid to seller"), "paid"
    if milestone.status == Milestone.Status.CANCELED:
        back = [refund for refund in refunds if refund.held_id == milestone.held_id]
        if any(is_refused(refund) for refund in back):
            return _("Refund refused"), "late"
        if milestone.held and (milestone.held.charged_back or not back):
            return _("Charged back"), "neutral"
        settled = all(refund.retried or refund.status == Refund.Status.SUCCEEDED for refund in back)
        return (_("Refunded") if settled else _("Refund on its way")), "neutral"
    return (_("Held"), "held") if milestone.is_open else (_("Not charged"), "neutral")


def parts_of(order: Order, cents: Cents, side: str, refunds: list[Refund]) -> list[dict[str, object]]:
    """The parts of the bar; those that are nothing are left out, but for the refunds."""
    paid = _("Paid to {name}").format(name=order.seller.name) if side == "buyer" else _("Paid to you")
    back = _("Refunded to you") if side == "buyer" else _("Refunded to the buyer")
    open_milestone = order.open_milestone
    stuck, due = any(is_refused(refund) for refund in refunds), cents.refunds_due
    held = _("Held")
    if open_milestone:
        held = _("Held for “{milestone}”, with fee").format(milestone=open_milestone.title)
    # Less than nothing when a chargeback was lost of what had been refunded or paid to the seller already.
    fees = _("Fees of completed milestones") if cents.fees >= 0 else _("Borne by the platform")
    waits = _("Refund waits for Customer Support") if stuck else _("Refund on its way")
    parts = [
        {"kind": "paid", "label": paid, "amount": cents.seller},
        {"kind": "held", "label": held, "amount": cents.held},
        {"kind": "fees", "label": fees, "amount": cents.fees},
        {"kind": "due", "label": waits, "amount": due},
        {"kind": "lost", "label": _("Charged back"), "amount": cents.charged_back},
        {"kind": "refunded", "label": back, "amount": cents.refunded},
    ]
    return [part for part in parts if part["amount"] or part["kind"] == "refunded"]


def of_credit(order: Order, cents: Cents) -> list[str]:
    """How much of what was charged and refunded was credit, in sentences."""
    said = []
    if cents.with_credit:
        amount = display(cents.with_credit, order.currency)
        said.append(_("{amount} of what was charged was paid with credit.").format(amount=amount))
    if cents.as_credit:
        amount = display(cents.as_credit, order.currency)
        said.append(_("{amount} of what was refunded was given as credit.").format(amount=amount))
    return said


def refund_in_words(refund: Refund, currency: str) -> str:
    """ "$50.00 back: refunded, $20.00 of it given as credit, 5 Nov"."""
    only_credit = refund.retried or refund.credit == refund.amount
    said = {
        Refund.Status.CREATED: _("{amount} back: on its way"),
        Refund.Status.ASKING: _("{amount} back: on its way"),
        Refund.Status.PENDING: _("{amount} back: on its way"),
        Refund.Status.SUCCEEDED: _("{amount} back: refunded"),
        Refund.Status.REFUSED: _("{amount} back: refused by the provider"),
    }[Refund.Status(refund.status)]
    if only_credit:
        said = _("{amount} back: given as credit")
    words = [said.format(amount=display(refund.credit if refund.retried else refund.amount, currency))]
    if refund.credit and not only_credit:
        words.append(_("{amount} of it given as credit").format(amount=display(refund.credit, currency)))
    if refund.settled_at:
        words.append(day(refund.settled_at))
    return ", ".join(words)


def is_refused(refund: Refund) -> bool:
    return refund.status == Refund.Status.REFUSED and not refund.retried


def charged_later(order: Order) -> int:
    """What will be charged for the milestones that have not started, in minor units."""
    planned = [milestone for milestone in order.plan if milestone.status == Milestone.Status.PLANNED]
    return sum(milestone.total for milestone in planned)
