import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana(client: Client) -> User:
    person = UserFactory(name="Ana Ruiz", email="ana@example.org")
    client.force_login(person)
    return person


def test_strangers_are_sent_to_sign_in(client: Client) -> None:
    answer = client.get("/profile/")
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/login/?next=/profile/")


def test_a_profile_is_saved(client: Client, ana: User) -> None:
    form = {"name": "Ana R.", "about": "I draw.", "time_zone": "Europe/Madrid"}
    answer = client.post("/profile/", form, follow=True)
    assert answer.redirect_chain == [("/profile/", 302)]
    assert "Your profile is saved." in answer.text
    ana.refresh_from_db()
    assert (ana.name, ana.about, ana.time_zone, ana.handle) == ("Ana R.", "I draw.", "Europe/Madrid", "ana-ruiz")


def test_a_bad_profile_keeps_what_was_typed_and_saves_nothing(client: Client, ana: User) -> None:
    answer = client.post("/profile/", {"name": "", "about": "typed <b>text</b>", "time_zone": "Mars/Olympus"})
    form = answer.context["form"]
    assert form.errors == {
        "name": ["This field is required."],
        "time_zone": ["Select a valid choice. Mars/Olympus is not one of the available choices."],
    }
    assert "typed &lt;b&gt;text&lt;/b&gt;" in answer.text
    assert "Ana Ruiz" in answer.text  # the header still shows the saved name
    ana.refresh_from_db()
    assert ana.about == ""


@pytest.mark.parametrize("name", ["x" * 81, "nul \0 byte"])
def test_a_name_that_cannot_be_kept_is_told_at_its_field(client: Client, ana: User, name: str) -> None:
    answer = client.post("/profile/", {"name": name, "about": "", "time_zone": "UTC"})
    assert list(answer.context["form"].errors) == ["name"]


def test_only_the_fields_that_are_shown_can_be_posted(client: Client, ana: User) -> None:
    form = {"name": "Ana", "about": "", "time_zone": "UTC"}
    forged = {"is_staff": "on", "is_superuser": "on", "email": "root@example.org", "handle": "root", "is_active": ""}
    client.post("/profile/", form | forged)
    ana.refresh_from_db()
    assert (ana.is_staff, ana.is_superuser, ana.is_active, ana.email, ana.handle) == (
        False,
        False,
        True,
        "ana@example.org",
        "ana-ruiz",
    )


def test_pages_show_times_in_the_persons_zone(client: Client, ana: User) -> None:
    User.objects.filter(pk=ana.pk).update(time_zone="Europe/Madrid")
    assert "Times are shown in Madrid time." in client.get("/profile/").text


def test_a_private_page_is_kept_out_of_every_cache(client: Client, ana: User) -> None:
    assert client.get("/profile/")["Cache-Control"] == "no-store, private"


def test_the_profile_page_takes_four_queries(
    client: Client, ana: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(4):  # session, person, own copy, unread notices
        client.get("/profile/")
