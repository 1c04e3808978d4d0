"""The conditions of a milestone's transitions, with their refusals."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from orders.guards import Refusal, guard
from orders.models.order import Order, buyer_is_active, is_not_frozen, seller_is_active
from payments.models import Charge

if TYPE_CHECKING:
    from orders.models.milestone import Milestone


@guard
def order_is_not_frozen(milestone: "Milestone") -> Refusal | None:
    return is_not_frozen.why_not(milestone.order)


@guard
def both_sides_are_active(milestone: "Milestone") -> Refusal | None:
    return buyer_is_active.why_not(milestone.order) or seller_is_active.why_not(milestone.order)


@guard
def order_is_placed(milestone: "Milestone") -> Refusal | None:
    """O4: nothing starts in an offer, nor in an order that has ended."""
    order = milestone.order
    if order.status in (Order.Status.ACTIVE, Order.Status.AWAITING_PAYMENT):
        return None
    return order.refusal_by_state()


@guard
def is_next_in_turn(milestone: "Milestone") -> Refusal | None:
    """O1: strictly in turn, one at a time."""
    current = milestone.order.current
    if current:
        return Refusal(_("“{milestone}” has to end first.").format(milestone=current.title), who=current.waits_for)
    first = milestone.order.next_milestone
    if first and first.pk != milestone.pk:
        return Refusal(_("“{milestone}” comes first.").format(milestone=first.title), who="buyer")
    return None


@guard
def no_attempt_is_undecided(milestone: "Milestone") -> Refusal | None:
    """O4: while the bank is deciding no second attempt begins."""
    charge = milestone.undecided_charge
    if charge is None:
        return None
    if charge.status == Charge.Status.ACTION_NEEDED:
        return Refusal(_("Confirm the payment with your bank, or use another card."), who="buyer")
    return Refusal(_("The bank is still deciding about the payment."), who="the bank")


@guard
def attempt_waits_for_confirmation(milestone: "Milestone") -> Refusal | None:
    """O4: only an attempt that the buyer has not confirmed can be abandoned; a bank's decision is waited for."""
    charge = milestone.undecided_charge
    if charge is None:
        return Refusal(_("No payment is waiting for a confirmation."))
    if charge.status != Charge.Status.ACTION_NEEDED:
        return Refusal(_("The bank is still deciding about the payment."), who="the bank")
    return None


@guard
def a_revision_is_left(milestone: "Milestone") -> Refusal | None:
    """O8."""
    if milestone.revisions_left == 0:
        said = _(
            "No revision is left. You can accept the delivery, ask the seller for an extra revision, or open a case."
        )
        return Refusal(said, who="seller")
    return None


@guard
def revisions_are_counted(milestone: "Milestone") -> Refusal | None:
    if milestone.revisions is None:
        return Refusal(_("Revisions are unlimited in this milestone."))
    return None


@guard
def another_milestone_is_planned(milestone: "Milestone") -> Refusal | None:
    if milestone.order.next_milestone is None:
        return Refusal(_("This is the last milestone; there is none to continue with."))
    return None


@guard
def no_bank_is_deciding(milestone: "Milestone") -> Refusal | None:
    """M10: no refund and no release of a payment that the buyer's bank has taken back."""
    # An open milestone with such a payment is always frozen, so that nothing is looked up for the others.
    if not milestone.order.paused_at or not milestone.bank_is_deciding:
        return None
    return Refusal(
        _("The buyer's bank has taken the payment back and is deciding; until then nobody else can."),
        who="the buyer's bank",
    )
