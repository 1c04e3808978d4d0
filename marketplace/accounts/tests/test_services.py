import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from marketplace.accounts import services
from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import StaffFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_a_deactivated_persons_session_ends_at_once(client: Client) -> None:
    person = UserFactory()
    client.force_login(person)
    assert client.get("/profile/").status_code == 200
    assert services.deactivate(person, by=StaffFactory()) is True
    answer = client.get("/profile/")
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/login/?next=/profile/")


def test_deactivating_twice_changes_nothing_the_second_time() -> None:
    person, agent = UserFactory(), StaffFactory()
    assert [services.deactivate(person, by=agent) for _ in range(2)] == [True, False]


def test_a_reactivated_person_is_active_again() -> None:
    person, agent = UserFactory(is_active=False), StaffFactory()
    assert [services.reactivate(person, by=agent) for _ in range(2)] == [True, False]
    person.refresh_from_db()
    assert person.is_active is True


def test_nobody_deactivates_themselves() -> None:
    agent = StaffFactory()
    with pytest.raises(services.AccountError, match="Nobody deactivates or reactivates themselves"):
        services.deactivate(agent, by=agent)


def test_only_a_superuser_deactivates_staff() -> None:
    agent = StaffFactory()
    with pytest.raises(services.AccountError, match="Only a superuser"):
        services.deactivate(agent, by=StaffFactory())
    root = User.objects.create_superuser("root@example.org", name="Root")
    assert services.deactivate(agent, by=root) is True


def test_a_vouched_for_address_counts_as_verified() -> None:
    person = UserFactory()
    for _ in range(2):
        services.confirm_email(person)
    assert list(EmailAddress.objects.values_list("user", "email", "verified", "primary")) == [
        (person.pk, person.email, True, True)
    ]
