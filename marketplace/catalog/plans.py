"""A milestone plan as it is typed: shared by gigs and custom offers, and knows neither.

`PlanFormSet` works without JavaScript: its buttons (`plan-change` = add, remove-2, up-2, down-2, split-2; numbers
from 0) are submit buttons, and the view draws the page again with what was typed:

    change = plans.asked_change(request.POST)
    if change:
        formset = PlanFormSet.changed(request.POST, change, currency=currency, terms=terms)
    else:
        formset = PlanFormSet(request.POST, currency=currency, terms=terms)
        if formset.is_valid():
            service(plan=formset.plan())

A form with these buttons needs its own default button first, because Enter presses the first one.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol, Self

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from marketplace import clock
from marketplace.accounts import instants
from marketplace.catalog.durations import counted
from marketplace.catalog.models import Terms
from marketplace.catalog.plan_rows import LONGEST_TITLE, MAX_ROWS, Row, changed_rows, total_days, totals, typed_rows
from payments import money, pricing

MAX_DAYS = 365
MAX_REVISIONS = 50
UNLIMITED = "unlimited"
CHANGE = "plan-change"
PREFIX = "plan"


class InvalidPlan(ValueError):
    """A plan that the terms do not allow. The message is for people."""


class Planned(Protocol):
    """What a planned milestone has: a `PlannedMilestone` and every model that holds a copy of one."""

    @property
    def title(self) -> Any: ...
    @property
    def description(self) -> Any: ...
    @property
    def price(self) -> Any: ...
    @property
    def delivery_days(self) -> Any: ...
    @property
    def revisions(self) -> Any: ...


@dataclass(frozen=True)
class PlannedMilestone:
    """One step of a plan. `price` in minor units; `revisions` None is unlimited."""

    title: str
    description: str
    price: int
    delivery_days: int
    revisions: int | None

    @classmethod
    def of(cls, other: Planned) -> Self:
        return cls(other.title, other.description, other.price, other.delivery_days, other.revisions)


def check(plan: Sequence[PlannedMilestone], *, currency: str, terms: Terms, first: int = 1) -> None:
    """Raise InvalidPlan unless the terms allow this plan, whose milestones are counted from `first`.

    The same rules as the form's, for every other caller.
    """
    if currency not in terms.price_limits:
        raise InvalidPlan(_("{currency} is not used here.").format(currency=currency))
    if not 1 <= len(plan) <= terms.max_milestones:
        raise InvalidPlan(_count_rule(terms))
    for position, milestone in enumerate(plan, start=first):
        problem = _problem(milestone, currency, terms)
        if problem:
            raise InvalidPlan(_("Milestone {number}: {problem}").format(number=position, problem=problem))


def check_limits(currency: str, limits: Sequence[int]) -> None:
    """Raise ValueError unless these are the least and the greatest price of a milestone, in minor units."""
    money.exponent(currency)
    if len(limits) != 2 or not all(type(limit) is int for limit in limits):
        raise ValueError(_("{currency}: write the least and the greatest price.").format(currency=currency))
    least, greatest = limits
    if not 0 < least <= greatest <= money.GREATEST:
        raise ValueError(
            _("{currency}: the least price is above zero and not above the greatest.").format(currency=currency)
        )


def price_problem(price: int, *, currency: str, terms: Terms) -> str:
    """Why this price of a milestone is not allowed, or an empty string."""
    least, greatest = terms.limits(currency)
    if price < least:
        return _("The least price of a milestone is {price}.").format(price=money.display(least, currency))
    if price > greatest:
        return _("The greatest price of a milestone is {price}.").format(price=money.display(greatest, currency))
    return pricing.why_not_charge(price, currency)


def asked_change(data: Mapping[str, Any]) -> str:
    """The button that was pressed in the plan builder, or an empty string."""
    return str(data.get(CHANGE, ""))


class PlanForm(forms.Form):
    title = forms.CharField(
        max_length=LONGEST_TITLE,
        label=gettext_lazy("What is delivered"),
        widget=forms.TextInput(attrs={"placeholder": gettext_lazy("Storyboard")}),
    )
    description = forms.CharField(
        max_length=2000, required=False, label=gettext_lazy("Details"), widget=forms.Textarea(attrs={"rows": 2})
    )
    price = forms.CharField(
        max_length=30,
        label=gettext_lazy("Price"),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        error_messages={"required": gettext_lazy("Enter a price.")},
    )
    delivery_days = forms.IntegerField(
        label=gettext_lazy("Delivery days"),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        min_value=1,
        max_value=MAX_DAYS,
        error_messages={
            "required": gettext_lazy("Enter a number of days."),
            "invalid": gettext_lazy("Enter a whole number of days."),
            "min_value": gettext_lazy("At least 1 day."),
            "max_value": gettext_lazy("At most %(limit_value)s days."),
        },
    )
    revisions = forms.ChoiceField(
        label=gettext_lazy("Revisions"),
        initial="1",
        choices=[(str(number), str(number)) for number in range(MAX_REVISIONS + 1)]
        + [(UNLIMITED, gettext_lazy("Unlimited"))],
    )

    quiet = False

    def __init__(self, *args: Any, currency: str | None, terms: Terms, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = currency
        self.terms = terms

    def clean_price(self) -> int | str:
        typed: str = self.cleaned_data["price"]
        if not self.currency:
            return typed  # The currency is refused at its own field; a price cannot be read without one.
        try:
            price = money.parse(typed, self.currency)
        except ValueError as problem:
            raise ValidationError(str(problem), code="price") from problem
        problem_with_limits = price_problem(price, currency=self.currency, terms=self.terms)
        if problem_with_limits:
            raise ValidationError(problem_with_limits, code="price")
        return price

    def clean_revisions(self) -> int | None:
        chosen: str = self.cleaned_data["revisions"]
        return None if chosen == UNLIMITED else int(chosen)

    def milestone(self) -> PlannedMilestone:
        return PlannedMilestone(**{name: self.cleaned_data[name] for name in self.fields})


class PlanFormSet(forms.BaseFormSet[PlanForm] if TYPE_CHECKING else forms.BaseFormSet):  # type: ignore[misc]
    """The rows of a plan. Blank rows after the first are left out."""

    form = PlanForm
    extra = 0
    can_order = can_delete = can_delete_extra = edit_only = False
    # The terms say how many milestones a plan may have: see clean().
    min_num, max_num, absolute_max = 1, MAX_ROWS, MAX_ROWS
    validate_min = validate_max = False
    renderer = None

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        currency: str | None,
        terms: Terms,
        rows: Sequence[Row] = (),
        prefix: str = PREFIX,
    ) -> None:
        self.currency = currency
        self.terms = terms
        self.rows = list(rows) or [{}]
        super().__init__(
            data=data,
            prefix=prefix,
            initial=self.rows if data is None else None,
            form_kwargs={"currency": currency, "terms": terms},
            error_messages={"missing_management_form": _("The plan did not arrive whole. Please send it again.")},
        )

    @classmethod
    def changed(
        cls, data: Mapping[str, Any], change: str, *, currency: str | None, terms: Terms, prefix: str = PREFIX
    ) -> Self:
        """What was typed, with a row added, removed, moved or split; nothing is judged yet."""
        rows = changed_rows(typed_rows(data, prefix, tuple(PlanForm.base_fields)), change, currency)
        return cls(currency=currency, terms=terms, prefix=prefix, rows=rows)

    def initial_form_count(self) -> int:
        # Rows that are given are drawn like rows that are typed: all may be emptied, and none is "unchanged".
        return 0

    def total_form_count(self) -> int:
        return super().total_form_count() if self.is_bound else len(self.rows)

    def plan(self) -> list[PlannedMilestone]:
        """The milestones of a valid formset, in their order."""
        return [form.milestone() for form in self.forms if form.cleaned_data]

    @property
    def figures(self) -> str:
        """What the live totals of plan.js are made of, as JSON: per currency how money is written, and the fees."""
        written = {
            code: (money.pattern(code), money.exponent(code), pricing.step_of(code)) for code in self.terms.currencies
        }
        return json.dumps(
            {"currencies": written, "buyerFee": self.terms.buyer_fee, "commission": self.terms.commission}
        )

    @property
    def totals(self) -> dict[str, str] | None:
        """All together, what the buyer pays in all and what the seller gets; None while a price cannot be read."""
        return totals(self._shown, self.currency, buyer_fee=self.terms.buyer_fee, commission=self.terms.commission)

    @property
    def days(self) -> str:
        """The delivery days of all milestones in words."""
        return counted(total_days(self._shown), "day")

    @property
    def last_delivery(self) -> str:
        """When the last milestone would be delivered if the first began now and each followed at once."""
        return instants.full_day(clock.now() + timedelta(days=total_days(self._shown)))

    @property
    def dates(self) -> str:
        """The dates that plan.js may have to show, as JSON: how this reader writes a day of each month of a year."""
        days = (datetime(2001, month, 28, tzinfo=UTC) for month in range(1, 13))
        with timezone.override(UTC):
            written = [instants.full_day(day).replace("28", "{day}").replace("2001", "{year}") for day in days]
        return json.dumps(written)

    @property
    def _shown(self) -> list[Row]:
        return [{name: str(form[name].value() or "") for name in ("price", "delivery_days")} for form in self.forms]

    def clean(self) -> None:
        if not self.management_form.is_valid():
            return  # told already, and the rows cannot be counted
        if not 1 <= sum(form.has_changed() for form in self.forms) <= self.terms.max_milestones:
            raise ValidationError(_count_rule(self.terms), code="count")


def rows_of(plan: Iterable[Planned], currency: str) -> list[Row]:
    """A plan as the builder shows it."""
    return [
        {
            "title": milestone.title,
            "description": milestone.description,
            "price": money.plain(milestone.price, currency),
            "delivery_days": str(milestone.delivery_days),
            "revisions": UNLIMITED if milestone.revisions is None else str(milestone.revisions),
        }
        for milestone in plan
    ]


def _problem(milestone: PlannedMilestone, currency: str, terms: Terms) -> str:
    if not milestone.title.strip():
        return _("It needs a title.")
    if not 1 <= milestone.delivery_days <= MAX_DAYS:
        return _("The delivery takes between 1 and {most} days.").format(most=MAX_DAYS)
    if milestone.revisions is not None and not 0 <= milestone.revisions <= MAX_REVISIONS:
        return _("At most {most} revisions, or unlimited.").format(most=MAX_REVISIONS)
    return price_problem(milestone.price, currency=currency, terms=terms)


def _count_rule(terms: Terms) -> str:
    return ngettext(
        "A plan has between 1 and {most} milestone.",
        "A plan has between 1 and {most} milestones.",
        terms.max_milestones,
    ).format(most=terms.max_milestones)
