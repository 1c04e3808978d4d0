from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError, IntegrityError, connection, models, transaction
from django_fsm import can_proceed

from marketplace.accounts.tests.factories import UserFactory
from marketplace.catalog.models import Category, Gig, PlanMilestone, Terms
from marketplace.catalog.tests.factories import GigFactory, TermsFactory

pytestmark = pytest.mark.django_db

DRAFT, PUBLISHED, PAUSED, ARCHIVED = Gig.Status.values


def test_the_first_terms_are_those_of_the_rules() -> None:
    terms = Terms.objects.in_force()
    windows = {
        "review": timedelta(days=8),
        "continuing": None,
        "payment": timedelta(hours=24),
        "processing": timedelta(days=14),
        "offer": timedelta(days=14),
        "revision": timedelta(days=3),
        "very_late": timedelta(hours=24),
        "abandoned": timedelta(days=30),
        "answer": timedelta(hours=48),
        "escalation": timedelta(days=7),
        "least_rest": timedelta(hours=24),
        "support": timedelta(days=3),
        "reviews": timedelta(days=14),
        "clearing": timedelta(0),
    }
    assert {name: getattr(terms, name) for name in windows} == windows
    assert (terms.buyer_fee, terms.commission, terms.max_milestones) == (550, 2000, 20)
    assert len(terms.currencies) == 16
    assert terms.limits("USD") == (300, 5_000_000)


def test_the_models_defaults_are_those_of_the_first_terms() -> None:
    first, made = Terms.objects.in_force(), TermsFactory()
    skipped = {"id", "note", "price_limits", "published_at", "published_by"}
    names = [field.name for field in Terms._meta.fields if field.name not in skipped]
    assert {name: getattr(made, name) for name in names} == {name: getattr(first, name) for name in names}


def test_the_terms_published_last_are_in_force() -> None:
    TermsFactory(review=timedelta(seconds=90))
    last = TermsFactory(review=timedelta(days=2))
    assert Terms.objects.in_force() == last


@pytest.mark.parametrize(
    "statement",
    ["UPDATE catalog_terms SET commission = 0", "DELETE FROM catalog_terms", "TRUNCATE catalog_terms CASCADE"],
)
def test_the_database_refuses_to_change_published_terms(statement: str) -> None:
    with connection.cursor() as cursor, transaction.atomic():
        # Off in tests, which empty their tables by it; on again for this transaction.
        cursor.execute("ALTER TABLE catalog_terms ENABLE TRIGGER catalog_terms_no_truncate")
        with pytest.raises(DatabaseError, match="Published terms never change"), transaction.atomic():
            cursor.execute(statement)
        cursor.execute("ALTER TABLE catalog_terms DISABLE TRIGGER catalog_terms_no_truncate")
    assert Terms.objects.get().commission == 2000


def test_saving_published_terms_again_is_refused() -> None:
    terms = Terms.objects.in_force()
    terms.commission = 100
    with pytest.raises(DatabaseError, match="Published terms never change"), transaction.atomic():
        terms.save()


@pytest.mark.parametrize(
    ("numbers", "rule"),
    [
        ({"commission": 10_000}, "commission_below_100_percent"),
        ({"buyer_fee": 10_000}, "buyer_fee_below_100_percent"),
        ({"max_milestones": 0}, "terms_allow_a_milestone"),
        ({"review": timedelta(0)}, "terms_windows_are_positive"),
        ({"continuing": timedelta(0)}, "terms_windows_are_positive"),
        ({"clearing": timedelta(seconds=-1)}, "terms_windows_are_positive"),
    ],
)
def test_the_database_refuses_terms_that_make_no_sense(numbers: dict[str, Any], rule: str) -> None:
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        TermsFactory(**numbers)


def test_the_rules_are_said_to_the_buyer_with_their_numbers() -> None:
    assert Terms.objects.in_force().sentences() == [
        "You are charged per milestone, when you start it; the first one when the order is placed.",
        "Work begins when a milestone is paid; there are at least 24 hours to pay for it.",
        "You have 8 days from each delivery to accept and continue, or to ask for a revision.",
        "Silence completes a delivered milestone, pays the seller and ends the order.",
        (
            "Each milestone has its own revisions; a revision is delivered within 3 days, "
            "and its delivery starts a new full window."
        ),
        "You may stop the order after accepting a milestone. A stopped order can’t be resumed.",
        "Canceling goes through the Resolution Center: the other side has 48 hours to answer.",
        (
            "When nothing is delivered 24 hours after the delivery date, "
            "you can cancel the milestone at once for a full refund."
        ),
        "You pay a fee of 5.5 % on top of each price.",
    ]


def test_the_rules_are_said_to_the_seller_with_what_they_earn() -> None:
    terms = TermsFactory(
        review=timedelta(seconds=90), continuing=timedelta(days=12), clearing=timedelta(days=14), commission=1250
    )
    said = terms.sentences(viewer="seller")
    assert said[2:5] == [
        "The buyer has 90 seconds from each delivery to accept, or to ask for a revision.",
        "After accepting, the buyer has 12 days to continue.",
        "Silence completes a delivered milestone, pays you and ends the order.",
    ]
    assert said[-1] == (
        "The platform keeps 12.5 % of each price; "
        "the rest of a milestone is yours 14 days after it is completed, however the order ends."
    )


def test_there_are_categories_to_begin_with() -> None:
    assert list(Category.objects.values_list("slug", flat=True)) == [
        "logo-and-brand",
        "video-and-animation",
        "illustration",
        "websites",
        "writing-and-translation",
        "music-and-audio",
        "programming",
        "marketing",
    ]


@pytest.mark.parametrize(
    ("verb", "sources"),
    [("publish", [DRAFT, PAUSED]), ("pause", [PUBLISHED]), ("archive", [DRAFT, PUBLISHED, PAUSED])],
)
def test_every_move_of_a_gig(verb: str, sources: list[str]) -> None:
    allowed = [status for status in Gig.Status.values if can_proceed(getattr(Gig(status=status), verb))]
    assert allowed == sources


def test_strangers_see_what_is_for_sale_and_sellers_their_own() -> None:
    theo, ana = UserFactory(), UserFactory()
    gigs = {status: GigFactory(seller=theo, status=status) for status in Gig.Status.values}
    gone = GigFactory(seller=UserFactory())
    type(gone.seller).objects.filter(pk=gone.seller_id).update(is_active=False)
    for viewer in (None, ana):
        assert list(Gig.objects.seen_by(viewer)) == [gigs[PUBLISHED]]
    assert set(Gig.objects.seen_by(theo)) == set(gigs.values())
    assert list(Gig.objects.for_sale()) == [gigs[PUBLISHED]]
    assert AnonymousUser().is_authenticated is False


def test_a_plan_has_one_milestone_per_position() -> None:
    gig = GigFactory()
    with pytest.raises(IntegrityError, match="one_milestone_per_position_of_a_plan"), transaction.atomic():
        PlanMilestone.objects.create(gig=gig, position=1, title="Again", price=1, delivery_days=1)


def test_a_seller_with_gigs_and_a_category_in_use_cannot_be_deleted() -> None:
    gig = GigFactory()
    for row in (gig.seller, gig.category):
        with pytest.raises(models.ProtectedError):
            row.delete()
