import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import PASSWORD, StaffFactory, UserFactory

pytestmark = pytest.mark.django_db

USERS = "/admin/accounts/user/"


def agent(*permissions: str) -> User:
    person = StaffFactory()
    person.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return person


def run(client: Client, action: str, *people: User) -> list[str]:
    answer = client.post(USERS, {"action": action, "_selected_action": [person.pk for person in people]}, follow=True)
    return [str(message) for message in answer.context["messages"]]


def test_staff_deactivate_and_reactivate_people(client: Client) -> None:
    client.force_login(agent("change_user", "view_user"))
    ana = UserFactory(name="Ana")
    assert run(client, "deactivate", ana) == ["Ana was deactivated."]
    ana.refresh_from_db()
    assert ana.is_active is False
    assert run(client, "reactivate", ana) == ["Ana was reactivated."]
    ana.refresh_from_db()
    assert ana.is_active is True


def test_staff_cannot_deactivate_other_staff(client: Client) -> None:
    client.force_login(agent("change_user", "view_user"))
    other = StaffFactory(name="Bo")
    assert run(client, "deactivate", other) == ["Bo: Only a superuser may do this to staff."]
    other.refresh_from_db()
    assert other.is_active is True


def test_staff_who_may_only_look_cannot_deactivate(client: Client) -> None:
    client.force_login(agent("view_user"))
    ana = UserFactory()
    client.post(USERS, {"action": "deactivate", "_selected_action": [ana.pk]})
    ana.refresh_from_db()
    assert ana.is_active is True


def test_powers_and_activity_cannot_be_posted_by_staff(client: Client) -> None:
    client.force_login(agent("change_user", "view_user"))
    ana = UserFactory(name="Ana", email="ana@example.org")
    forged = {"is_staff": "on", "is_superuser": "on", "is_active": "", "email": "x@y.org", "handle": "root"}
    answer = client.post(f"{USERS}{ana.pk}/change/", {"name": "Ana R.", "about": "", "time_zone": "UTC"} | forged)
    assert answer.status_code == 302
    ana.refresh_from_db()
    assert (ana.name, ana.is_staff, ana.is_superuser, ana.is_active, ana.email, ana.handle) == (
        "Ana R.",
        False,
        False,
        True,
        "ana@example.org",
        "ana",
    )


def test_staff_cannot_change_a_superuser(client: Client) -> None:
    client.force_login(agent("change_user", "view_user"))
    root = User.objects.create_superuser("root@example.org", PASSWORD, name="Root")
    assert client.post(f"{USERS}{root.pk}/change/", {"name": "Owned"}).status_code == 403
    assert client.post(f"{USERS}{root.pk}/password/", {"password1": "x", "password2": "x"}).status_code == 403


def test_nobody_is_deleted(client: Client) -> None:
    client.force_login(User.objects.create_superuser("root@example.org", name="Root"))
    assert client.post(f"{USERS}{UserFactory().pk}/delete/", {"post": "yes"}).status_code == 403


def test_a_person_made_by_staff_has_a_handle_and_a_vouched_for_address(client: Client) -> None:
    client.force_login(User.objects.create_superuser("root@example.org", name="Root"))
    form = {
        "email": "Ana@Example.org",
        "name": "Ana Ruiz",
        "usable_password": "true",
        "password1": PASSWORD,
        "password2": PASSWORD,
    }
    assert client.post(f"{USERS}add/", form).status_code == 302
    ana = User.objects.get(email="ana@example.org")
    assert (ana.handle, ana.check_password(PASSWORD)) == ("ana-ruiz", True)
    assert list(ana.emailaddress_set.values_list("email", "verified")) == [("ana@example.org", True)]
    again = client.post(f"{USERS}add/", form | {"email": "ANA@example.org"})
    assert again.context["adminform"].form.errors == {"email": ["Somebody has this address already."]}
