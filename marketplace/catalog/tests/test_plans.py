from typing import Any

import pytest

from marketplace.catalog import plans
from marketplace.catalog.examples import EXAMPLES
from marketplace.catalog.models import Terms
from marketplace.catalog.plans import PlanFormSet, PlannedMilestone
from marketplace.catalog.tests.factories import GigFactory, TermsFactory, logo_plan, planned

pytestmark = pytest.mark.django_db


@pytest.fixture
def terms() -> Terms:
    return TermsFactory(max_milestones=3)


def typed(*rows: dict[str, str], **more: str) -> dict[str, str]:
    """What a browser posts for these rows."""
    blank = {"title": "", "description": "", "price": "", "delivery_days": "", "revisions": "1"}
    data = {"plan-TOTAL_FORMS": str(len(rows)), "plan-INITIAL_FORMS": "0"} | more
    for index, row in enumerate(rows):
        data |= {f"plan-{index}-{name}": value for name, value in (blank | row).items()}
    return data


SKETCHES = {"title": "Sketches", "price": "60", "delivery_days": "4"}
FILES = {"title": "Final files", "price": "70.50", "delivery_days": "3", "revisions": "unlimited", "description": "SVG"}


def formset(data: dict[str, str], terms: Terms, currency: str | None = "USD") -> PlanFormSet:
    return PlanFormSet(data, currency=currency, terms=terms)


def test_rows_become_planned_milestones(terms: Terms) -> None:
    plan = formset(typed(SKETCHES, FILES), terms)
    assert plan.is_valid() is True
    assert plan.plan() == [
        PlannedMilestone("Sketches", "", 6000, 4, 1),
        PlannedMilestone("Final files", "SVG", 7050, 3, None),
    ]
    assert (plan.totals or {})["price"] == "$130.50"


def test_blank_rows_are_left_out(terms: Terms) -> None:
    plan = formset(typed(SKETCHES, {}, FILES, {}, {}), terms)
    assert plan.is_valid() is True
    assert [milestone.title for milestone in plan.plan()] == ["Sketches", "Final files"]


def test_a_plan_without_rows_asks_for_its_first(terms: Terms) -> None:
    plan = formset(typed({}), terms)
    assert plan.is_valid() is False
    assert plan.errors == [
        {
            "title": ["This field is required."],
            "price": ["Enter a price."],
            "delivery_days": ["Enter a number of days."],
        }
    ]
    assert plan.non_form_errors() == ["A plan has between 1 and 3 milestones."]


def test_a_plan_has_at_most_as_many_milestones_as_the_terms_say(terms: Terms) -> None:
    plan = formset(typed(*[SKETCHES] * 4), terms)
    assert plan.is_valid() is False
    assert plan.non_form_errors() == ["A plan has between 1 and 3 milestones."]
    assert len(plan.forms) == 4


@pytest.mark.parametrize(
    ("currency", "price", "error"),
    [
        ("USD", "12.345", "USD has at most 2 decimals: enter an amount like 123.45."),
        ("JPY", "500.5", "JPY has no decimals: enter an amount like 12345."),
        ("USD", "2.99", "The least price of a milestone is $3.00."),
        ("USD", "50000.01", "The greatest price of a milestone is $50,000.00."),
        ("USD", "-5", "Enter an amount like 123.45, without signs or letters."),
        ("USD", "1e5", "Enter an amount like 123.45, without signs or letters."),
        ("USD", "9" * 30, "That is more than we can handle: at most $1,000,000,000,000.00."),
        ("USD", "6\0", "Null characters are not allowed."),
    ],
)
def test_a_price_is_refused_with_its_reason(terms: Terms, currency: str, price: str, error: str) -> None:
    plan = formset(typed(SKETCHES | {"price": price}), terms, currency)
    assert plan.errors == [{"price": [error]}]


@pytest.mark.parametrize(
    ("currency", "price", "amount"),
    [
        ("USD", "3", 300),
        ("USD", "1,250.50", 125_050),
        ("USD", "$60", 6000),
        ("JPY", "1001", 1001),
        ("KWD", "12.345", 12_345),
    ],
)
def test_a_price_is_read_by_its_currency(terms: Terms, currency: str, price: str, amount: int) -> None:
    plan = formset(typed(SKETCHES | {"price": price}), terms, currency)
    assert plan.is_valid() is True
    assert plan.plan()[0].price == amount


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("delivery_days", "0", "At least 1 day."),
        ("delivery_days", "366", "At most 365 days."),
        ("delivery_days", "1.5", "Enter a whole number of days."),
        ("delivery_days", str(2**63), "At most 365 days."),
        ("revisions", "51", "Select a valid choice. 51 is not one of the available choices."),
        ("title", "x" * 121, "Ensure this value has at most 120 characters (it has 121)."),
        ("title", "   ", "This field is required."),
    ],
)
def test_other_values_are_refused_with_their_reason(terms: Terms, field: str, value: str, error: str) -> None:
    plan = formset(typed(SKETCHES | {field: value}), terms)
    assert plan.errors == [{field: [error]}]


def test_without_a_valid_currency_prices_are_kept_but_not_judged(terms: Terms) -> None:
    plan = formset(typed(SKETCHES), terms, None)
    assert plan.errors == [{}]
    assert plan.totals is None


@pytest.mark.parametrize("total", ["", "x", "-1", "99999999999", "²"])
def test_a_forged_number_of_rows_is_refused(terms: Terms, total: str) -> None:
    data = typed(SKETCHES) | {"plan-TOTAL_FORMS": total}
    assert formset(data, terms).is_valid() is False
    PlanFormSet.changed(data, "add", currency="USD", terms=terms)


def test_a_plan_that_did_not_arrive_whole_says_so(terms: Terms) -> None:
    told = formset({"plan-0-title": "x"}, terms).non_form_errors()
    assert told == ["The plan did not arrive whole. Please send it again."]


@pytest.mark.parametrize(
    ("change", "titles"),
    [
        ("add", ["a", "b", "c", ""]),
        ("remove-1", ["a", "c"]),
        ("up-2", ["a", "c", "b"]),
        ("down-0", ["b", "a", "c"]),
        ("up-0", ["a", "b", "c"]),
        ("down-2", ["a", "b", "c"]),
        ("remove-9", ["a", "b", "c"]),
        ("remove-x", ["a", "b", "c"]),
        ("remove--1", ["a", "b", "c"]),
        ("fly-1", ["a", "b", "c"]),
    ],
)
def test_a_button_changes_the_rows_and_judges_nothing(terms: Terms, change: str, titles: list[str]) -> None:
    rows = [{"title": title, "price": "not yet"} for title in "abc"]
    plan = PlanFormSet.changed(typed(*rows), change, currency="USD", terms=terms)
    assert [form["title"].value() or "" for form in plan.forms] == titles
    assert [form["price"].value() for form in plan.forms if form["title"].value()] == ["not yet"] * len("".join(titles))
    assert plan.is_bound is False
    assert f'name="plan-TOTAL_FORMS" value="{len(titles)}"' in str(plan.management_form)


def test_removing_the_last_row_leaves_a_blank_one(terms: Terms) -> None:
    plan = PlanFormSet.changed(typed(SKETCHES), "remove-0", currency="USD", terms=terms)
    assert [form["title"].value() for form in plan.forms] == [None]


def test_a_plan_is_drawn_as_it_was_typed(terms: Terms) -> None:
    rows = plans.rows_of(logo_plan(), "USD")
    again = formset(typed(*rows), terms)
    assert again.is_valid() is True
    assert again.plan() == logo_plan()


def test_a_gigs_own_plan_reads_like_the_one_it_was_made_of() -> None:
    gig = GigFactory(plan=logo_plan())
    assert [PlannedMilestone.of(milestone) for milestone in gig.plan.all()] == logo_plan()


def test_the_examples_of_the_source_are_there() -> None:
    assert [example.name for example in EXAMPLES.values()][:2] == ["Logo design", "Whiteboard & explainer video"]


@pytest.mark.parametrize("slug", EXAMPLES)
def test_every_example_is_a_valid_plan(slug: str) -> None:
    terms = Terms.objects.in_force()
    plan = formset(typed(*EXAMPLES[slug].rows()), terms)
    assert (plan.is_valid(), plan.errors) == (True, [{}] * len(plan.forms))
    plans.check(plan.plan(), currency="USD", terms=terms)


@pytest.mark.parametrize(
    ("plan", "currency", "problem"),
    [
        ([], "USD", "A plan has between 1 and 3 milestones."),
        ([planned()] * 4, "USD", "A plan has between 1 and 3 milestones."),
        ([planned()], "EUR", "EUR is not used here."),
        ([planned(), planned(price=299)], "USD", "Milestone 2: The least price of a milestone is $3.00."),
        ([planned(price=5_000_001)], "USD", "Milestone 1: The greatest price of a milestone is $50,000.00."),
        ([planned(delivery_days=0)], "USD", "Milestone 1: The delivery takes between 1 and 365 days."),
        ([planned(revisions=51)], "USD", "Milestone 1: At most 50 revisions, or unlimited."),
        ([planned(" ")], "USD", "Milestone 1: It needs a title."),
    ],
)
def test_the_same_rules_hold_without_the_form(terms: Terms, plan: Any, currency: str, problem: str) -> None:
    with pytest.raises(plans.InvalidPlan) as refusal:
        plans.check(plan, currency=currency, terms=terms)
    assert str(refusal.value) == problem
