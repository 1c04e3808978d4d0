from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import StaffFactory
from marketplace.catalog.models import Gig, Terms
from marketplace.catalog.tests.factories import GigFactory

pytestmark = pytest.mark.django_db

TERMS, GIGS = "/admin/catalog/terms/", "/admin/catalog/gig/"


@pytest.fixture
def root(client: Client) -> User:
    person = User.objects.create_superuser("root@example.org", name="Root")
    client.force_login(person)
    return person


def in_browser(client: Client, **changes: str) -> dict[str, Any]:
    """What a browser would post: the form as it is drawn, with some fields written over."""
    form = client.get(f"{TERMS}add/").context["adminform"].form
    shown = {name: form.fields[name].prepare_value(form[name].value()) for name in form.fields}
    return {name: "" if value is None else str(value) for name, value in shown.items()} | changes


def test_new_terms_begin_as_those_in_force_in_readable_words(client: Client, root: User) -> None:
    shown = in_browser(client)
    assert {name: shown[name] for name in ("review", "continuing", "payment", "answer", "buyer_fee", "commission")} == {
        "review": "8 days",
        "continuing": "",
        "payment": "24 hours",
        "answer": "48 hours",
        "buyer_fee": "5.5",
        "commission": "20",
    }
    assert shown["price_limits"].splitlines()[-1] == "USD 3.00 50000.00"
    assert 'value="8 days"' in client.get(f"{TERMS}add/").text


def test_terms_that_are_published_are_in_force(client: Client, root: User) -> None:
    changes = {
        "review": "90 seconds",
        "very_late": "0 seconds",
        "continuing": "12 days",
        "buyer_fee": "7.25",
        "note": "To watch an order lapse.",
    }
    answer = client.post(f"{TERMS}add/", in_browser(client, price_limits="jpy 400 7500000\nUSD 3 50,000\n", **changes))
    assert (answer.status_code, answer["Location"]) == (302, TERMS)
    terms = Terms.objects.in_force()
    assert (terms.review, terms.continuing, terms.payment) == (
        timedelta(seconds=90),
        timedelta(days=12),
        timedelta(hours=24),
    )
    assert (terms.buyer_fee, terms.commission, terms.published_by, terms.note) == (
        725,
        2000,
        root,
        "To watch an order lapse.",
    )
    assert terms.price_limits == {"JPY": [400, 7_500_000], "USD": [300, 5_000_000]}
    assert Terms.objects.count() == 2


@pytest.mark.parametrize(
    ("field", "text", "problem"),
    [
        ("review", "8 weeks", "Write a whole number and a unit, such as “8 days”, “24 hours” or “90 seconds”."),
        ("review", "", "This field is required."),
        ("review", "0 seconds", "Longer than zero, please."),
        ("continuing", "0 days", "Longer than zero, please."),
        ("commission", "100", "Ensure that there are no more than 2 digits before the decimal point."),
        ("buyer_fee", "5.555", "Ensure that there are no more than 2 decimal places."),
        ("price_limits", "XXX 1 2", "'XXX' is not a currency we deal in."),
        ("price_limits", "USD 3.001 5", "USD has at most 2 decimals: enter an amount like 123.45."),
        ("price_limits", "USD 5 3", "USD: the least price is above zero and not above the greatest."),
        ("price_limits", "USD 5", "USD: write the least and the greatest price."),
        ("price_limits", "USD 3 5\nUSD 3 6", "A currency is written twice."),
    ],
)
def test_terms_that_make_no_sense_are_told_at_their_field(
    client: Client, root: User, field: str, text: str, problem: str
) -> None:
    answer = client.post(f"{TERMS}add/", in_browser(client, **{field: text}))
    assert answer.context["adminform"].form.errors == {field: [problem]}
    assert Terms.objects.count() == 1


def test_published_terms_can_only_be_read(client: Client, root: User) -> None:
    address = f"{TERMS}{Terms.objects.get().pk}"
    page = client.get(f"{address}/change/").text
    assert "To accept or ask for a revision, from each delivery: 8 days" in page
    assert 'name="_save"' not in page
    assert client.post(f"{address}/change/", in_browser(client, commission="1")).status_code == 403
    assert client.post(f"{address}/delete/", {"post": "yes"}).status_code == 403
    assert Terms.objects.get().commission == 2000


def test_the_list_of_terms_says_which_are_in_force(client: Client, root: User) -> None:
    client.post(f"{TERMS}add/", in_browser(client))
    assert client.get(TERMS).text.count("icon-yes") == 1


def test_a_gig_can_be_read_but_not_written(client: Client, root: User) -> None:
    gig = GigFactory(title="Logo")
    address = f"{GIGS}{gig.pk}"
    page = client.get(f"{address}/change/").text
    assert "$120.00" in page
    client.post(f"{address}/change/", {"title": "forged", "status": "draft", "price": "1"})
    gig.refresh_from_db()
    assert (gig.title, gig.status, gig.price) == ("Logo", "published", 25_000)
    assert client.post(f"{address}/delete/", {"post": "yes"}).status_code == 403
    assert client.get(f"{GIGS}add/").status_code == 403


def test_staff_pause_and_archive_through_the_services(client: Client) -> None:
    agent = StaffFactory()
    agent.user_permissions.set(Permission.objects.filter(codename__in=["view_gig", "change_gig"]))
    client.force_login(agent)
    gig = GigFactory(title="Logo")

    def run(action: str) -> list[str]:
        answer = client.post(GIGS, {"action": action, "_selected_action": [gig.pk]}, follow=True)
        return [str(message) for message in answer.context["messages"]]

    assert run("pause") == ["Paused: Logo"]
    assert run("pause") == ["Logo: A gig that is paused can’t be paused."]
    assert run("archive") == ["Archived: Logo"]
    assert Gig.objects.get().status == "archived"


def test_categories_are_kept_by_staff(client: Client, root: User) -> None:
    answer = client.post("/admin/catalog/category/add/", {"name": "Maps", "slug": "maps", "position": "9"})
    assert answer.status_code == 302
