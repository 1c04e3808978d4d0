"""What a plan costs its buyer and earns its seller, before anybody clicks (M3)."""

from collections.abc import Iterable
from dataclasses import dataclass

from marketplace.catalog.examples import EXAMPLES
from marketplace.catalog.models import Terms
from marketplace.catalog.plans import Planned, PlannedMilestone
from payments import money
from payments.pricing import buyer_fee


@dataclass(frozen=True)
class PricedStep:
    """A milestone with what its buyer pays for it and its seller keeps of it, in minor units."""

    milestone: Planned
    fee: int
    total: int
    earned: int


@dataclass(frozen=True)
class PricedPlan:
    """A plan's milestones in their order, at least one, and their sums in minor units of `currency`."""

    steps: list[PricedStep]
    currency: str

    @property
    def first(self) -> PricedStep:
        return self.steps[0]

    @property
    def price(self) -> int:
        return sum(step.milestone.price for step in self.steps)

    @property
    def fees(self) -> int:
        return sum(step.fee for step in self.steps)

    @property
    def total(self) -> int:
        return sum(step.total for step in self.steps)

    @property
    def earned(self) -> int:
        return sum(step.earned for step in self.steps)

    @property
    def all_but_last(self) -> "PricedPlan":
        """The same order, stopped before its last milestone."""
        return PricedPlan(self.steps[:-1], self.currency)


def priced(plan: Iterable[Planned], currency: str, terms: Terms) -> PricedPlan:
    """The plan with the fees of `terms`, by the functions that charge and release by."""
    return PricedPlan([_priced(milestone, currency, terms) for milestone in plan], currency)


def worked_example(terms: Terms) -> PricedPlan:
    """The logo of the examples as an order under `terms`, in dollars where they are used."""
    currency = "USD" if "USD" in terms.price_limits else terms.currencies[0]
    unit = 10 ** money.exponent(currency)
    steps = EXAMPLES["logo-design"].steps
    plan = [PlannedMilestone(str(title), "", price * unit, days, 1) for title, _, price, days, _ in steps]
    return priced(plan, currency, terms)


def _priced(milestone: Planned, currency: str, terms: Terms) -> PricedStep:
    fee = buyer_fee(milestone.price, terms.buyer_fee, currency)
    earned = milestone.price - money.fee(milestone.price, terms.commission)
    return PricedStep(milestone, fee, milestone.price + fee, earned)
