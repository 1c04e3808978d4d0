"""Ratings: the formula by hand, in Python and in PostgreSQL, the mean of the site, and the stars."""

from decimal import Decimal

import pytest
from django.template import engines

from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import UserFactory
from marketplace.catalog.ratings import rating, rating_for_sorting, site_mean


def rated(total: int, count: int) -> User:
    person = UserFactory()
    User.objects.filter(pk=person.pk).update(rating_sum=total, rating_count=count)
    return User.objects.get(pk=person.pk)


def drawn(thing: User, options: str = "") -> str:
    return engines["django"].from_string("{% load ratings %}{% stars thing " + options + "%}").render({"thing": thing})


@pytest.mark.parametrize(
    ("total", "count", "mean", "shown"),
    [
        (0, 0, "4.2", "4.20"),  # nothing said yet: the mean
        (5, 1, "4", "4.17"),  # (20 + 5) / 6 = 4.1666…
        (1, 1, "4", "3.50"),  # (20 + 1) / 6
        (25, 5, "4", "4.50"),  # (20 + 25) / 10: as many as the mean weighs
        (490, 100, "4", "4.86"),  # (20 + 490) / 105 = 4.857…: many outweigh it
        (5, 1, "4.8333", "4.86"),  # (24.1665 + 5) / 6 = 4.8610…
    ],
)
def test_the_formula_by_hand(total: int, count: int, mean: str, shown: str) -> None:
    assert rating(total, count, Decimal(mean)) == Decimal(shown)


@pytest.mark.django_db
def test_postgresql_sorts_by_the_same_formula() -> None:
    sums = {(0, 0), (5, 1), (1, 1), (25, 5), (49, 10), (490, 100)}
    people = [rated(total, count) for total, count in sums]
    mean = Decimal("4.2")
    sorting = rating_for_sorting(mean)
    ranked = User.objects.filter(pk__in=[person.pk for person in people]).annotate(rating=sorting).order_by("-rating")
    assert [(person.rating_sum, person.rating_count) for person in ranked] == [
        (490, 100), (49, 10), (25, 5), (5, 1), (0, 0), (1, 1),
    ]  # fmt: skip
    for person in ranked:
        there = person.rating  # type: ignore[attr-defined]
        assert there.quantize(Decimal("0.01")) == rating(person.rating_sum, person.rating_count, mean)


@pytest.mark.django_db
def test_the_mean_of_the_site_is_over_reviews_and_cached_some_minutes() -> None:
    assert site_mean() == Decimal(3)
    rated(5, 1)
    assert site_mean() == Decimal(5)
    rated(6, 2)
    assert site_mean() == Decimal(5)  # still the cached one


@pytest.mark.django_db
def test_stars_are_drawn_and_said_in_words() -> None:
    assert site_mean() == Decimal(3)
    assert "New" in drawn(UserFactory())
    rated(48, 10)
    one = rated(2, 1)  # mean (48 + 2) / 11 = 4.5455: (22.7275 + 2) / 6 = 4.12
    said = drawn(one)
    assert "4.1 of 5, 1 review<" in said
    assert 'width="82"' in said
    assert "style" not in said
    assert "4.7 of 5, 10 reviews<" in drawn(rated(48, 10), "short=True")
