import threading
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connections

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import StaffFactory, UserFactory
from marketplace.catalog import services
from marketplace.catalog.models import Gig, PlanMilestone, Terms
from marketplace.catalog.plans import PlannedMilestone
from marketplace.catalog.tests.factories import CategoryFactory, GigFactory, TermsFactory, logo_plan, planned

pytestmark = pytest.mark.django_db

DRAFT, PUBLISHED, PAUSED, ARCHIVED = Gig.Status.values
A_COVER, B_COVER = (f"covers/{letter * 32}.webp" for letter in "ab")
AT = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)


def details(**changes: Any) -> dict[str, Any]:
    return {
        "title": "A logo drawn for your business",
        "category": CategoryFactory(),
        "description": "By hand.",
        "currency": "USD",
        "plan": logo_plan(),
    } | changes


def moderator() -> User:
    person = StaffFactory()
    person.user_permissions.add(Permission.objects.get(codename="change_gig"))
    return person


def test_a_gig_begins_as_a_draft_with_its_plan_and_its_sums() -> None:
    seller = UserFactory()
    with clock.at(AT):
        gig = services.create_gig(seller, **details())
    gig.refresh_from_db()
    assert (gig.seller, gig.slug, gig.status, gig.version) == (seller, "a-logo-drawn-for-your-business", DRAFT, 1)
    assert (gig.price, gig.delivery_days, gig.created_at, gig.published_at) == (25_000, 12, AT, None)
    assert list(gig.plan.values_list("position", "title", "price", "delivery_days", "revisions")) == [
        (1, "Sketches", 6000, 4, 1),
        (2, "Refined logo", 12000, 5, 2),
        (3, "Final files", 7000, 3, None),
    ]


def test_gigs_of_one_title_get_addresses_of_their_own() -> None:
    slugs = [services.create_gig(UserFactory(), **details(title="Łogo & 標誌")).slug for _ in range(2)]
    assert slugs[0] == "ogo"
    assert slugs[1].startswith("ogo-")
    assert services.create_gig(UserFactory(), **details(title="標誌")).slug == "gig"


def test_one_form_makes_one_gig() -> None:
    seller, key = UserFactory(), uuid.uuid4()
    made = [services.create_gig(seller, **details(key=key)) for _ in range(2)]
    assert made[0] == made[1]
    assert Gig.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_double_click_makes_one_gig() -> None:
    seller, values, start = UserFactory(), details(key=uuid.uuid4()), threading.Barrier(2)
    made: list[Gig] = []

    def click() -> None:
        start.wait()
        made.append(services.create_gig(seller, **values))
        connections.close_all()

    clicks = [threading.Thread(target=click) for _ in range(2)]
    for thread in clicks:
        thread.start()
    for thread in clicks:
        thread.join()
    assert [gig.pk for gig in made] == [Gig.objects.get().pk] * 2
    assert PlanMilestone.objects.count() == 3


def test_editing_changes_gig_and_plan_together_and_raises_the_version() -> None:
    gig = GigFactory(title="Old", cover=A_COVER)
    changed = details(title="New", plan=[planned("All in one", price=9900, delivery_days=9)])
    saved = services.edit_gig(gig, by=gig.seller, version=gig.version, **changed)
    assert (saved.title, saved.slug, saved.version, saved.price, saved.delivery_days, saved.cover.name) == (
        "New",
        "old",
        gig.version + 1,
        9900,
        9,
        A_COVER,
    )
    assert [PlannedMilestone.of(milestone) for milestone in saved.plan.all()] == changed["plan"]


def test_a_cover_is_changed_or_taken_away() -> None:
    gig = GigFactory()
    saved = services.edit_gig(gig, by=gig.seller, version=2, **details(cover=B_COVER))
    assert saved.cover_url == f"/{B_COVER}"
    assert services.edit_gig(gig, by=gig.seller, version=3, **details(cover="")).cover_url == ""


def test_a_stale_edit_changes_nothing() -> None:
    gig = GigFactory(title="Old")
    services.pause(gig, by=gig.seller)
    with pytest.raises(services.GigChanged):
        services.edit_gig(gig, by=gig.seller, version=gig.version, **details(title="New"))
    gig.refresh_from_db()
    assert (gig.title, gig.status) == ("Old", PAUSED)


@pytest.mark.django_db(transaction=True)
def test_of_two_edits_of_one_version_the_second_is_stale() -> None:
    gig, category, start = GigFactory(title="Old"), CategoryFactory(), threading.Barrier(2)
    outcomes: list[str] = []

    def edit(title: str) -> None:
        start.wait()
        try:
            values = details(title=title, category=category)
            outcomes.append(services.edit_gig(gig, by=gig.seller, version=gig.version, **values).title)
        except services.GigChanged:
            outcomes.append("stale")
        connections.close_all()

    edits = [threading.Thread(target=edit, args=[title]) for title in ("A", "B")]
    for thread in edits:
        thread.start()
    for thread in edits:
        thread.join()
    saved = Gig.objects.get()
    assert sorted(outcomes) == [saved.title, "stale"]
    assert (saved.version, saved.plan.count()) == (gig.version + 1, 3)


def test_an_edit_outside_the_terms_changes_nothing() -> None:
    gig = GigFactory(title="Old")
    with pytest.raises(services.PlanRefused, match=r"The least price of a milestone is \$3.00"):
        services.edit_gig(gig, by=gig.seller, version=gig.version, **details(plan=[planned(price=1)]))
    gig.refresh_from_db()
    assert (gig.title, gig.version, gig.plan.count()) == ("Old", 2, 3)


def test_the_first_publication_is_remembered() -> None:
    gig = GigFactory(status=DRAFT)
    with clock.at(AT):
        gig = services.publish(gig, by=gig.seller)
    gig = services.publish(services.pause(gig, by=gig.seller), by=gig.seller)
    assert (gig.status, gig.published_at, gig.version) == (PUBLISHED, AT, 4)


@pytest.mark.parametrize(
    ("verb", "status", "refusal"),
    [
        ("publish", PUBLISHED, "A gig that is published can’t be published."),
        ("publish", ARCHIVED, "A gig that is archived can’t be published."),
        ("pause", DRAFT, "A gig that is draft can’t be paused."),
        ("pause", PAUSED, "A gig that is paused can’t be paused."),
        ("pause", ARCHIVED, "A gig that is archived can’t be paused."),
        ("archive", ARCHIVED, "This gig is archived already."),
    ],
)
def test_a_verb_in_the_wrong_state_is_refused_with_its_reason(verb: str, status: str, refusal: str) -> None:
    gig = GigFactory(status=status)
    with pytest.raises(services.NotAllowed) as refused:
        getattr(services, verb)(gig, by=gig.seller)
    assert str(refused.value) == refusal
    assert Gig.objects.get().version == gig.version


def test_an_archived_gig_cannot_be_edited() -> None:
    gig = GigFactory(status=ARCHIVED)
    with pytest.raises(services.NotAllowed, match="An archived gig can’t be edited"):
        services.edit_gig(gig, by=gig.seller, version=gig.version, **details())


def test_publishing_looks_at_the_terms_in_force() -> None:
    gig = GigFactory(status=DRAFT)
    TermsFactory(max_milestones=2)
    with pytest.raises(services.PlanRefused, match="A plan has between 1 and 2 milestones"):
        services.publish(gig, by=gig.seller)
    assert Gig.objects.get().status == DRAFT


@pytest.mark.parametrize("verb", ["publish", "pause", "archive"])
def test_strangers_may_nothing(verb: str) -> None:
    gig = GigFactory(status=DRAFT if verb == "publish" else PUBLISHED)
    for stranger in (UserFactory(), StaffFactory()):
        with pytest.raises(services.NotAllowed):
            getattr(services, verb)(gig, by=stranger)
    with pytest.raises(services.NotAllowed):
        services.edit_gig(gig, by=UserFactory(), version=gig.version, **details())
    assert Gig.objects.get().version == gig.version


def test_staff_may_pause_and_archive_but_neither_edit_nor_publish() -> None:
    gig, staff = GigFactory(), moderator()
    gig = services.pause(gig, by=staff)
    with pytest.raises(services.NotAllowed, match="Only its seller"):
        services.publish(gig, by=staff)
    with pytest.raises(services.NotAllowed, match="Only its seller"):
        services.edit_gig(gig, by=staff, version=gig.version, **details())
    assert services.archive(gig, by=staff).status == ARCHIVED


def test_a_deactivated_seller_can_neither_make_nor_publish() -> None:
    gig = GigFactory(status=DRAFT)
    User.objects.update(is_active=False)
    gig.seller.refresh_from_db()
    with pytest.raises(services.NotAllowed, match="This account is deactivated"):
        services.create_gig(gig.seller, **details())
    with pytest.raises(services.NotAllowed, match="This account is deactivated"):
        services.publish(gig, by=gig.seller)


def test_terms_are_published_with_who_and_when() -> None:
    root = UserFactory()
    with clock.at(AT):
        terms = services.publish_terms(by=root, price_limits={"USD": [300, 5000]}, commission=1000)
    assert (terms.published_by, terms.published_at, terms.commission, terms.buyer_fee) == (root, AT, 1000, 550)
    assert Terms.objects.in_force() == terms


@pytest.mark.parametrize(
    ("limits", "problem"),
    [
        ({}, "At least one currency is needed"),
        ({"XXX": [1, 2]}, "'XXX' is not a currency we deal in"),
        ({"USD": [2, 1]}, "USD: the least price is above zero and not above the greatest"),
        ({"USD": [0, 1]}, "USD: the least price is above zero and not above the greatest"),
        ({"USD": [1, 10**15]}, "USD: the least price is above zero and not above the greatest"),
        ({"USD": [1]}, "USD: write the least and the greatest price"),
        ({"USD": [1.5, 2]}, "USD: write the least and the greatest price"),
    ],
)
def test_limits_that_make_no_sense_are_refused(limits: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        services.publish_terms(by=None, price_limits=limits)
    assert Terms.objects.count() == 1
