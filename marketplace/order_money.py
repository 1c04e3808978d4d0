"""Where every cent of an order is, for its page (P2, M9)."""

from django.db.models import Q

from orders.models import Milestone, Order
from payments.models import Document, Refund
from payments.money import display
from payments.services import Cents, where_every_cent_is


def badge_of(milestone: Milestone, refunds: list[Refund]) -> tuple[str, str]:
    """Where the milestone's money is, in two words, and how they look."""
    if milestone.status == Milestone.Status.COMPLETED:
        return "Paid to seller", "paid"
    if milestone.status == Milestone.Status.CANCELED:
        back = [refund for refund in refunds if refund.held_id == milestone.held_id]
        if any(is_refused(refund) for refund in back):
            return "Refund refused", "late"
        if milestone.held and (milestone.held.charged_back or not back):
            return "Charged back", "neutral"
        settled = all(refund.retried or refund.status == Refund.Status.SUCCEEDED for refund in back)
        return ("Refunded", "neutral") if settled else ("Refund on its way", "neutral")
    return ("Held", "held") if milestone.is_open else ("Not charged", "neutral")


def cents_of(order: Order) -> Cents:
    references = [milestone.held.reference for milestone in order.plan if milestone.held]
    found = where_every_cent_is(references).values()
    return Cents(*(sum(getattr(cents, name) for cents in found) for name in Cents.__dataclass_fields__))


def parts_of(order: Order, cents: Cents, side: str, refunds: list[Refund]) -> list[dict[str, object]]:
    """The parts of the bar; those that are nothing are left out, but for the refunds."""
    paid = f"Paid to {order.seller.name}" if side == "buyer" else "Paid to you"
    back = "Refunded to you" if side == "buyer" else "Refunded to the buyer"
    open_milestone = order.open_milestone
    stuck, due = any(is_refused(refund) for refund in refunds), cents.refunds_due
    held = f"Held for “{open_milestone.title}”, with fee" if open_milestone else "Held"
    # Less than nothing when a chargeback was lost of what had been refunded or paid to the seller already.
    fees = "Fees of completed milestones" if cents.fees >= 0 else "Borne by the platform"
    parts = [
        {"kind": "paid", "label": paid, "amount": cents.seller},
        {"kind": "held", "label": held, "amount": cents.held},
        {"kind": "fees", "label": fees, "amount": cents.fees},
        {"kind": "due", "label": "Refund waits for Customer Support" if stuck else "Refund on its way", "amount": due},
        {"kind": "lost", "label": "Charged back", "amount": cents.charged_back},
        {"kind": "refunded", "label": back, "amount": cents.refunded},
    ]
    return [part for part in parts if part["amount"] or part["kind"] == "refunded"]


def of_credit(order: Order, cents: Cents) -> list[str]:
    """How much of what was charged and refunded was credit, in sentences."""
    said = []
    if cents.with_credit:
        said.append(f"{display(cents.with_credit, order.currency)} of what was charged was paid with credit.")
    if cents.as_credit:
        said.append(f"{display(cents.as_credit, order.currency)} of what was refunded was given as credit.")
    return said


def refunds_of(order: Order) -> list[Refund]:
    """Each refund with its state (M9); of one that staff gave again only its credit part, if any, is still told."""
    held = [milestone.held_id for milestone in order.plan if milestone.held_id]
    told = Refund.objects.filter(Q(retried=False) | Q(credit__gt=0), held__in=held)
    return list(told.select_related("held").order_by("pk"))


def documents_of(order: Order, side: str) -> list[Document]:
    """The buyer's receipts and credit notes of this order; the seller gets none of them (P3)."""
    if side != "buyer":
        return []
    held = [milestone.held_id for milestone in order.plan if milestone.held_id]
    of_order = Q(charge__held__in=held) | Q(refund__held__in=held)
    return list(Document.objects.filter(of_order, recipient=order.buyer_id).order_by("pk"))


def is_refused(refund: Refund) -> bool:
    return refund.status == Refund.Status.REFUSED and not refund.retried


def charged_later(order: Order) -> int:
    """What will be charged for the milestones that have not started, in minor units."""
    planned = [milestone for milestone in order.plan if milestone.status == Milestone.Status.PLANNED]
    return sum(milestone.total for milestone in planned)
