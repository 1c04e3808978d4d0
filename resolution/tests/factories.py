"""Cases as they come to be: opened through the service, never set by hand."""

from typing import Any

from orders.models import Milestone, Order
from orders.tests.factories import fresh, planned
from payments.gateways import Outcome, ParsedEvent, State
from payments.gateways.base import DisputeState, ParsedDispute
from resolution import services
from resolution.models import Case, Reason
from resolution.models.asked import NOTHING_MORE, Asked

POSTER = planned("Poster", 8_000, 3, 1)
# What a case of each kind cites and asks for, unless a test says otherwise.
CITED = {
    "extend": "more_time_needed",
    "extra_revisions": "more_changes_wanted",
    "change_upcoming": "plan_has_changed",
}
ASKED = {
    "partial_refund": Asked(amount=3_000),
    "extend": Asked(days=2),
    "extra_revisions": Asked(revisions=2),
    "change_upcoming": Asked(upcoming=(POSTER,)),
}


def reason(code: str = "agreed_by_both") -> Reason:
    return Reason.objects.get(code=code)


def opened(order: Order, *, side: str = "buyer", kind: str = "cancel_milestone", **details: Any) -> Case:
    """A case that waits for the other side's answer."""
    code = details.pop("code", CITED.get(kind, "agreed_by_both"))
    asked = details.pop("asked", ASKED.get(kind, NOTHING_MORE))
    by = order.buyer if side == "buyer" else order.seller
    statement = details.pop("statement", "We agreed on the phone.")
    return services.open_case(order, by=by, kind=kind, reason=reason(code), statement=statement, asked=asked, **details)


def agreed(case: Case, **details: Any) -> Case:
    """The other side says yes."""
    answerer = case.answerer
    assert answerer
    return services.accept_case(case, by=answerer, **details)


def declined(order: Order, **details: Any) -> Case:
    case = opened(order, **details)
    by = order.seller if case.side == "buyer" else order.buyer
    return services.decline_case(case, by=by, text="No, we did not.")


def rule(case: Case, ruling: str = "cancel_milestone", **details: Any) -> Case:
    """Support's decision about a case."""
    asked = {name: details.pop(name) for name in ("price", "days", "as_credit") if name in details}
    return services.rule(case, services.Decision(Case.Ruling(ruling), **asked), **details)


def rule_without_case(order: Order, ruling: str = "cancel_milestone", **details: Any) -> Case:
    """Support's decision without anybody's case."""
    asked = {name: details.pop(name) for name in ("price", "days", "as_credit") if name in details}
    return services.rule_without_case(order, services.Decision(Case.Ruling(ruling), **asked), **details)


def rule_cancel_milestone(case: Case, **details: Any) -> Case:
    return rule(case, "cancel_milestone", **details)


def rule_cancel_order(case: Case, **details: Any) -> Case:
    return rule(case, "cancel_order", **details)


def cancel_milestone_by_support(milestone: Milestone, **details: Any) -> Case:
    return rule_without_case(milestone.order, "cancel_milestone", **details)


def cancel_order_by_support(order: Order, **details: Any) -> Case:
    return rule_without_case(order, "cancel_order", **details)


def fresh_case(case: Case) -> Case:
    return Case.objects.select_related("order", "milestone", "reason").get(pk=case.pk)


def bank(order: Order, news: str, *, amount: int = 0, position: int = 1, number: str = "dp_1", name: str = "") -> None:
    """The provider tells what the buyer's bank does with the charge of a milestone: taken, won or lost."""
    held = next(milestone.held for milestone in fresh(order).plan if milestone.position == position)
    assert held
    charge = held.charges.get(funded=True)
    event = ParsedEvent(
        provider=charge.provider,
        event_id=name or f"ev_{number}_{news}",
        kind=f"dispute.{news}",
        outcome=Outcome(State.UNDECIDED, reason="The cardholder does not know this payment."),
        amount=amount or charge.amount,
        currency=charge.currency,
        body={},
        dispute=ParsedDispute(number, charge.provider_id, DisputeState(news)),
    )
    services.record_chargeback(charge.pk, event)
