"""The seller's pages: own gigs, and the form with the plan builder, without JavaScript."""

from contextlib import closing
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import UserFactory
from marketplace.catalog import plans
from marketplace.catalog.models import Category, Gig
from marketplace.catalog.plans import PlannedMilestone
from marketplace.catalog.tests.factories import GigFactory, TermsFactory, logo_plan, picture, upload
from marketplace.catalog.tests.test_plans import FILES, SKETCHES, typed

pytestmark = pytest.mark.django_db

DRAFT, PUBLISHED, PAUSED, ARCHIVED = Gig.Status.values
NEW = "/selling/gigs/new/"


def filled(*rows: dict[str, str], **changes: Any) -> dict[str, Any]:
    category = Category.objects.get(slug="logo-and-brand")
    form = {"title": "A logo", "category": str(category.pk), "description": "By hand.", "currency": "USD"}
    return form | typed(*(rows or (SKETCHES, FILES))) | changes


def edit_path(gig: Gig) -> str:
    return f"/selling/gigs/{gig.slug}/edit/"


@pytest.mark.parametrize("path", ["/selling/gigs/", NEW, "/selling/gigs/x/edit/"])
def test_strangers_are_sent_to_sign_in(client: Client, path: str) -> None:
    assert client.get(path)["Location"] == f"/accounts/login/?next={path}"


@pytest.mark.parametrize("verb", ["edit", "publish", "pause", "archive"])
def test_other_peoples_gigs_do_not_exist(client: Client, theo: User, verb: str) -> None:
    gig = GigFactory()
    assert client.post(f"/selling/gigs/{gig.slug}/{verb}/", filled()).status_code == 404
    assert Gig.objects.get().version == gig.version


@pytest.mark.parametrize("verb", ["publish", "pause", "archive"])
def test_looking_changes_nothing(client: Client, theo: User, verb: str) -> None:
    gig = GigFactory(seller=theo)
    assert client.get(f"/selling/gigs/{gig.slug}/{verb}/").status_code == 405
    assert Gig.objects.get().version == gig.version


def test_a_draft_is_saved_with_its_plan(client: Client, theo: User) -> None:
    answer = client.post(NEW, filled(), follow=True)
    gig = Gig.objects.get()
    assert answer.redirect_chain == [(gig.get_absolute_url(), 302)]
    assert "Saved. Only you can see it until you publish it." in answer.text
    assert (gig.seller, gig.title, gig.status, gig.price) == (theo, "A logo", DRAFT, 13_050)
    assert [PlannedMilestone.of(milestone) for milestone in gig.plan.all()] == [
        PlannedMilestone("Sketches", "", 6000, 4, 1),
        PlannedMilestone("Final files", "SVG", 7050, 3, None),
    ]


def test_a_gig_is_saved_and_published(client: Client, theo: User) -> None:
    assert "Published. Buyers can order it now." in client.post(NEW, filled(then="publish"), follow=True).text
    assert Gig.objects.get().status == PUBLISHED


def test_a_form_sent_twice_makes_one_gig_and_the_last_text_counts(client: Client, theo: User) -> None:
    key = str(client.get(NEW).context["form"]["key"].value())
    client.post(NEW, filled(key=key))
    client.post(NEW, filled(key=key, title="A better logo"))
    assert list(Gig.objects.values_list("title", "version")) == [("A better logo", 2)]


def test_a_form_sent_again_after_the_gig_went_on_is_stale(client: Client, theo: User) -> None:
    key = str(client.get(NEW).context["form"]["key"].value())
    client.post(NEW, filled(key=key, then="publish"))
    answer = client.post(NEW, filled(key=key, title="A better logo"))
    assert "This gig was changed since you opened this page" in answer.text
    assert Gig.objects.get().title == "A logo"


def test_what_is_wrong_is_told_at_its_field_and_everything_typed_is_kept(client: Client, theo: User) -> None:
    bad = SKETCHES | {"title": "", "price": "60.001", "description": "typed details"}
    answer = client.post(NEW, filled(bad, FILES, title="", category="999", currency="XXX", description="typed text"))
    assert answer.context["form"].errors == {
        "title": ["This field is required."],
        "category": ["Select a valid choice. That choice is not one of the available choices."],
        "currency": ["Select a valid choice. XXX is not one of the available choices."],
    }
    assert answer.context["plan"].errors == [{"title": ["This field is required."]}, {}]
    for kept in ("typed text", "typed details", 'value="60.001"', 'value="70.50"', 'value="Final files"'):
        assert kept in answer.text
    assert Gig.objects.count() == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("category", "9" * 30),
        ("category", "\0"),
        ("version", str(2**63)),
        ("key", "x"),
        ("title", "emoji 🎨 and\r\nBcc: x"),
        ("description", "nul \0"),
        ("plan-0-delivery_days", "9" * 30),
        ("plan-0-revisions", "9" * 30),
        ("plan-0-title", "nul \0"),
    ],
)
def test_strange_values_never_break_the_page(client: Client, theo: User, field: str, value: str) -> None:
    assert client.post(NEW, filled(**{field: value})).status_code in (200, 302)


def test_wrong_prices_are_told_when_the_currency_is_right(client: Client, theo: User) -> None:
    answer = client.post(NEW, filled(SKETCHES | {"price": "60.001"}))
    assert answer.context["plan"].errors == [{"price": ["USD has at most 2 decimals: enter an amount like 123.45."]}]


@pytest.mark.parametrize(
    ("change", "titles"),
    [
        ("add", ["Sketches", "Final files", None]),
        ("remove-0", ["Final files"]),
        ("up-1", ["Final files", "Sketches"]),
        ("down-0", ["Final files", "Sketches"]),
    ],
)
def test_the_plan_builder_works_by_buttons_alone(
    client: Client, theo: User, change: str, titles: list[str | None]
) -> None:
    answer = client.post(NEW, filled(title="", description="typed text", **{"plan-change": change}))
    assert [row["title"].value() for row in answer.context["plan"]] == titles
    assert answer.context["form"].errors == {}
    assert "typed text" in answer.text
    assert Gig.objects.count() == 0


def test_pressing_enter_saves_and_changes_no_row(client: Client, theo: User) -> None:
    page = client.get(NEW).text
    form = page[page.index('<form class="stack"') :]
    first = form[form.index("<button") : form.index("</button>")]
    assert "plan-change" not in first


@pytest.mark.parametrize(("slug", "first"), [("logo-design", "Sketches"), ("explainer-video", "Script")])
def test_a_plan_can_start_from_an_example(client: Client, theo: User, slug: str, first: str) -> None:
    context = client.get(NEW, {"example": slug}).context
    assert context["plan"].forms[0]["title"].value() == first
    assert context["plan"].totals["price"] in {"$250.00", "$560.00"}


def test_an_example_that_does_not_exist_is_an_empty_form(client: Client, theo: User) -> None:
    assert [row["title"].value() for row in client.get(NEW, {"example": "x\0"}).context["plan"]] == [None]


def test_an_example_has_no_prices_where_dollars_are_not_used(client: Client, theo: User) -> None:
    TermsFactory(price_limits={"JPY": [400, 7_500_000]})
    context = client.get(NEW, {"example": "logo-design"}).context
    assert [row["price"].value() for row in context["plan"]] == ["", "", ""]
    assert context["form"]["currency"].value() == "JPY"


def test_the_page_says_when_milestones_serve(client: Client, theo: User) -> None:
    page = client.get(NEW).text
    for words in ("Bigger work.", "Smaller steps.", "Less risk for the buyer.", "An incentive per step for you."):
        assert words in page


def test_a_cover_is_uploaded_with_the_gig(client: Client, theo: User) -> None:
    client.post(NEW, filled(cover=upload()))
    with closing(client.get(Gig.objects.get().cover_url)) as picture_of_gig:
        assert picture_of_gig["Content-Type"] == "image/webp"


@pytest.mark.parametrize(
    ("content", "name", "problem"),
    [
        (b"<svg onload=alert(1)>", "a.png", "This file is not a JPEG, PNG or WebP picture, or it is damaged."),
        (picture(), "a.svg", "Choose a JPEG, PNG or WebP picture."),
        (b"", "a.png", "The submitted file is empty."),
    ],
)
def test_a_bad_cover_is_told_at_its_field(client: Client, theo: User, content: bytes, name: str, problem: str) -> None:
    answer = client.post(NEW, filled(cover=upload(content, name)))
    assert answer.context["form"].errors == {"cover": [problem]}
    assert Gig.objects.count() == 0


@pytest.mark.parametrize("problem", [{"title": ""}, {"plan-change": "add"}])
def test_a_cover_need_not_be_chosen_again_when_the_form_is_shown_again(
    client: Client, theo: User, problem: dict[str, str]
) -> None:
    shown_again = client.post(NEW, filled(cover=upload(), **problem))
    form = shown_again.context["form"]
    assert form.cover_url in shown_again.text
    client.post(NEW, filled(kept_cover=form["kept_cover"].value()))
    assert Gig.objects.get().cover_url == form.cover_url


def test_a_forged_cover_ticket_is_no_cover(client: Client, theo: User) -> None:
    client.post(NEW, filled(kept_cover="covers/../../etc/passwd"))
    assert Gig.objects.get().cover_url == ""


def test_editing_shows_what_is_saved_and_saves_what_is_typed(client: Client, theo: User) -> None:
    gig = GigFactory(seller=theo, plan=logo_plan())
    context = client.get(edit_path(gig)).context
    assert context["form"]["title"].value() == gig.title
    assert context["plan"].rows == plans.rows_of(logo_plan(), "USD")
    answer = client.post(edit_path(gig), filled(version=gig.version), follow=True)
    assert answer.redirect_chain == [(gig.get_absolute_url(), 302)]
    saved = Gig.objects.get()
    assert (saved.title, saved.price, saved.version, saved.status) == ("A logo", 13_050, gig.version + 1, PUBLISHED)


def test_a_cover_stays_through_an_edit_and_can_be_taken_away(client: Client, theo: User) -> None:
    client.post(NEW, filled(cover=upload()))
    gig = Gig.objects.get()
    client.post(edit_path(gig), filled(version="1"))
    assert Gig.objects.get().cover_url == gig.cover_url
    client.post(edit_path(gig), filled(version="2", remove_cover="on"))
    assert Gig.objects.get().cover_url == ""


@pytest.mark.parametrize("version", ["1", "", "999"])
def test_a_stale_edit_is_shown_again_with_what_was_typed(client: Client, theo: User, version: str) -> None:
    gig = GigFactory(seller=theo, title="Old")
    answer = client.post(edit_path(gig), filled(version=version, title="Typed"))
    assert "This gig was changed since you opened this page, and nothing was saved now." in answer.text
    assert 'value="Typed"' in answer.text
    assert Gig.objects.get().title == "Old"
    again = answer.context["form"]["version"].value()
    client.post(edit_path(gig), filled(version=again, title="Typed"))
    assert Gig.objects.get().title == "Typed"


def test_only_the_fields_that_are_shown_can_be_posted(client: Client, theo: User) -> None:
    forged = {"status": PUBLISHED, "price": "1", "slug": "x", "published_at": "2020-01-01", "version": "9"}
    client.post(NEW, filled(seller=str(UserFactory().pk), **forged))
    gig = Gig.objects.get()
    assert (gig.status, gig.price, gig.seller, gig.slug, gig.published_at) == (DRAFT, 13_050, theo, "a-logo", None)


def test_an_archived_gig_is_not_edited(client: Client, theo: User) -> None:
    gig = GigFactory(seller=theo, status=ARCHIVED)
    answer = client.post(edit_path(gig), filled(version=gig.version), follow=True)
    assert answer.redirect_chain == [("/selling/gigs/", 302)]
    assert "An archived gig can’t be edited." in answer.text


def test_a_gig_is_published_paused_and_archived_by_its_buttons(client: Client, theo: User) -> None:
    gig = GigFactory(seller=theo, title="Logo", status=DRAFT)
    said = {
        "publish": "“Logo” is published.",
        "pause": "“Logo” is paused. Orders that run go on.",
        "archive": "“Logo” is archived.",
    }
    for verb, words in said.items():
        answer = client.post(f"/selling/gigs/{gig.slug}/{verb}/", follow=True)
        assert answer.redirect_chain == [("/selling/gigs/", 302)]
        assert words in answer.text
    assert Gig.objects.get().status == ARCHIVED


def test_a_button_of_a_stale_page_is_refused_with_its_reason(client: Client, theo: User) -> None:
    gig = GigFactory(seller=theo, status=PAUSED)
    answer = client.post(f"/selling/gigs/{gig.slug}/pause/", follow=True)
    assert [str(message) for message in answer.context["messages"]] == ["A gig that is paused can’t be paused."]


def test_terms_that_changed_meanwhile_are_told_on_the_form(client: Client, theo: User) -> None:
    gig = GigFactory(seller=theo, status=DRAFT)
    TermsFactory(price_limits={"USD": [10_000, 50_000]})
    answer = client.post(f"/selling/gigs/{gig.slug}/publish/", follow=True)
    assert [str(message) for message in answer.context["messages"]] == [
        "Milestone 1: The least price of a milestone is $100.00."
    ]


def test_my_gigs_are_mine_in_every_state(client: Client, theo: User) -> None:
    for status in Gig.Status.values:
        GigFactory(title=status, seller=theo, status=status)
    GigFactory(title="not mine")
    assert [gig.title for gig in client.get("/selling/gigs/").context["page"]] == [ARCHIVED, PAUSED, PUBLISHED, DRAFT]


@pytest.mark.parametrize("count", [1, 25])
def test_my_gigs_take_four_queries(
    client: Client, theo: User, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    GigFactory.create_batch(count, seller=theo)
    with django_assert_num_queries(4):  # session, person, page, unread notices
        client.get("/selling/gigs/")


def test_the_edit_page_takes_seven_queries(
    client: Client, theo: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    gig = GigFactory(seller=theo)
    with django_assert_num_queries(7):  # session, person, gig, terms, plan, categories, unread notices
        client.get(edit_path(gig))
